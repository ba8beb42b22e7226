"""The write path is linearizable: 16 people save at once at two processes of the app, and HAPI's history agrees.

Each person, in several tabs, saves the story of a plan or the words of a goal, each time a text that no one wrote
before, and notes what the form showed, when the save began and ended, and what the page said. Each such text in
the record is a register with compare-and-set: a save takes the place of what its form showed, or is not done. As every
version is kept and every text is written once, the order is known, and one pass over the versions decides; nothing has
to be searched for.

Run as `python -m tests.conformance.write_path [--seconds 20] [--model]`; `--model` uses the EHR of tests.faults.
"""

from __future__ import annotations

import argparse
import random
import string
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final

import requests

from mappers.identity import values_in
from mappers.living import content_of
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from smartapp import create_app
from smartapp.services import KEY, Services
from smartapp.settings import Settings
from smartapp.storage.database import open_database
from smartapp.web.typed import digest
from tests.conformance import databases
from tests.conformance.java_tools import BuildError, NotHereError
from tests.conformance.sizes import size
from tests.conformance.starting import hapi, running
from tests.faults.authority import SignIn
from tests.faults.browser import Page
from tests.faults.kinds import kinds
from tests.faults.ledger import Ledger
from tests.faults.model_ehr import Answer, Resource
from tests.faults.people import DOMAIN, Client, claim_of
from tests.faults.processes import RealProcess, RealWorld, database, environment, unsettled
from tests.faults.serving import Fleet, Lane, RealBrowser, Served
from tests.faults.stores import is_living

CLIENTS: Final = 16
PEOPLE: Final = 5
SECONDS: Final = size("seconds of saving")
QUIET_SECONDS: Final = 60
LOG: Final = Path(".cache/conformance/write-path.log")
BEGUN: Final = "begun"
"""The words of a goal before anybody was watching."""
FOREVER: Final = float("inf")


@dataclass(frozen=True)
class Save:
    """One press of a save button: what the form showed, read between two moments, and what the page said."""

    register: str
    text: str
    shown: str  # its digest: the form says what it is based on, also where it holds words that were given back
    read: tuple[float, float]
    begun: float
    ended: float
    claim: str

    @property
    def done_by(self) -> float:
        """Return when this was done at the latest, if it was."""
        return self.ended if self.claim == "saved" else FOREVER


# ---- the checker


def violations(versions: Sequence[str], saves: Sequence[Save]) -> list[str]:
    """Return how one register is not linearizable, given its text in each version, the oldest first."""
    order = [text for text, _ in groupby(versions)]
    by_text = {save.text: save for save in saves}
    return [
        *_impossible(order, by_text),
        *_missing(order, saves),
        *_out_of_order(order, by_text),
        *_stale(order, saves),
    ]


def _impossible(order: Sequence[str], by_text: Mapping[str, Save]) -> Iterator[str]:
    for text, count in Counter(order).items():
        if count > 1:
            yield f"{text!r} came back after something had taken its place"
        if text not in ("", BEGUN) and text not in by_text:
            yield f"{text!r} is in the record, and nobody wrote it"
        elif text in by_text and by_text[text].claim in ("conflict", "given back"):
            yield f"{text!r} is in the record, and the page said that it was not saved ({by_text[text].claim})"
    for before, after in pairwise(order):
        save = by_text.get(after)
        if save is not None and save.shown != digest(before):
            yield f"{after!r} took the place of {before!r}, and its form was based on another text"


def _missing(order: Sequence[str], saves: Sequence[Save]) -> Iterator[str]:
    for save in saves:
        if save.claim == "saved" and save.text not in order:
            yield f"{save.text!r} was called saved, and no version has it"


def _out_of_order(order: Sequence[str], by_text: Mapping[str, Save]) -> Iterator[str]:
    latest = 0.0
    for text in order:
        save = by_text.get(text)
        if save is not None:
            if save.done_by < latest:
                yield f"{text!r} was called saved before something began that stands before it"
            latest = max(latest, save.begun)


def _stale(order: Sequence[str], saves: Sequence[Save]) -> Iterator[str]:
    """Yield what a form was based on though it had been replaced before the form was asked for, or was not yet there.

    Only of saves that were done: a form with words that were given back is based on what those were based on.
    """
    place = {digest(text): number for number, text in enumerate(order)}
    by_text = {save.text: save for save in saves}
    for save in (one for one in saves if one.text in order and one.shown in place):
        before = by_text.get(order[place[save.shown]])
        if before is not None and before.begun > save.read[1]:
            yield f"the form of {save.text!r} showed {before.text!r} before it was written"
        after = [by_text[text] for text in order[place[save.shown] + 1 :] if text in by_text and text != save.text]
        if any(one.done_by < save.read[0] for one in after):
            yield f"the form of {save.text!r} showed what a save that was done before had replaced"


# ---- people


class Writer(Client):
    """Someone who saves the same few things again and again."""

    def save_text(self, register: str, path: str, field: str, text: str) -> list[Save]:
        """Save a text in a form, and where somebody was first, perhaps once more on top of what the page shows."""
        if not self.there():
            return []
        asked = time.monotonic()
        page = self.get(path)
        page = self.follow(page) if page is not None else None
        saves = []
        for words in (text, f"{text}again"):
            if page is None or page.status not in (200, 409) or f"seen-{field}" not in page.fields:
                break
            read, begun = (asked, time.monotonic()), time.monotonic()
            shown = page.fields[f"seen-{field}"]
            chosen = {f"choice-{field}": "typed"} if page.status == 409 else {}
            answer = self.post(path, {**page.fields, field: words, "stop": "1", **chosen})
            claim = self._claimed(answer, words)
            saves.append(Save(register, words, shown, read, begun, time.monotonic(), claim))
            if claim != "conflict" or self.chance.random() < 0.3:
                break
            asked, page = begun, answer
        return saves

    def _claimed(self, page: Page | None, text: str) -> str:
        if page is None:
            return "unknown"
        if page.status == 409:
            return "conflict"
        if page.status != 303:
            return "given back" if text in page.text else f"error {page.status}"
        there = self.follow(page)
        said = claim_of(there.text) if there is not None and there.status == 200 else "unknown"
        return "saved" if said == "ehr" else said

    def begin_plan(self) -> tuple[str, str]:
        """Begin a plan with one goal, and return the address of its words and the key of the form that made it."""
        if not self.choose_domain():
            raise RuntimeError(f"{self.name} cannot begin a plan")
        page = self.get("plan/goals/new")
        assert page is not None
        key = page.fields["key"]
        self.post("plan/goals/new", {**page.fields, "text": BEGUN, "domain": DOMAIN, "due": ""})
        address = self._goal_address(key)
        if address is None:
            raise RuntimeError(f"the goal of {self.name} is not there")
        return f"{address}words", key


def work(writer: Writer, goal: tuple[str, str], mark: str, until: float) -> list[Save]:
    """Save until the time is over."""
    saves: list[Save] = []
    patient = writer.who.patient
    while time.monotonic() < until:
        text = f"said{mark}w{len(saves):03d}x"
        if writer.chance.random() < 0.5:
            saves += writer.save_text(f"story {patient}", "living/story/story/", "story-story", text)
        else:
            saves += writer.save_text(f"goal {patient}", goal[0], "text", text)
    return saves


# ---- servers


class Forwarded(RealWorld):
    """A world whose EHR is a FHIR server elsewhere, at which the model's authorization server signs people in."""

    target = ""

    def forward(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Ask the server, and give its answer under our address."""
        kept = {name: value for name, value in headers.items() if name.lower() not in _OF_THE_WAY}
        address = self.target + url.removeprefix(self.fhir)
        sent = body.replace(self.fhir.encode(), self.target.encode()) if body else None
        answer = requests.request(method, address, headers=kept, data=sent, timeout=30)
        back = {
            name: value.replace(self.target, self.fhir)
            for name, value in answer.headers.items()
            if name in ("Content-Type", "ETag", "Location", "Last-Modified", "Content-Location")
        }
        return Answer(answer.status_code, answer.content.replace(self.target.encode(), self.fhir.encode()), back)

    def servers(self) -> dict[str, Any]:
        """Return what answers at which address."""
        return {**super().servers(), self.fhir: self.forward if self.target else self.ehr.answer}

    def versions(self, type_: str, patient: str) -> list[Resource]:
        """Return all versions of the resources of a type about a patient, the oldest first."""
        if not self.target:
            kept = [one.resource for one in self.ehr.log if one.resource["resourceType"] == type_]
            return [one for one in kept if one.get("subject", {}).get("reference", "").endswith(f"/{patient}")]
        found = _entries(f"{self.target}/{type_}?subject=Patient/{patient}&_count=100")
        return [
            version
            for one in found
            for version in reversed(_entries(f"{self.target}/{type_}/{one['id']}/_history?_count=1000"))
        ]


_OF_THE_WAY: Final = ("host", "content-length", "authorization", "connection", "accept-encoding")


def _entries(address: str) -> list[Resource]:
    found: list[Resource] = []
    while address:
        bundle = requests.get(address, timeout=60).json()
        found += [entry["resource"] for entry in bundle.get("entry", []) if "resource" in entry]
        address = next((one["url"] for one in bundle.get("link", []) if one["relation"] == "next"), "")
    return found


# ---- the run


@contextmanager
def record_server(*, model: bool) -> Iterator[str]:
    """Yield the address of HAPI, or nothing for the EHR of tests.faults."""
    if model:
        yield ""
        return
    with running(hapi(), LOG) as base:
        yield base


def run(seconds: float, *, model: bool) -> tuple[list[Save], list[str]]:
    """Let everybody save for so long, and return what they saved and what is wrong."""
    kind = "postgresql" if databases.binaries() else "sqlite"
    with (
        tempfile.TemporaryDirectory(prefix="write-path-") as name,
        database(kind, Path(name)) as url,
        record_server(model=model) as target,
    ):
        folder, lane = Path(name), Lane()
        environ = environment(url, folder / "issuers.toml")
        count = 2 if kind == "postgresql" else 1
        servers = [Served(f"app{number + 1}", environ, folder / f"app{number + 1}.log") for number in range(count)]
        fleet = Fleet(servers, random.Random(1))
        world = Forwarded(
            kinds()["full"], folder, "1", False, 0, "not its own", f"{lane.base}/fhir", f"{lane.base}/login"
        )
        world.fleet, world.target = fleet, target
        lane.routes |= {base: (server, world.travel) for base, server in world.servers().items()}
        issuer = f'[[issuer]]\nbase = "{world.fhir}"\nname = "EHR"\nclient_id = "verstel"\n'
        (folder / "issuers.toml").write_text(issuer)
        try:
            print(f"write path: {'HAPI' if target else 'the model EHR'}, {count} processes on {kind}", flush=True)
            return _worked(world, fleet, environ, seconds)
        finally:
            fleet.end()
            lane.shutdown()


def _worked(world: Forwarded, fleet: Fleet, environ: dict[str, str], seconds: float) -> tuple[list[Save], list[str]]:
    fleet.start()
    engine = open_database(environ["VERSTEL_DATABASE_URL"])
    services: Services = create_app(Settings.from_env(environ), engine=engine).extensions[KEY]
    world.processes = tuple(RealProcess(world, served, services) for served in fleet.servers)
    patients = [f"person{letter}" for letter in string.ascii_lowercase[:PEOPLE]]
    for patient in patients:
        _put(world, {"resourceType": "Patient", "id": patient, "name": [{"text": f"{patient} (voorbeeld)"}]})
    goals = {patient: _writer(world, patient, 0).begin_plan() for patient in patients}
    writers = [_writer(world, patients[number % PEOPLE], number) for number in range(CLIENTS)]
    saves = _together(writers, goals, seconds)
    _wait_until_quiet(services, world.fhir)
    wrong = list(fleet.broken)
    for patient in patients:
        for register, versions in _registers(world, patient, goals[patient][1]):
            mine = [save for save in saves if save.register == register]
            wrong += [f"{register}: {line}" for line in violations(versions, mine)]
    wrong += [f"{save.register}: {save.text!r}: {save.claim}" for save in saves if save.claim.startswith("error")]
    engine.dispose()
    return saves, wrong


def _put(world: Forwarded, resource: Resource) -> None:
    if not world.target:
        world.ehr.put(resource)
        return
    address = f"{world.target}/{resource['resourceType']}/{resource['id']}"
    requests.put(address, json=resource, timeout=60).raise_for_status()


def _writer(world: Forwarded, patient: str, number: int) -> Writer:
    writer = Writer(world, Ledger(), SignIn(f"Patient/{patient}", patient), random.Random(number))
    writer.browser = RealBrowser(world, writer.name)
    return writer


def _together(writers: Sequence[Writer], goals: Mapping[str, tuple[str, str]], seconds: float) -> list[Save]:
    """Let all of them save at the same time."""
    until = time.monotonic() + seconds
    saves: list[Save] = []

    def at_work(number: int, writer: Writer) -> None:
        saves.extend(work(writer, goals[writer.who.patient], string.ascii_lowercase[number], until))

    threads = [threading.Thread(target=at_work, args=pair) for pair in enumerate(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return saves


def _wait_until_quiet(services: Services, issuer: str) -> None:
    until = time.monotonic() + QUIET_SECONDS
    while unsettled(services, issuer) and time.monotonic() < until:
        time.sleep(1)


def _registers(world: Forwarded, patient: str, key: str) -> Iterator[tuple[str, list[str]]]:
    """Yield both texts of a person with what each version of the record said."""
    told = [one for one in world.versions("QuestionnaireResponse", patient) if is_living(one)]
    yield f"story {patient}", ["", *(_story(one) for one in told)]  # before the first there was no story
    goals = [one for one in world.versions("Goal", patient) if key in values_in(one, identifier_system("goal"))]
    yield f"goal {patient}", [goal["description"]["text"] for goal in goals]


def _story(response: Resource) -> str:
    return content_of(response, catalogue().living["story"]).of("story-story")


def main(given: Sequence[str] | None = None) -> int:
    """Run it and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.write_path", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long everybody saves")
    parser.add_argument("--told", action="store_true", help="print every save")
    parser.add_argument("--model", action="store_true", help="use the EHR of tests.faults instead of HAPI")
    asked = parser.parse_args(given)
    try:
        saves, wrong = run(asked.seconds, model=asked.model)
    except NotHereError as error:
        print(f"write path: did not run: {error}", file=sys.stderr)
        return 3
    except BuildError as error:
        print(f"write path: {error}", file=sys.stderr)
        return 1
    said = Counter(save.claim for save in saves)
    print(f"write path: {len(saves)} saves: {', '.join(f'{count} {claim}' for claim, count in sorted(said.items()))}")
    for save in sorted(saves, key=lambda one: (one.register, one.begun)) if asked.told else ():
        times = f"{save.read[0]:.3f}-{save.read[1]:.3f} {save.begun:.3f}-{save.ended:.3f}"
        print(f"  {save.register} {times} {save.shown!r} -> {save.text!r}: {save.claim}")
    for line in wrong[:40]:
        print(f"  {line}")
    print(f"write path: {len(wrong)} violations")
    return 1 if wrong or not said["saved"] else 0


if __name__ == "__main__":
    sys.exit(main())
