"""Histories that once ended badly, told by hand: each was a defect that a campaign or a review found.

A history of chance finds what nobody thought of; these are here so that what was found once is not forgotten.
"""

from __future__ import annotations

import pytest

from tests.faults.people import HOOP
from tests.faults.stores import everything, waiting
from tests.faults.world import Weather

WRITES = r"(POST|PUT) :81/fhir"


def claims(story) -> list[str]:
    return [word.claim for word in story.ledger.words]


def test_a_maintenance_page_is_no_proof_that_a_story_is_stored(story):
    story.anna.write_story()
    story.fault(WRITES, "html-200")
    story.anna.write_story()
    assert claims(story)[1] != "ehr"
    assert story.found() == []


@pytest.mark.parametrize("story", ["full", "plain", "client-ids"], indirect=True)
def test_of_answers_that_changed_after_a_lost_answer_the_newest_are_kept(story):
    """Attack 37."""
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
    story.anna.add_goal()
    story.fault(WRITES, "drop-before")
    story.anna.edit_goal()
    story.fault(WRITES, status)
    story.rounds(10)
    assert story.found() == []


@pytest.mark.parametrize("status", ["403", "422"])
def test_a_living_form_whose_change_is_refused_while_it_waits_goes_on_elsewhere(story, status):
    story.anna.write_story()
    story.fault(WRITES, "drop-before")
    story.anna.write_story()
    story.fault(WRITES, status)
    story.rounds(10)
    assert story.found() == []
    assert waiting(story.world) == 0
    story.anna.write_story()
    assert claims(story) == ["ehr", "waiting", "own"]
    assert story.found() == []


@pytest.mark.parametrize("story", ["epic-like"], indirect=True)
def test_a_living_form_that_an_ehr_took_before_it_said_what_it_does_can_be_changed(story):
    """Seed 1737: it takes new responses and no changes, and its author kept words that could never be saved."""
    story.fault("GET :81/fhir/metadata", "drop-before")
    story.anna.write_story()
    story.anna.write_story()
    assert "given back" not in claims(story)
    story.rounds(120)
    story.anna.write_story()
    assert claims(story)[-1] == "own"
    assert story.found() == []


def test_an_answer_about_a_stranger_is_no_sign_that_somebody_else_changed_a_story(story):
    """Seed 1214: its writer read of a refusal, and all was stored."""
    story.anna.write_story()
    story.fault(WRITES, "truncated")
    story.anna.write_story()
    story.fault("GET :81/fhir/QuestionnaireResponse/", "other-person")
    story.rounds(10, 60)
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
    """Attack 37."""
    story.anna.answer()
    story.fault(r"POST :81/fhir(/QuestionnaireResponse)?$", "drop-after")
    story.anna.submit()
    story.fault(r"POST :81/fhir(/QuestionnaireResponse)?$", status)
    story.fault(r"GET :81/fhir/QuestionnaireResponse", "5xx-before")
    story.rounds(10, 30, 90)
    assert story.found() == []


@pytest.mark.parametrize("story", ["epic-like"], indirect=True)
@pytest.mark.parametrize("wait", [0, 200, 4000])
def test_changed_answers_get_through_where_nobody_may_change_a_response(story, wait):
    """Seed 3072: the first press was cut off when the response had arrived, and amending it is refused."""
    story.anna.answer()
    story.fault("POST :81/fhir/QuestionnaireResponse", "dies-after")
    story.anna.submit()
    story.world.wait(wait)
    story.anna.answer()
    story.anna.submit()
    assert claims(story)[-1] == ("ehr" if wait else "waiting")
    assert story.found() == []
    assert [name for name in story.names("QuestionnaireResponse") if name.endswith(".2")]


@pytest.mark.parametrize("story", ["epic-like"], indirect=True)
@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "dies-after", "5xx-after"])
def test_what_succeeds_a_response_that_cannot_be_changed_is_made_once(story, fault):
    story.anna.answer()
    story.fault("POST :81/fhir/QuestionnaireResponse", "dies-after")
    story.anna.submit()
    story.world.wait(4000)
    story.anna.answer()
    story.fault("POST :81/fhir/QuestionnaireResponse", fault)
    story.anna.submit()
    story.world.wait(4000)
    story.anna.answer()
    story.anna.submit()
    assert story.found() == []


@pytest.mark.parametrize("story", ["plain", "epic-like"], indirect=True)
def test_what_was_sent_twice_while_its_first_process_was_dead_is_looked_for_before_it_is_made(story):
    """The second press waits for the lease of the first, and its writer is away when that ends."""
    story.anna.answer()
    story.fault("POST :81/fhir/QuestionnaireResponse", "dies-after")
    story.anna.submit()
    story.anna.submit()
    story.rounds(20_000)
    assert story.found() == []
    assert len(story.names("QuestionnaireResponse")) == 1


@pytest.mark.parametrize("story", ["plain"], indirect=True)
def test_a_panel_of_a_score_whose_id_the_server_got_wrong_may_be_elsewhere(story):
    """Seed 10 with a companion: the panel was refused, since what it refers to is not there. Nothing is lost."""
    story.anna.answer()
    story.fault("POST :81/fhir/Observation", "drop-after")
    story.anna.submit()
    story.fault("GET :81/fhir/Observation", "other-id")
    story.rounds(10, 30)
    assert story.found() == []
    assert story.world.refused == {"Observation"}


@pytest.mark.parametrize("story", ["plain"], indirect=True)
def test_answers_that_stopped_are_not_forgotten_when_earlier_ones_end_after_them(story):
    """Seed 40002 of plain: the earlier ones had arrived, and only their assignments were still to be closed."""
    story.anna.answer()
    story.fault("POST :81/fhir/QuestionnaireResponse", "dies-after")
    story.anna.submit()
    story.anna.answer()
    story.anna.submit()
    story.fault("GET :81/fhir/Task", "5xx-before")
    story.fault("PUT :81/fhir/QuestionnaireResponse", "412")
    story.rounds(200, 200, 200)
    assert story.world.weather.planned == []
    assert story.found() == []


@pytest.mark.parametrize("story", ["epic-like + companion", "taskless + companion", "taskless"], indirect=True)
def test_an_assignment_that_is_kept_elsewhere_than_its_answers_is_closed_by_them(story):
    """Seeds 50018 and 51021: the companion refused a reference to what only the EHR has."""
    story.jansen.ask_for(HOOP)
    story.anna.answer()
    story.anna.submit()
    story.rounds(10)
    tasks = [one.resource for one in everything(story.world) if one.reference.startswith("Task/")]
    assert [task["status"] for task in tasks] == ["completed"]
    assert story.found() == []


@pytest.mark.parametrize("story", ["client-ids", "plain"], indirect=True)
def test_an_amendment_that_arrived_without_an_answer_is_amended_by_the_next(story):
    """Seed 70: the score that it had left was taken for the work of somebody else."""
    story.anna.answer()
    story.anna.submit()
    story.rounds(10)
    story.fault("PUT :81/fhir/Observation", "dies-after")
    story.anna.amend()
    story.anna.amend()
    story.rounds(20_000)
    assert story.world.weather.planned == []
    assert story.found() == []


@pytest.mark.parametrize("story", ["taskless"], indirect=True)
def test_scores_that_waited_arrive_though_a_correction_of_their_answers_is_given_back(story):
    """Seed 1848: the correction took them in, was refused as a whole, and they were left with it."""
    story.anna.answer()
    story.fault("POST :81/fhir$", "422")  # so that it goes one by one
    for _ in range(4):
        story.fault("POST :81/fhir/Observation", "html-200")
    story.anna.submit()
    story.fault("POST :81/fhir$", "409")
    for _ in range(3):  # what stands there cannot be seen
        story.fault("GET :81/fhir/Observation/n", "412")
    story.anna.amend()
    assert claims(story)[1] == "draft"
    story.world.weather.planned.clear()
    assert story.found() == []


@pytest.mark.parametrize("story", ["full", "plain", "client-ids"], indirect=True)
@pytest.mark.parametrize("add", ["add_goal", "add_step"])
def test_what_is_new_is_named_by_a_plan_that_another_program_changed_meanwhile(story, add):
    """Seed 3081 on real processes: the goal was there, no plan named it, and its writer read of the story only."""
    story.anna.add_goal()
    story.fault(r"(POST|PUT) :81/fhir(/CarePlan.*)?$", "drop-before")
    getattr(story.anna, add)()
    [plan] = [kept.resource for kept in story.world.ehr.current() if kept.resource["resourceType"] == "CarePlan"]
    story.world.ehr.put({**plan, "_title": {"id": "t"}}, "another program")
    story.rounds(10)
    assert story.found() == []
    assert waiting(story.world) == 0
    [plan] = [kept.resource for kept in story.world.ehr.current() if kept.resource["resourceType"] == "CarePlan"]
    assert plan["_title"] == {"id": "t"}
    assert len(plan["goal"]) + len(plan.get("activity", [])) == 2


@pytest.mark.parametrize("story", ["full", "plain", "client-ids"], indirect=True)
def test_what_a_plan_names_already_is_not_named_twice(story):
    """The answer was lost after it arrived, and then another program gave the plan another title."""
    story.anna.add_goal()
    story.fault(r"(POST|PUT) :81/fhir(/CarePlan.*)?$", "drop-after")
    story.anna.add_goal()
    [plan] = [kept.resource for kept in story.world.ehr.current() if kept.resource["resourceType"] == "CarePlan"]
    story.world.ehr.put({**plan, "title": "Anders"}, "another program")
    story.rounds(10)
    assert story.found() == []
    assert waiting(story.world) == 0
    [plan] = [kept.resource for kept in story.world.ehr.current() if kept.resource["resourceType"] == "CarePlan"]
    assert (plan["title"], len(plan["goal"])) == ("Anders", 2)
