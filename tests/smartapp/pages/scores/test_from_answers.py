"""Answers that another program saved have no scores in the record: they are scored as they are read, on every page."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mappers.answers import response_of
from mappers.circle import Member
from mappers.observations import SCORE_SYSTEM
from questionnaires.catalogue import catalogue
from questionnaires.fhir import SURVEY
from smartapp.fhir.store import Query, Write
from smartapp.pages.scores import asking
from tests.smartapp.helpers import Visitor, launched, put_circle, share_with, text_of
from tests.smartapp.pages.caseload.people import keep_from_the_team
from tests.smartapp.pages.plan.pdf_text import sheets_in
from tests.smartapp.pages.scores.people import measure


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


def fill_in_elsewhere(visitor: Visitor, day: str = "2026-06-03", code: str = "4", **changed: Any) -> dict[str, Any]:
    """Put a response to the HOOP into the EHR as another program does: without our identifier, and without scores."""
    instrument = catalogue().instruments["hoop"]
    person = {"reference": visitor.launch.patient.reference, "display": visitor.launch.patient.display}
    made = response_of(
        {item.link_id: code for item in instrument.items},
        instrument,
        status="completed",
        authored=f"{day}T10:00:00+01:00",
        subject=person,
        author=person,
        source=person,
        identifier="",
    )
    return visitor.ehr.write(Write("create", {**made, **changed})).resource


def test_the_client_sees_the_scores_on_every_page_that_has_them(anna):
    fill_in_elsewhere(anna, "2024-01-15", "2")
    fill_in_elsewhere(anna)
    assert "Hoop, totaal: De eerste keer, op 15 januari 2024: 26." in text_of(anna.get("scores/hoop/"))
    assert "Eerste keer 26 → Laatste keer 42" in text_of(anna.get("scores/"))
    assert "op 3 juni 2026 was het 42" in text_of(anna.get(""))


@pytest.mark.parametrize("path", ["overview/", "scores/", "overview/together/now"])
def test_the_care_team_sees_them_too(app, anna, path):
    fill_in_elsewhere(anna)
    assert " 42 " in text_of(launched(app, role="clinician").get(path))


@pytest.mark.parametrize("path", ["overview/", "scores/", "overview/together/now"])
def test_who_may_see_the_answers_and_not_the_scores_sees_none(app, anna, path):
    fill_in_elsewhere(anna)
    keep_from_the_team(app, "anna", "scores")
    clinician = launched(app, role="clinician")
    assert " 42 " not in text_of(clinician.get(path))
    assert "hoop" in text_of(clinician.get("answers/")).lower()


def test_who_may_see_the_scores_and_not_the_answers_sees_those_that_are_stored(app, anna):
    measure(anna, "hoop", "2024-01-15", "2")
    fill_in_elsewhere(anna)
    keep_from_the_team(app, "anna", "answers.hoop")
    page = text_of(launched(app, role="clinician").get("scores/"))
    assert "Op 15 januari 2024: 26." in page
    assert "3 juni 2026" not in page


@pytest.mark.parametrize(
    ("parts", "seen"),
    [(("answers.hoop", "scores"), True), (("answers.hoop",), False), (("scores",), False)],
)
def test_a_loved_one_sees_them_where_both_are_shared(app, anna, parts, seen):
    fill_in_elsewhere(anna)
    put_circle(app, Member("1", "Mila", "mijn zus", "loved-one", "RelatedPerson/mila"))
    share_with(app, "RelatedPerson/mila", *parts)
    mila = launched(app, role="loved-one")
    assert ("42" in text_of(mila.get("loved-one/shared/scores/"))) is seen


@pytest.mark.parametrize("variant", ["hoop", "hoop-plain", "hoop-template"])
def test_the_variants_of_a_form_are_one_questionnaire(anna, variant):
    instrument = catalogue().instruments["hoop"]
    base = instrument.url.rpartition("/")[0]
    fill_in_elsewhere(anna, questionnaire=f"{base}/{variant}|{instrument.version}")
    assert "Op 3 juni 2026: 42." in text_of(anna.get("scores/hoop/"))


def test_answers_that_are_older_than_the_scores_that_were_asked_for_are_not_scored_again(anna, monkeypatch):
    measure(anna, "hoop", "2024-01-15", "2")
    measure(anna, "hoop", "2026-06-03", "4")
    rules = len(catalogue().instruments["hoop"].scores)
    monkeypatch.setattr(asking, "MOST_SCORES", rules)
    page = text_of(anna.get("scores/hoop/"))
    assert "Op 3 juni 2026: 42." in page
    assert "1 keer ingevuld: 3 juni 2026." in page
    assert f"Hier staan de nieuwste {rules} scores" in page


def test_answers_that_are_in_reach_are_those_after_the_oldest_score():
    def dated(name: str, *days: str) -> list[dict[str, Any]]:
        return [{name: f"{day}T10:00:00+01:00"} for day in days]

    scores = dated("effectiveDateTime", "2025-01-01", "2026-01-01")
    responses = dated("authored", "2024-12-31", "2025-01-01", "2025-06-01")
    assert asking.in_reach(scores, responses, cut=False) == responses
    assert asking.in_reach(scores, responses, cut=True) == responses[2:]
    assert asking.in_reach([], responses, cut=True) == ()


def extracted(visitor: Visitor, response: dict[str, Any], value: float, **changed: Any) -> None:
    """Put a HOOP total into the EHR as an engine extracts it: with the form's code, and no word of how it was made."""
    made = {
        "resourceType": "Observation",
        "status": "final",
        "category": [SURVEY],
        "code": {"coding": [{"system": SCORE_SYSTEM, "code": "hoop-total"}]},
        "subject": {"reference": "Patient/anna"},
        "effectiveDateTime": response["authored"],
        "valueQuantity": {"value": value},
        "derivedFrom": [{"reference": f"QuestionnaireResponse/{response['id']}"}],
    }
    visitor.ehr.write(Write("create", {**made, **changed}))


def test_each_number_says_where_it_comes_from(app, anna):
    measure(anna, "hoop", "2024-01-15", "2")
    fill_in_elsewhere(anna, "2025-06-03", "3")
    extracted(anna, fill_in_elsewhere(anna), 42)
    page = text_of(anna.get("scores/hoop/"))
    assert "2 keer: elders ingevuld, uit de antwoorden berekend." in page
    assert "1 keer: elders ingevuld, door een ander programma berekend." in page
    assert "3 juni 2025 (elders ingevuld, uit de antwoorden berekend)" in page
    assert re.search(
        r"Hoop, totaal \(12 van 12 ingevuld\) \(elders ingevuld, door een ander programma berekend\) 42", page
    )
    assert re.search(r"15 januari 2024 Hoop, totaal \(12 van 12 ingevuld\) 26", page)
    assert "Laatste keer: elders ingevuld, door een ander programma berekend." in text_of(anna.get("scores/"))
    clinician = launched(app, role="clinician")
    assert "elders ingevuld, door een ander programma berekend" in text_of(clinician.get("overview/"))
    assert "Laatste keer: elders ingevuld" in text_of(clinician.get("overview/together/now"))


def test_what_was_filled_in_and_stored_here_says_nothing_of_it(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    for path in ("scores/", "scores/hoop/"):
        assert not re.search("elders|berekend", text_of(anna.get(path)))


def test_numbers_that_are_not_ours_have_a_place_of_their_own(app, anna):
    response = fill_in_elsewhere(anna, questionnaire="https://elsewhere.example/Questionnaire/hope")
    extracted(anna, response, 33)
    page = text_of(anna.get("scores/"))
    assert "Hier zie je straks" not in page
    assert "Uitgerekend op een manier die we niet kennen" in page
    assert anna.url("scores/hoop/") in anna.get("scores/").text
    line = "3 juni 2026: Hoop, totaal, 33 (regel niet genoemd)"
    assert line in text_of(anna.get("scores/hoop/"))
    clinician = text_of(launched(app, role="clinician").get("scores/"))
    assert line in clinician
    assert "Hoop (HOOP): uitgerekend op een manier die we niet kennen" in clinician


def test_a_number_that_its_answers_do_not_give_stands_apart_from_the_one_that_they_give(anna):
    extracted(anna, fill_in_elsewhere(anna), 33)
    page = text_of(anna.get("scores/hoop/"))
    assert "Op 3 juni 2026: 42." in page
    assert "Hoop, totaal, 33 (regel niet genoemd)" in page


def test_the_paper_says_where_numbers_come_from(anna):
    fill_in_elsewhere(anna)
    [sheet] = sheets_in(anna.get("scores/hoop/scores.pdf").data)
    assert "1 keer: elders ingevuld, uit de antwoorden berekend." in sheet


def test_nothing_is_written_by_reading(anna):
    fill_in_elsewhere(anna)
    for path in ("", "scores/", "scores/hoop/", "scores/scores.pdf"):
        assert anna.get(path).status_code == 200
    assert anna.ehr.search(Query.of("Observation", patient="Patient/anna")) == []
