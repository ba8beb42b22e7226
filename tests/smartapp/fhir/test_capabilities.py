"""What an EHR offers and refuses: kept through an outage, and no refusal of one person moves another's things."""

from __future__ import annotations

import os
import threading

import pytest
import sqlalchemy as sa

from smartapp.fhir.capabilities import DEMOTED_SECONDS, KEEP_SECONDS, REFUSALS, RETRY_SECONDS, Capabilities
from smartapp.fhir.store import Refused, Unreachable, Write
from smartapp.storage.database import open_database
from tests.smartapp.helpers import Flaky, launched

CREATE_GOAL = {("Goal", "create")}
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL")


class Clock:
    now = 1_770_000_000.0

    def __call__(self) -> float:
        return self.now


class Offering:
    """A server that says what it offers, or is away."""

    def __init__(self) -> None:
        self.types = ["Goal"]
        self.is_away = False
        self.asked = 0

    def capabilities(self):
        self.asked += 1
        if self.is_away:
            raise Unreachable("ehr.example gave no usable answer.")
        return {"rest": [{"resource": [{"type": one, "interaction": [{"code": "create"}]} for one in self.types]}]}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRESQL else [])])
def engine(request):
    engine = open_database(POSTGRESQL if request.param == "postgresql" else "sqlite://")
    with engine.begin() as connection:
        connection.execute(REFUSALS.delete())
    yield engine
    engine.dispose()


@pytest.fixture
def capabilities(engine, clock):
    return Capabilities(engine, clock)


def refuse(capabilities, person: str, status: int = 422, *, role: str = "client", type_: str = "Goal") -> None:
    capabilities.refused("ehr", type_, "create", role=role, person=person, status=status)


class TestARefusal:
    @pytest.mark.parametrize("status", [403, 405, 422])
    def test_counts_at_once_for_whoever_met_it_and_for_nobody_else(self, capabilities, status):
        refuse(capabilities, "anna", status)
        assert capabilities.demoted("ehr", "client", person="anna") == CREATE_GOAL
        assert capabilities.demoted("ehr", "client", person="bas") == frozenset()
        assert capabilities.demoted("ehr", "client") == frozenset()

    def test_of_one_person_stays_one_however_often_it_is_met(self, capabilities):
        for _ in range(5):
            refuse(capabilities, "anna", 403)
        assert capabilities.demoted("ehr", "client", person="bas") == frozenset()

    @pytest.mark.parametrize(
        ("statuses", "counts"),
        [
            ([422, 422], False),
            ([422, 422, 422], True),
            ([403, 422], False),
            ([403, 405], True),
            ([403, 422, 422], True),
        ],
    )
    def test_counts_for_all_when_two_are_refused_outright_or_three_in_all(self, capabilities, statuses, counts):
        for number, status in enumerate(statuses):
            refuse(capabilities, f"person {number}", status)
        assert capabilities.demoted("ehr", "client", person="new") == (CREATE_GOAL if counts else frozenset())

    def test_to_clients_says_nothing_about_clinicians_other_types_or_another_ehr(self, capabilities):
        for person in ("anna", "bas", "cor"):
            refuse(capabilities, person, 403)
        assert capabilities.demoted("ehr", "client") == CREATE_GOAL
        assert capabilities.demoted("ehr", "clinician") == frozenset()
        assert capabilities.demoted("other", "client") == frozenset()

    def test_is_forgotten_after_a_day(self, capabilities, clock, engine):
        refuse(capabilities, "anna", 403)
        refuse(capabilities, "bas", 403)
        clock.now += DEMOTED_SECONDS - 1
        assert capabilities.demoted("ehr", "client") == CREATE_GOAL
        clock.now += 1
        assert capabilities.demoted("ehr", "client", person="anna") == frozenset()
        refuse(capabilities, "cor", type_="Task")
        with engine.begin() as connection:
            assert connection.execute(sa.select(REFUSALS.c.person)).scalars().all() == ["cor"]

    def test_evidence_of_two_different_days_is_not_added_up(self, capabilities, clock):
        refuse(capabilities, "anna", 403)
        clock.now += DEMOTED_SECONDS
        refuse(capabilities, "bas", 403)
        assert capabilities.demoted("ehr", "client", person="new") == frozenset()

    def test_of_the_same_person_at_the_same_moment_is_no_accident(self, capabilities):
        threads = [threading.Thread(target=refuse, args=(capabilities, "anna", 403)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert capabilities.demoted("ehr", "client", person="anna") == CREATE_GOAL


class TestWhatIsOffered:
    """Mutant r09: an outage must not make us forget what the EHR said it takes."""

    def test_is_kept_through_an_outage(self, capabilities, clock):
        store = Offering()
        assert capabilities.of("ehr", store, "patient/*.cruds").can("Goal", "create")
        clock.now += KEEP_SECONDS
        store.is_away = True
        during = capabilities.of("ehr", store, "patient/*.cruds")
        assert during.offered.known
        assert (during.can("Goal", "create"), during.can("CarePlan", "create")) == (True, False)

    def test_is_asked_again_a_minute_after_an_outage_and_an_hour_after_an_answer(self, capabilities, clock):
        store = Offering()
        store.is_away = True
        assert not capabilities.of("ehr", store, "").offered.known
        store.is_away = False
        clock.now += RETRY_SECONDS - 1
        assert not capabilities.of("ehr", store, "").offered.known
        clock.now += 1
        assert capabilities.of("ehr", store, "").offered.known
        clock.now += KEEP_SECONDS - 1
        capabilities.of("ehr", store, "")
        assert store.asked == 2

    def test_what_was_asked_by_a_clock_that_was_ahead_is_asked_again(self, capabilities, clock):
        store = Offering()
        clock.now += 86_400
        capabilities.of("ehr", store, "")
        clock.now -= 86_400
        capabilities.of("ehr", store, "")
        capabilities.of("ehr", store, "")
        assert store.asked == 2


GOAL = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Zingen"}}


def save_goal(visitor) -> str:
    """Save a goal and return the place where it ended up."""
    goal = {**GOAL, "subject": {"reference": visitor.launch.patient.reference}}
    return visitor.records.save([Write("create", goal)])[0].place


def test_one_refusal_moves_that_persons_goal_and_leaves_everyone_elses_in_the_ehr(app):
    """Defect 6: one 422 sent the goals of everybody to our own store for a day."""
    anna = launched(app, patient="anna")
    flaky: Flaky = anna.make_flaky()
    flaky.error = Refused("Goal.subject.display: not what we take", status=422)
    assert save_goal(anna) == "own"
    flaky.error = None
    assert save_goal(launched(app, patient="bas")) == "ehr"
    assert save_goal(launched(app, patient="anna")) == "own"  # she does not meet the refusal on each save
