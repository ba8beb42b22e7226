"""The plan of this launch: loading it, and saving a change of it so that nothing is overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import g

from mappers.errors import PlanError, TooManyDomains
from mappers.plan import PersonRef, Plan
from smartapp.core import core
from smartapp.i18n import gettext as _
from smartapp.i18n import language, message, place_zone
from smartapp.plan import keeping
from smartapp.plan.context import Standing
from smartapp.plan.editing import Accepted, Clash, Wrong
from smartapp.records import Place, Record
from smartapp.records.store import Conflict, Forbidden, Refused, Unreachable

ATTEMPTS: Final = 4  # how often a save looks again when somebody else saved at the same moment

REFUSED: Final = message(
    "The record did not take this text, so it is not saved. Your text still stands here. Please tell your care team."
)
UNREACHABLE: Final = message(
    "The record does not answer, so this is not saved yet. Your text still stands here. Please try again in a moment."
)
ON_ITS_WAY: Final = message(
    "What you saved before is still on its way to the record. Your text still stands here. "
    "Please save again in a moment."
)
MORE_THAN_FIVE: Final = message(
    "Your plan has more than five areas. Choose five of them first. Your text is kept until you come back."
)
NOT_WRITABLE: Final = message(
    "Your plan holds something that we cannot save again. Your text still stands here. Please tell your care team."
)
BUSY: Final = message("Somebody else is saving at the same moment. Your text still stands here. Please save again.")


def now() -> dt.datetime:
    """Return the time at this place, in its own zone."""
    return dt.datetime.fromtimestamp(core().clock(), place_zone()).replace(microsecond=0)


def today() -> str:
    """Return the day at this place, as a FHIR date."""
    return now().date().isoformat()


def load() -> keeping.Kept:
    """Return the plan of the person this launch is about."""
    return kept_from(g.records.search(*keeping.queries(g.launch.patient_id)))


def kept_from(found: list[list[Record]]) -> keeping.Kept:
    """Return the plan from what `keeping.queries` found, with what this person saved and has not arrived."""
    return keeping.kept(
        found,
        issuer=g.launch.issuer,
        patient=g.launch.patient.reference,
        now=now().isoformat(),
        outbox=g.records.waiting(),
    )


def standing(kept: keeping.Kept) -> Standing:
    """Return where the plan lives, or will live, and whether all of it has arrived there."""
    where: Place = kept.place or g.records.place_for("CarePlan")
    return Standing(where, kept.on_its_way, kept.refused)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Nothing is wrong with what was typed, and still it is not saved: `sentence` says why."""

    sentence: str
    status: int


@dataclass(frozen=True, slots=True)
class Saved:
    """The plan is saved; `arrived` False: here, and on its way to the record."""

    arrived: bool


def change(
    edit: Callable[[keeping.Kept], Accepted | Wrong | Clash], first: keeping.Kept
) -> Saved | Wrong | Clash | Trouble:
    """Apply an edit to the plan as it is stored now (`first`), and save it as one unit.

    When somebody else saves in between, the edit is weighed again against what stands there then. So a save either
    is based on what is stored, or shows both versions; it never overwrites. Raises Unauthorized: sign in again.
    """
    current = first
    for _attempt in range(ATTEMPTS):
        outcome = edit(current)
        if not isinstance(outcome, Accepted):
            return outcome
        try:
            saved = _save(current, outcome.plan)
        except tuple(TROUBLES) as error:
            sentence, status = next(TROUBLES[kind] for kind in type(error).__mro__ if kind in TROUBLES)
            return Trouble(_(sentence), status)
        if saved is not None:
            return saved
        current = load()
    return Trouble(_(BUSY), 409)


TROUBLES: Final[Mapping[type[Exception], tuple[str, int]]] = {
    Unreachable: (UNREACHABLE, 503),
    Refused: (REFUSED, 422),
    Forbidden: (REFUSED, 422),
    TooManyDomains: (MORE_THAN_FIVE, 409),
    PlanError: (NOT_WRITABLE, 422),
}
"""What to say when a plan is not saved though nothing is wrong with what was typed."""


def _save(current: keeping.Kept, after: Plan) -> Saved | Trouble | None:
    """Write a changed plan as one unit; None where somebody else wrote in between."""
    person = PersonRef(g.launch.patient.reference, g.launch.patient.display)
    unit = keeping.writes(current, after, patient=person, author=person, language=language())
    if not unit:
        return Saved(arrived=not current.on_its_way)
    if current.on_its_way:
        return Trouble(_(ON_ITS_WAY), 409)
    try:
        records = g.records.save(unit)
    except Conflict:
        return None
    if not keeping.arrived(unit, records):
        return None
    return Saved(arrived=all(one.state == "stored" for one in records))
