"""Telephone numbers in what people type: on a screen they can be called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from markupsafe import Markup, escape

_BETWEEN: Final = r"[ \u00a0().\-–/]{0,3}"
_NUMBER: Final = re.compile(
    rf"(?<![\w+])(?:(?:\+|00){_BETWEEN}[1-9](?:{_BETWEEN}\d){{7,13}}|0(?:{_BETWEEN}\d){{7,10}})(?!\w)"
)
# 01-12-2026, 09.30-17.00 and the number of a citizen look like telephone numbers.
_OTHER: Final = re.compile(r"\d{9}\Z|\d{1,2}([-./ ])\d{1,2}\1(\d{2}|\d{4})|\d{1,2}\.\d\d ?[-–] ?\d{1,2}\.\d\d")
_SHORT: Final = re.compile(r"(?<![\w.,+-])1\d\d(?!\w|[.,-]\d)")
_ALONE: Final = re.compile(r"\s*1\d\d\s*")


def calls(text: str, *, short: bool = False) -> Markup:
    """Return a text for a page in which telephone numbers are links.

    `short`: three digits are a number too, as in a sentence of the place about whom to call. In a person's words they
    may be anything, and are one where they stand alone.
    """
    return Markup("").join(
        Markup('<a href="tel:{}">{}</a>').format(number, words) if number else escape(words)
        for words, number in _parts(text, short=short or bool(_ALONE.fullmatch(text)))
    )


def _parts(text: str, *, short: bool) -> Iterator[tuple[str, str]]:
    """Yield a text in pieces, each with the number to call, "" for what is none."""
    at = 0
    for found in sorted(_numbers(text, short=short), key=lambda one: one.start()):
        if found.start() < at:
            continue
        yield text[at : found.start()], ""
        yield found[0], _dialled(found[0])
        at = found.end()
    yield text[at:], ""


def _numbers(text: str, *, short: bool) -> Iterator[re.Match[str]]:
    yield from (one for one in _NUMBER.finditer(text) if not _OTHER.match(one[0]))
    if short:
        yield from _SHORT.finditer(text)


def _dialled(words: str) -> str:
    """Return what a telephone dials: of +31 (0)6 the nought between brackets is for those who call from nearby."""
    plain = words.replace("(0)", "") if words.lstrip().startswith(("+", "00")) else words
    return ("+" if words.startswith("+") else "") + re.sub(r"\D", "", plain)
