"""A server that strangers wrote exports, and takes scores back: `verstel bulk` on HAPI FHIR JPA, each score once.

Run as `python -m tests.conformance.bulk`. HAPI asks for two minutes between two questions about a job; here it is
asked again after a second. Exit 0: all held, 1: something did not, 3: HAPI can't be had here.
"""

from __future__ import annotations

import functools
import http.server
import json
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner, Result

from mappers.answers import response_of
from questionnaires.catalogue import Catalogue
from smartapp import cli
from smartapp.commands import bulk
from smartapp.fhir.http import OutboundError, ask
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Query, RecordError, Write
from tests.conformance import strangers
from tests.conformance.java_tools import BuildError, NotHereError, version
from tests.conformance.starting import hapi, patience, running

LOG: Final = Path(".cache/conformance/bulk.log")
SYSTEM: Final = "HAPI FHIR JPA, bulk data"
PEOPLE: Final = 2
EACH: Final = 4
INSTRUMENTS: Final = ("hoop", "mhcs", "mansa", "nel")
CATALOGUE = Catalogue()
# A panel and its scores, of each response.
PER_RESPONSE: Final = {name: 1 + len(CATALOGUE.instruments[name].scores) for name in INSTRUMENTS}


class Site:
    """HAPI with made-up people on it, and the folder in which the commands work."""

    def __init__(self, base: str, folder: Path) -> None:
        self.base, self.folder = base, folder
        self.store = RemoteStore(base)
        self.people = [self.store.write(Write("create", {"resourceType": "Patient"})).reference for _ in range(PEOPLE)]
        self.responses = [
            self.answer(person, INSTRUMENTS[number % len(INSTRUMENTS)])
            for person in self.people
            for number in range(EACH)
        ]

    def answer(self, person: str, instrument: str) -> str:
        """Keep a finished response there, and return its id."""
        made = CATALOGUE.instruments[instrument]
        who = {"reference": person}
        response = response_of(
            {item.link_id: item.scale.options[0].code for item in made.items if item.scale},
            made,
            status="completed",
            authored="2026-03-03T14:02:00+01:00",
            subject=who,
            author=who,
            source=who,
            identifier=str(uuid.uuid4()),
        )
        return str(self.store.write(Write("create", response)).resource["id"])

    def verstel(self, *arguments: str | Path) -> Result:
        """Run a command, which has to say that all went well."""
        done = CliRunner().invoke(cli.main, [str(one) for one in arguments])
        assert done.exit_code == 0, f"{arguments[:2]}: exit {done.exit_code}: {done.output[-600:]}"
        return done

    def fetched(self, name: str, *options: str) -> list[dict[str, Any]]:
        """Export into a folder of this name; return the responses in it."""
        self.verstel("bulk", "fetch", "--from", self.base, "--to", self.folder / name, *options)
        files = sorted((self.folder / name).glob("QuestionnaireResponse.*.ndjson"))
        return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]

    def scored(self, name: str) -> Path:
        """Score what is in such a folder."""
        path = self.folder / name / "observations.ndjson"
        path.write_text(self.verstel("score", self.folder / name).stdout, encoding="utf-8")
        return path

    def counts(self) -> Counter[str]:
        """Return how many Observations the server has of each identifier."""
        pages = self.store.pages(Query("Observation", (("_count", "100"),)))
        return Counter(one.resource["identifier"][0]["value"] for page in pages for one in page.found)

    def import_job(self, request: bytes) -> None:
        """Let the server import, and wait until it has."""
        headers = {"Content-Type": "application/fhir+json", "Prefer": "respond-async"}
        answer = ask("POST", f"{self.base}/$import", headers=headers, data=request, read_seconds=30)
        assert answer.status == 202, (answer.status, answer.body[:400])
        until = time.monotonic() + 60
        while (done := ask("GET", answer.headers["Content-Location"])).status == 202 and time.monotonic() < until:
            time.sleep(0.5)
        assert done.status == 200, (done.status, done.body[:400])


def check_all_responses_come(site: Site) -> None:
    """All responses come, each once."""
    assert sorted(one["id"] for one in site.fetched("all")) == sorted(site.responses)


def check_each_score_is_stored_once(site: Site) -> None:
    """What is scored is stored, each once, and written back a second time it is nothing to do."""
    path = site.scored("all")
    expected = PEOPLE * sum(PER_RESPONSE[INSTRUMENTS[number % len(INSTRUMENTS)]] for number in range(EACH))
    said = site.verstel("bulk", "store", path, "--to", site.base).stdout
    assert f"{expected} Observations written, 0 were there, 0 refused" in said, said
    counts = site.counts()
    assert (counts.total(), len(counts)) == (expected, expected)
    assert site.verstel("bulk", "store", path, "--to", site.base).stdout.startswith("Nothing to do")
    assert (
        f"0 Observations written, {expected} were there"
        in site.verstel("bulk", "store", path, "--to", site.base, "--again").stdout
    )
    assert site.counts() == counts


def check_an_export_knows_what_is_there(site: Site) -> None:
    """A second export holds the scores, and nothing is sent of them."""
    site.fetched("again")
    site.scored("again")
    before = site.counts()
    said = site.verstel("bulk", "store", site.folder / "again", "--to", site.base).stdout
    assert f"0 Observations written, {before.total()} were there" in said, said
    assert site.counts() == before


def check_what_came_since(site: Site) -> None:
    """Of what was written since an export, that alone comes ($export: HAPI's Patient/$export gave all of it)."""
    time.sleep(1)
    began = json.loads((site.folder / "again" / "bulk-export.json").read_bytes())["time"]
    new = site.answer(site.people[0], "hoop")
    found = [one["id"] for one in site.fetched("since", "--of", "system", "--since", began)]
    assert found == [new], (began, found, new)


def check_a_group(site: Site) -> None:
    """Of a Group come the responses of its people alone."""
    members = [{"entity": {"reference": one}} for one in site.people[1:]]
    group = {"resourceType": "Group", "type": "person", "actual": True, "member": members}
    id_ = str(site.store.write(Write("create", group)).resource["id"])
    found = Counter(one["subject"]["reference"] for one in site.fetched("group", "--group", id_))
    assert found == dict.fromkeys(site.people[1:], EACH), found


def check_import(site: Site) -> None:
    """Files for an $import are taken, and taken twice they change nothing."""
    path = site.scored("since")
    folder = site.folder / "served"
    before = site.counts()
    with served(folder) as address:
        site.verstel("bulk", "import-files", path, "--into", folder, "--served-at", address)
        request = (folder / "import.json").read_bytes()
        site.import_job(request)
        after = site.counts()
        assert (after - before).total() == PER_RESPONSE["hoop"], after - before
        site.import_job(request)
        assert site.counts() == after


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine."""
    folder.mkdir(exist_ok=True)
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".ndjson": "application/fhir+ndjson"}  # noqa: RUF012 - as the class above has it

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


# Each goes on with what the one before left.
CHECKS: Final[tuple[Callable[[Site], None], ...]] = (
    check_all_responses_come,
    check_each_score_is_stored_once,
    check_an_export_knows_what_is_there,
    check_what_came_since,
    check_a_group,
    check_import,
)


def main() -> int:
    """Run the checks and return the exit code."""
    bulk._wait = lambda seconds: time.sleep(min(seconds, 1))
    failed: list[str] = []
    release = version("server", "hapi.version")
    try:
        with running(hapi(bulk=True), LOG) as base, patience(), tempfile.TemporaryDirectory() as folder:
            site = Site(base, Path(folder))
            for check in CHECKS:
                sentence = (check.__doc__ or "").strip()
                try:
                    check(site)
                    print(f"bulk data: {sentence}", flush=True)
                except (AssertionError, OutboundError, RecordError) as error:
                    failed.append(f"{sentence} {str(error)[:300]}")
                    print(f"bulk data: FAILED: {sentence} {str(error)[:800]}", flush=True)
    except NotHereError as error:
        strangers.missing(SYSTEM, error)
        print(f"bulk data: did not run: {error}", file=sys.stderr)
        return 3
    except BuildError as error:
        failed.append(str(error)[:300])
        print(f"bulk data: {error}", file=sys.stderr)
    strangers.held(SYSTEM, len(CHECKS), failed, version=release)
    print(f"bulk data: {len(CHECKS)} checks, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
