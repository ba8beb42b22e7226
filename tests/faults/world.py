"""One world in which a history happens: a clock, an EHR, perhaps a companion server, and processes of the app."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from flask import Flask
from sqlalchemy import event

from smartapp.courier import Courier
from smartapp.fhir import http
from smartapp.fhir.bulkheads import Hosts
from smartapp.services import KEY, Services
from smartapp.settings import Issuer, Settings
from tests.faults.authority import Authority
from tests.faults.faults import OTHER_ID, PLANNED, Trip
from tests.faults.kinds import GENERAL, Kind
from tests.faults.model_ehr import Answer, Caller, ModelEhr
from tests.faults.network import Server, connected
from tests.faults.starting import new_database, start

BEGIN = 1_790_000_000.0
APP = "http://localhost"
FHIR, LOGIN, COMPANION = "http://localhost:81/fhir", "http://localhost:82", "http://localhost:83/fhir"
PATIENTS = {"anna": "Anna Voorbeeld", "bram": "Bram Voorbeeld"}
CLINICIANS = {"jansen": "J. Jansen"}


DIES_AFTER = "dies-after"


class Killed(BaseException):
    """The process is dead: nothing of it runs any more, and nothing catches this but whoever started it."""


@dataclass
class Event:
    """One line of a history."""

    at: float
    actor: str
    what: str


class Process:
    """One process of the app. `begin` starts it anew on the database that it had."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.skew = world, name, 0.0
        self.kill_in: int | None = None  # at which moment from now on this process dies: a statement or a request
        self.alive = self.begun = False
        self.connections: list[Any] = []

    def clock(self) -> float:
        """Return the time as this process knows it."""
        return self.world.now + self.skew

    def begin(self) -> None:
        """Start the process."""
        self.end()
        self.app: Flask = start(self.world.settings, self.clock)
        self.services: Services = self.app.extensions[KEY]
        self.courier = Courier(self.services)
        self.hosts = Hosts(lambda: self.world.now)  # and not the clock of this machine, which no seed knows
        self.alive = self.begun = True
        self.kill_in = None
        event.listen(self.services.engine, "before_cursor_execute", lambda *_args: self.moment("a statement"))
        # Whatever it was in the middle of ends with a process, so its connections must be known.
        event.listen(self.services.engine, "checkout", lambda connection, *_args: self.connections.append(connection))
        event.listen(self.services.engine, "commit", lambda _connection: self.moment("a commit"))

    def end(self) -> None:
        """End it, without a word to anyone: what its connections had not committed is gone."""
        self.alive = False
        for connection in {id(one): one for one in self.connections}.values():
            with suppress(Exception):  # one that is closed already
                connection.close()
        self.connections = []
        if self.begun:
            self.services.engine.dispose()

    def die(self, when: str) -> None:
        """Die now."""
        self.alive = False
        self.world.kills += 1
        self.world.note(self.name, f"dies {when}")
        raise Killed

    def moment(self, what: str) -> None:
        """Say that something is about to happen at which this process may die."""
        if not self.alive:
            raise Killed
        if self.kill_in is None:
            return
        self.kill_in -= 1
        if self.kill_in < 0:
            self.die(f"before {what}")


@dataclass
class Weather:
    """How bad it is: which faults happen, at what share of requests, and which at the next request of a form.

    `planned` has pairs of a pattern, such as `PUT .*/Goal/`, and a fault; each happens once, at the first request that
    the pattern matches. Beside the faults there is "dies-after": the process dies when the server has done its part.
    """

    kinds: tuple[str, ...] = ()
    share: float = 0.0
    planned: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, request: str, chance: random.Random) -> str:
        """Return what happens to a request, "" for nothing."""
        found = next((pair for pair in self.planned if re.match(pair[0], request)), None)
        if found is not None:
            self.planned.remove(found)
            return found[1]
        return chance.choice(self.kinds) if chance.random() < self.share else ""


@dataclass
class World:
    """Everything in one history. `between` is called around each request, for what others do meanwhile."""

    kind: Kind
    folder: Path
    seed: str
    companion: bool = False
    lag: float = 0.0
    database_url: str = ""
    fhir: str = FHIR
    login_base: str = LOGIN
    companion_base: str = COMPANION
    now: float = BEGIN
    history: list[Event] = field(default_factory=list)
    weather: Weather = field(default_factory=Weather)
    between: Callable[[Process, str], None] | None = None
    refused: set[str] = field(default_factory=set)
    faults: int = 0
    kills: int = 0
    processes: tuple[Process, ...] = ()

    def __post_init__(self) -> None:
        self.login = Authority(self.login_base, self.fhir, lambda: self.now)
        self.ehr = ModelEhr(self.fhir, self.kind, lambda: self.now, self.login.caller_of, lag=self.lag)
        self.other = ModelEhr(self.companion_base, GENERAL, lambda: self.now, lambda _token: Caller("verstel", None))
        self.settings = Settings(
            public_url=APP,
            secret_keys=("a secret that only tests know, 32 characters",),
            encryption_keys=("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",),
            database_url=self.database_url or f"sqlite:///{self.folder / 'verstel.db'}",
            issuers=(Issuer(base=self.fhir, name="Model EHR", client_id="verstel"),),
            companion_url=self.companion_base if self.companion else None,
        )
        if not self.database_url:
            (self.folder / "verstel.db").write_bytes(new_database())
        self._requests, self.creating = 0, False  # creating: the request under way is meant to make something
        self.process: list[Process] = []  # the processes at work now, the innermost last
        for id_, name in PATIENTS.items():
            self.ehr.put({"resourceType": "Patient", "id": id_, "name": [{"text": name}]})
        for id_, name in CLINICIANS.items():
            self.ehr.put({"resourceType": "Practitioner", "id": id_, "name": [{"text": name}]})

    def note(self, actor: str, what: str) -> None:
        """Write a line of the history."""
        self.history.append(Event(self.now, actor, what))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Connect the processes to the servers."""
        with connected(self.servers(), self._travel):
            yield

    def servers(self) -> dict[str, Server]:
        """Return what answers at which address."""
        return {
            self.fhir: self.ehr.answer,
            f"{self.fhir}/.well-known": self.login.answer,
            self.login_base: self.login.answer,
            self.companion_base: self.other.answer,
        }

    def run(self, process: Process, job: Callable[[], Any]) -> Any:
        """Let a process do something. Raises Killed if it dies of it."""
        self.process.append(process)
        try:
            # What a process knows of the hosts that it asks is in a module: here there are several in one module.
            with patch.object(http, "HOSTS", process.hosts):
                return job()
        finally:
            self.process.pop()

    def _travel(self, request: requests.PreparedRequest, server: Server) -> Answer:
        """Let a request travel, with whatever the weather does to it."""
        process = self.process[-1]
        self.creating = request.method == "POST" and not (request.url or "").endswith(("_search", "token", "revoke"))
        self._requests += 1
        process.moment("a request")
        if self.between is not None:
            self.between(process, "before")
        chance = random.Random(f"{self.seed}|{self._requests}")
        said = f"{request.method} {(request.url or '').removeprefix('http://localhost')}"
        name = self.weather.fault(said, chance)
        log = len(self.ehr.log), len(self.other.log)
        trip = Trip(request, server, self.wait, chance)
        try:
            answer = PLANNED[name](trip) if name in PLANNED else trip.whole()
        except requests.RequestException as error:
            self._say(process, said, name, type(error).__name__, log)
            raise
        self._say(process, said, name, str(answer.status), log)
        if name or _refers_to_a_mistake(request):
            self._note_refusal(request, answer)
        if name == DIES_AFTER:
            process.die("before an answer")
        process.moment("an answer")
        if self.between is not None:
            self.between(process, "after")
            process.moment("an answer")
        return answer

    def _say(self, process: Process, said: str, name: str, outcome: str, log: tuple[int, int]) -> None:
        self.faults += bool(name)
        stored = [*self.ehr.log[log[0] :], *self.other.log[log[1] :]]
        kept = f", stored {' '.join(f'{one.reference}#{one.number}' for one in stored)}" if stored else ""
        self.note(process.name, f"{said} → {outcome}{f' ({name})' if name else ''}{kept}")

    def _note_refusal(self, request: requests.PreparedRequest, answer: Answer) -> None:
        if answer.status in (403, 405, 422) and request.method in ("POST", "PUT"):
            self.refused.add((request.url or "").partition("/fhir/")[2].partition("/")[0] or "*")

    def dispose(self) -> None:
        """Throw the world away."""
        for process in list(self.processes):
            process.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, count: int) -> None:
        """Start so many processes of the app on one database."""
        self.processes = tuple(Process(self, f"app{number + 1}") for number in range(count))
        for process in self.processes:
            process.begin()


def _refers_to_a_mistake(request: requests.PreparedRequest) -> bool:
    """Tell whether a request names something by the id that a server gave by mistake: then it is refused for that."""
    body = request.body or b""
    return f'/{OTHER_ID}"'.encode() in (body.encode() if isinstance(body, str) else body)
