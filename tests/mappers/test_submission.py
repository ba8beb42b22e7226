"""Sending answers in: each resource once, under a name that the others know."""

from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given

from mappers.answers import IDENTIFIER_SYSTEM, answers_of, response_from
from mappers.errors import NotAResponse, NotScorable
from mappers.submission import submission_of, urn_of
from tests.examples import examples
from tests.mappers.build import CATALOGUE, FLAT, all_answered, response, values_for

HOOP = CATALOGUE.instrument("hoop")
UUID = "0b9f1f0e-6a54-4f7b-9d0f-3f0e5f0f8a01"


def hoop(code="3", **changes):
    return answers_of(response(HOOP, all_answered(HOOP, code), **changes), CATALOGUE)


@pytest.mark.parametrize("instrument", FLAT, ids=lambda one: one.id)
def test_answers_written_and_read_again_are_the_same_in_everything(instrument):
    """`response_from` and `answers_of` reverse each other: carrying answers instead of FHIR loses nothing."""

    @examples(40)
    @given(values_for(instrument))
    def holds(values):
        answers = answers_of(response(instrument, values), CATALOGUE)
        assert answers_of(response_from(answers), CATALOGUE) == answers

    holds()


@pytest.mark.parametrize("instrument", FLAT, ids=lambda one: one.id)
def test_a_submission_is_the_response_its_scores_and_their_panel_last(instrument):
    entries = submission_of(answers_of(response(instrument, all_answered(instrument)), CATALOGUE))
    kinds = [entry.resource["resourceType"] for entry in entries]
    scores = len(instrument.scores) if instrument.subject == "person" else 0  # no Observation is about a team
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
