"""Histories on real processes: `verstel serve`, killed with -9 while people work, on SQLite or PostgreSQL.

The same people, faults and judge as in memory, but everything goes over sockets and takes real time. Each history has
an EHR and an authorization server of its own, and all share the processes and their database. What people and faults do
comes from the seed; when exactly a process dies does not, so a history cannot be played again to the letter.
"""

from __future__ import annotations

import random
import string
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import requests
import sqlalchemy as sa

from smartapp import create_app
from smartapp.records.outbox import OUTBOX
from smartapp.services import KEY, Services
from smartapp.settings import Settings
from smartapp.storage.database import open_database
from tests.conformance import databases
from tests.faults import checker
from tests.faults.faults import FAULTS, Trip
from tests.faults.history import History, Options, Result, in_memory
from tests.faults.kinds import Kind
from tests.faults.model_ehr import Answer
from tests.faults.network import Server
from tests.faults.serving import Fleet, Lane, RealBrowser, Served
from tests.faults.world import APP, DIES_AFTER, Process, Weather, World

KINDS: Final = ("full", "plain", "epic-like", "oracle-like", "read-only")
"""The kinds of EHR, one after the other."""
AT_ONCE: Final = 6
"""Histories that are played at the same moment, each on a port of its own."""
DIES_BEFORE: Final = "dies-before"
HTTP_FAULTS: Final = (
    "drop-before", "drop-after", "5xx-before", "5xx-after", "429", "html-200", "html-200-after", "truncated", "empty",
    "delay", "late", DIES_BEFORE, DIES_AFTER,
)  # fmt: skip
"""None of them is a refusal: whatever the EHR takes has to be there at the end."""
LONGEST_WAIT: Final = 1.0
STORM: Final = (0.5, 4.0)
QUIET_SECONDS: Final = 240
"""How long the couriers may work at the end: longer than the three minutes for which a dead process holds a unit."""


class RealProcess(Process):
    """A process of the app as the people and the judge know it; the judge reads its database beside it."""

    def __init__(self, world: World, served: Served, services: Services) -> None:
        super().__init__(world, served.name)
        self.served, self.services, self.alive = served, services, True

    def begin(self) -> None:
        """Do nothing: the fleet starts it."""


class RealWorld(World):
    """A world in which time passes by itself."""

    fleet: Fleet

    @property
    def now(self) -> float:  # the clock of this machine, which nobody sets
        return time.time()

    @now.setter
    def now(self, _value: float) -> None: ...

    def wait(self, seconds: float) -> None:
        """Wait, but never long."""
        time.sleep(min(seconds / 9, LONGEST_WAIT))

    def travel(self, request: requests.PreparedRequest, server: Server) -> Answer:
        """Let a request travel, with whatever the weather does to it; on the way a process may be killed."""
        self._requests += 1
        chance = random.Random(f"{self.seed}|{self._requests}")
        said = f"{request.method} {request.url}"
        name = self.weather.fault(said, chance)
        self.faults += bool(name)
        if name == DIES_BEFORE:
            self.fleet.kill()
            raise requests.ConnectionError(request=request)
        trip = Trip(request, server, self.wait, chance)
        answer = None
        try:
            answer = FAULTS[name](trip) if name in FAULTS else trip.whole()
        finally:
            self.note("the way", f"{said} → {answer.status if answer else 'nothing'} {name}")
        if name == DIES_AFTER:
            self.fleet.kill()
        return answer


class RealHistory(History):
    """One history in a real world, on a lane."""

    def __init__(self, seed: int, options: Options, lane: Lane, fleet: Fleet) -> None:
        self.lane, self.fleet = lane, fleet
        super().__init__(seed, options, Path(tempfile.gettempdir()))
        self.ledger.mark = "".join(string.ascii_lowercase[int(digit)] for digit in str(seed))
        self.killed = 0
        self.weather, self.world.weather = self.world.weather, Weather()

    def _world(self, kind: Kind, folder: Path, companion: bool, lag: float, weather: Weather) -> World:
        at = f"{self.lane.base}/{self.seed}"
        world = RealWorld(
            kind, folder, f"{self.seed}", companion, lag, "not its own", f"{at}/fhir", f"{at}/login",
            f"{at}/companion/fhir", weather=weather,
        )  # fmt: skip
        world.fleet = self.fleet
        self.lane.routes |= {base: (server, world.travel) for base, server in world.servers().items()}
        return world

    @property
    def issuer(self) -> str:
        """Return the entry of this EHR in the file of issuers."""
        companion = f'companion = "{self.world.companion_base}"\n' if self.world.companion else ""
        return f'[[issuer]]\nbase = "{self.world.fhir}"\nname = "EHR {self.seed}"\nclient_id = "verstel"\n{companion}'

    def join(self, services: Services) -> None:
        """Connect the people with the processes."""
        self.world.processes = tuple(RealProcess(self.world, served, services) for served in self.fleet.servers)
        for person in self.people:
            person.browser = RealBrowser(self.world, person.name)

    def plays(self) -> None:
        """Let people work while things break."""
        before, self.world.weather = self.fleet.kills, self.weather
        for number in range(self.steps):
            self.world.note("step", f"{number + 1}")
            if self.chance.random() < 0.15:
                self._edit_beside()
            self._act(self.chance.choice(self.people))
        self.killed = self.fleet.kills - before
        self.world.weather = Weather()

    def settles(self, services: Services) -> None:
        """Let people sign in again, and the couriers work until nothing waits."""
        for person in self.people:
            person.launch = None
        until = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < until:
            for person in self.people:
                if person.there():
                    person.get("")
            if not unsettled(services, self.world.fhir):
                return
            time.sleep(2)

    def judged(self) -> Result:
        """Return what the judge found."""
        checker.drafts_are_kept(self.ledger, self.people)
        checker.judge(self.world, self.ledger, self.people)
        claims = Counter(word.claim for word in self.ledger.words)
        return Result(
            self.seed, self.world.kind.name, f"{self.about}, {self.killed} killed", self.ledger.findings,
            self.world.faults, self.killed, len(self.ledger.words), claims, self.world.history,
        )  # fmt: skip


def unsettled(services: Services, issuer: str) -> int:
    """Return how many units of an issuer the couriers still have to do something with."""
    those = (OUTBOX.c.issuer == issuer) & OUTBOX.c.state.in_(("waiting", "held"))
    with services.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(OUTBOX).where(those)).scalar() or 0)


def let_leases_end(services: Services) -> None:
    """Say of every unit that nobody holds it, as if three minutes had passed: for when all processes are dead."""
    with services.engine.begin() as connection:
        connection.execute(OUTBOX.update().values(leased_until=0))


def environment(url: str, issuers: Path) -> dict[str, str]:
    """Return the settings of the processes; one address makes all requests here, so it has no limits."""
    return {
        "VERSTEL_PUBLIC_URL": APP,
        "VERSTEL_SECRET_KEY": "a secret that only tests know and that has 32 characters",
        "VERSTEL_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "VERSTEL_DATABASE_URL": url,
        "VERSTEL_ISSUERS_FILE": str(issuers),
        "VERSTEL_SIGN_INS_PER_MINUTE": "0",
        "VERSTEL_PAGES_PER_MINUTE": "0",
        "VERSTEL_REFUSALS_PER_MINUTE": "100000",
    }


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of a new database."""
    programs = databases.binaries()
    if kind == "postgresql" and programs is None:
        raise RuntimeError("There is no PostgreSQL on this machine (apt install postgresql).")
    server = databases.server(programs) if kind == "postgresql" and programs else None
    with server or nullcontext(f"sqlite:///{folder / 'verstel.db'}") as url:
        if server:
            _wait_for_no_disk(url)
        yield url


def _wait_for_no_disk(url: str) -> None:
    """Let PostgreSQL say "committed" without waiting for the disk: no one pulls a plug here."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("alter system set fsync = off")
        connection.exec_driver_sql("alter system set synchronous_commit = off")
        connection.exec_driver_sql("select pg_reload_conf()")
    engine.dispose()


def play_on_processes(seeds: Sequence[int], options: Options, kind: str, *, hurry: bool) -> list[Result]:
    """Play these histories on real processes, one on SQLite, two on PostgreSQL, and return what came of each."""
    with tempfile.TemporaryDirectory(prefix="processes-", dir=in_memory()) as name, database(kind, Path(name)) as url:
        folder = Path(name)
        environ = environment(url, folder / "issuers.toml")
        count = 2 if kind == "postgresql" else 1
        fleet = Fleet(
            [Served(f"app{number + 1}", environ, folder / f"app{number + 1}.log") for number in range(count)],
            random.Random(f"fleet {seeds[0]}"),
        )
        lanes = [Lane() for _ in range(min(AT_ONCE, len(seeds)))]
        histories = [
            RealHistory(seed, _weathered(seed, options), lanes[number % len(lanes)], fleet)
            for number, seed in enumerate(seeds)
        ]
        (folder / "issuers.toml").write_text("\n".join(one.issuer for one in histories))
        try:
            return _played(histories, fleet, environ, lanes, hurry=hurry)
        finally:
            fleet.end()
            for lane in lanes:
                lane.shutdown()


def _weathered(seed: int, options: Options) -> Options:
    faults = options.faults if options.faults is not None else HTTP_FAULTS
    return Options(kind=options.kind or KINDS[seed % len(KINDS)], faults=faults, share=options.share, kills=0, lag=0)


def _played(
    histories: Sequence[RealHistory], fleet: Fleet, environ: dict[str, str], lanes: Sequence[Lane], *, hurry: bool
) -> list[Result]:
    fleet.start()
    engine = open_database(environ["VERSTEL_DATABASE_URL"])
    services: Services = create_app(Settings.from_env(environ), engine=engine).extensions[KEY]
    for history in histories:
        history.join(services)
    fleet.storm(*STORM)
    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(RealHistory.plays, histories))
    fleet.calm()
    if hurry:
        let_leases_end(services)
    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(lambda one: one.settles(services), histories))
        results = list(pool.map(RealHistory.judged, histories))
    print(f"{fleet.kills} times a process was killed with -9", flush=True)
    for line in fleet.broken:
        histories[0].ledger.finds("crashed", line)
    engine.dispose()
    return results
