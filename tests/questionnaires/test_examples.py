"""The worked examples in the definitions, and the pages that print them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument
from questionnaires.page import instrument_page
from smartapp.commands.questionnaires import wrong_examples

KNOWN = Catalogue()
INSTRUMENTS = [pytest.param(instrument, id=instrument.id) for instrument in KNOWN.instruments.values()]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_scorer_finds_what_the_worked_examples_say(instrument: Instrument):
    assert list(wrong_examples(instrument)) == []


def test_a_wrong_example_is_noticed():
    """All answers 1 give the HOOP 18 (10×1 + 2×4), not 12."""
    hoop = KNOWN.instrument("hoop")
    wrong = replace(hoop, examples=(replace(hoop.examples[0], scores=(("total", 12),)),))
    assert "total is 18, the example says 12" in "".join(wrong_examples(wrong))


def test_the_published_mansa_example_totals_24():
    """1+2+2+3+2+2+2 = 14 and 1+2+2+3+2 = 10; the vendor's documentation prints 24."""
    example = KNOWN.instrument("mansa").examples[0]
    assert example.source is not None
    assert dict(example.scores)["sum"] == 24


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_page_names_every_item_score_source_and_unverified_fact(instrument: Instrument):
    page = instrument_page(instrument)
    assert not [item.link_id for item in instrument.items if f"`{item.link_id}`" not in page]
    assert not [rule.code for rule in instrument.scores if f"### `{rule.code}`" not in page]
    assert not [citation.key for citation in instrument.citations if citation.text not in page]
    unverified = page.partition("## What is not verified")[2]
    assert not [fact for _, fact in instrument.all_facts() if not fact.verified and fact.statement not in unverified]


def test_the_page_says_which_items_are_reversed():
    page = instrument_page(KNOWN.instrument("hoop"))
    assert "| reversed (lowest + highest − answer) | 03, 06 |" in page


def test_the_page_calls_a_score_provisional_when_a_fact_is_not_verified():
    assert "**Provisional**" in instrument_page(KNOWN.instrument("nel"))
