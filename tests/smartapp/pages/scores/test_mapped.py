"""A response to a form of the EHR's own, which a map of the place reads, counts on every page and is never changed."""

from __future__ import annotations

import re

import pytest

from smartapp.fhir.store import Query, Write
from tests.mappers.test_mapping import SYSTEM, theirs
from tests.questionnaires.test_maps import written
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.caseload.people import keep_from_the_team
from tests.smartapp.pages.plan.pdf_text import sheets_in
from tests.smartapp.pages.scores.test_from_answers import fill_in_elsewhere

NOTE = "Ingevuld op een ander formulier. Hier staan de antwoorden bij onze vragen."
# All C, which is 3, and items 3 and 6 reversed: 10 × 3 + 2 × 2.
TOTAL = " 34"


@pytest.fixture
def maps(tmp_path, monkeypatch) -> None:
    """The folder of the place, before the app is made."""
    written(tmp_path)
    monkeypatch.setenv("VERSTEL_MAPS", str(tmp_path))


@pytest.fixture
def anna(maps, app) -> Visitor:
    visitor = launched(app)
    person = {"reference": visitor.launch.patient.reference, "display": visitor.launch.patient.display}
    visitor.ehr.write(Write("create", theirs(subject=person), new_id="e1"))
    return visitor


def responses(visitor: Visitor) -> list[dict]:
    return [one.resource for one in visitor.ehr.search(Query("QuestionnaireResponse"))]


@pytest.mark.parametrize("path", ["scores/", "scores/hoop/", "answers/", "answers/e1/"])
def test_the_client_reads_it_as_answers_to_our_form(anna, path):
    page = text_of(anna.get(path))
    assert (TOTAL in page) == path.startswith("scores")
    assert "Hoop" in page


def test_its_page_says_that_it_was_another_form_and_lets_nobody_correct_it(anna):
    page = anna.get("answers/e1/")
    assert NOTE in text_of(page)
    assert text_of(page).lower().count("mee eens") >= 12
    assert "correct" not in page.text
    assert anna.post("questionnaires/responses/e1/correct").status_code == 404


def test_ours_says_nothing_of_another_form(anna):
    ours = fill_in_elsewhere(anna)
    assert NOTE not in text_of(anna.get(f"answers/{ours['id']}/"))


@pytest.mark.parametrize("path", ["overview/", "scores/"])
def test_the_care_team_sees_its_scores(app, anna, path):
    assert TOTAL in text_of(launched(app, role="clinician").get(path))


def test_what_the_client_keeps_from_the_team_is_kept_of_it_too(app, anna):
    assert "Hoop" in text_of(launched(app, role="clinician").get("answers/"))
    keep_from_the_team(app, "anna", "answers.hoop")
    clinician = launched(app, role="clinician")
    assert clinician.get("answers/e1/").status_code == 404
    for path in ("scores/", "overview/"):
        assert TOTAL not in text_of(clinician.get(path))


def test_its_scores_are_put_into_the_record_and_it_stays_as_it_was(anna):
    before = responses(anna)
    seen = re.search(r'name="seen" value="(\w+)"', anna.get("scores/").text)[1]
    assert anna.post("scores/keep", {"seen": seen}).status_code == 303
    found = [one.resource for one in anna.ehr.search(Query.of("Observation", patient="Patient/anna"))]
    assert {one["derivedFrom"][0]["reference"] for one in found} == {"QuestionnaireResponse/e1"}
    assert responses(anna) == before


def test_on_paper_it_says_so_too(anna):
    paper = " ".join(" ".join(sheets_in(anna.get("answers/e1/answers.pdf").data)).split())
    assert NOTE in paper


def test_an_answer_that_the_map_does_not_state_gives_no_score_and_is_shown_as_it_is(anna):
    bad = theirs({2: {"valueCoding": {"system": SYSTEM, "code": "Z", "display": "Iets anders"}}})
    person = {"reference": anna.launch.patient.reference, "display": anna.launch.patient.display}
    anna.ehr.write(Write("create", {**bad, "subject": person, "authored": "2026-05-02T10:00:00+02:00"}, new_id="e2"))
    page = text_of(anna.get("answers/e2/"))
    assert "Iets anders" in page
    assert NOTE not in page
    assert "2 mei 2026" not in text_of(anna.get("scores/hoop/"))


def test_without_a_map_it_is_a_form_that_is_not_known(anna, monkeypatch):
    monkeypatch.delenv("VERSTEL_MAPS")
    assert "Deze vragenlijst kennen we niet" in text_of(anna.get("answers/e1/"))
    assert TOTAL not in text_of(anna.get("scores/"))
