"""The client's own note beside scores: kept while typing, saved once, never written over, taken back."""

from __future__ import annotations

import re

import pytest

from fhir_profiles.checking import problems
from mappers.own_notes import PROFILE, note_of
from smartapp.fhir.store import Query, Refused, Unreachable, Write
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.scores.people import measure

PAGE = "scores/hoop/note"


@pytest.fixture
def anna(app):
    visitor = launched(app)
    measure(visitor, "hoop", "2025-11-20", "2")
    return visitor


def notes(visitor):
    found = visitor.ehr.search(Query.of("Observation", patient="Patient/anna"))
    return [one.resource for one in found if "valueString" in one.resource]


def seen(visitor):
    return re.search(r'name="seen-note" value="([^"]*)"', visitor.get(PAGE).text)[1]


def key(visitor):
    return re.search(r'name="key" value="([^"]*)"', visitor.get(PAGE).text)[1]


def write(visitor, text, based_on=None, beside=None, **kwargs):
    based_on = seen(visitor) if based_on is None else based_on
    form = {"note": text, "seen-note": based_on, "key": beside or key(visitor)}
    return visitor.post(PAGE, form, **kwargs)


def test_a_note_stands_beside_the_scores_and_is_valid_by_our_profile(anna):
    assert write(anna, "Ik durf weer.").status_code == 303
    [note] = notes(anna)
    assert problems(note, PROFILE) == []
    assert note["focus"][0]["identifier"]["value"] == "https://verstel.nl/fhir/Questionnaire/hoop"
    assert note["derivedFrom"][0]["reference"].startswith("QuestionnaireResponse/")
    assert "Ik durf weer." in text_of(anna.get("scores/hoop/"))


def test_a_note_is_changed_and_not_doubled(anna):
    write(anna, "Ik durf weer.")
    write(anna, "Ik durf weer vooruit te kijken.")
    [note] = notes(anna)
    assert (note["valueString"], note["status"]) == ("Ik durf weer vooruit te kijken.", "amended")


def test_the_next_time_has_a_note_of_its_own_and_the_former_stays(anna):
    write(anna, "Toen was het zwaar.")
    measure(anna, "hoop", "2026-11-20", "3")
    assert "Toen was het zwaar." in text_of(anna.get(PAGE))
    write(anna, "Nu gaat het.")
    assert [note_of(one).text for one in notes(anna)] == ["Toen was het zwaar.", "Nu gaat het."]


def test_an_emptied_note_is_shown_no_more(anna):
    write(anna, "Ik durf weer.")
    write(anna, "")
    assert [one["status"] for one in notes(anna)] == ["entered-in-error"]
    assert "Ik durf weer." not in text_of(anna.get("scores/hoop/"))


def test_two_tabs_that_wrote_both_are_shown_both(anna):
    before = seen(anna)
    write(anna, "Van de ene tab.", before)
    answer = write(anna, "Van de andere tab.", before)
    assert answer.status_code == 409
    assert "Van de ene tab." in text_of(answer)
    assert "Van de andere tab." in text_of(answer)
    assert [one["valueString"] for one in notes(anna)] == ["Van de ene tab."]


def test_what_is_typed_is_kept_and_found_again_by_its_writer_only(app, anna):
    form = {"note": "Nog niet af", "seen-note": seen(anna), "key": key(anna)}
    kept = anna.post(PAGE, form, headers={"Accept": "application/json"})
    assert kept.json == {"saved": True}
    assert notes(anna) == []
    assert "Nog niet af" in anna.get(PAGE).text
    anna.post(PAGE, {"sketch": "discard", "key": key(anna)})
    assert "Nog niet af" not in anna.get(PAGE).text


@pytest.mark.parametrize(("error", "status"), [(Refused("no"), 422), (Unreachable("away"), 303)])
def test_words_that_the_record_does_not_take_are_not_lost(anna, error, status):
    write(anna, "Eerst dit.")
    flaky = anna.make_flaky()
    flaky.error = error
    assert write(anna, "Nu dit.").status_code == status
    assert "Nu dit." in anna.get(PAGE).text


def meanwhile(visitor, **changes):
    """Have the note changed by someone else just before the next write."""
    flaky = visitor.make_flaky()
    [stored] = [one for one in flaky.search(Query.of("Observation")) if "valueString" in one.resource]
    write = Write("update", {**stored.resource, **changes}, if_match=stored.etag)
    flaky.first = lambda: flaky.store.write(write)


def test_a_note_that_changed_at_the_same_moment_is_shown_and_not_replaced(anna):
    write(anna, "Eerst dit.")
    meanwhile(anna, valueString="Van de andere tab.")
    answer = write(anna, "Van de ene tab.")
    assert answer.status_code == 409
    assert "Van de andere tab." in text_of(answer)
    assert [one["valueString"] for one in notes(anna)] == ["Van de andere tab."]


def test_a_note_of_which_no_word_changed_meanwhile_is_saved(anna):
    """A server may give a resource a new version though nobody changed a word: there is nothing to choose then."""
    write(anna, "Eerst dit.")
    meanwhile(anna, language="nl-NL")
    assert write(anna, "Nu dit.").status_code == 303
    assert [one["valueString"] for one in notes(anna)] == ["Nu dit."]


def test_there_is_no_note_without_answers_and_none_of_somebody_else(app, anna):
    assert anna.get("scores/nel/note").status_code == 404
    assert launched(app, patient="bram", name="Bram").get(PAGE).status_code == 404
    assert launched(app, role="clinician").get(PAGE).status_code == 403


def test_another_programs_observation_is_no_note(anna):
    other = {"resourceType": "Observation", "status": "final", "code": {"text": "Notitie"}, "valueString": "x"}
    anna.ehr.write(Write("create", {**other, "subject": {"reference": "Patient/anna"}}))
    assert "Wat dit voor mij betekent" not in text_of(anna.get("scores/hoop/"))


def test_a_note_stays_beside_the_answers_that_it_was_opened_beside(anna):
    beside, based_on = key(anna), seen(anna)
    measure(anna, "hoop", "2026-11-20", "3")
    write(anna, "Over de vorige keer.", based_on, beside)
    [note] = notes(anna)
    response = anna.ehr.read("QuestionnaireResponse", note["derivedFrom"][0]["reference"].rpartition("/")[2])
    assert response.resource["authored"].startswith("2025-11-20")
    assert 'name="note"' in anna.get(PAGE).text
    assert key(anna) != beside
