"""A clinician finds the client's own words first, then goals, the prepared visit, scores and what is waiting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.fhir.store import Query, Write
from smartapp.pages.overview.views import FIRST_LINES, first_lines
from smartapp.records import Records
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.overview.people import filled_in, hope, visit
from tests.smartapp.pages.plan.conftest import HALFWAY, put


@pytest.fixture
def clinician(app):
    """A clinician who opened Anna's record; Anna has a plan, three measurements and a prepared visit."""
    visitor = launched(app, role="clinician")
    put(visitor.ehr)
    hope(visitor.ehr)
    visit(visitor.ehr)
    return visitor


def test_the_clients_own_words_come_before_goals_and_goals_before_scores(clinician):
    page = text_of(clinician.get("overview/"))
    places = [page.index(words) for words in ("Zwolle", "Mijn zus", "Weer leren zwemmen", "Wandelen met de hond")]
    assert [*places, page.index("Verandering in scores"), page.index("nog niet ingevuld")] == sorted(
        [*places, page.index("Verandering in scores"), page.index("nog niet ingevuld")]
    )


def test_everything_in_the_plan_can_be_read(clinician):
    page = clinician.get("overview/").text
    for words in (*HALFWAY.strengths, *HALFWAY.stressors, "Ik woon fijn.", "Elke week komt Jaap.", "Een kat"):
        assert words in page


def test_the_page_changes_nothing(clinician):
    main = clinician.get("overview/").text.partition("<main")[2]
    assert "<form" not in main
    assert "<textarea" not in main


def test_change_is_shown_as_numbers_with_range_and_source(clinician):
    """All answers 2: ten items of 2 and two reversed of 5 - 2 = 3, so 26; all answers 3: 10 * 3 + 2 * 2 = 34."""
    page = text_of(clinician.get("overview/"))
    assert "1 februari 2024: 26" in page
    assert "2 juni 2026: 34" in page
    assert "Dat is 8 hoger." in page
    assert "12 tot 48" in page
    assert "Bron:" in page


@pytest.mark.parametrize("verdict", ["verbeterd", "verslechterd", "ernstig", "alarm", "risico", "goed resultaat"])
def test_no_verdict_stands_beside_a_score(clinician, verdict):
    assert verdict not in text_of(clinician.get("overview/")).lower()


def test_too_few_answers_show_no_score_with_the_reason(clinician):
    filled_in(clinician.ehr, "mhcs", {"mhcs-01": "3"}, "2026-05-01T10:00:00+02:00")
    page = text_of(clinician.get("overview/"))
    assert "Er is nog geen score." in page
    assert "1 van 16 vragen beantwoord" in page


def test_an_unfinished_response_is_the_clients_own(app):
    visitor = launched(app, role="clinician")
    visit(visitor.ehr, status="in-progress")
    page = visitor.get("overview/").text
    assert "Wandelen met de hond" not in page
    assert "Hier staat nog niets" in page


def test_an_unfinished_draft_in_the_app_is_not_shown(app):
    anna = launched(app)
    anna.post("plan/story", {"story": "Nog niet af"}, headers={"Accept": "application/json"})
    assert "Nog niet af" not in launched(app, role="clinician").get("overview/").text


def test_the_newest_preparation_is_shown(clinician):
    texts = clinician.ehr.search(Query.of("QuestionnaireResponse"))
    assert texts
    older = "2025-01-01T09:00:00+01:00"
    filled_in(clinician.ehr, "sdm-visit", {"sdm-visit-helps": "Iets ouds"}, older)
    page = clinician.get("overview/").text
    assert "Iets ouds" not in page
    assert "Wandelen met de hond" in page


def test_a_preparation_that_can_not_be_read_does_not_break_the_page(clinician):
    broken = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://verstel.nl/fhir/Questionnaire/sdm-visit|99",
        "subject": {"reference": "Patient/anna", "display": "Anna Voorbeeld"},
        "authored": "2026-07-01",
        "item": [{"linkId": "?"}],
    }
    clinician.ehr.write(Write("create", broken))
    page = clinician.get("overview/")
    assert page.status_code == 200
    assert "Wandelen met de hond" in page.text


def test_goals_of_other_programs_stand_apart_with_whose_words_they_are(app):
    """Also where there is nothing else: they are in the record of this person."""
    visitor = launched(app, role="clinician")
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Cliënt stabiliseert"},
        "subject": {"reference": "Patient/anna"},
        "expressedBy": {"reference": "Practitioner/jan", "display": "Jan Smit"},
    }
    visitor.ehr.write(Write("create", goal))
    page = visitor.get("overview/").text
    assert "1 ander doel in het dossier" in page
    assert page.index("Nog geen doelen.") < page.index("Cliënt stabiliseert") < page.index("In de woorden van Jan Smit")
    visitor.ehr.write(Write("create", {**goal, "expressedBy": {"reference": "Patient/anna"}}))
    page = visitor.get("overview/").text
    assert "2 andere doelen in het dossier" in page
    assert "In de eigen woorden van de cliënt" in page


def test_a_new_patient_gets_an_invitation(app):
    page = launched(app, role="clinician").get("overview/").text
    assert "Hier staat nog niets" in page
    assert "assignments/new" in page


def test_together_shows_the_clients_words_without_what_is_only_for_clinicians(clinician):
    page = clinician.get("overview/?mode=together").text
    assert 'class="together"' in page
    for words in ("Zwolle", "Mijn zus", "Weer leren zwemmen", "Wandelen met de hond"):
        assert words in page
    assert "Klaargezette vragenlijsten" not in page
    assert "cliënt" not in text_of(clinician.get("overview/?mode=together"))


def test_a_new_patient_can_begin_together(app):
    assert "Waar beginnen we?" in launched(app, role="clinician").get("overview/?mode=together").text


def test_a_client_has_another_page(app):
    client = launched(app)
    response = client.get("overview/")
    assert response.status_code == 403
    assert "Deze pagina is niet voor jou" in response.text
    assert client.logged().event == "denied"


def test_one_persons_words_never_stand_in_anothers_record(app, clinician):
    other = launched(app, patient="ben", role="clinician", name="Ben Voorbeeld")
    page = other.get("overview/").text
    assert "Zwolle" not in page
    assert "Ben Voorbeeld" in page


def test_the_page_costs_one_round_trip(clinician, monkeypatch):
    calls = []
    real = Records.search

    def search(self, *queries):
        calls.append(queries)
        return real(self, *queries)

    monkeypatch.setattr(Records, "search", search)
    clinician.get("overview/")
    assert len(calls) == 1


def test_the_page_speaks_english(clinician):
    assert "In their own words" in clinician.get("overview/?lang=en").text


# --- the first lines of a story


@given(st.text(alphabet="ab .!?\n", max_size=1500))
def test_dividing_a_story_adds_and_loses_nothing(story):
    parts = first_lines(story)
    assert parts.first + parts.rest == story


@given(st.text(alphabet="ab .\n", min_size=FIRST_LINES * 2, max_size=1500))
def test_a_long_story_shows_no_more_than_its_first_lines(story):
    parts = first_lines(story)
    assert 0 < len(parts.first) <= FIRST_LINES
    assert parts.rest


def test_a_story_is_divided_between_paragraphs_where_it_can():
    story = "Eerste alinea. " * 20 + "\n\n" + "Tweede alinea. " * 40  # the first paragraph: 20 * 15 = 300 characters
    assert first_lines(story).rest.startswith("Tweede alinea.")


def test_a_short_story_is_not_divided():
    assert first_lines("Kort en goed.").rest == ""
