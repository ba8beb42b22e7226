"""A stored score that its answers do not give is found, whatever is wrong with it."""

from __future__ import annotations

import copy

import pytest

from mappers.answers import answers_of
from mappers.observations import observations_of
from mappers.scoring import score
from mappers.verify import differences
from tests.mappers.build import CATALOGUE, all_answered, response


@pytest.fixture
def stored():
    """A HOOP response (all answers 2: total 26) and its Observations, as a server has them."""
    made = response("hoop", all_answered("hoop"))
    answers = answers_of(made, CATALOGUE)
    observations = observations_of(answers, score(answers.instrument, answers.values))
    return [made, *({**copy.deepcopy(one), "id": f"o{number}"} for number, one in enumerate(observations))]


def test_scores_that_their_answers_give_are_left_alone(stored):
    assert differences(stored, CATALOGUE) == ([], 6)


def test_a_score_that_says_nothing_of_its_rule_is_compared_by_its_number(stored):
    for one in stored[2:]:
        without_method(one)
    assert differences(stored, CATALOGUE) == ([], 6)
    stored[2]["valueQuantity"]["value"] = 27
    [difference], _count = differences(stored, CATALOGUE)
    assert (difference.found, difference.expected) == ("27.0", "26.0")


def test_another_form_of_the_same_reference_is_the_same_client(stored):
    stored[2]["subject"] = {"reference": "https://ehr.example/fhir/Patient/anna/_history/3"}
    assert differences(stored, CATALOGUE)[0] == []


def test_a_whole_number_may_be_written_with_a_point(stored):
    stored[2]["valueQuantity"]["value"] = 26.0
    assert differences(stored, CATALOGUE)[0] == []


def without_method(one):
    del one["method"]


def absent(one):
    del one["valueQuantity"]
    one["dataAbsentReason"] = {"text": "?"}


def old_rule(one):
    one["method"]["coding"][0]["code"] = "hoop-total@0"


@pytest.mark.parametrize(
    ("spoil", "found", "expected"),
    [
        (lambda one: one["valueQuantity"].update(value=27), "27.0", "26.0"),
        (lambda one: one["valueQuantity"].update(value="26"), "something that is not a number", "26.0"),
        (absent, "no score", "26.0"),
        (old_rule, "rule hoop-total@0", "rule hoop-total@1"),
        (lambda one: one.update(status="preliminary"), "status preliminary", "status final"),
        (lambda one: one.update(subject={"reference": "Patient/ben"}), "of another client", ""),
        (lambda one: one["code"]["coding"][0].update(code="hoop-joy"), "'hoop-joy'", "one of hoop-total"),
        (lambda one: one.update(derivedFrom=[]), "a score", "the response it was computed from is not in this file"),
    ],
)
def test_each_kind_of_difference_is_found(stored, spoil, found, expected):
    spoil(stored[2])
    (difference,), _ = differences(stored, CATALOGUE)
    assert (difference.observation, difference.found) == ("Observation/o1", found)
    assert difference.expected.startswith(expected)


def test_a_score_without_id_is_named_by_our_identifier_which_says_of_which_response(stored):
    """What `verstel score` writes has no ids yet."""
    del stored[2]["id"]
    stored[2]["valueQuantity"]["value"] = 27
    (difference,), _ = differences(stored, CATALOGUE)
    assert difference.observation == "r-1/hoop-total"


def test_a_score_of_answers_that_changed_since_is_found(stored):
    stored[0]["item"][0]["item"][0]["answer"][0]["valueCoding"]["code"] = "4"
    codes = {one.code for one in differences(stored, CATALOGUE)[0]}
    assert "hoop-total" in codes
    assert "hoop-interconnectedness" not in codes


def test_scores_of_an_amended_response_must_be_corrected_and_of_a_wrong_one_taken_back(stored):
    stored[0]["status"] = "amended"
    assert {one.expected for one in differences(stored, CATALOGUE)[0]} == {"status corrected"}
    stored[0]["status"] = "entered-in-error"
    assert {one.expected for one in differences(stored, CATALOGUE)[0]} == {"status entered-in-error"}
    for one in stored[1:]:
        one["status"] = "entered-in-error"
    assert differences(stored, CATALOGUE) == ([], 0)


def test_answers_that_are_refused_give_no_score(stored):
    stored[0]["questionnaire"] = "https://example.org/other|1"
    assert all(one.expected.startswith("no score: questionnaire") for one in differences(stored, CATALOGUE)[0])


@pytest.mark.parametrize(
    "reference", ["https://ehr.example/fhir/QuestionnaireResponse/1", "QuestionnaireResponse/1/_history/4"]
)
def test_the_response_is_found_by_any_form_of_reference(stored, reference):
    for one in stored[1:]:
        one["derivedFrom"] = [{"reference": reference}]
    assert differences(stored, CATALOGUE) == ([], 6)


def test_the_response_is_found_by_identifier(stored):
    stored[0]["id"] = "elsewhere"
    assert differences(stored, CATALOGUE) == ([], 6)


def test_other_things_in_a_bundle_are_left_alone(stored):
    weight = {"resourceType": "Observation", "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}}
    assert differences([None, 3, {"resourceType": "Patient"}, weight, *stored], CATALOGUE) == ([], 6)
