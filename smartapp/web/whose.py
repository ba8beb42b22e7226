"""Whose words are these? Asked kindly, once, after words of professionals were saved; it blocks and changes nothing.

Where the words can be changed stays in the session, for the last time that this was asked in each launch: an address
of another site can't be put there, as it could into the address of a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import request, session

from mappers.whose_words import may_be_anothers
from questionnaires.standard_sentences import standard_sentences
from smartapp.web import current

FIELD: Final = "whose"
"""The mark of the page that asks."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the words are changed, and the page that no longer asks: they may stay."""

    change: str
    stay: str


def are_new(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Tell whether one of some texts has words of professionals now, and had none before."""
    known = standard_sentences()
    return any(
        may_be_anothers(text, known) and not may_be_anothers(before.get(name, ""), known)
        for name, text in after.items()
    )


def ask(change: str, after: str) -> str:
    """Return the address of the page `after` a save, which asks; the words are changed at the address `change`."""
    parts = urlsplit(after)
    stay = parts._replace(query="").geturl()
    session[_key()] = asdict(Asked(change, stay))
    return parts._replace(query="&".join(filter(None, (parts.query, f"{FIELD}=1")))).geturl()


def said() -> dict[str, Any]:
    """Return what every page of the plan knows: what it asks (`whose`), None where it asks nothing."""
    kept = session.get(_key()) if request.args.get(FIELD) else None
    return {"whose": Asked(**kept) if kept else None}


def _key() -> str:
    return f"whose-{current.launch().id}"
