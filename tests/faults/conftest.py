"""A world in which nothing happens by chance, for histories told by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from mappers.identity import own_identifier
from tests.faults import checker
from tests.faults.authority import SignIn
from tests.faults.chance import seeded
from tests.faults.history import make_round, settle
from tests.faults.kinds import kinds
from tests.faults.ledger import Ledger
from tests.faults.people import Client, Clinician
from tests.faults.world import World


class Story:
    """A world in which nothing happens by chance, with a client and a clinician."""

    def __init__(self, tmp_path, kind: str, processes: int = 1, **more) -> None:
        self.world = World(kinds()[kind], tmp_path, "told by hand", **more)
        self.ledger = Ledger()
        self.anna = Client(self.world, self.ledger, SignIn("Patient/anna", "anna"), random.Random(1))
        self.jansen = Clinician(self.world, self.ledger, SignIn("Practitioner/jansen", "anna"), random.Random(1))
        self.anna.steady = self.jansen.steady = True
        self.world.begin(processes)

    def fault(self, pattern: str, name: str) -> None:
        """Let this happen to the next request of that form."""
        self.world.weather.planned.append((pattern, name))

    def rounds(self, *pauses: float) -> None:
        for pause in pauses:
            self.world.wait(pause)
            for process in self.world.processes:
                make_round(process, self.ledger)

    def names(self, type_: str) -> list[str]:
        """Return the identifiers of ours that the EHR has of a type."""
        found = (own_identifier(kept.resource) for kept in self.world.ehr.current() if kept.reference.startswith(type_))
        return sorted(one.value for one in found if one)

    def settle(self) -> None:
        """Let the faults end, and everything that waits arrive."""
        settle(self.world, self.ledger, [self.anna, self.jansen])

    def found(self) -> list[str]:
        """Return what the judge finds at the end."""
        people = [self.anna, self.jansen]
        self.settle()
        checker.drafts_are_kept(self.ledger, people)
        checker.judge(self.world, self.ledger, people)
        return [f"{one.kind}: {one.what}" for one in self.ledger.findings]


@pytest.fixture
def story(request, tmp_path) -> Iterator[Story]:
    kind, _, companion = getattr(request, "param", "full").partition(" + ")
    with seeded("told by hand"):
        told = Story(tmp_path, kind, companion=bool(companion))
        with told.world.connected():
            yield told
        told.world.dispose()
