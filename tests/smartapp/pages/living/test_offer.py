"""What a place has stands beside the answers of the one question that asks what the client chooses."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mappers.living import content_of
from mappers.living.content import tick
from questionnaires.catalogue import catalogue
from questionnaires.model import Text
from smartapp.offer import EXAMPLE, Offered, read_offer
from smartapp.services import KEY
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.living.forms import response
from tests.smartapp.pages.plan.pages import fields_of, fill
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in

CHOICE, CHOSEN = "living/intake/choice/", "living/intake/chosen/"
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


# --- what is chosen by name -------------------------------------------------------------------------------------

SLEEP = "Beter slapen, online"


def chosen_by(visitor) -> tuple[str, ...]:
    """Return what the record says was chosen of what the place has."""
    return content_of(response(visitor), catalogue().living["intake"]).answers.get("intake-chosen", ())


def choose(visitor, *names: str):
    """Tick these names, and save."""
    return fill(visitor, CHOSEN, **{"intake-chosen": ",".join(map(tick, names))})


def ticked(page) -> str:
    return fields_of(page)["intake-chosen"]


def test_what_the_place_has_is_chosen_by_name_and_kept_under_that_name(anna):
    page = anna.get(CHOSEN)
    said = text_of(page)
    assert said.index(ACADEMY) < said.index("de herstelacademie") < said.index(COURSE) < said.index(GROUP)
    assert choose(anna, ACADEMY, SLEEP).status_code == 303
    assert chosen_by(anna) == (ACADEMY, SLEEP)  # the comma parts nothing
    assert ticked(anna.get(CHOSEN)) == f"{tick(ACADEMY)},{tick(SLEEP)}"


def test_what_was_chosen_can_be_read_with_its_page_and_all_of_it_can_be_let_go(anna):
    choose(anna, ACADEMY, GROUP)
    page = anna.get("living/intake/")
    assert re.search(LINK, page.text)
    assert GROUP in text_of(page)
    choose(anna)
    assert chosen_by(anna) == ()


def test_who_reads_in_another_language_reads_it_in_that_and_the_name_stays_as_it_was_chosen(anna):
    choose(anna, ACADEMY)
    assert "Recovery academy The Harbour" in text_of(anna.get("living/intake/?lang=en"))
    again = anna.get(f"{CHOSEN}?lang=en")
    assert ticked(again) == tick(ACADEMY)
    anna.post(CHOSEN, fields_of(again))
    assert chosen_by(anna) == (ACADEMY,)


def without(*names: str) -> tuple[Offered, ...]:
    """Return the offer of the place after it stopped with these."""
    return tuple(entry for entry in read_offer(EXAMPLE) if entry.name.nl not in names)


def now_offers(app, offer: tuple[Offered, ...]) -> None:
    """Let the place have this from now on."""
    core = app.extensions[KEY]
    core.settings = replace(core.settings, offer=offer)


def test_what_the_place_has_no_more_stays_readable_and_stays_chosen(anna, place):
    choose(anna, GROUP, ACADEMY)
    now_offers(place, without(GROUP))
    gone = f"{GROUP} (wordt niet meer aangeboden)"
    page, on_paper = text_of(anna.get("living/intake/")), text_in(anna.get("living/intake/paper.pdf").data)
    assert gone in page
    assert squeezed(gone) in on_paper
    assert squeezed(ACADEMY) in on_paper
    assert squeezed(f"{ACADEMY} (wordt") not in on_paper
    assert gone in text_of(anna.get(CHOSEN))  # to be let go, or left
    fill(anna, CHOSEN)
    assert set(chosen_by(anna)) == {GROUP, ACADEMY}
    choose(anna, ACADEMY)
    assert gone not in text_of(anna.get(CHOSEN))


def test_a_place_that_tells_nothing_says_of_nothing_that_it_is_gone_and_asks_for_none_of_it(anna, place):
    now_offers(place, ())
    assert text_of(anna.get("living/intake/all/")).count("Wat kies je") == 1
    assert anna.get(CHOSEN).status_code == 404
    now_offers(place, without())
    choose(anna, GROUP)
    now_offers(place, ())
    page = text_of(anna.get("living/intake/"))
    assert GROUP in page
    assert "wordt niet meer aangeboden" not in page
    assert GROUP in text_of(anna.get(CHOSEN))


def test_the_sheet_for_who_was_there_has_the_names(anna):
    choose(anna, ACADEMY, SLEEP)
    on_paper = text_in(anna.get("living/intake/paper.pdf").data)
    assert squeezed("Samenvatting voor wie erbij was") in on_paper
    assert squeezed(ACADEMY) in on_paper
    assert squeezed(SLEEP) in on_paper


def test_two_things_of_the_same_place_are_told_apart_whatever_signs_are_in_their_names(anna, place):
    names = ("Eten, drinken", "100% samen", "Eten%2C drinken")
    now_offers(place, tuple(Offered("7", Text(name, name)) for name in names))
    choose(anna, names[0], names[2])
    assert chosen_by(anna) == (names[0], names[2])
    assert ticked(anna.get(CHOSEN)) == ",".join(map(tick, (names[0], names[2])))


def test_what_belongs_to_two_answers_is_one_thing_to_choose(anna, place):
    now_offers(place, tuple(Offered(code, Text("Wandelen", "Walking")) for code in ("4", "7")))
    page = anna.get(CHOSEN)
    assert page.text.count('value="Wandelen"') == 1
    assert "zelfhulp, met mensen die het kennen · ergens anders" in text_of(page)
    choose(anna, "Wandelen")
    assert chosen_by(anna) == ("Wandelen",)
