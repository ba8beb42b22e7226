"""A response that could not be amended, said again: its name follows from the first, and its scores' from its own."""

from __future__ import annotations

import pytest

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE
from mappers.identity import Identifier
from mappers.observations import IDENTIFIER_SYSTEM as SCORE
from mappers.successors import first_of, number_of, successor

NAME = "bd50819e-8cd6-4d8a-ba92-aa739f957462"
ANSWERS = {"resourceType": "QuestionnaireResponse", "identifier": {"system": RESPONSE, "value": NAME}}
PANEL = {
    "resourceType": "Observation",
    "identifier": [{"system": SCORE, "value": f"{NAME}/hoop"}],
    "derivedFrom": [{"identifier": {"system": RESPONSE, "value": NAME}, "display": "HOOP"}],
    "hasMember": [{"reference": "urn:uuid:1", "identifier": {"system": SCORE, "value": f"{NAME}/hoop-total"}}],
}


def test_a_successor_and_its_scores_have_the_name_of_the_first_with_a_number():
    assert successor(ANSWERS, 2)["identifier"] == {"system": RESPONSE, "value": f"{NAME}.2"}
    panel = successor(PANEL, 2)
    assert panel["identifier"] == [{"system": SCORE, "value": f"{NAME}.2/hoop"}]
    assert panel["derivedFrom"][0]["identifier"]["value"] == f"{NAME}.2"
    assert panel["hasMember"][0]["identifier"]["value"] == f"{NAME}.2/hoop-total"
    assert panel["hasMember"][0]["reference"] == "urn:uuid:1"


@pytest.mark.parametrize("resource", [ANSWERS, PANEL])
def test_the_successor_of_a_successor_follows_the_same_first(resource):
    assert [number_of(successor(successor(resource, 2), number)) for number in (3, 12, 1)] == [3, 12, 1]
    assert successor(successor(resource, 2), 3) == successor(resource, 3)
    assert successor(successor(resource, 2), 1) == resource


@pytest.mark.parametrize(
    ("value", "first"),
    [
        (f"{NAME}.2", NAME),
        (f"{NAME}.10/hoop-total", f"{NAME}/hoop-total"),
        (NAME, NAME),
        ("a.1", "a.1"),
        ("v.0", "v.0"),
    ],
)
def test_the_first_of_a_line_is_read_from_the_name(value, first):
    assert first_of(Identifier(SCORE, value)) == Identifier(SCORE, first)


def test_what_is_not_named_by_us_has_no_successors():
    foreign = {"resourceType": "Observation", "identifier": [{"system": "https://ehr.example", "value": "7.2"}]}
    assert (number_of(foreign), number_of({"resourceType": "Observation"})) == (0, 0)
    assert successor(foreign, 2) == foreign
    assert first_of(Identifier("https://ehr.example", "7.2")).value == "7.2"


def test_a_name_of_ours_that_another_version_wrote_in_another_form_stays_as_it_is():
    odd = {"resourceType": "QuestionnaireResponse", "identifier": {"system": RESPONSE, "value": "/2"}}
    assert number_of(odd) == 0
    assert successor(odd, 2) == odd
    assert first_of(Identifier(RESPONSE, "/2")).value == "/2"
