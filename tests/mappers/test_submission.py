"""Sending answers in: each resource once, under a name that the others know; and a correction over what is there."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings

from mappers.answers import IDENTIFIER_SYSTEM, answers_of, response_from
from mappers.assignment import assignment_of, task_of
from mappers.errors import NotAResponse, NotScorable
from mappers.observations import scores_from
from mappers.submission import amendment_of, says_otherwise, submission_of, urn_of
from tests.mappers.build import ANNA, CATALOGUE, all_answered, response, values_for

HOOP = CATALOGUE.instrument("hoop")
UUID = "0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01"


def hoop(code="3", **changes):
    return answers_of(response(HOOP, all_answered(HOOP, code), **changes), CATALOGUE)


def stored(answers, first_id=1):
    """What a server keeps of a submission: each resource with an id of its own."""
    return [{**entry.resource, "id": str(number)} for number, entry in enumerate(submission_of(answers), first_id)]


@pytest.mark.parametrize("instrument", CATALOGUE.instruments.values(), ids=lambda one: one.id)
def test_answers_written_and_read_again_are_the_same_in_everything(instrument):
    """`response_from` and `answers_of` reverse each other: carrying answers instead of FHIR loses nothing."""

    @settings(max_examples=40)
    @given(values_for(instrument))
    def holds(values):
        answers = answers_of(response(instrument, values), CATALOGUE)
        assert answers_of(response_from(answers), CATALOGUE) == answers

    holds()


@pytest.mark.parametrize("instrument", CATALOGUE.instruments.values(), ids=lambda one: one.id)
def test_a_submission_is_the_response_its_scores_and_their_panel_last(instrument):
    entries = submission_of(answers_of(response(instrument, all_answered(instrument)), CATALOGUE))
    kinds = [entry.resource["resourceType"] for entry in entries]
    scores = len(instrument.scores)
    assert kinds == ["QuestionnaireResponse"] + ["Observation"] * (scores + 1 if scores else 0)
    if scores:
        members = [member["reference"] for member in entries[-1].resource["hasMember"]]
        assert sorted(members) == sorted(entry.full_url for entry in entries[1:-1])
    for entry in entries:
        get_fhir_model_class(entry.resource["resourceType"]).model_validate(entry.resource)


def test_the_scores_refer_to_the_response_by_the_name_it_has_in_the_unit():
    sent, *scores = submission_of(hoop(identifier={"system": IDENTIFIER_SYSTEM, "value": UUID}))
    assert sent.full_url == f"urn:uuid:{UUID}"
    assert {one.resource["derivedFrom"][0]["reference"] for one in scores} == {sent.full_url}


def test_the_same_answers_sent_twice_have_the_same_names_and_identifiers():
    first, second = submission_of(hoop()), submission_of(hoop("1"))
    assert [(one.full_url, one.identifier) for one in first] == [(one.full_url, one.identifier) for one in second]
    assert len({one.identifier for one in first}) == len(first)


def test_an_identifier_that_is_no_uuid_still_gives_one_name():
    assert urn_of(hoop()) == urn_of(hoop("4"))
    assert urn_of(hoop()).startswith("urn:uuid:")


def test_a_response_without_our_identifier_is_not_sent_in():
    """It could be written twice, and nobody would know which of the two is the one."""
    with pytest.raises(NotAResponse, match="no identifier of its own"):
        submission_of(hoop(identifier=None))


def test_a_draft_is_not_sent_in_with_scores():
    with pytest.raises(NotScorable):
        submission_of(hoop(status="in-progress"))


def test_a_correction_takes_the_place_of_the_response_and_of_each_score():
    before = stored(hoop("4", authored="2026-01-05"))
    entries = amendment_of(hoop("1", authored="2026-06-01"), before)
    sent, *scores = [entry.resource for entry in entries]
    assert (sent["id"], sent["status"], sent["authored"]) == ("1", "amended", "2026-01-05")
    assert {one["id"] for one in scores} == {one["id"] for one in before[1:]}
    assert {(one["status"], one["effectiveDateTime"]) for one in scores} == {("corrected", "2026-01-05")}
    assert {one["derivedFrom"][0]["reference"] for one in scores} == {"QuestionnaireResponse/1"}
    [total] = [point for point in scores_from(scores) if point.code == "hoop-total"]
    [was] = [point for point in scores_from(before) if point.code == "hoop-total"]
    assert total.id == was.id
    assert total.value != was.value


def test_a_correction_finds_its_scores_in_whatever_order_they_come_back():
    before = stored(hoop("4"))
    shuffled = [before[0], *reversed(before[1:])]
    assert amendment_of(hoop("1"), before) == amendment_of(hoop("1"), shuffled)


def test_an_assignment_is_answered_by_the_name_of_the_response():
    task = task_of(
        questionnaire=HOOP.canonical, title="HOOP", patient=ANNA, requester=ANNA, asked_on="2026-05-01", identifier="a"
    )
    other = {**task, "input": [], "focus": {}}
    *_, last = submission_of(hoop(), [{**task, "id": "1"}, {**other, "id": "2"}])
    done = assignment_of(last.resource)
    assert (done.id, done.status, done.response) == ("1", "completed", urn_of(hoop()))
    assert not last.identifier  # an update: it is stored already


def test_a_stored_response_with_other_answers_says_otherwise():
    answers = hoop("3")
    assert says_otherwise(response_from(hoop("4")), answers, CATALOGUE)
    assert not says_otherwise(response_from(answers), answers, CATALOGUE)


def test_the_same_answers_in_another_form_do_not_say_otherwise():
    answers = hoop("3")
    flat = copy.deepcopy(response_from(answers))
    flat["item"] = flat["item"][0]["item"]
    for item in flat["item"]:
        item["answer"] = [{"valueInteger": 3}]
    assert not says_otherwise(flat, answers, CATALOGUE)


@pytest.mark.parametrize("back", [{}, {"resourceType": "QuestionnaireResponse", "id": "1"}, {"item": None}])
def test_a_server_that_gives_nothing_readable_back_does_not_say_otherwise(back):
    assert not says_otherwise(back, hoop(), CATALOGUE)


def test_what_a_response_says_of_itself_is_written_as_it_was_read():
    answers = hoop()
    about = replace(answers.response, reference="", identifier="", author=None)
    assert not {"id", "identifier", "author"} & response_from(replace(answers, response=about)).keys()
