"""Histories that once ended badly, told by hand: each was a defect that a campaign or a review found.

A history of chance finds what nobody thought of; these are here so that what was found once is not forgotten.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults import checker
from tests.faults.authority import SignIn
from tests.faults.chance import seeded
from tests.faults.history import make_round, settle
from tests.faults.kinds import kinds
from tests.faults.ledger import Ledger
from tests.faults.people import HOOP, Client, Clinician
from tests.faults.world import Weather, World


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

    def found(self) -> list[str]:
        """Return what the judge finds at the end."""
        people = [self.anna, self.jansen]
        settle(self.world, self.ledger, people)
        checker.drafts_are_kept(self.ledger, people)
        checker.judge(self.world, self.ledger, people)
        return [f"{one.kind}: {one.what}" for one in self.ledger.findings]


@pytest.fixture
def story(request, tmp_path) -> Iterator[Story]:
    kind = getattr(request, "param", "full")
    with seeded("told by hand"):
        told = Story(tmp_path, kind)
        with told.world.connected():
            yield told
        told.world.dispose()


WRITES = r"(POST|PUT) :81/fhir"


def claims(story: Story) -> list[str]:
    return [word.claim for word in story.ledger.words]


def test_a_maintenance_page_is_no_proof_that_a_story_is_stored(story):
    story.anna.write_story()
    story.fault(WRITES, "html-200")
    story.anna.write_story()
    assert claims(story)[1] != "ehr"
    assert story.found() == []


@pytest.mark.parametrize("story", ["full", "plain", "client-ids"], indirect=True)
def test_of_answers_that_changed_after_a_lost_answer_the_newest_are_kept(story):
    story.anna.answer()
    story.fault(WRITES + r"(/QuestionnaireResponse)?$", "dies-after")
    story.anna.submit()
    story.anna.answer()
    for _ in range(4):
        story.fault(WRITES, "drop-before")
    story.anna.submit()
    assert story.found() == []


def test_what_waits_for_its_writer_is_sent_when_they_are_back(story):
    story.fault(WRITES, "drop-before")
    story.anna.write_story()
    assert claims(story) == ["waiting"]
    story.world.weather = Weather(("drop-before",), 1.0)
    story.rounds(*[600] * 60)
    assert story.found() == []


@pytest.mark.parametrize("status", ["403", "422"])
def test_a_change_that_is_refused_while_it_waits_is_shown_to_its_writer(story, status):
    story.anna.write_story()
    story.fault(WRITES, "drop-before")
    story.anna.write_story()
    story.fault(WRITES, status)
    story.rounds(10)
    assert story.found() == []


def test_an_assignment_that_changes_while_answers_wait_does_not_stop_the_answers(story):
    story.jansen.ask_for(HOOP)
    story.anna.answer()
    story.fault(WRITES, "drop-before")
    story.anna.submit()
    story.jansen.take_back()
    assert story.found() == []


def test_a_name_that_could_not_be_read_at_sign_in_spoils_nothing(story):
    story.fault("GET .*/Patient/anna$", "5xx-before")
    story.anna.write_story()
    assert claims(story) == ["ehr"]
    story.anna.answer()
    story.anna.submit()
    assert claims(story) == ["ehr", "ehr"]
    assert story.found() == []


def test_the_app_does_not_take_its_own_write_for_that_of_somebody_else(story):
    story.anna.write_story()
    story.anna.choose_domain()
    story.fault("POST :81/fhir$", "drop-after")
    story.anna.add_goal()
    assert story.found() == []


def test_taking_back_an_assignment_is_not_called_done_while_it_waits(story):
    story.jansen.ask_for(HOOP)
    story.fault(WRITES, "drop-before")
    story.jansen.take_back()
    assert story.found() == []


@pytest.mark.parametrize("story", ["full", "plain", "client-ids"], indirect=True)
@pytest.mark.parametrize("status", ["403", "422"])
def test_a_refusal_of_what_was_stored_already_doubles_nothing(story, status):
    story.anna.answer()
    story.fault(r"POST :81/fhir(/QuestionnaireResponse)?$", "drop-after")
    story.anna.submit()
    story.fault(r"POST :81/fhir(/QuestionnaireResponse)?$", status)
    story.fault(r"GET :81/fhir/QuestionnaireResponse", "5xx-before")
    story.rounds(10, 30, 90)
    assert story.found() == []
