"""Two people mark it: a professional presses and types, the client chooses and says yes, and it stays the client's."""

from __future__ import annotations

import html
import re

import pytest

from fhir_profiles.checking import problems
from mappers.phase import PROFILE, TYPED_BY, history_of
from smartapp.fhir.store import Query, Unreachable
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.plan.pages import fields_of, fill

PAGE = "phase/"
WORDS = "De meeste dagen lukt het."
JANSEN = "SPV J. Jansen"


def observations(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("Observation", patient="Patient/anna"))]


def marked(visitor):
    return [(one.phase, one.words, one.typist) for one in history_of(observations(visitor))]


@pytest.fixture
def joost(app):
    """A professional who writes with Anna."""
    visitor = launched(app, role="clinician")
    answer = visitor.post("overview/together/write", {"what": "phase"})
    assert answer.location == visitor.url(PAGE)
    return visitor


def asked(visitor, **typed):
    answer = fill(visitor, PAGE, **typed)
    assert answer.status_code == 303, answer.text
    return visitor.get(answer.location)


def test_it_is_one_of_the_things_that_can_be_written_together(app):
    joost = launched(app, role="clinician")
    assert 'name="what" value="phase"' in joost.get("overview/together/write").text


def test_nothing_is_marked_before_the_client_says_yes(joost):
    page = asked(joost, phase="living-with", words=WORDS)
    said = text_of(page)
    assert observations(joost) == []
    assert "Ik leef ermee" in said
    assert WORDS in said
    assert f"{JANSEN} typte dit." in said
    assert joost.post(PAGE, fields_of(page)).status_code == 303
    assert [one[:2] for one in marked(joost)] == [("living-with", WORDS)]


def test_the_choice_is_the_clients_and_who_typed_is_kept_beside_it(joost):
    joost.post(PAGE, fields_of(asked(joost, phase="living-with", words=WORDS)))
    [made] = observations(joost)
    assert problems(made, PROFILE) == []
    assert [one["reference"] for one in made["performer"]] == ["Patient/anna"]
    assert made["subject"]["reference"] == made["note"][0]["authorReference"]["reference"] == "Patient/anna"
    [typist] = made["extension"]
    assert typist == {"url": TYPED_BY, "valueReference": {"reference": "Practitioner/jansen", "display": JANSEN}}
    assert "method" not in made
    assert "derivedFrom" not in made
    assert f"getypt door {JANSEN}" in text_of(launched(joost.app).get(PAGE))
    writes = [one for one in joost.core.audit.entries() if one.event == "create"]
    assert {one.user for one in writes} == {"Practitioner/jansen"}


def test_what_the_client_marks_alone_names_nobody_else(app):
    anna = launched(app)
    fill(anna, PAGE, phase="struggling")
    [made] = observations(anna)
    assert "extension" not in made
    assert "getypt door" not in text_of(anna.get(PAGE))


def test_nothing_is_chosen_beforehand_and_nothing_of_before_is_shown_to_who_types(app):
    anna = launched(app)
    fill(anna, PAGE, phase="overwhelmed", words="Toen was het zwaar.")
    joost = launched(app, role="clinician")
    joost.post("overview/together/write", {"what": "phase"})
    page = joost.get(PAGE)
    assert "checked" not in page.text.partition("<main")[2]
    assert "Toen was het zwaar." not in page.text
    assert "/remove" not in page.text
    [stored] = observations(anna)
    assert joost.post(f"{PAGE}{stored['id']}/remove", {"seen": ""}).status_code == 403


def test_no_choice_is_no_yes_to_give(joost):
    answer = fill(joost, PAGE, words=WORDS)
    assert answer.status_code == 422
    assert observations(joost) == []


def test_what_is_not_said_yes_to_stays_with_who_typed_it(joost):
    page = asked(joost, phase="living-with", words=WORDS)
    assert f'href="/l/{joost.launch.id}/{PAGE}"' in page.text  # no, change it first
    again = joost.get(PAGE)
    assert fields_of(again)["words"] == WORDS
    assert "Anna zei nog niet dat het klopt" in text_of(again)
    assert fields_of(launched(joost.app).get(PAGE))["words"] == ""


def test_a_yes_to_another_phase_is_none(joost):
    page = asked(joost, phase="living-with", words=WORDS)
    answer = joost.post(PAGE, {**fields_of(page), "phase": "living-beyond"})
    assert observations(joost) == []
    assert "Mijn leven is groter dan dit" in text_of(joost.get(answer.location))


def test_a_yes_that_is_pressed_twice_marks_once(joost):
    fields = fields_of(asked(joost, phase="living-with", words=WORDS))
    assert [joost.post(PAGE, fields).status_code for _press in range(2)] == [303, 303]
    assert len(observations(joost)) == 1


def test_the_client_says_yes_on_their_own_screen(joost):
    page = asked(joost, phase="living-with", words=WORDS)
    joost.post(PAGE, {**fields_of(page), "hand-over": "1"})
    assert observations(joost) == []
    anna = launched(joost.app)
    home = anna.get("")
    assert "Lees: Waar sta ik nu?" in text_of(home)
    there = html.unescape(re.search(r'href="([^"]*\?confirm=[^"]+)"', home.text)[1])
    waiting = anna.get(there)
    assert "Ik leef ermee" in text_of(waiting)
    assert anna.post(PAGE, fields_of(waiting)).status_code == 303
    assert marked(joost) == [("living-with", WORDS, JANSEN)]
    assert "confirm=" not in anna.get("").text


def test_what_the_client_says_in_other_words_is_typed_by_themselves(joost):
    page = asked(joost, phase="living-with", words=WORDS)
    joost.post(PAGE, {**fields_of(page), "hand-over": "1"})
    anna = launched(joost.app)
    there = html.unescape(re.search(r'href="([^"]*\?confirm=[^"]+)"', anna.get("").text)[1])
    fields = fields_of(anna.get(there))
    anna.post(PAGE, {**{name: text for name, text in fields.items() if name != "confirmed"}, "reply": "change"})
    assert fields_of(anna.get(PAGE))["words"] == WORDS
    fill(anna, PAGE, phase="struggling", words="Soms lukt het.")
    assert marked(joost) == [("struggling", "Soms lukt het.", "")]


def test_a_record_that_is_silent_gets_it_later_as_the_clients(joost):
    flaky = joost.make_flaky()
    page = asked(joost, phase="living-with", words=WORDS)
    flaky.error = Unreachable("away")
    answer = joost.post(PAGE, fields_of(page))
    assert "onderweg naar het dossier" in text_of(joost.get(answer.location))
    flaky.error = None
    joost.courier_comes()
    assert marked(joost) == [("living-with", WORDS, JANSEN)]


def test_who_did_not_begin_together_marks_nothing(app):
    joost = launched(app, role="clinician")
    assert joost.get(PAGE).status_code == 403
    assert joost.post(PAGE, {"phase": "living-with"}).status_code == 403
    assert observations(joost) == []


def test_the_plan_leads_to_it_while_the_two_write(joost):
    assert re.search(r'href="[^"]*/phase/">Waar sta ik nu\?', joost.get("plan/").text)
    assert "De woorden zijn van Anna Voorbeeld" in joost.get(PAGE).text
    assert "De woorden zijn van Anna Voorbeeld" in joost.get("plan/").text, "who opens it has not left"
