"""Every Dutch text of our data speaks to people in one way, *je*, and has its twin with *u*; only quotations do not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from questionnaires.catalogue import catalogue
from questionnaires.demands import JE, texts_of
from questionnaires.model import FORMAL, Text
from questionnaires.programmes import PROGRAMMES, read_programmes
from tests.new_form import garden

U = re.compile(r"\b(u|uw|uzelf)\b", re.IGNORECASE)


def _all() -> Iterator[tuple[str, Text, bool]]:
    known = catalogue()
    for instrument in known.instruments.values():
        yield from texts_of(instrument)
    for domain in known.life_domains:
        for name in ("title", "name", "question", "help"):
            yield f"{domain.code} {name}", getattr(domain, name), False
    for question in known.plan_questions:
        for name in ("text", "asked", "help"):
            yield f"{question.code} {name}", getattr(question, name), False
    for programme in read_programmes([PROGRAMMES]).values():
        for name in ("title", "about", "counted_from"):
            yield f"{programme.id} {name}", getattr(programme, name), False
        for one in programme.available:
            yield f"{programme.id} {one.role}", one.text, False
        for moment in programme.moments:
            texts = {"title": moment.title, "purpose": moment.purpose, "outcome": moment.outcome}
            yield from ((f"{programme.id} {moment.id} {name}", text, False) for name, text in texts.items() if text)


OURS = {place: text for place, text, quoted in _all() if not quoted}
QUOTED = {place: text for place, text, quoted in _all() if quoted}


def test_there_is_something_to_look_at_of_both_kinds():
    assert len(OURS) > 300
    assert "mansa-short-home-change" in QUOTED
    assert "mhcs-05" in QUOTED  # it completes the quoted stem


@pytest.mark.parametrize("says", ["Je bent er", "Wat wil JIJ?", "van jou", "jouw plan", "jezelf", "jullie samen"])
def test_what_says_je_is_seen(says):
    assert JE.search(says)


def test_what_a_living_form_says_around_its_questions_is_looked_at():
    places = {place for place, _, _ in texts_of(garden())}
    assert {"garden saved", "garden review.question", "garden overview.empty", "garden garden-plants add"} <= places
    assert {"garden garden-story prompt 2", "garden-story", "garden-light 2"} <= places


@pytest.mark.parametrize("says", ["jeugd", "Uur", "justitie", "mensen", "uit huis"])
def test_what_only_looks_like_it_is_not(says):
    assert not JE.search(says)
    assert not U.search(says)


def test_a_text_that_says_je_has_one_that_says_u_and_no_other_has():
    assert [place for place, text in OURS.items() if bool(JE.search(text.nl)) != (text.u is not None)] == []


def test_no_text_with_u_says_je():
    assert [place for place, text in OURS.items() if JE.search(text.get(FORMAL))] == []


def test_no_text_with_je_says_u():
    assert [place for place, text in OURS.items() if U.search(text.nl)] == []


def test_a_quotation_stands_as_its_source_has_it_whatever_form_a_place_prefers():
    assert [place for place, text in QUOTED.items() if text.u is not None] == []


def test_mansa_short_asks_for_change_in_the_very_words_of_the_handbook():
    """Handreiking herstelondersteunende zorg (2012), sources/004, lines 1765-1769, its line break taken out."""
    items = {item.link_id: item for item in catalogue().instrument("mansa-short").items}
    asked = [item for link_id, item in items.items() if link_id.endswith("-change")]
    assert len(asked) == 7
    assert {item.text.nl for item in asked} == {"Wat zou u op dit gebied graag willen veranderen?"}
    assert all(item.quoted and item.source and item.source.key == "handbook" for item in asked)
    assert items["mansa-short-01"].text.nl == "Hoe tevreden bent u met uw woonsituatie?"


def test_a_question_with_its_help_says_u_where_either_of_them_has_it():
    assert Text("Kies.", "Choose.").and_then(Text("Je mag.", "You may.", "U mag.")).get(FORMAL) == "Kies. U mag."
    assert Text("Wil je?", "Do you?", "Wilt u?").and_then(Text("Ja.", "Yes.")).get(FORMAL) == "Wilt u? Ja."
    assert Text("Kies.", "Choose.").and_then(Text("Ja.", "Yes.")).u is None
