"""A text that is too long to keep in one piece is said to be so, where it stands, and not a letter of it is lost."""

from __future__ import annotations

import pytest

from smartapp.fhir.store import Query
from smartapp.web.typed import LONGEST
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.together.test_walk import WORDS, agreements, decide, field

LONG = "a" * (LONGEST + 1)
FITS = "b" * LONGEST
TOO_LONG = "Deze tekst is te lang"


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("discuss", "topic-2"),
        ("options/1", "option-1-1-what"),
        ("options/1", "option-1-2-brings"),
        ("options/1", "option-1-1-costs"),
        ("agree/1", "words-1"),
        ("agree/1", "client-view-1"),
        ("agree/1", "who-name-1"),
        ("medicines/new", "medicine-new-name"),
        ("medicines/new", "medicine-new-use"),
        ("medicines/new", "medicine-new-benefit"),
        ("medicines/new", "medicine-new-burden"),
    ],
)
def test_a_text_that_is_too_long_stays_in_its_field_and_is_not_saved(joost, path, name):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    whole = {"outcome-1": "agreed", "words-1": WORDS, "who-1": "other", "medicine-new-name": "Rustpil"}
    answer = joost.post(f"overview/together/{path}", {**whole, name: LONG})
    assert answer.status_code == 422
    assert TOO_LONG in text_of(answer)
    assert f'id="{name}-error"' in answer.text
    assert field(answer.text, name) == LONG
    assert field(joost.get(f"overview/together/{path}").text, name) == LONG
    assert joost.ehr.search(Query.of("QuestionnaireResponse")) == []
    assert joost.ehr.search(Query.of("Task")) == []


def test_the_longest_that_fits_is_saved(joost):
    joost.post("overview/together/discuss", {"topic-1": FITS})
    assert joost.post("overview/together/options/1", {"option-1-1-what": FITS}).status_code == 303
    assert joost.post("overview/together/agree/1", {"outcome-1": "agreed", "words-1": FITS}).status_code == 303
    assert agreements(joost)[0].text == FITS


def test_an_option_that_was_kept_while_it_was_typed_is_made_shorter_before_anything_is_saved(joost):
    joost.post("overview/together/discuss", {"topic-1": "Slapen"})
    joost.post("overview/together/options/1", {"option-1-1-what": LONG}, headers={"Accept": "application/json"})
    answer = joost.post("overview/together/agree/1", {"outcome-1": "agreed", "words-1": WORDS})
    assert answer.status_code == 422
    assert field(answer.text, "option-1-1-what") == LONG
    assert agreements(joost) == []
    assert field(joost.get("overview/together/agree/1").text, "words-1") == WORDS


def test_a_topic_that_was_kept_while_it_was_typed_is_made_shorter_on_the_list(joost):
    joost.post("overview/together/discuss", {"topic-1": LONG}, headers={"Accept": "application/json"})
    answer = joost.post("overview/together/agree/1", {"outcome-1": "agreed", "words-1": WORDS})
    assert answer.status_code == 422
    assert 'id="topic-1-error"' in answer.text
    assert agreements(joost) == []


def test_a_note_about_an_agreement_that_is_too_long_stays_in_its_field(joost):
    decide(joost, outcome="agreed", words=WORDS)
    [agreed] = agreements(joost)
    form = {f"went-{agreed.id}": "done", f"note-{agreed.id}": LONG, "was": "planned"}
    answer = joost.post(f"overview/together/agreements/{agreed.id}", form)
    assert answer.status_code == 422
    assert TOO_LONG in text_of(answer)
    assert field(answer.text, f"note-{agreed.id}") == LONG
    assert agreements(joost)[0].open
