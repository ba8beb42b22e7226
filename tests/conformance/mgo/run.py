"""Ask a running sandbox what the PGO of the Dutch state asks, and let that PGO's own parser read every answer.

Its code is no package and none of it is here: VERSTEL_MGO_PARSER names a module that is on this machine already, which
exports getBundleResources, getMgoResource, getDetails, getCard (of its package hcim) and losslessParse (of its utils).
Run as `python -m tests.conformance.mgo.run`. Exit 0: it reads and shows all, 1: it does not, 3: no parser here.
"""

from __future__ import annotations

import copy
import hashlib
import http.client
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mappers.medmij import queries
from smartapp.fhir.store import Write
from smartapp.sandbox.seeding import seed
from smartapp.sandbox.tickets import Grant
from tests.conformance import strangers
from tests.conformance.npm import MissingToolError, program
from tests.conftest import Server, serve
from tests.mappers.medmij.cases import entries
from tests.mappers.medmij.reader import shown
from tests.mappers.medmij.rules import broken

SYSTEM: Final = "MGO"
VARIABLE: Final = "VERSTEL_MGO_PARSER"
READER: Final = Path(__file__).with_name("reader.mjs")
WHOLE: Final = "anna"
SEEDED: Final = "noor"
PATIENCE: Final = 120
PASSED, FAILED, NOT_RUN = 0, 1, 3
JSON: Final = "application/fhir+json"

Bundles = Mapping[str, Any]
Reading = Mapping[str, Any]


def main() -> int:
    """Ask every query, have each answer read, and say what was not as it should be."""
    parser = Path(os.environ.get(VARIABLE, "") or "no parser")
    if not parser.is_file():
        why = f"no copy of its parser on this machine ({VARIABLE} names one)"
        print(f"the state's PGO did not read our answers: {why}")
        strangers.missing(SYSTEM, why)
        return NOT_RUN
    try:
        node = program("node", "nodejs")
    except MissingToolError as missing:
        print(f"the state's PGO did not read our answers: {missing}")
        strangers.missing(SYSTEM, missing)
        return NOT_RUN
    complaints: list[str] = []
    count = 0
    command = [node, str(READER), str(parser)]
    for server in serve():
        fill(server)
        for person in (WHOLE, SEEDED):
            bundles = asked(server, person)
            controls = spoilt(bundles)
            readings = read(command, [*bundles.values(), *controls])
            seen = dict(zip(bundles, readings, strict=False))
            complaints += (f"{person}: {one}" for one in complaints_of(bundles, seen, whole=person == WHOLE))
            complaints += let_through(readings[len(bundles) :])
            count += len(bundles) + sum(map(len, readings))
    for complaint in complaints:
        print(complaint)
    print(f"the state's PGO: {len(queries())} queries, {count} checks: {len(complaints)} complaints")
    version = f"parser {hashlib.sha256(parser.read_bytes()).hexdigest()[:12]}"
    strangers.held(SYSTEM, count, complaints, version=version)
    return FAILED if complaints else PASSED


def fill(server: Server) -> None:
    """Put two people into the sandbox: one of whom there is something for every query, and one of its own."""
    now = datetime.now(UTC)
    seed(server.sandbox, now, only=[SEEDED])
    patient = {"resourceType": "Patient", "id": WHOLE, "name": [{"text": "Anna de Vries"}], "birthDate": "1992-03-14"}
    server.sandbox.store.write(Write("update", patient))
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries()}
    headers = {"Authorization": f"Bearer {_token(server, WHOLE, 'patient/*.crus')}", "Content-Type": JSON}
    connection = http.client.HTTPConnection(urlsplit(server.base).netloc, timeout=PATIENCE)
    connection.request("POST", urlsplit(server.base).path, body=json.dumps(bundle), headers=headers)
    answer = connection.getresponse()
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"the sandbox did not take the record: {answer.status}")
    connection.close()


def asked(server: Server, person: str) -> Bundles:
    """Return what the sandbox answers to each query about a person of its, by the query's name."""
    headers = {
        "Authorization": f"Bearer {_token(server, person, 'patient/*.rs')}",
        "Accept": f"{JSON}; fhirVersion=3.0",
    }
    parts = urlsplit(server.base)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    found = {}
    for query in queries():
        # As it is written there, with nothing in it encoded.
        path = f"{parts.path.removesuffix('/fhir')}/medmij/{query.service}{query.path}"
        connection.request("GET", path, headers=headers)
        found[query.id] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def _token(server: Server, person: str, scope: str) -> str:
    grant = Grant("verstel", scope, f"Patient/{person}", person, str(uuid.uuid4()))
    return server.sandbox.tickets.token(grant, "access", 3600)


def spoilt(bundles: Bundles) -> list[Any]:
    """Return answers that the parser must not show, so that one that shows anything is noticed."""
    made = []
    for profile in ("HTTP://NICTIZ.NL/fhir/StructureDefinition/zib-GeneralMeasurement", "https://example.org/other"):
        bundle = copy.deepcopy(bundles["generalMeasurement"])
        bundle["entry"] = bundle["entry"][:1]
        bundle["entry"][0]["resource"]["meta"]["profile"] = [profile]
        made.append(bundle)
    return made


def read(command: Sequence[str], bundles: Sequence[Any]) -> list[list[Reading]]:
    """Return what the parser makes of the resources of each bundle."""
    texts = json.dumps([json.dumps(one, ensure_ascii=False) for one in bundles])
    done = subprocess.run(command, input=texts, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode:
        raise RuntimeError(f"the parser ended with {done.returncode}: {done.stderr[-600:]}")
    found: list[list[Reading]] = json.loads(done.stdout)
    return found


def complaints_of(bundles: Bundles, readings: Mapping[str, Sequence[Reading]], *, whole: bool) -> Iterator[str]:
    """Yield what is not as it should be, one line each; `whole` where every query that is ours has an answer."""
    for query in queries():
        bundle, seen = bundles[query.id], readings[query.id]
        yield from (f"{query.id}: {one}" for one in broken(bundle, query.path))
        resources = [one["resource"] for one in bundle.get("entry", [])]
        if (query.ours == "no" and resources) or (query.ours != "no" and whole and not resources):
            yield f"{query.id}: {len(resources)} resources, where ours is {query.ours}"
        if len(seen) != len(resources):
            yield f"{query.id}: {len(resources)} resources, and it reads {len(seen)}"
        for resource, reading in zip(resources, seen, strict=False):
            yield from (f"{query.id}/{resource['id']}: {one}" for one in _of_one(resource, reading))


def _of_one(resource: Any, reading: Reading) -> Iterator[str]:
    if reading["complaints"]:
        yield f"it says {reading['complaints'][0][:200]}"
    if not reading["known"]:
        yield "it is not shown"
        return
    if reading["title"] != resource["id"]:
        yield "its heading is not the id"
    there = set(_texts(reading["details"]))
    for words in _words(shown(resource)):
        if not any(words in one for one in there):
            yield f"something of ours is not shown, of {len(words)} signs"  # it may be somebody's own words


def _words(seen: Any) -> Iterator[str]:
    """Yield what a person must find, as our own reading of that reader has it; moments it writes in its own way."""
    for name, value in (seen or {}).items():
        if name == "value":
            if value is not None:
                yield f"{value[0]:g} {value[1]}"
        elif name not in ("when", "from", "born", "kind"):
            yield from _texts(value)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for one in node.values():
            yield from _texts(one)
    elif isinstance(node, list | tuple):
        for one in node:
            yield from _texts(one)


def let_through(readings: Sequence[Sequence[Reading]]) -> Iterator[str]:
    """Yield a line for each spoilt resource that is shown all the same."""
    for number, seen in enumerate(readings, start=1):
        if any(one["known"] for one in seen) or not seen:
            yield f"spoilt answer {number} is shown, so this check sees nothing"


if __name__ == "__main__":
    sys.exit(main())
