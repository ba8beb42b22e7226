"""A plan that newly names goals, on top of what someone else made of it meanwhile."""

from __future__ import annotations

import pytest

from mappers.plan.moving import closed
from smartapp.records.adding import on_top_of, only_names

NEW = "urn:uuid:1"
BEFORE = {
    "resourceType": "CarePlan",
    "id": "7",
    "meta": {"versionId": "1"},
    "text": {"div": "<div>Eerst</div>"},
    "status": "active",
    "title": "Herstelplan",
}
GOAL = {"reference": NEW, "display": "Een moestuin"}
STEP = {"reference": {"reference": NEW, "display": "Zaad kopen"}}
OURS = {**BEFORE, "text": {"div": "<div>Een moestuin</div>"}, "goal": [GOAL]}


@pytest.mark.parametrize("names", [{"goal": [GOAL]}, {"activity": [STEP]}, {"goal": [GOAL], "activity": [STEP]}])
def test_a_plan_that_names_what_is_new_changes_nothing_else(names):
    assert only_names(BEFORE, {**BEFORE, "text": {"div": "<div/>"}, **names}, {NEW})


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,  # names nothing
        {**OURS, "title": "Mijn plan"},
        {**OURS, "goal": [GOAL, {"reference": "Goal/3"}]},
        {**OURS, "resourceType": "Goal"},
    ],
)
def test_a_plan_that_says_something_else_too_is_its_authors_to_decide_about(after):
    assert not only_names(BEFORE, after, {NEW})
    assert not only_names(None, OURS, {NEW})


def test_what_is_there_stays_and_is_followed_by_what_is_new():
    theirs = {**BEFORE, "title": "Anders", "meta": {"versionId": "2"}, "goal": [{"reference": "Goal/3"}]}
    assert on_top_of(theirs, OURS, {NEW: "Goal/5"}) == {**theirs, "goal": [{"reference": "Goal/3"}, GOAL]}


def test_the_narrative_is_ours_where_it_tells_all_that_is_there():
    theirs = {**BEFORE, "meta": {"versionId": "2"}, "_title": {"id": "t"}}
    assert on_top_of(theirs, OURS, {NEW: "Goal/5"}) == {**theirs, "text": OURS["text"], "goal": [GOAL]}


def test_nothing_is_put_on_a_plan_that_goes_on_elsewhere():
    assert on_top_of(closed(BEFORE), OURS, {NEW: "Goal/5"}) is None


@pytest.mark.parametrize("reference", ["Goal/5", "https://ehr.example/fhir/Goal/5"])
def test_a_plan_that_names_it_already_stays_as_it_is(reference):
    theirs = {**BEFORE, "title": "Anders", "goal": [{"reference": reference}]}
    assert on_top_of(theirs, OURS, {NEW: "Goal/5"}) is theirs


@pytest.mark.parametrize("reference", ["Goal/55", "Task/5"])
def test_a_plan_that_names_another_one_gets_it(reference):
    theirs = {**BEFORE, "goal": [{"reference": reference}]}
    made = on_top_of(theirs, OURS, {NEW: "Goal/5"})
    assert made is not None
    assert made["goal"] == [{"reference": reference}, GOAL]


FORM = {
    "type": "QuestionnaireResponse",
    "identifier": {"system": "https://verstel.nl/fhir/identifier/response", "value": "1"},
    "display": "Mijn tuin",
}
THEIR_FORM = {**FORM, "identifier": {**FORM["identifier"], "value": "2"}}


def test_a_living_form_is_named_by_identifier_and_put_on_top_in_the_same_way():
    ours = {**BEFORE, "supportingInfo": [FORM]}
    assert only_names(BEFORE, ours, {NEW})
    assert not only_names(BEFORE, {**BEFORE, "supportingInfo": [THEIR_FORM]}, {NEW})
    theirs = {**BEFORE, "title": "Anders", "supportingInfo": [THEIR_FORM]}
    became = {NEW: "QuestionnaireResponse/5"}
    assert on_top_of(theirs, ours, became) == {**theirs, "supportingInfo": [THEIR_FORM, FORM]}
    theirs = {**theirs, "supportingInfo": [FORM]}
    assert on_top_of(theirs, ours, became) is theirs
