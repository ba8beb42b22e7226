"""Earlier versions of texts: what there was, who changed it and when, and what a form needs to put it back.

Versions are those that the record keeps. Who made one is what our own log knows of it: nobody is guessed. Putting one
back is saving the form that the words belong to, with the earlier words in it: so it becomes a new version, and it
meets what someone else changed meanwhile like any other save.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from flask import request

from mappers.plan.history import Earlier, Version, earlier, gone
from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.store import versioned
from smartapp.records import Record
from smartapp.web import current, typed
from smartapp.web.language import format_datetime
from smartapp.web.language import gettext as _

_T = TypeVar("_T")

MOST_VERSIONS: Final = 100
"""Of one resource on one page; what is older is on the next."""
OLDER: Final = "older"
"""The mark in the address of a page of older versions: how many pages back it is."""

Texts = Mapping[str, str]
Pieces = tuple[tuple[str, bool], ...]
"""A text in pieces, each with whether it is gone from what is there now."""


@dataclass(frozen=True, slots=True)
class EarlierView:
    """An earlier version: its text in pieces (with what is gone), other facts, who and when, and how to put it back.

    `more` are other texts that belong to it, each with the question that it answers.
    """

    pieces: Pieces
    facts: tuple[str, ...]
    written: str
    replaced: str
    until: str
    fields: Texts
    more: tuple[tuple[str, Pieces], ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """One text through the years; `action` is the address of its own form, "" where the reader can't put it back."""

    title: str
    action: str
    versions: tuple[EarlierView, ...]


@dataclass(frozen=True)
class TextForm:
    """The form that a text belongs to.

    `now` are its fields as they are; the first is the text, `facts` are what to say of the rest, or `more` has them
    under their questions. `shown` is what a person reads of a field. `apart`: what is there now is in none of the
    versions that are read. `adds`: it adds to what is there, and shows none of it.
    """

    title: str
    action: str
    now: Texts
    facts: Callable[[Texts], tuple[str, ...]] = lambda _texts: ()
    more: Mapping[str, str] | None = None
    shown: Callable[[str, str], str] = lambda _name, text: text
    apart: bool = False
    adds: bool = False


def thread(form: TextForm, read: Iterable[tuple[Resource, Texts]], writers: Mapping[str, str]) -> Thread:
    """Return one text with its earlier versions; `read` has the fields of each version, the newest first."""
    made = [Version(texts, text_in(object_in(one, "meta"), "lastUpdated"), versioned(one)) for one, texts in read]
    # Servers number from one. Where the oldest that we have is another, there may have been more before it.
    whole = bool(made) and made[-1].name.endswith("/_history/1")
    main = next(iter(form.now))

    def pieces(name: str, text: str) -> Pieces:
        return gone(form.shown(name, text), form.shown(name, form.now[name]))

    def view(one: Earlier) -> EarlierView:
        seen = {f"seen-{name}": typed.digest("" if form.adds else form.now[name]) for name in one.texts}
        return EarlierView(
            pieces=pieces(main, one.texts[main]),
            facts=form.facts(one.texts),
            written=_said(_written, one.written, writers),
            replaced=_said(_changed, one.replaced, writers),
            until=format_datetime(one.replaced.changed) if one.replaced.changed else "",
            fields={**one.texts, **seen},
            more=tuple(
                (question, pieces(name, one.texts[name]))
                for name, question in (form.more or {}).items()
                if one.texts[name]
            ),
        )

    told = earlier(made, whole=whole, now=form.now if form.apart or here() else None)
    return Thread(form.title, form.action, tuple(view(one) for one in told))


# --- pages of versions --------------------------------------------------------------------------------------------


def versions_of(records: Sequence[Record]) -> list[Resource]:
    """Return the versions of these records, the newest first; none of what waits, or can't be looked into."""
    found = [one for one in records if one.state == "stored"]
    return [version for versions in current.records().histories(found) for version in readable(versions)]


def readable(versions: Iterable[Record] | None) -> list[Resource]:
    """Return versions as resources."""
    return [one.resource for one in versions or ()]


def here() -> int:
    """Return how many pages back this page is; what is no such number is the newest page."""
    return max(0, request.args.get(OLDER, 0, type=int))


def of_page(versions: Sequence[_T]) -> Sequence[_T]:
    """Return the versions of this page; one of older versions begins with the one that ended the page before."""
    return versions[max(0, here() * MOST_VERSIONS - 1) : (here() + 1) * MOST_VERSIONS]


def has_older(versions: Sequence[object]) -> bool:
    """Tell whether there is a page of older versions after this one."""
    return len(versions) > (here() + 1) * MOST_VERSIONS


# --- who ----------------------------------------------------------------------------------------------------------


def _written(when: str, who: str) -> str:
    if not who:
        return _("Written on %(when)s. This app does not know by whom.", when=when)
    return _("Written on %(when)s by %(who)s.", when=when, who=who)


def _changed(when: str, who: str) -> str:
    if not who:
        return _("Changed on %(when)s. This app does not know by whom.", when=when)
    return _("Changed on %(when)s by %(who)s.", when=when, who=who)


def _said(sentence: Callable[[str, str], str], version: Version | None, writers: Mapping[str, str]) -> str:
    if version is None or not version.changed:
        return ""
    return sentence(format_datetime(version.changed), writers.get(version.name, ""))


def writers() -> dict[str, str]:
    """Return who made each version with this app, as the reader calls them, by the version's reference."""
    launch = current.launch()
    made = current.services().audit.writers(launch.issuer_key, launch.patient.reference)
    return {
        name: _("yourself") if entry.user == launch.patient.reference else entry.user_name
        for name, entry in made.items()
    }
