"""What a client said about reuse of their answers: read back as written, and nothing of what can't be understood."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.checking import claimed, problems
from mappers.reuse import PROFILE, PURPOSES, Reuse, consent_of, is_reuse, patient_of, reuse_of, without_words

ANNA = {"reference": "Patient/anna", "display": "Anna"}
SINCE = "2026-11-27T10:00:00+01:00"
BOTH = Reuse(frozenset(PURPOSES), SINCE)


def made(reuse=BOTH):
    return consent_of(reuse, name="n", patient=ANNA)


@given(st.frozensets(st.sampled_from(PURPOSES), min_size=1))
def test_what_was_said_is_read_back(purposes):
    consent = made(Reuse(purposes, SINCE))
    assert reuse_of(consent) == Reuse(purposes, SINCE)
    assert consent["status"] == "active"
    assert patient_of(consent) == "Patient/anna"


def test_what_is_taken_back_allows_nothing_and_keeps_its_place():
    before = {**made(), "id": "7"}
    after = consent_of(Reuse(since=SINCE), name="n", patient=ANNA, before=before)
    assert (after["id"], after["status"], after["provision"]) == ("7", "inactive", {"type": "deny"})
    assert is_reuse(after)
    assert reuse_of(after) == Reuse()


@given(st.frozensets(st.sampled_from(PURPOSES)))
def test_what_is_written_claims_our_profile_and_keeps_to_it(purposes):
    first = made()
    for consent in (
        made(Reuse(purposes, SINCE)),
        consent_of(Reuse(purposes, SINCE), name="n", patient=ANNA, before=first),
    ):
        assert claimed(consent) == [PROFILE]
        assert problems(consent, PROFILE) == []
    assert problems({**first, "status": "inactive"}, PROFILE) != []


@pytest.mark.parametrize("nothing", [None, {}, [], "Consent", {"resourceType": "Consent", "status": "active"}])
def test_without_a_consent_nothing_is_allowed(nothing):
    assert reuse_of(nothing) == Reuse()


FOREIGN = {
    "a draft": lambda one: one.update(status="draft"),
    "of privacy": lambda one: one["scope"]["coding"][0].update(code="patient-privacy"),
    "not ours": lambda one: one.update(identifier=[{"system": "x", "value": "n"}]),
    "of nobody": lambda one: one.pop("patient"),
    "given by a professional": lambda one: one.update(performer=[{"reference": "Practitioner/1"}]),
    "given by two": lambda one: one["performer"].append({"reference": "Practitioner/1"}),
    "without a time": lambda one: one.pop("dateTime"),
    "modified": lambda one: one.update(modifierExtension=[{"url": "x", "valueBoolean": True}]),
    "that permits all": lambda one: one["provision"].update(type="permit"),
    "for a period": lambda one: one["provision"].update(period={"end": "2020"}),
    "for a part": lambda one: one["provision"]["provision"][0].update(data=[{"meaning": "related"}]),
    "with a denial": lambda one: one["provision"]["provision"][1].update(type="deny"),
    "for something else": lambda one: one["provision"]["provision"][1]["purpose"][0].update(code="HMARKT"),
    "for two things at once": lambda one: one["provision"]["provision"][0]["purpose"].append({"code": "HRESCH"}),
    "to change": lambda one: one["provision"]["provision"][0]["action"][0]["coding"][0].update(code="correct"),
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_a_consent_with_a_foreign_shape_allows_nothing(change):
    consent = copy.deepcopy(made())
    assert reuse_of(consent) == BOTH
    change(consent)
    assert reuse_of(consent) == Reuse()


def test_what_is_handed_out_has_no_words():
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "1",
        "text": {"div": "geheim"},
        "status": "completed",
        "author": {"display": "geheim"},
        "questionnaire": "q",
        "subject": {"reference": "Patient/anna", "display": "geheim"},
        "item": [
            {"linkId": "a", "text": "geheim", "answer": [{"valueInteger": 3}]},
            {"linkId": "b", "answer": [{"valueString": "geheim"}]},
            {
                "linkId": "c",
                "item": [{"linkId": "c1", "answer": [{"valueCoding": {"code": "x", "display": "geheim"}}]}],
            },
            {
                "linkId": "d",
                "answer": [{"valueAttachment": {"title": "geheim"}}, {"valueReference": {"display": "geheim"}}],
            },
        ],
    }
    assert without_words(response) == {
        "resourceType": "QuestionnaireResponse",
        "id": "1",
        "status": "completed",
        "questionnaire": "q",
        "subject": {"reference": "Patient/anna"},
        "item": [
            {"linkId": "a", "answer": [{"valueInteger": 3}]},
            {"linkId": "c", "item": [{"linkId": "c1", "answer": [{"valueCoding": {"code": "x"}}]}]},
        ],
    }
