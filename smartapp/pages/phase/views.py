"""What the pages show of it: what there is to choose, what the client chose before, and to others the newest alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mappers.phase import Marking, history_of
from questionnaires.fhir import Resource
from questionnaires.phases import phases
from smartapp.pages.phase.markings import PHASE, WORDS, digest_of
from smartapp.records import Record
from smartapp.web.fields import Field, FieldOption
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of


@dataclass(frozen=True, slots=True)
class Before:
    """One marking of before. `seen` says what it said on this page; `stored` False: it is on its way to the record.

    `typist` is who typed it with the client, "" where they did so themselves.
    """

    id: str
    title: str
    words: str
    marked_on: str
    seen: str
    stored: bool
    typist: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows beside its form: what was chosen before, and what became of it."""

    before: tuple[Before, ...]
    saved: str
    """The sentence about what was done just now, or ""."""
    on_its_way: bool
    cut: bool
    """There is more than is shown: what is older."""


@dataclass(frozen=True, slots=True)
class Said:
    """Where the client says to be, for who reads along: the newest marking, and nothing of how it was before."""

    title: str
    words: str
    marked_on: str


def newest_of(observations: Iterable[Resource]) -> Said | None:
    """Return what was marked last; None where nothing is."""
    newest = next(iter(history_of(observations)), None)
    return Said(title_of(newest), newest.words, newest.marked_on) if newest else None


def title_of(marking: Marking) -> str:
    """Return a phase in the client's own perspective; as the record words it, where this version does not know it."""
    phase = phases().phase(marking.phase)
    return text_of(phase.title) if phase else marking.display or marking.phase


def fields() -> tuple[Field, ...]:
    """Return what is asked."""
    offered = tuple(FieldOption(one.code, text_of(one.title), text_of(one.description)) for one in phases().phases)
    return (
        Field(PHASE, _("What fits you now?"), "choices", options=offered),
        Field(WORDS, _("In your own words, if you like"), rows=4),
    )


def before(kept: Iterable[tuple[Marking, Record]]) -> tuple[Before, ...]:
    """Return what was chosen before, in the order given."""
    return tuple(
        Before(one.id, title_of(one), one.words, one.marked_on, digest_of(one), record.state == "stored", one.typist)
        for one, record in kept
    )
