"""What a place has to offer after a first conversation: a data file of that place, read strictly once, at the start.

Each entry belongs to one answer of the question what the client chooses, by the code of that answer. Which question
that is, a definition says: its item has `offer = true`.
Entries with `for = "loved-ones"` belong to no answer: they stand on the page of a loved one, who chooses nothing here.
Nobody is advised anything: the entries are shown beside the answer, and the client ticks which of them they want. What
was ticked is kept by its name, so that it can be read when the place has it no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import field

from questionnaires.catalogue import catalogue
from questionnaires.model import Item, Text
from questionnaires.reading import FilePlace, OneLine, Strict, read

_LOVED_ONES: Final = "loved-ones"
EXAMPLE: Final = Path(__file__).with_name("offer.example.toml")
"""An offer of a made-up place, which shows every key."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One thing that a place has: `choice` is the code of the answer that it belongs to; `url` is "" without a page."""

    choice: str
    name: Text
    help: Text | None = None
    url: str = ""


class _Words(Strict, frozen=True):
    nl: OneLine
    en: OneLine | None = None
    u: OneLine | None = None


class _OfferedTable(Strict, frozen=True):
    name: _Words
    choice: OneLine = ""
    whom: OneLine = field(name="for", default="")
    help: _Words | None = None
    url: OneLine = ""


class _OfferTable(Strict, frozen=True):
    offer: tuple[_OfferedTable, ...] = ()


def question() -> Item | None:
    """Return the question whose answers an entry can belong to; None where no form asks what the client chooses."""
    every = (item for form in catalogue().living.values() for item in form.items)
    return next((item for item in every if item.offer and not item.from_offer), None)


def offered_at(item: Item, code: str, offer: Iterable[Offered]) -> tuple[Offered, ...]:
    """Return what a place has of one answer to an item; nothing where the item asks something else."""
    return tuple(entry for entry in offer if entry.choice == code) if item.offer else ()


def offered_as(name: str, offer: Iterable[Offered]) -> Offered | None:
    """Return what a place has under a name, in any of its languages; None where it has nothing of that name."""
    return next((entry for entry in offer if name in (entry.name.nl, entry.name.en, entry.name.u)), None)


def read_offer(path: Path) -> tuple[Offered, ...]:
    """Return what a place has to offer, in the order of its file; DefinitionError names file and key."""
    return tuple(one for one in _offer(FilePlace(path.name), read(path, _OfferTable)) if one.choice)


def read_offer_for_loved_ones(path: Path) -> tuple[Offered, ...]:
    """Return what a place has for loved ones, in the order of the same file; `choice` of each is ""."""
    return tuple(one for one in _offer(FilePlace(path.name), read(path, _OfferTable)) if not one.choice)


def _offer(top: FilePlace, table: _OfferTable) -> Iterator[Offered]:
    asked = question()
    options = asked.scale.options if asked and asked.scale else ()
    for place, entry in top.each("offer", table.offer):
        if entry.whom not in ("", _LOVED_ONES):
            raise place.error("for", f"is {entry.whom!r}; it can only be {_LOVED_ONES!r}")
        if bool(entry.whom) == bool(entry.choice):
            raise place.error("choice", "and for: an entry has one of the two")
        if entry.choice and entry.choice not in [option.code for option in options]:
            known = ", ".join(f"{option.code} ({option.text.en})" for option in options)
            name = asked.link_id if asked else "the question what the client chooses, which no form has,"
            raise place.error("choice", f"is {entry.choice!r}; the codes of {name} are {known or 'none'}")
        if entry.url and not _is_page(entry.url):
            raise place.error("url", f"is {entry.url!r}; it must be an address that begins with https://")
        yield Offered(entry.choice, _text(entry.name), _text(entry.help) if entry.help else None, entry.url)


def _text(words: _Words) -> Text:
    # A place that writes Dutch only is shown in Dutch, also on pages in English.
    return Text(words.nl, words.en or words.nl, words.u)


def _is_page(url: str) -> bool:
    """Tell whether people can be sent to this address: https, a host, nobody's name or password in it."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an unmatched bracket: no host can be read from it
        return False
    # urlsplit takes line ends and tabs out before it reads, a browser may read something else.
    plain = url.isprintable() and " " not in url and "\\" not in url
    return plain and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
