"""The markings of a person in the record: found, made by a form, taken back and put back. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from mappers.human_name import reference_to
from mappers.identity import URN, values_in
from mappers.phase import (
    CODE,
    IDENTIFIER_SYSTEM,
    Marking,
    is_marking,
    marking_of,
    observation_of,
    put_back,
    taken_back,
)
from mappers.plan.shapes import PLAN_SYSTEM
from questionnaires.fhir import Resource
from questionnaires.phases import phases
from smartapp.fhir.store import Conflict, NotFound, Query, Write
from smartapp.i18n import message
from smartapp.records import Record
from smartapp.web import current, typed, with_client
from smartapp.web.forms import ATTEMPTS, Saved
from smartapp.web.language import language

PHASE: Final = "phase"
WORDS: Final = "words"
MOST: Final = 200
"""Markings that a page asks for: one a week, for four years. A new one is made whatever came before it."""
NONE_CHOSEN: Final = message("Choose one of these, or leave this page as it is. What you typed stays here.")


def _check(_before: Marking, values: Mapping[str, str]) -> Mapping[str, str]:
    return {} if phases().phase(values.get(PHASE, "")) else {PHASE: NONE_CHOSEN}


PART: Final = typed.Part[Marking](
    (PHASE, WORDS),
    lambda one: {PHASE: one.phase, WORDS: one.words},
    lambda one, values: replace(one, phase=values[PHASE], words=values[WORDS]),
    _check,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the record has of them, those that were taken back too; what was refused is not among them."""

    records: tuple[Record, ...]
    cut: bool = False
    """There is more than was asked for: what is older."""

    @property
    def kept(self) -> tuple[tuple[Marking, Record], ...]:
        """Return the markings that hold, the newest first, each with its record."""
        found = [(said, one) for one in self.records if (said := marking_of(one.resource)) is not None]
        return tuple(sorted(found, key=lambda each: each[0].order, reverse=True))

    @property
    def on_its_way(self) -> bool:
        """Tell whether something that this person saved has not arrived."""
        return any(one.state == "waiting" for one in self.records)

    def record(self, name: str) -> Record | None:
        """Return what the form with this key made, also where that was taken back."""
        return next((one for one in self.records if name in values_in(one.resource, IDENTIFIER_SYSTEM)), None)

    def marking(self, name: str) -> Marking:
        """Return what the form with this key made, and one that says nothing where it made nothing, or nothing now."""
        record = self.record(name)
        return (marking_of(record.resource) if record else None) or Marking("", name=name)


def markings_of(patient: str) -> Query:
    """Return the query for the newest markings of a person (`Patient/1`)."""
    return Query.newest(MOST, "Observation", "date", patient=patient, code=f"{PLAN_SYSTEM}|{CODE}")


def load() -> Found:
    """Return the markings of the person of this launch, in one round trip."""
    query = markings_of(current.launch().patient.reference)
    [records] = current.records().search(query)
    mine = (one for one in records if one.state != "refused" and is_marking(one.resource))
    return Found(tuple(mine), cut=query in current.records().cut)


def save(found: Found, marking: Marking) -> Saved:
    """Write a marking once, however often its form is sent. Raises Conflict and what `Records.save` does."""
    before = found.record(marking.name)
    said = found.marking(marking.name)
    if before is not None and (said.phase, said.words) == (marking.phase, marking.words):
        return Saved(arrived=before.state == "stored")
    patient = current.launch().patient
    made = observation_of(
        replace(marking, marked_on=current.now().isoformat()),
        patient=reference_to(patient.reference, patient.display, language()),
        language=language(),
        before=before.resource if before else None,
        typist=with_client.author().as_reference(language()),
    )
    if before is not None:
        return _saved(Write("update", made, if_match=before.etag))
    name = marking.name
    return _saved(Write.once(made, identifier=f"{IDENTIFIER_SYSTEM}|{name}", full_url=f"{URN}{name}"))


# --- a mistake ------------------------------------------------------------------------------------------------------


class ChangedMeanwhile(Exception):
    """The marking says something else by now than what this person saw."""


def take_back(id_: str, seen: str) -> Saved:
    """Take a marking back of which this person saw `seen` (its `digest_of`); done before, it is done.

    Raises ChangedMeanwhile, NotFound where it is no marking of this person, and what `Records.save` does.
    """

    def change(resource: Resource) -> Resource | None:
        marking = marking_of(resource)
        if marking is not None and digest_of(marking) != seen:
            raise ChangedMeanwhile
        return taken_back(resource) if marking else None

    return _changed(id_, change)


def restore(id_: str) -> Saved:
    """Put back a marking that was taken back; done before, it is done.

    Raises ChangedMeanwhile, NotFound, and what `Records.save` does.
    """
    return _changed(id_, lambda resource: put_back(resource) if marking_of(resource) is None else None)


def digest_of(marking: Marking) -> str:
    """Return what stands in a page for what a marking says, to see later whether it still says so."""
    return typed.digest(f"{marking.phase}\n{marking.words}")


def _changed(id_: str, change: Callable[[Resource], Resource | None]) -> Saved:
    """Write what `change` makes of what is stored now, None for nothing to do."""
    for _attempt in range(ATTEMPTS):
        record = current.records().read("Observation", id_)
        if not is_marking(record.resource):
            raise NotFound("This is no marking of a phase.")
        changed = change(record.resource)
        if changed is None:
            return Saved(arrived=record.state == "stored")
        try:
            return _saved(Write("update", changed, if_match=record.etag))
        except Conflict:
            continue
    raise ChangedMeanwhile


def _saved(write: Write) -> Saved:
    return Saved(arrived=all(one.state == "stored" for one in current.records().save([write])))
