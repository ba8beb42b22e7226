"""What was said in a first conversation goes on to the plan: chosen, copied, as one save, and taken back at once."""

from __future__ import annotations

import re

import pytest

from mappers.living import content_of
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Refused, Unreachable
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill

FORM, TO_PLAN = "living/intake/", "living/intake/to-plan"
LINK, NOTHING_LEFT = "Neem mee naar je plan", "Alles wat mee kan, staat al in je plan."
QUERY = Query.of("QuestionnaireResponse", patient="Patient/anna")
SAID = {
    "intake-happened": "Ik was lang ziek.\r\nNu minder.",
    "intake-strengths": "Zingen\r\nMijn zus",
    "intake-vulnerabilities": "Drukte",
    "intake-where-to": "Weer werken",
    "intake-needed": "Rust\r\nTijd",
}


def content(visitor, form):
    """Return what the record has of a form, None for nothing."""
    found = [one.resource for one in visitor.ehr.search(QUERY)]
    known = catalogue().living[form]
    return next((content_of(one, known) for one in found if one["questionnaire"].startswith(known.url)), None)


def plan_of(visitor):
    """Return what stands in each of the forms that the words go to."""
    found = {name: content(visitor, name) for name in ("story", "strengths", "stressors", "wishes", "own-words")}
    return {
        "story": found["story"].of("story-story") if found["story"] else "",
        "strengths": [row.of("strengths-what") for row in found["strengths"].all_rows] if found["strengths"] else [],
        "stressors": [row.of("stressors-what") for row in found["stressors"].all_rows] if found["stressors"] else [],
        "wishes": [row.of("wishes-wish") for row in found["wishes"].all_rows] if found["wishes"] else [],
        "needs": found["own-words"].answers.get("own-words-needs", ()) if found["own-words"] else (),
    }


NOTHING = {"story": "", "strengths": [], "stressors": [], "wishes": [], "needs": ()}
ALL = {
    "story": "Ik was lang ziek.\nNu minder.",
    "strengths": ["Zingen", "Mijn zus"],
    "stressors": ["Drukte"],
    "wishes": ["Weer werken"],
    "needs": ("Rust", "Tijd"),
}


@pytest.fixture
def anna(app):
    """Anna, who had her first conversation."""
    visitor = launched(app)
    fill(visitor, "living/intake/all/", **SAID)
    return visitor


def press(visitor, **typed):
    return visitor.post(TO_PLAN, {**fields_of(visitor.get(TO_PLAN)), **typed})


def undo_of(page):
    [undo] = re.findall(r'name="undo" value="([0-9a-f]+)"', page.text)
    return undo


def test_the_page_lists_all_words_with_where_they_go_and_all_are_ticked(anna):
    assert LINK in text_of(anna.get(FORM))
    page = anna.get(TO_PLAN)
    said = text_of(page)
    for title, words in (("story", "Ik was lang ziek."), ("strengths", "Mijn zus"), ("wishes", "Weer werken")):
        assert said.index(catalogue().living[title].title.nl) < said.index(words)
    assert page.text.count('name="words"') == page.text.count(" checked") == 7
    assert plan_of(anna) == NOTHING  # looking writes nothing


def test_one_press_copies_all_of_it_and_the_conversation_keeps_its_words(anna):
    before = content(anna, "intake")
    answer = press(anna)
    assert answer.status_code == 303
    assert "Het staat nu ook in je plan." in text_of(anna.get(answer.location))
    assert plan_of(anna) == ALL
    assert content(anna, "intake") == before
    assert LINK not in text_of(anna.get(FORM))
    assert NOTHING_LEFT in text_of(anna.get(TO_PLAN))


def test_the_words_are_the_clients_own_and_the_plan_names_what_they_are_in(anna):
    press(anna)
    [plan] = anna.ehr.search(Query.of("CarePlan", patient="Patient/anna"))
    named = str(plan.resource)
    for one in anna.ehr.search(QUERY):
        assert one.resource["source"]["reference"] == one.resource["author"]["reference"] == "Patient/anna"
        if "/intake" not in one.resource["questionnaire"]:
            assert one.resource["identifier"]["value"] in named


def test_what_is_not_ticked_stays_behind(anna):
    page = anna.get(TO_PLAN)
    marks = fields_of(page)["words"].split(",")
    answer = press(anna, words=",".join(marks[1:2]))
    assert answer.status_code == 303
    assert plan_of(anna) == NOTHING | {"strengths": ["Zingen"]}


def test_what_is_there_already_is_not_offered_and_what_is_there_stays(anna):
    fill(anna, "living/story/story/", **{"story-story": "Ik ben Anna."})
    fill(anna, "living/strengths/list/new", **{"strengths-what": "zingen"})
    assert anna.get(TO_PLAN).text.count('name="words"') == 6
    press(anna)
    assert plan_of(anna) == ALL | {
        "story": "Ik ben Anna.\n\nIk was lang ziek.\nNu minder.",
        "strengths": ["zingen", "Mijn zus"],
    }


def test_pressed_twice_it_copies_once(anna):
    sent = fields_of(anna.get(TO_PLAN))
    anna.post(TO_PLAN, sent)
    assert anna.post(TO_PLAN, sent).status_code == 303
    assert plan_of(anna) == ALL


def test_words_that_came_after_the_page_was_opened_do_not_go_along_unseen(anna):
    sent = fields_of(anna.get(TO_PLAN))
    fill(anna, "living/intake/strengths/", **{"intake-strengths": "Zingen\r\nKoken"})
    anna.post(TO_PLAN, sent)
    assert plan_of(anna)["strengths"] == ["Zingen"]


def test_nothing_ticked_is_said_and_writes_nothing(anna):
    answer = press(anna, words="")
    assert answer.status_code == 400
    assert "Er is niets aangevinkt." in text_of(answer)
    assert plan_of(anna) == NOTHING


def test_one_press_takes_all_of_it_back(anna):
    fill(anna, "living/story/story/", **{"story-story": "Ik ben Anna."})
    fill(anna, "living/own-words/needs/", **{"own-words-needs": "Licht"})
    page = anna.get(press(anna).location)
    assert plan_of(anna)["needs"] == ("Licht", "Rust", "Tijd")
    answer = anna.post("living/intake/to-plan/back", {"undo": undo_of(page)})
    assert "Het is weer zoals het was." in text_of(anna.get(answer.location))
    assert plan_of(anna) == NOTHING | {"story": "Ik ben Anna.", "needs": ("Licht",)}


def test_what_was_changed_since_stays_when_the_rest_is_taken_back(anna):
    page = anna.get(press(anna).location)
    fill(launched(anna.app), "living/story/story/", **{"story-story": "Ik was lang ziek, en nu niet meer."})
    anna.post("living/intake/to-plan/back", {"undo": undo_of(page)})
    assert plan_of(anna) == NOTHING | {"story": "Ik was lang ziek, en nu niet meer."}
    late = anna.post("living/intake/to-plan/back", {"undo": undo_of(page)})
    assert "kun je hier niet meer ongedaan maken" in anna.get(late.location).text


def test_written_together_the_client_reads_all_of_it_and_says_yes(anna):
    joost = launched(anna.app, role="clinician")
    joost.post("overview/together/write", {"what": "intake"})
    asked = press(joost)
    assert asked.status_code == 200
    assert "Deze woorden komen ook in het plan te staan:" in text_of(asked)
    assert "Mijn zus" in text_of(asked)
    assert plan_of(anna) == NOTHING
    assert joost.post(TO_PLAN, fields_of(asked)).status_code == 303
    assert plan_of(anna) == ALL


def test_a_professional_alone_takes_nothing_along(anna):
    joost = launched(anna.app, role="clinician")
    assert LINK not in text_of(joost.get(FORM))
    assert joost.get(TO_PLAN).status_code == 403
    assert joost.post(TO_PLAN, fields_of(anna.get(TO_PLAN))).status_code == 403
    assert plan_of(anna) == NOTHING


def test_where_the_record_takes_none_of_it_all_of_it_is_kept_with_us(anna):
    sent = fields_of(anna.get(TO_PLAN))
    anna.make_flaky().error = Refused("no")
    assert anna.post(TO_PLAN, sent).status_code == 303
    assert plan_of(anna) == NOTHING
    for form, words in (("strengths", "Mijn zus"), ("stressors", "Drukte"), ("own-words", "Tijd")):
        assert words in text_of(anna.get(f"living/{form}/"))


def test_while_the_record_is_away_all_of_it_waits_together(anna):
    sent = fields_of(anna.get(TO_PLAN))
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    assert anna.post(TO_PLAN, sent).status_code == 303
    assert plan_of(anna) == NOTHING
    flaky.error = None
    anna.courier_comes()
    assert plan_of(anna) == ALL


def test_one_answer_has_its_own_link_and_needs_no_page_for_all(app):
    visitor = launched(app)
    fill(visitor, "living/intake/strengths/", **{"intake-strengths": "Zingen\r\nKoken"})
    assert LINK not in text_of(visitor.get(FORM))


def test_the_peer_workers_words_are_not_among_them(anna):
    joost = launched(anna.app, role="clinician")
    joost.post("overview/together/write", {"what": "intake"})
    fill(joost, "living/intake/recognised/", **{"intake-recognised": "Dat herken ik."})
    assert "Dat herken ik." not in text_of(anna.get(TO_PLAN))
