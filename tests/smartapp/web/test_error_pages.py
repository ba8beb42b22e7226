"""What an error page gives back of a form: the person's own words, and nothing of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import smartapp
from smartapp.web.kept import typed_text

PAGES = [
    path.read_text(encoding="utf-8")
    for path in Path(smartapp.__path__[0]).rglob("*.html")
    if "sandbox" not in path.parts
]
# Beside the hidden one, which is empty, stand the boxes that a person ticks under the same name.
TICKED = {"domains"}
HIDDEN = {name for page in PAGES for name in re.findall(r'<input type="hidden" name="([\w-]+)"', page)} - TICKED
PRESSED = {name for page in PAGES for name in re.findall(r'(?<!link_)button\(.*?(?:\), |name=)"(\w+)"', page)}
PRESSED |= {name for page in PAGES for name in re.findall(r'<button[^>]* name="(\w+)"', page)}


def test_the_forms_were_found():
    assert {"was", "seen", "key"} <= HIDDEN
    assert {"next", "stop", "remove", "tick"} <= PRESSED


CODES = {"_csrf", "_for", "_keep", "seen-story", "asked-story", "went-1", "outcome-1"}


@pytest.mark.parametrize("name", sorted({*HIDDEN, *PRESSED, *CODES}))
def test_what_the_forms_say_themselves_is_not_given_back(name):
    assert typed_text([(name, "0a1b2c"), ("answer", "Vroeg naar buiten.")]) == [("answer", "Vroeg naar buiten.")]


def test_words_are_given_back_as_they_were_typed():
    typed = [("story", " Ik zing weer. \n"), ("strengths", "Muziek"), ("stressors", "  \n")]
    assert typed_text(typed) == typed[:2]
