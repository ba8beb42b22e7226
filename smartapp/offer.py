"""What a place has to offer after a first conversation: a data file of that place, read strictly once, at the start.

Each entry belongs to one answer of the intake's last question ("what do you choose now?"), by the code of that answer.
Nobody is advised anything: the entries are shown beside the answer, and the client writes down which of them they want.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from questionnaires.catalogue import catalogue
from questionnaires.model import AnswerScale, Text
from questionnaires.reading import FilePlace, OneLine, Strict, read

EXAMPLE: Final = Path(__file__).with_name("offer.example.toml")
"""An offer of a made-up place, which shows every key."""
_FORM, _QUESTION = "intake", "intake-choice"


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
    choice: OneLine
    name: _Words
    help: _Words | None = None
    url: OneLine = ""


class _OfferTable(Strict, frozen=True):
    offer: tuple[_OfferedTable, ...] = ()


def choices() -> AnswerScale:
    """Return the answers that an entry can belong to: those of the question what the client chooses."""
    scale = catalogue().instrument(_FORM).item(_QUESTION).scale
    if scale is None:
        raise TypeError(f"{_QUESTION} is no choice: there is nothing that an offer could belong to")
    return scale


def read_offer(path: Path) -> tuple[Offered, ...]:
    """Return what a place has to offer, in the order of its file; DefinitionError names file and key."""
    return tuple(_offer(FilePlace(path.name), read(path, _OfferTable)))


def _offer(top: FilePlace, table: _OfferTable) -> Iterator[Offered]:
    scale = choices()
    for place, entry in top.each("offer", table.offer):
        if scale.option(entry.choice) is None:
            known = ", ".join(f"{option.code} ({option.text.en})" for option in scale.options)
            raise place.error("choice", f"is {entry.choice!r}; the codes of {_QUESTION} are {known}")
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
