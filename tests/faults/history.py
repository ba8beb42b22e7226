"""One history: people, faults and deaths in an order that its seed decides, then quiet, then the judge."""

from __future__ import annotations

import gc
import logging
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mappers.identity import own_identifier
from smartapp.fhir.references import references
from tests.faults import checker
from tests.faults.authority import SignIn
from tests.faults.chance import seeded
from tests.faults.faults import FAULTS
from tests.faults.kinds import Kind, kinds
from tests.faults.ledger import Claim, Finding, Ledger
from tests.faults.people import Client, Clinician, Person
from tests.faults.stores import waiting
from tests.faults.world import DIES_AFTER, Event, Killed, Process, Weather, World

PAUSES: Final = (0, 0, 1, 1, 2, 4, 10, 30, 90, 400, 2500, 20_000)
ALONE: Final = (5, 60, 600, 4000)
"""After the faults: how long the couriers work before anybody comes back, in seconds between their rounds."""
TOGETHER: Final = (1, 30, 300, 1500, 1500, 1500, 4000, 8000, 90_000)
"""And how long they work while people have a page open; the last is longer than any memory of a refusal."""

SHORT: Final = 6
"""Seconds for which a process can be slow, and its lease lasts."""

ANSWERS: Final = r"(POST|PUT) :8[13]/fhir(/QuestionnaireResponse.*|/Observation.*)?$"
"""The requests that bring answers and scores somewhere."""
IN_DOUBT: Final = (
    "drop-before",
    "drop-after",
    "silence-after",
    "5xx-before",
    "5xx-after",
    "html-200-after",
    DIES_AFTER,
)
"""Faults after which nobody knows whether a request was done; some are done and some are not."""


@dataclass(frozen=True)
class Options:
    """What the command line asks of a history; None: the seed decides."""

    kind: str | None = None
    processes: int | None = None
    faults: tuple[str, ...] | None = None
    share: float | None = None
    kills: float | None = None
    lag: float | None = None
    companion: bool | None = None
    steps: int | None = None
    goes_on: bool | None = None
    database_url: str = ""


@dataclass
class Result:
    """What came of one history."""

    seed: int
    kind: str
    about: str
    findings: list[Finding]
    faults: int
    kills: int
    words: int
    claims: Counter[Claim]
    history: list[Event] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """Return how often each kind of thing that must not happen did."""
        return Counter(finding.kind for finding in self.findings)


def play(seed: int, options: Options = Options()) -> Result:
    """Play one history and return what came of it."""
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=in_memory()))
    with seeded(f"history {seed}"), _silence(), _tidied_after():
        play_ = History(seed, options, folder)
        try:
            with play_.world.connected():
                return play_.whole()
        finally:
            play_.world.dispose()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the app from logging: of a thousand faults it would tell a thousand times."""
    logger = logging.getLogger("smartapp")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _tidied_after() -> Iterator[None]:
    """Collect garbage once, after the history, and only its own: not now and then, among all there is."""
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if was_on:
            gc.enable()


def in_memory() -> str | None:
    """Return a folder in memory, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def make_round(process: Process, ledger: Ledger) -> None:
    """Let the courier of a process make a round."""
    if not process.alive:
        process.begin()
        process.world.note(process.name, "starts")
    process.world.note(process.name, "the courier makes a round")
    try:
        process.world.run(process, process.courier.round)
    except Killed:
        process.end()
    except Exception as error:  # noqa: BLE001  (the courier's thread goes on, and so do we; it counts)
        ledger.finds("crashed", f"the courier: {type(error).__name__} {error}")


def settle(world: World, ledger: Ledger, people: Sequence[Person]) -> None:
    """Let the faults end, people sign in again, and the couriers make rounds until there is nothing to do."""
    world.weather, world.between = Weather(), None
    ledger.quiet = len(ledger.words) if ledger.quiet is None else ledger.quiet
    for process in world.processes:
        process.skew, process.kill_in = 0.0, None
    for person in people:
        person.launch = None
    for number, pause in enumerate((*ALONE, *TOGETHER)):
        world.wait(pause)
        for process in world.processes:
            make_round(process, ledger)
        if not waiting(world):
            break
        for person in people if number >= len(ALONE) else ():
            if person.there():
                person.get("")


class History:
    """One history: who is in it and how bad it is come from its seed, and so does what they do."""

    def __init__(self, seed: int, options: Options, folder: Path) -> None:
        chance = self.chance = random.Random(seed)
        self.seed, self.options = seed, options
        names = sorted(kinds())
        kind = kinds()[options.kind or chance.choice(names)]
        companion = chance.random() < 0.25 if options.companion is None else options.companion
        lag = options.lag or 0
        self.kill_share = chance.choice((0, 0.1, 0.3)) if options.kills is None else options.kills
        some = chance.sample(sorted(FAULTS), chance.choice((2, 4, len(FAULTS))))
        share = chance.choice((0.05, 0.15, 0.3)) if options.share is None else options.share
        some += [DIES_AFTER] if self.kill_share else []
        weather = Weather(tuple(options.faults if options.faults is not None else some), share)
        self.count = options.processes or chance.choice((1, 1, 2))
        self.theme = chance.choice(("plan", "questionnaires", "both", "amendments"))
        self.steps = options.steps or chance.randint(8, 18)
        self.world = self._world(kind, folder, companion, lag, weather)
        self.ledger = Ledger()
        who = [(Client, SignIn("Patient/anna", "anna"))]
        who += [(Client, SignIn("Patient/bram", "bram"))] if chance.random() < 0.3 else []
        who += [(Clinician, SignIn("Practitioner/jansen", "anna"))] if chance.random() < 0.6 else []  # type: ignore[list-item]
        self.people: list[Person] = [make(self.world, self.ledger, signs_in, chance) for make, signs_in in who]
        self.about = (
            f"{kind.name}{' + companion' if companion else ''}, {self.count} processes, lag {lag}, "
            f"kills {self.kill_share}, {share:.0%} of {', '.join(weather.kinds)}"
        )

    def _world(self, kind: Kind, folder: Path, companion: bool, lag: float, weather: Weather) -> World:
        return World(kind, folder, f"{self.seed}", companion, lag, self.options.database_url, weather=weather)

    # ---- playing

    def whole(self) -> Result:
        world = self.world
        world.begin(self.count)
        for number in range(self.steps):
            world.note("step", f"{number + 1}")
            self._step()
        world.note("step", "faults are over")
        settle(self.world, self.ledger, self.people)
        checker.drafts_are_kept(self.ledger, self.people)
        checker.judge(world, self.ledger, self.people)
        goes_on = self.seed % 3 == 0 if self.options.goes_on is None else self.options.goes_on
        if goes_on and not self.ledger.findings:
            self._go_on()
        claims = Counter(word.claim for word in self.ledger.words)
        kind = f"{world.kind.name}{'+c' if world.companion else ''}"
        return Result(
            self.seed, kind, self.about, self.ledger.findings, world.faults, world.kills, len(self.ledger.words),
            claims, world.history,
        )  # fmt: skip

    def _step(self) -> None:
        world, chance = self.world, self.chance
        world.wait(chance.choice(PAUSES))
        if chance.random() < 0.06:
            process = chance.choice(world.processes)
            process.skew = chance.choice((0, -86_400, -300, 300, 86_400))
            for other in world.processes:  # all read the clock of their database (storage/clock.py)
                other.skew = process.skew
            world.note("the clock", f"is {process.skew:+.0f} s off")
        if chance.random() < 0.5:
            make_round(chance.choice(world.processes), self.ledger)
        for process in world.processes:
            process.kill_in = chance.randrange(60) if chance.random() < self.kill_share else None
        self._plan_interruption()
        if self.theme == "amendments" and chance.random() < 0.7:
            world.weather.planned = [(ANSWERS, chance.choice(IN_DOUBT)) for _ in range(chance.choice((1, 1, 2, 3)))]
        person = chance.choice(self.people)
        self._act(person)
        world.between, world.weather.planned = None, []
        for process in world.processes:
            process.kill_in = None

    def _act(self, person: Person) -> None:
        """Let a person do one thing."""
        action = self._action(person)
        self.world.note(person.name, f"wants to {action.__name__.replace('_', ' ')}")
        person.busy = True
        action()
        person.busy = False

    def _action(self, person: Person) -> Callable[..., Any]:
        chance = self.chance
        if isinstance(person, Clinician):
            return chance.choice((person.ask, person.ask, person.take_back, self._edit_beside))
        assert isinstance(person, Client)
        plan = [person.write_story, person.write_story, person.add_goal, person.edit_goal, person.edit_goal]
        plan += [person.add_step, person.note_progress, person.look]
        if not person.goals:
            plan = [person.write_story, person.add_goal]
        filling = [self._fill_in(person)] * 4 + [person.correct if person.sent else person.look]
        amending = [self._fill_in(person), person.amend, person.amend]
        these = {"plan": plan, "questionnaires": filling, "amendments": amending}
        return chance.choice(these.get(self.theme, plan + filling))

    def _fill_in(self, person: Client) -> Callable[[], None]:
        instrument = self.chance.choice(sorted(person.drafts))

        def fill_in() -> None:
            person.answer(instrument)
            if self.chance.random() < 0.8:
                person.submit(instrument)

        return fill_in

    # ---- meanwhile

    def _plan_interruption(self) -> None:
        """Choose a moment in the next step at which somebody else does something, while a request is under way."""
        chance, world = self.chance, self.world
        world.between = None
        if chance.random() >= 0.4:
            return
        left = chance.randrange(14)
        meanwhile = chance.choice((self._edit_beside, self._courier_beside, self._courier_beside, self._person_beside))

        def between(_process: Process, _when: str) -> None:
            nonlocal left
            left -= 1
            if left < 0 and len(world.process) == 1:
                world.between = None
                world.note("meanwhile", meanwhile.__name__.strip("_").replace("_", " "))
                meanwhile()

        world.between = between

    def _edit_beside(self) -> None:
        """Let another program change something in the EHR: a goal's words, an assignment, or a plan."""
        chosen = [
            one for one in self.world.ehr.current() if one.resource["resourceType"] in ("Goal", "Task", "CarePlan")
        ]
        if not chosen:
            return
        resource = dict(self.chance.choice(chosen).resource)
        type_ = resource["resourceType"]
        found = own_identifier(resource)
        # A goal that no plan names is not there for anybody yet: what others write in it, nobody was promised to find.
        plans = [one.resource for one in self.world.ehr.current() if one.resource["resourceType"] == "CarePlan"]
        is_named = f"{type_}/{resource['id']}" in {name for plan in plans for name in references(plan)}
        if type_ == "Goal" and is_named and found is not None and resource.get("lifecycleStatus") != "entered-in-error":
            text = self.ledger.fresh("edited")
            before = frozenset({resource["description"]["text"]})
            word = self.ledger.write(self.world.now, "the EHR", ("goal", found.value), text, before)
            word.claim = "ehr"
            resource["description"] = {"text": text}
        else:
            resource["priority" if type_ == "Task" else "_title"] = "routine" if type_ == "Task" else {"id": "t"}
        kept = self.world.ehr.put(resource, "another program")
        self.world.note("the EHR", f"{kept.reference}#{kept.number} is changed by another program")

    def _courier_beside(self) -> None:
        """Let the courier of another process make a round, perhaps much later: this one has been slow.

        But not later than a lease while it makes something at a server where nothing tells two of the same apart:
        there, what arrives after the lease is made twice, whatever the app does.
        """
        other = next((one for one in self.world.processes if one not in self.world.process), None)
        if other is not None:
            pause = self.chance.choice((0, 6, 200, 4000))
            self.world.wait(pause if self.world.kind.fences or not self.world.creating else min(pause, SHORT))
            make_round(other, self.ledger)

    def _person_beside(self) -> None:
        """Let another person do something at another process."""
        if len(self.world.processes) > 1:
            others = [one for one in self.people if not one.busy]
            if others:
                self._act(self.chance.choice(others))

    # ---- the end

    def _go_on(self) -> None:
        """Let everybody write something new on a quiet network: it has to get through, and nothing else may change."""
        self.world.wait(100)  # longer than an app believes that a CapabilityStatement can't be had
        first = len(self.ledger.words)
        for person in self.people:
            person.steady = True
            if isinstance(person, Client):
                for action in (person.write_story, person.add_goal, person.edit_goal, person.answer, person.submit):
                    action()
        for word in self.ledger.words[first:]:
            if word.claim not in ("ehr", "companion", "own"):
                self.ledger.finds("stuck", f"{word.writer} {' '.join(word.slot)} (told: {word.claim} {word.page[:90]})")
        settle(self.world, self.ledger, self.people)
        checker.judge(self.world, self.ledger, self.people)
