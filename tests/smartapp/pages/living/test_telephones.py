"""Telephone numbers in people's words: what can be called is a link, and what only looks like it is not."""

from __future__ import annotations

import re

import pytest

from smartapp.pages.living.telephones import calls


def called(text: str, *, short: bool = False) -> list[str]:
    return re.findall(r'href="tel:([^"]+)"', calls(text, short=short))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Joost, 06 1234 5678. In het weekend Mila: 030-2345678", ["0612345678", "0302345678"]),
        ("+31 (0)6-1234 5678", ["+31612345678"]),
        ("0031 30 234 56 78", ["0031302345678"]),
        ("0800-0113", ["08000113"]),
        ("06-12345678/06-87654321", ["0612345678", "0687654321"]),
        ("06 12345678 06 87654321", ["0612345678", "0687654321"]),
        ("112", ["112"]),
        (" 113 ", ["113"]),
    ],
)
def test_a_number_can_be_called(text, numbers):
    assert called(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        *("01-12-2026", "op 1-1-2026, of 2026-11-26", "09.30-17.00 uur", "kamer 112", "1234567890123456"),
        *("012345672", "A0612345678", "", "in 2026", "0,5 of 0.25"),
    ],
)
def test_what_only_looks_like_one_is_no_link(text):
    assert called(text) == []
    assert calls(text) == text


def test_in_a_sentence_of_the_place_three_digits_are_a_number_too():
    line = "Bel je behandelteam, 030-2345678. Bij levensgevaar: bel 112."
    assert called(line, short=True) == ["0302345678", "112"]
    assert called("1.112 keer, 112,50 of 1120", short=True) == []


def test_the_words_stay_as_they_are_and_mean_nothing_to_a_browser():
    text = '<b onclick="x">06 1234 5678</b> & "112"'
    made = calls(text, short=True)
    assert "<b" not in made
    assert re.sub(r"</?a[^>]*>", "", made).replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"').replace(
        "&amp;", "&"
    ) == (text)
