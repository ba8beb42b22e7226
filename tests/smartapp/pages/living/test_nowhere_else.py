"""A living form is no questionnaire: nobody sent it in, it has no scores, and no list of either has it."""

from __future__ import annotations

import re

import pytest

from mappers.answers import answers_of
from mappers.errors import LivingForm
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query
from smartapp.pages.scores import asking
from tests.mappers.living import full
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.living.forms import put_versions
from tests.smartapp.pages.plan.pages import fill
from tests.smartapp.pages.scores.people import measure

WORDS = "Brandnetels"
CLIENT = ("answers/", "scores/", "scores/hoop/", "questionnaires/", "questionnaires/hoop/", "visits/", "kept/")
CLINICIAN = ("answers/", "scores/", "assignments/", "assignments/new", "overview/together/medicines")


def said(visitor, paths) -> dict[str, str]:
    return {path: text_of(visitor.get(path)) for path in paths}


@pytest.fixture
def people(app, known):
    """Anna and her nurse, where she filled in a questionnaire."""
    anna = launched(app)
    measure(anna, "hoop", "2026-03-01", "3")
    return anna, launched(app, role="clinician")


def put_all(anna, known) -> list[str]:
    """Write everything in every living form; return the ids of their responses."""
    before = {one.reference for one in anna.ehr.search(Query.of("QuestionnaireResponse"))}
    for form in known.living.values():
        put_versions(anna, full(form, "Nog niets"), full(form, WORDS))
    found = anna.ehr.search(Query.of("QuestionnaireResponse"))
    return [one.resource["id"] for one in found if one.reference not in before]


def test_lists_of_what_was_sent_in_scored_or_asked_say_the_same_with_living_forms_and_without(people, known):
    anna, nurse = people
    before = said(anna, CLIENT), said(nurse, CLINICIAN)
    assert len(put_all(anna, known)) == len(known.living)
    assert (said(anna, CLIENT), said(nurse, CLINICIAN)) == before


def test_no_page_leads_to_one_as_to_answers(people, known):
    anna, nurse = people
    ids = put_all(anna, known)
    for visitor, paths in ((anna, ("", "answers/", "scores/")), (nurse, ("overview/", "overview/plan", "answers/"))):
        for path in paths:
            linked = re.findall(r"/answers/([^/\"?#]+)", visitor.get(path).text)
            assert set(linked).isdisjoint(ids), path


def test_there_is_no_page_of_its_answers_its_scores_or_to_ask_it(people, known):
    anna, nurse = people
    ids = put_all(anna, known)
    for id_ in ids:
        for visitor in people:
            assert visitor.get(f"answers/{id_}/").status_code == 404
            assert visitor.get(f"answers/{id_}/answers.pdf").status_code == 404
        assert anna.get(f"plan/goals/new/from/{id_}/garden-story").status_code == 404
        assert anna.get(f"questionnaires/responses/{id_}", follow_redirects=True).status_code == 404
    for form in known.living:
        assert anna.get(f"questionnaires/{form}/").status_code == 404
        assert anna.get(f"scores/{form}/").status_code == 404
        asked = nurse.post("assignments/new", {"questionnaire": form, "message": "", "key": f"key-{form}"})
        assert asked.status_code >= 400
    assert anna.ehr.search(Query.of("Task")) == []


def test_no_score_is_made_of_one(people, known):
    anna, _nurse = people
    scores = anna.ehr.search(Query.of("Observation"))
    for id_ in put_all(anna, known):
        with pytest.raises(LivingForm):
            answers_of(anna.ehr.read("QuestionnaireResponse", id_).resource, catalogue())
    fill(anna, "living/garden/story/", **{"garden-story": "Klaver."})
    assert anna.ehr.search(Query.of("Observation")) == scores


def test_among_news_it_is_a_form_that_was_changed_and_no_answers(people, known):
    anna, nurse = people
    nurse.get("overview/")
    put_all(anna, known)
    page = nurse.get("overview/").text
    for sentence in re.findall(r"<li[^>]*>(.*?)</li>", page, re.S):
        assert not ("Mijn tuin" in sentence and "ingevuld" in sentence)


def test_it_is_found_however_many_questionnaires_were_sent_in_since(people, known, monkeypatch):
    anna, _nurse = people
    put_all(anna, known)
    monkeypatch.setattr(asking, "MOST_RESPONSES", 2)
    for year in range(2027, 2032):
        measure(anna, "hoop", f"{year}-01-15", "3")
    for visitor in people:
        assert WORDS in text_of(visitor.get("living/garden/"))
