"""What a place has stands beside the answers of the one question that asks what the client chooses."""

from __future__ import annotations

import re

import pytest

from smartapp.offer import EXAMPLE, read_offer
from smartapp.services import KEY
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.living.forms import response
from tests.smartapp.pages.plan.pages import fields_of, fill

CHOICE = "living/intake/choice/"
ACADEMY, GROUP, COURSE = "Herstelacademie De Haven", "Groep op maandagavond", "Begin maken"
LINK = r'<a href="https://academie\.example\.org/" target="_blank" rel="noopener noreferrer">Herstelacademie De Haven'


@pytest.fixture
def place():
    """An app of a place that has something to offer."""
    app = make_app(offer=read_offer(EXAMPLE))
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(place):
    return launched(place)


def test_beside_each_answer_stands_what_the_place_has_of_it(anna):
    page = anna.get(CHOICE)
    said = text_of(page)
    assert said.index("de herstelacademie") < said.index(ACADEMY) < said.index("een cursus") < said.index(COURSE)
    assert "Je hoeft je niet aan te melden." in said
    assert re.search(LINK, page.text)
    # Who hears the page hears it with the answer; it is no part of what is pressed.
    assert 'aria-describedby="intake-choice-2-offer"' in page.text
    assert '<ul class="offer" id="intake-choice-2-offer">' in page.text
    assert not re.search(r"<label[^>]*>(?:(?!</label>).)*<a ", page.text, re.DOTALL)


def test_below_what_was_chosen_stands_what_the_place_has_of_it_and_nothing_of_the_rest(anna):
    fill(anna, CHOICE, **{"intake-choice": "2,4"})
    assert response(anna)
    page = anna.get("living/intake/")
    said = text_of(page)
    assert said.index("de herstelacademie") < said.index(ACADEMY) < said.index("zelfhulp") < said.index(GROUP)
    assert COURSE not in said
    assert re.search(LINK, page.text)


def test_who_reads_it_with_the_client_sees_it_too(anna, place):
    fill(anna, CHOICE, **{"intake-choice": "4"})
    assert GROUP in text_of(launched(place, role="clinician").get("living/intake/"))


def test_each_language_has_its_own_words(anna):
    english = anna.get(f"{CHOICE}?lang=en")
    assert "Drop in on Wednesday afternoon. No need to sign up." in text_of(english)


def test_what_the_place_has_is_no_answer_and_nothing_of_it_is_in_the_record(anna):
    fill(anna, CHOICE, **{"intake-choice": "2"})
    assert ACADEMY not in str(response(anna))
    assert fields_of(anna.get(CHOICE))["intake-choice"] == "2"


def test_a_place_without_an_offer_shows_the_answers_alone(app):
    page = launched(app).get(CHOICE)
    assert "de herstelacademie" in text_of(page)
    assert 'class="offer"' not in page.text


def test_a_question_that_is_not_about_it_has_none(anna):
    assert 'class="offer"' not in anna.get("living/intake/present/new").text
