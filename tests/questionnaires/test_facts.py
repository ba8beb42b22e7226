"""How sure each fact behind a score is: a definition must not claim more than was read.

The expected certainty of each fact was set by hand from what could be read of the sources; who has read more of one
changes the definition and this table together.
"""

from __future__ import annotations

import re

import pytest

from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument

KNOWN = Catalogue()
INSTRUMENTS = [pytest.param(instrument, id=instrument.id) for instrument in KNOWN.instruments.values()]
FACTS = ("membership", "reversal", "aggregate", "range", "missing")

# Per score, how sure membership, reversal, aggregate, range and missing rule are. Reading more of a source for these
# instruments changes it here too; a new instrument brings its own facts and need not be in this table.
HOW_SURE = {
    "hoop-total": "sure sure sure sure own",
    "hoop-view-on-life-and-future": "sure sure inferred inferred own",
    "hoop-self-confidence-and-inner-strength": "sure sure inferred inferred own",
    "hoop-temporality-and-future": "sure sure inferred inferred own",
    "hoop-positive-readiness-and-expectancy": "sure sure inferred inferred own",
    "hoop-interconnectedness": "sure sure inferred inferred own",
    "mansa-mean": "sure sure sure sure sure",
    "mansa-sum": "sure sure sure sure sure",
    "mansa-sum-rounded": "sure sure sure sure sure",
    "mansa-mean-of-rounded-sum": "sure sure sure sure sure",
    # Of the MHCS only the number of items, the names of the factors, stem and end anchors were read.
    "mhcs-total": "recalled recalled recalled recalled own",
    "mhcs-optimism": "recalled recalled recalled recalled own",
    "mhcs-coping": "recalled recalled recalled recalled own",
    "mhcs-advocacy": "recalled recalled recalled recalled own",
    # Of the NEL no item numbers, reversals, sum or mean, or missing rule were read.
    "nel-total": "sure unknown inferred inferred own",
    "nel-professional-help": "own unknown inferred inferred own",
    "nel-social-support": "own unknown inferred inferred own",
    "nel-own-wisdom": "own unknown inferred inferred own",
    "nel-belonging": "own unknown inferred inferred own",
    "nel-self-management": "own unknown inferred inferred own",
    "nel-caring-community": "own unknown inferred inferred own",
}
RULES = {rule.code: rule for instrument in KNOWN.instruments.values() for rule in instrument.scores}
KNOWN_BY_RULE = {rule.code: instrument.id for instrument in KNOWN.instruments.values() for rule in instrument.scores}


def test_every_score_of_the_instruments_that_were_read_is_in_the_table():
    read = {KNOWN_BY_RULE[code] for code in HOW_SURE}
    assert {code for code in RULES if KNOWN_BY_RULE[code] in read} == HOW_SURE.keys()


@pytest.mark.parametrize("code", HOW_SURE)
def test_a_score_claims_no_more_than_was_read(code):
    by_subject = {fact.about: fact.certainty for fact in RULES[code].facts}
    assert [by_subject[about] for about in FACTS] == HOW_SURE[code].split()


def test_only_these_scores_rest_on_what_was_read_alone():
    """All others say "provisional" in the form, on the page and in each Observation's method."""
    assert {code for code in HOW_SURE if RULES[code].verified} == {"hoop-total", "mansa-mean", "mansa-sum"}


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_what_we_did_not_find_is_not_called_secret(instrument: Instrument):
    """The NEL's paper is open access and only its beginning was read: "not found" is all we may say of the rest."""
    said = [instrument.wording_note.en, *(fact.statement for _, fact in instrument.all_facts())]
    secret = [text for text in said if re.search(r"(?:is|are) not public", text)]
    # What the vendor of the Dutch MANSA form keeps to itself is said by the vendor's own changelog.
    assert not [text for text in secret if "that calculation is not public" not in text]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_nobody_is_called_the_owner_of_an_official_text(instrument: Instrument):
    """No source that was read says who holds the rights to any of these forms; the papers' authors described them."""
    assert not re.search(r"belongs to|They decide|Copyright (of|by)", instrument.copyright.en)
    assert not re.search(r"\bis van [A-Z]|bepalen zij", instrument.copyright.nl)
