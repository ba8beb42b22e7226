"""When it is kind to ask whose words a goal is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.whose_words import may_be_anothers
from questionnaires.standard_sentences import standard_sentences

SENTENCES = standard_sentences()


@pytest.mark.parametrize(
    "text",
    [
        # the three goals from the point of view of professionals in the handbook (10.5, don'ts)
        "de cliënt dient zijn dag- en nachtritme terug te krijgen",
        "de cliënt moet stabiliseren",
        "de cliënt krijgt ziekte-inzicht",
        # and the same without "the client", in capitals, without accents, in another order
        "Dag- en nachtritme herstellen.",
        "STABILISEREN",
        "Ik moet ziekteinzicht krijgen",
        "De client moet leren koken",
    ],
)
def test_a_standard_sentence_is_noticed(text):
    assert may_be_anothers(text, SENTENCES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Weer leren zwemmen",
        "Ik wil 's nachts slapen en overdag buiten zijn.",
        "Ik wil snappen wat er met mij gebeurt als ik niet slaap.",
        "Mijn eigen ritme vinden",
        "Een stabiele plek om te wonen",
        "Dag en nacht aan muziek werken",
        "Andere cliënten helpen in het maatjesproject",
    ],
)
def test_somebodys_own_words_are_left_in_peace(text):
    assert not may_be_anothers(text, SENTENCES)


def test_a_part_of_a_word_is_not_the_word():
    assert not may_be_anothers("destabiliserend", SENTENCES)


def test_every_row_is_noticed_by_itself():
    assert all(may_be_anothers(f"Eerst {words}, dan koffie", [one]) for one in SENTENCES for words in one.words)


@given(st.text())
def test_any_text_gets_an_answer(text):
    assert may_be_anothers(text, SENTENCES) in (True, False)
