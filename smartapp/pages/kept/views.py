"""What the page of kept words shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from smartapp.storage.kept_words import Kept
from smartapp.web.kept import typed_text


@dataclass(frozen=True, slots=True)
class KeptForm:
    """One form: when it was sent, the words in it, where it belongs, and all that is sent when it is sent again.

    `open` is the address of its page, to look at first; "" where there is no such page.
    """

    id: str
    sent_at: dt.datetime
    words: tuple[str, ...]
    address: str
    open: str
    fields: tuple[tuple[str, str], ...]


def kept_form(kept: Kept, address: str, *, can_open: Callable[[str], bool]) -> KeptForm:
    """Return how one kept form is shown; `address` is its page in this launch."""
    return KeptForm(
        id=kept.id,
        sent_at=dt.datetime.fromtimestamp(kept.made, dt.UTC),
        words=tuple(text for _name, text in typed_text(kept.fields)),
        address=address,
        open=address if can_open(address.partition("?")[0]) else "",
        fields=kept.fields,
    )
