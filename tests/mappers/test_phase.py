"""A marking goes into an Observation and comes out as it went in; what others made, or was taken back, is none."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.checking import problems
from mappers.fhir_text import typed
from mappers.phase import (
    PROFILE,
    TYPED_BY,
    Marking,
    history_of,
    is_marking,
    marking_of,
    observation_of,
    put_back,
    taken_back,
)
from questionnaires.phases import phases
from smartapp.fhir.checked import problems as not_fhir
from tests.examples import examples
from tests.mappers.build import ANNA, bent

SAID = Marking("living-with", "De meeste dagen lukt het.", "2026-03-03T15:10:00+01:00", "a-name")
JAAP = {"reference": "Practitioner/2", "display": "Jaap"}


def written(marking=SAID, *, language="nl", before=None, **changes):
    return {"id": "7", **observation_of(marking, patient=ANNA, language=language, before=before), **changes}


markings = st.builds(
    Marking,
    phase=st.sampled_from(phases().codes),
    words=st.text(),
    marked_on=st.datetimes(timezones=st.timezones()).map(lambda one: one.isoformat()),
    name=st.uuids().map(str),
)


@given(markings, st.sampled_from(["nl", "en"]))
def test_what_is_written_is_read_back(marking, language):
    read = marking_of(written(marking, language=language))
    assert (read.phase, read.marked_on, read.name, read.id) == (marking.phase, marking.marked_on, marking.name, "7")
    assert read.words == typed(marking.words)


@given(markings)
def test_what_is_read_and_written_again_is_the_same_but_for_being_amended(marking):
    first = written(marking)
    again = written(marking_of(first), before=first)
    assert again == {**first, "status": "amended"}


@given(markings)
def test_what_is_taken_back_is_no_marking_and_put_back_is_the_same_one(marking):
    first = written(marking)
    assert marking_of(taken_back(first)) is None
    assert is_marking(taken_back(first))
    assert marking_of(put_back(taken_back(first))) == marking_of(first)


@given(st.lists(markings, max_size=6))
def test_the_history_is_all_of_them_by_time_whatever_order_they_came_in(several):
    resources = [written(one) for one in several]
    found = history_of(resources)
    assert len(found) == len(several)
    assert all(one.order >= other.order for one, other in itertools.pairwise(found))
    assert sorted(found, key=repr) == sorted(history_of(resources[::-1]), key=repr)


def test_of_two_in_other_zones_the_later_comes_first():
    summer = Marking("struggling", marked_on="2026-06-03T10:00:00+02:00")  # 08:00 UTC
    later = Marking("living-with", marked_on="2026-06-03T09:00:00Z")
    assert [one.phase for one in history_of([written(summer), written(later)])] == ["living-with", "struggling"]


@examples(300)
@given(bent(st.just(written())))
def test_what_others_changed_is_read_or_left_out_and_written_again(changed):
    history_of([changed])
    if isinstance(changed, dict):
        written(before=changed)


def test_a_marking_is_valid_by_our_profile_and_by_fhir():
    for marking in (SAID, Marking("overwhelmed", "", SAID.marked_on, "n")):
        assert problems(written(marking), PROFILE) == []
        assert list(not_fhir(written(marking), None)) == []


def test_a_marking_without_words_has_no_empty_note():
    assert "note" not in written(Marking("struggling", " \n", SAID.marked_on, "n"))


def test_a_phase_is_no_survey_and_says_nothing_of_the_one_before():
    assert not {"category", "derivedFrom", "interpretation", "component", "valueInteger"} & set(written())


def test_a_phase_that_is_none_of_ours_is_not_written():
    with pytest.raises(ValueError, match=r"not in phases\.toml"):
        written(Marking("recovered"))


def test_a_code_of_a_later_version_is_shown_as_the_record_words_it():
    value = {"coding": [{"system": written()["valueCodeableConcept"]["coding"][0]["system"], "code": "calm"}]}
    named = {"coding": [{**value["coding"][0], "display": "Het is rustig"}]}
    assert marking_of(written(valueCodeableConcept=named)).display == "Het is rustig"
    assert marking_of(written(valueCodeableConcept={**value, "text": "Rustig"})).display == "Rustig"


@pytest.mark.parametrize(
    "changes",
    [
        {"code": {"text": "Fase"}},
        {"valueCodeableConcept": {"text": "Ik leef ermee"}},
        {"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "living-with"}]}},
        {"performer": [JAAP]},
        {"performer": [ANNA, {"reference": "https://ehr.example/fhir/RelatedPerson/3"}]},
        {"performer": [{"type": "Device", "identifier": {"value": "x"}}]},
        {"status": "entered-in-error"},
        {"status": "cancelled"},
    ],
    ids=str,
)
def test_what_is_not_the_clients_own_word_is_no_marking(changes):
    assert marking_of(written(**changes)) is None


def test_an_absolute_reference_to_the_client_is_the_client():
    assert marking_of(written(performer=[{"reference": "https://ehr.example/fhir/Patient/anna"}]))


def test_what_a_professional_adds_is_never_shown_as_the_clients_words_and_stays():
    theirs = {"authorReference": JAAP, "text": "Besproken"}
    silent = Marking("living-with", "", SAID.marked_on, "a-name")
    first = written(silent, note=[theirs, {"authorString": "J", "text": "x"}])
    assert marking_of(first).words == ""
    again = written(SAID, before=first)
    assert [one["text"] for one in again["note"]] == [SAID.words, "Besproken", "x"]
    assert marking_of(again).words == SAID.words


def test_the_identifiers_of_others_stay():
    theirs = {"system": "https://ehr.example", "value": "12"}
    first = written()
    again = written(before={**first, "identifier": [theirs, *first["identifier"]]})
    assert again["identifier"] == [*first["identifier"], theirs]


def test_who_typed_it_is_named_beside_the_clients_choice_and_goes_once_they_type_themselves():
    made = observation_of(SAID, patient=ANNA, language="nl", typist=JAAP)
    assert problems(made, PROFILE) == []
    assert made["performer"] == [ANNA]
    assert marking_of(made).typist == "Jaap"
    theirs = {"url": "https://ehr.example/seen", "valueBoolean": True}
    again = observation_of(
        SAID, patient=ANNA, language="nl", before={**made, "extension": [*made["extension"], theirs]}
    )
    assert again["extension"] == [theirs]
    assert marking_of(again).typist == ""
    assert "extension" not in observation_of(SAID, patient=ANNA, language="nl", typist=ANNA)
    assert made["extension"][0]["url"] == TYPED_BY
