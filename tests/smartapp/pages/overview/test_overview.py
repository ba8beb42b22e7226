"""A clinician finds the client's own words first, then goals, the prepared visit, scores and what is waiting."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.agreements import Agreement, task_of_agreement
from mappers.assignment import task_of
from mappers.own_notes import observation_of
from mappers.plan import PersonRef
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Write
from smartapp.pages.overview.views import FIRST_LINES, first_lines
from smartapp.records import Records
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.overview.people import ANNA, filled_in, hope, talk_about, visit
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
    words = (
        "Zwolle",
        "Mijn zus",
        "Voor dit gesprek",
        "Wandelen met de hond",
        "Het nieuwste",
        "Doelen",
        "Scores: eerste",
    )
    places = [page.index(one) for one in words]
    assert places == sorted(places)


def test_what_must_be_discussed_comes_before_what_else_was_prepared(app):
    visitor = launched(app, role="clinician")
    values = {
        "sdm-visit-helps": "Wandelen.",
        "sdm-visit-purpose-first": "De pillen.",
        "sdm-visit-questions-ask": "Hoe lang?",
    }
    filled_in(visitor.ehr, "sdm-visit", values, "2026-06-01T09:00:00+02:00")
    talk_about(visitor.ehr, "Ik slaap goed: nee")
    page = text_of(visitor.get("overview/"))
    places = [
        page.index(one)
        for one in ("Moet zeker aan bod komen", "De pillen.", "Ik slaap goed: nee", "Hoe lang?", "Alle 3")
    ]
    assert places == sorted(places)


def test_what_was_talked_about_must_not_be_discussed_again(app):
    visitor = launched(app, role="clinician")
    talk_about(visitor.ehr, "Ik slaap goed: nee", status="completed")
    visit(visitor.ehr)
    page = text_of(visitor.get("overview/"))
    assert "Ik slaap goed" not in page
    assert "Moet zeker aan bod komen" not in page


def test_an_answer_that_must_be_discussed_does_not_stand_there_twice(app):
    visitor = launched(app, role="clinician")
    filled_in(visitor.ehr, "sdm-visit", {"sdm-visit-questions-ask": "Hoe lang?"}, "2026-06-01T09:00:00+02:00")
    shown = text_of(visitor.get("overview/")).partition("Alle")[0].partition("1 antwoord")[0]
    assert shown.count("Hoe lang?") == 1
    talk_about(visitor.ehr, "Welke vragen wil je stellen? Hoe lang?", link_id="sdm-visit-questions-ask")
    shown = text_of(visitor.get("overview/")).partition("1 antwoord")[0]
    assert shown.count("Hoe lang?") == 1


def test_a_goal_says_how_many_of_its_steps_are_done(clinician):
    """Of the two steps in the plan one is done. A step that is no longer needed counts for nothing."""
    assert "1 van 2 stappen" in text_of(clinician.get("overview/"))
    steps = clinician.ehr.search(Query.of("Task"))
    [step] = [one for one in steps if one.resource["status"] != "completed"]
    clinician.ehr.write(Write("update", {**step.resource, "status": "cancelled"}, if_match=step.etag))
    assert "1 van 1 stap" in text_of(clinician.get("overview/"))


def test_a_goal_for_later_is_counted_and_does_not_stand_among_those_of_now(app):
    visitor = launched(app, role="clinician")
    [first, *rest] = HALFWAY.goals
    put(visitor.ehr, replace(HALFWAY, goals=(replace(first, later=True), *rest)))
    page = text_of(visitor.get("overview/"))
    goals = page.partition("Doelen")[2].partition("Scores: eerste")[0]
    assert "1 doel voor later" in goals
    assert first.text not in goals
    assert first.text in visitor.get("overview/plan").text


def test_each_instrument_is_two_numbers(clinician):
    page = text_of(clinician.get("overview/"))
    assert "(12–48) 26 feb 2024 34 jun 2026" in page


def test_one_measurement_is_not_called_the_first_and_the_last(app):
    visitor = launched(app, role="clinician")
    hope(visitor.ehr, {"2026-06-02T10:00:00+02:00": "3"})
    assert "(12–48) 34 jun 2026" in text_of(visitor.get("overview/"))


def test_what_scores_mean_to_the_client_is_read_beside_them(clinician):
    hoop = catalogue().instruments["hoop"]
    about = {"response": "x", "name": "n", "patient": ANNA, "written_on": "2026-06-03T10:00:00Z", "language": "nl"}
    clinician.ehr.write(Write("create", observation_of("Ik durf weer te hopen.", hoop, **about)))
    assert f"Bij {hoop.title.nl}: Ik durf weer te hopen." in text_of(clinician.get("overview/"))
    page = clinician.get("scores/").text
    assert "Ik durf weer te hopen." in page
    assert "scores/hoop" not in page.partition("<main")[2]  # only the client writes there


def test_everything_longer_is_one_press_away(clinician):
    page = clinician.get("overview/").text
    assert f'href="{clinician.url("overview/plan")}"' in page
    assert f'href="{clinician.url("scores/")}"' in page
    assert f'href="{clinician.url("answers/")}"' in page
    newest = max(clinician.ehr.search(Query.of("QuestionnaireResponse")), key=lambda one: one.resource["authored"])
    address = f"answers/{newest.resource['id']}/"
    assert f'href="{clinician.url(address)}"' in page
    assert clinician.get(address).status_code == 200


def test_only_where_there_was_a_time_before_can_one_look_beside_it(clinician):
    assert "Naast de vorige keer" not in clinician.get("overview/").text
    filled_in(clinician.ehr, "sdm-visit", {"sdm-visit-helps": "Iets ouds"}, "2025-01-01T09:00:00+01:00")
    assert "Naast de vorige keer" in clinician.get("overview/").text


def test_everything_in_the_plan_can_be_read(clinician):
    page = clinician.get("overview/plan").text
    assert "Later kwam ik in Utrecht wonen." in page
    assert "Later kwam ik in Utrecht wonen." in re.sub(r"(?s)<details.*?</details>", "", page), "whole, in one press"
    assert "Ik woon fijn." in re.sub(r"(?s)<details.*?</details>", "", page)
    for words in (*HALFWAY.strengths, *HALFWAY.stressors, "Ik woon fijn.", "Elke week komt Jaap.", "Een kat"):
        assert words in page


def test_the_page_changes_nothing(clinician):
    for path in ("overview/", "overview/plan", "scores/"):
        main = clinician.get(path).text.partition("<main")[2]
        assert main
        assert "<form" not in main
        assert "<textarea" not in main


def test_change_is_shown_as_numbers_with_range_and_source(clinician):
    """All answers 2: ten items of 2 and two reversed of 5 - 2 = 3, so 26; all answers 3: 10 * 3 + 2 * 2 = 34."""
    page = text_of(clinician.get("scores/"))
    assert "1 februari 2024: 26" in page
    assert "2 juni 2026: 34" in page
    assert "Dat is 8 hoger." in page
    assert "12 tot 48" in page
    assert "Bronnen:" in page


@pytest.mark.parametrize("verdict", ["verbeterd", "verslechterd", "ernstig", "alarm", "risico", "goed resultaat"])
def test_no_verdict_stands_beside_a_score(clinician, verdict):
    assert verdict not in text_of(clinician.get("overview/")).lower()
    assert verdict not in text_of(clinician.get("scores/")).lower()


def test_too_few_answers_show_no_score_with_the_reason(clinician):
    filled_in(clinician.ehr, "mhcs", {"mhcs-01": "3"}, "2026-05-01T10:00:00+02:00")
    assert "(16–96) geen score" in text_of(clinician.get("overview/"))
    page = text_of(clinician.get("scores/"))
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
    anna.post("living/story/story/", {"story-story": "Nog niet af"}, headers={"Accept": "application/json"})
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
    assert "1 ander doel in het dossier" in visitor.get("overview/").text
    page = visitor.get("overview/plan").text
    assert "1 ander doel in het dossier" in page
    order = ["Hier staan geen doelen.", "Cliënt stabiliseert", "In de woorden van Jan Smit"]
    assert sorted(order, key=page.index) == order
    visitor.ehr.write(Write("create", {**goal, "expressedBy": {"reference": "Patient/anna"}}))
    page = visitor.get("overview/plan").text
    assert "2 andere doelen in het dossier" in page
    assert "In de eigen woorden van de cliënt" in page


@pytest.mark.parametrize("page", ["overview/", "overview/together/now", "scores/"])
def test_someone_measured_only_in_another_way_than_todays_has_a_line(app, page):
    """Another program counts the answers of a questionnaire in a way that is not the one shown first here."""
    visitor = launched(app, role="clinician")
    mansa = catalogue().instruments["mansa"]
    values = {item.link_id: "2" for item in mansa.items if item.kind == "choice"}
    filled_in(visitor.ehr, "mansa", values, "2026-06-02T10:00:00+02:00")
    default = {rule.code for rule in mansa.scores if rule.default}
    for one in visitor.ehr.search(Query.of("Observation")):
        if {coding["code"] for coding in one.resource["code"]["coding"]} & default:
            visitor.ehr.write(Write("update", {**one.resource, "status": "entered-in-error"}, if_match=one.etag))
    assert re.search(r"\b24\b", text_of(visitor.get(page)))  # 12 items of satisfaction, each answered with 2


def test_a_new_patient_gets_an_invitation(app):
    page = launched(app, role="clinician").get("overview/").text
    assert "Hier staat nog niets" in page
    assert "assignments/new" in page


def test_someone_who_sent_in_something_without_scores_is_not_called_new(app):
    visitor = launched(app, role="clinician")
    filled_in(visitor.ehr, "mansa-short", {"mansa-short-01": "4"}, "2026-06-02T10:00:00+02:00")
    page = visitor.get("overview/").text
    assert "Hier staat nog niets" not in page
    assert "Je leven en je wensen" in page


def test_someone_with_whom_only_something_was_agreed_is_not_called_new(app):
    visitor = launched(app, role="clinician")
    anna = PersonRef(ANNA["reference"], ANNA["display"])
    agreed = Agreement("b6f6dd5c-6a3f-4a37-9d6f-0f2b8c5c9a10", "Ik bel mijn zus.", made="2026-06-02T10:00:00+02:00")
    task = task_of_agreement(agreed, patient=anna, author=anna, topic="Bellen")
    del task["reasonReference"]  # the decision is kept elsewhere
    visitor.ehr.write(Write("create", task))
    assert "Hier staat nog niets" not in visitor.get("overview/").text


def test_together_shows_the_clients_words_without_what_is_only_for_clinicians(clinician):
    page = clinician.get("overview/together/now").text
    assert 'class="together"' in page
    for words in ("Zwolle", "Mijn zus", "Weer leren zwemmen", "Wandelen met de hond"):
        assert words in page
    assert "Klaargezette vragenlijsten" not in page
    assert "cliënt" not in text_of(clinician.get("overview/together/now"))


def test_a_bookmark_of_the_former_page_to_look_at_together_leads_to_the_conversation(app, clinician):
    answer = clinician.get("overview/?mode=together")
    assert (answer.status_code, answer.location) == (302, clinician.url("overview/together/"))
    assert clinician.get("overview/?mode=other").status_code == 200
    assert launched(app).get("overview/?mode=together").status_code == 403


def test_a_client_has_another_page(app):
    client = launched(app)
    for path in ("overview/", "overview/plan"):
        response = client.get(path)
        assert response.status_code == 403
        assert "Deze pagina is niet voor jou" in response.text
        assert client.logged().event == "denied"


def test_one_persons_words_never_stand_in_anothers_record(app, clinician):
    other = launched(app, patient="ben", role="clinician", name="Ben Voorbeeld")
    page = other.get("overview/").text + other.get("overview/plan").text
    assert "Zwolle" not in page
    assert "Ben Voorbeeld" in page


@pytest.mark.parametrize("path", ["overview/", "overview/plan", "scores/"])
def test_the_page_costs_one_round_trip(clinician, monkeypatch, path):
    calls = []
    real = Records.search

    def search(self, *queries):
        calls.append(queries)
        return real(self, *queries)

    monkeypatch.setattr(Records, "search", search)
    assert clinician.get(path).status_code == 200
    assert len(calls) == 1


def test_the_page_speaks_english(clinician):
    assert "In their own words" in clinician.get("overview/plan?lang=en").text
    assert "For this conversation" in clinician.get("overview/").text


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


@pytest.mark.parametrize(("due", "said"), [("2026-01-31", ""), ("2099-12-01", "(uiterlijk 1 dec 2099)")])
def test_a_day_that_is_over_is_not_asked_for_in_the_consultation_either(clinician, due, said):
    asked = task_of(
        questionnaire=catalogue().instruments["nel"].canonical,
        title="NEL",
        patient={"reference": "Patient/anna", "display": "Anna Voorbeeld"},
        requester={"reference": "Practitioner/jansen", "display": "SPV J. Jansen"},
        asked_on="2026-01-16T09:00:00+01:00",
        identifier="a",
        due=due,
    )
    clinician.ehr.write(Write("create", asked))
    page = text_of(clinician.get("overview/"))
    waiting = page.split("Klaargezet, nog niet ingevuld")[1].split("Doelen")[0]
    assert "NEL" in waiting
    assert ("2026" in waiting, said in waiting) == (False, True)
