"""What the page of kept words shows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from questionnaires.catalogue import Catalogue
from questionnaires.model import Item
from smartapp.storage.kept_words import Kept
from smartapp.web.kept import typed_text
from smartapp.web.language import text_of

_CODES: Final = frozenset({"domain", "domains", "ending", "phase", "progress", "questionnaire", "status"})
"""Fields whose values are codes: they are sent again with the rest, and say nothing to who reads them."""

_QUESTION: Final = re.compile(r"questionnaires/([\w-]+)/questions/([\w-]+)")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """One form: when it was sent, the words in it, where it belongs, and all that is sent when it is sent again.

    `question` is what was answered, where the form is a question of a questionnaire. `open` is the address of its page,
    to look at first; "" where there is no such page.
    """

    id: str
    sent_at: dt.datetime
    question: str
    words: tuple[str, ...]
    address: str
    open: str
    fields: tuple[tuple[str, str], ...]


def kept_form(kept: Kept, address: str, known: Catalogue, *, can_open: Callable[[str], bool]) -> KeptForm:
    """Return how one kept form is shown; `address` is its page in this launch."""
    item = _item(kept.page, known)
    words = tuple(text for name, text in typed_text(kept.fields) if name not in _CODES)
    return KeptForm(
        id=kept.id,
        sent_at=dt.datetime.fromtimestamp(kept.made, dt.UTC),
        question=text_of(item.text) if item else "",
        words=tuple(_answer(item, text) for text in words) if item else words,
        address=address,
        open=address if can_open(address.partition("?")[0]) else "",
        fields=kept.fields,
    )


def _item(page: str, known: Catalogue) -> Item | None:
    """Return the item that a page asks, None for any other page."""
    found = _QUESTION.match(page)
    instrument = known.instruments.get(found[1]) if found else None
    return next((item for item in instrument.items if found and item.link_id == found[2]), None) if instrument else None


def _answer(item: Item, text: str) -> str:
    """Return an answer as its question words it: the label of an option, or what was typed."""
    option = item.scale.option(text) if item.scale else None
    return text_of(option.text) if option else text
