"""What counts as the same: words, not moments, ids, or the form that a server gives an answer."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.sameness import as_amendment, fingerprint, says_all_of, says_the_same

ANSWERS = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "authored": "2026-05-01T10:00:00+02:00",
    "item": [{"linkId": "hoop-01", "answer": [{"valueCoding": {"system": "s", "code": "3", "display": "Eens"}}]}],
}
SCORE = {
    "resourceType": "Observation",
    "status": "final",
    "effectiveDateTime": "2026-05-01T10:00:00+02:00",
    "valueQuantity": {"value": 36},
}


def with_answer(answer: dict) -> dict:
    changed = copy.deepcopy(ANSWERS)
    changed["item"][0]["answer"] = [answer]
    return changed


@pytest.mark.parametrize(
    "stored",
    [
        {**ANSWERS, "id": "7", "meta": {"versionId": "2"}, "text": {"status": "generated"}},
        {**ANSWERS, "authored": "2026-05-01T10:00:09+02:00"},
        {**ANSWERS, "status": "amended"},
        with_answer({"valueInteger": 3}),
        with_answer({"valueDecimal": 3.0}),
        with_answer({"valueString": "3"}),
        with_answer({**ANSWERS["item"][0]["answer"][0], "extension": [{"url": "https://ehr.example"}]}),
    ],
    ids=["id and version", "another moment", "amended", "integer", "decimal", "text", "the server adds something"],
)
def test_the_same_words_in_another_form_say_the_same(stored):
    assert says_the_same(stored, ANSWERS)


@pytest.mark.parametrize(
    "stored",
    [
        with_answer({"valueInteger": 2}),
        with_answer({"valueCoding": {"system": "s", "code": "2", "display": "Oneens"}}),
        with_answer({}),
        {**ANSWERS, "item": []},
        {**ANSWERS, "item": [*ANSWERS["item"], {"linkId": "hoop-02"}]},
        {**ANSWERS, "status": "entered-in-error"},
        {},
    ],
    ids=["other number", "other code", "no answer", "no items", "one item more", "withdrawn", "nothing"],
)
def test_other_words_do_not(stored):
    assert not says_the_same(stored, ANSWERS)


def test_an_update_has_arrived_only_if_it_is_there_to_the_moment():
    assert says_all_of({**SCORE, "id": "1", "meta": {}}, SCORE)
    assert not says_all_of({**SCORE, "effectiveDateTime": "2026-05-02"}, SCORE)
    assert not says_all_of({**SCORE, "status": "corrected"}, SCORE)


def test_an_amendment_takes_the_id_and_the_moment_of_what_it_replaces():
    before = {**ANSWERS, "id": "7", "authored": "2026-01-05"}
    amended = as_amendment(with_answer({"valueInteger": 1}), before)
    assert (amended["id"], amended["status"], amended["authored"]) == ("7", "amended", "2026-01-05")
    assert amended["item"][0]["answer"] == [{"valueInteger": 1}]
    corrected = as_amendment(
        {**SCORE, "valueQuantity": {"value": 12}}, {**SCORE, "id": "9", "effectiveDateTime": "2026-01-05"}
    )
    assert (corrected["id"], corrected["status"], corrected["effectiveDateTime"]) == ("9", "corrected", "2026-01-05")
    assert as_amendment({"resourceType": "Goal", "id": "1"}, {"id": "2"}) == {"resourceType": "Goal", "id": "2"}


@pytest.mark.parametrize("made", [ANSWERS, SCORE])
def test_an_amendment_stays_where_an_ehr_filed_what_it_amends(made):
    filed = {"encounter": {"reference": "Encounter/9"}, "basedOn": [{"reference": "ServiceRequest/3"}]}
    amended = as_amendment(made, {**made, "id": "7", **filed})
    assert {name: amended[name] for name in filed} == filed
    assert says_the_same({**made, "id": "7", **filed, "status": amended["status"]}, amended)


def test_an_amendment_keeps_what_another_program_answered_and_nothing_that_the_form_asked_before():
    department = {"linkId": "department", "answer": [{"valueString": "Oost"}]}
    ward = {"linkId": "ward", "answer": [{"valueString": "3"}]}
    old = {"linkId": "hoop-02", "answer": [{"valueInteger": 4}]}
    form = {"questionnaire": "https://verstel.example/fhir/Questionnaire/hoop|1.0.0"}
    items = [
        {"linkId": "hoop-statements", "item": [*ANSWERS["item"], old, department]},
        {"linkId": "theirs", "text": "Van ons", "item": [old, ward]},
        {"linkId": "wrapper", "item": [old]},
        {"linkId": "hoop-scores", "item": [{"linkId": "hoop-score-total", "answer": [{"valueDecimal": 12}]}]},
    ]
    amended = as_amendment({**ANSWERS, **form}, {**ANSWERS, **form, "id": "7", "item": items})
    assert amended["item"] == [
        *ANSWERS["item"],
        department,
        {"linkId": "theirs", "text": "Van ons", "item": [ward]},
    ]


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), json, max_size=4))
def test_everything_says_what_it_says_itself_and_has_one_fingerprint(resource):
    assert says_all_of(resource, resource)
    assert says_the_same(resource, resource)
    assert fingerprint(resource) == fingerprint({**resource, "meta": {"versionId": "9"}, "authored": "2030"})


@pytest.mark.parametrize("stored", [[], "3", None, {"valueQuantity": 36}])
def test_an_element_of_another_kind_does_not_say_it(stored):
    assert not says_all_of({**SCORE, "valueQuantity": stored}, SCORE)


def test_a_server_that_drops_the_ids_of_elements_says_all_of_it_and_one_that_has_others_does_not():
    sent = {"resourceType": "QuestionnaireResponse", "item": [{"id": "row-1", "linkId": "a", "text": "A"}]}
    assert says_all_of({**sent, "item": [{"linkId": "a", "text": "A"}]}, sent)
    assert not says_all_of({**sent, "item": [{"id": "row-2", "linkId": "a", "text": "A"}]}, sent)
    assert not says_all_of({**sent, "item": [{"linkId": "a", "text": "B"}]}, sent)


def test_a_contained_resource_without_its_id_can_not_be_referred_to_and_is_not_the_same():
    sent = {"resourceType": "Goal", "contained": [{"resourceType": "Patient", "id": "p"}]}
    assert not says_all_of({**sent, "contained": [{"resourceType": "Patient"}]}, sent)
