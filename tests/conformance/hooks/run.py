"""Ask our CDS Hooks services on a running server with a client made of the parts of others.

HAPI FHIR reads our discovery, fills in the prefetch templates, asks the sandbox's FHIR server for them over HTTP,
writes the call and reads the cards; Nimbus signs the token. What HAPI read, written again by it, must be what we sent.
Run as `python -m tests.conformance.hooks.run`. Exit 0: all as it should be, 1: it is not, 3: Java or the packages can't
be had here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from joserfc.jwk import ECKey

from smartapp.sandbox.seeding import seed
from smartapp.sandbox.tickets import Grant
from smartapp.services import KEY
from smartapp.settings import Hooks
from smartapp.smart.callers import Callers
from smartapp.storage.hook_calls import HookCalls
from tests.conformance import strangers
from tests.conformance.java_tools import BuildError, NotHereError, java, version
from tests.conftest import Server, serve

ISS: Final = "https://ehr.example/cds-client"
CLIENT: Final = "HAPI FHIR's CDS Hooks models with Nimbus"
PERSON: Final = "noor"
PATIENCE: Final = 120
HOOKS: Final = ("patient-view", "appointment-book", "encounter-start")
QUESTIONS: Final = 4 * len(HOOKS) + 2
"""Per hook: the status, what HAPI read of discovery and of the cards, and the card; then two who must be refused."""
PASSED, FAILED, NOT_RUN = 0, 1, 3
PREPARED: Final = "Noor bereidde het gesprek voor"
LOST: Final = frozenset({"usageRequirements"})
"""What HAPI has no place for, and so drops."""


def main() -> int:
    """Ask each service, and say what was not as it should be."""
    try:
        command = java("hooks", "nl.verstel.conformance.Hooks")
    except NotHereError as missing:
        print(f"hooks were not asked: {missing}")
        strangers.missing(CLIENT, missing)
        return NOT_RUN
    except BuildError as broken:
        print(f"hooks: {broken}")
        return FAILED
    complaints: list[str] = []
    for server in serve():
        seed(server.sandbox, datetime.now(UTC), only=[PERSON])
        complaints += complaints_of(server, command)
    for complaint in complaints:
        print(complaint)
    print(f"hooks: three services asked by HAPI's and Nimbus' parts: {len(complaints)} complaints")
    strangers.held(CLIENT, QUESTIONS, complaints, version=f"{version('hooks', 'hapi.version')} (HAPI FHIR)")
    return FAILED if complaints else PASSED


def complaints_of(server: Server, command: list[str]) -> Iterator[str]:
    """Yield what is not as it should be, one line each."""
    key = ECKey.generate_key("P-384", {"kid": "key-1", "use": "sig", "alg": "ES384"})
    know(server, {"keys": [key.as_dict(private=False)]})
    job = {
        "services": f"{server.url}/cds-services",
        "fhirServer": server.base,
        "accessToken": server.sandbox.tickets.token(
            Grant("verstel", "system/*.rs", None, None, str(uuid.uuid4())), "access", 3600
        ),
        "iss": ISS,
        "key": key.as_dict(private=True),
    }
    person = server.sandbox.store.read("Patient", PERSON).resource
    [own] = [one["reference"] for one in person["generalPractitioner"]]
    context = {"userId": own, "patientId": PERSON, "encounterId": "e-1"}
    for hook in HOOKS:
        answer = asked(command, {**job, "hook": hook, "context": context})
        yield from (f"{hook}: {one}" for one in _read_well(answer))
        if PREPARED not in [card.get("summary") for card in answer.get("answer", {}).get("cards", [])]:
            yield f"{hook}: no card says that {PERSON} prepared the conversation: {_short(answer)}"
    forged = asked(command, {**job, "hook": "patient-view", "context": context, "iss": "https://other.example"})
    if forged.get("status") != 401:
        yield f"a client that is not known was not refused: {_short(forged)}"
    other = asked(command, {**job, "hook": "patient-view", "context": {**context, "userId": "Practitioner/nobody"}})
    if other.get("status") != 412:
        yield f"somebody whom the FHIR server does not know was told something: {_short(other)}"


def _read_well(answer: Mapping[str, Any]) -> Iterator[str]:
    if answer.get("status") != 200:
        yield f"the answer is {_short(answer)}"
        return
    for ours, theirs in (("sentDiscovery", "discovery"), ("sentAnswer", "answer")):
        if (sent := _told(answer[ours])) != (read := _told(answer[theirs])):
            yield f"HAPI read another {theirs} than we sent: {_short(sent)} became {_short(read)}"


def _told(node: Any) -> Any:
    """Return what is told, without fields that have no value, and those that HAPI has no place for."""
    if isinstance(node, list):
        return [_told(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {name: _told(value) for name, value in node.items() if name not in LOST and value not in (None, [], {})}


def know(server: Server, keys: Mapping[str, Any]) -> None:
    """Let the settings of the running app know the client."""
    core = server.app.extensions[KEY]
    [issuer] = core.settings.issuers
    core.settings = replace(core.settings, issuers=(replace(issuer, hooks=Hooks(iss=ISS, keys=keys)),))
    core.callers = Callers(core.settings, HookCalls(core.engine, core.clock), core.clock)


def asked(command: list[str], job: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the stranger's client says of one call."""
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode:
        return {"crashed": done.stderr[-600:]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _short(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False)[:600]


if __name__ == "__main__":
    sys.exit(main())
