"""The plan of this launch: loading it, and saving a change of it so that nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.errors import PlanError, TooManyDomains
from mappers.plan import PersonRef, Plan
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Conflict, Forbidden, Refused, Unreachable
from smartapp.i18n import message
from smartapp.pages.plan import document, stored
from smartapp.pages.plan.stored import StoredPlan
from smartapp.pages.plan.views import WhereStored
from smartapp.records import Place, Record
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import language
from smartapp.web.typed import Accepted, Clash, Wrong

ATTEMPTS: Final = 4  # how often a save looks again when someone else saved at the same moment

REFUSED: Final = message(
    "Your record cannot store this text, so it is not saved. Your text is still here. Please tell your care team."
)
UNREACHABLE: Final = message(
    "We cannot reach your record. This is not saved yet. Your text is still here. Please try again in a moment."
)
ON_ITS_WAY: Final = message(
    "What you saved before is still on its way to the record. Your text is still here. Please save again in a moment."
)
MORE_THAN_FIVE: Final = message(
    "Your plan has more than five areas. Choose five of them first. Your text is kept until you come back."
)
NOT_WRITABLE: Final = message(
    "Your plan holds something that we cannot save again. Your text is still here. Please tell your care team."
)
BUSY: Final = message("Someone else is saving at the same moment. Your text is still here. Please save again.")


def load() -> StoredPlan:
    """Return the plan of the person this launch is about, with its documents where the chart gets those instead."""
    person, records = current.launch().patient_id, current.records()
    looked = document.wanted(records.place_for("CarePlan"))
    found = records.search(*stored.queries(person), *([document.query(person)] if looked else []))
    return replace(plan_in(found[:3]), documents=tuple(found[3]) if looked else None)


def plan_in(found: list[list[Record]]) -> StoredPlan:
    """Return the plan in what `stored.queries` found, with what this person saved and has not arrived."""
    return stored.read_plan(
        found,
        known=catalogue(),
        issuer=current.launch().issuer,
        patient=current.launch().patient.reference,
        now=current.now().isoformat(),
        outbox=current.records().waiting(),
    )


def where_stored(plan: StoredPlan) -> WhereStored:
    """Return where the plan lives, or will live, and whether all of it has arrived there."""
    place: Place = plan.place or current.records().place_for("CarePlan")
    in_chart = document.in_chart(plan.plan, plan.documents) if place != "ehr" and plan.documents else None
    return WhereStored(place, plan.on_its_way, in_chart)


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
    edit: Callable[[StoredPlan], Accepted[Plan] | Wrong | Clash],
    first: StoredPlan,
    was: Mapping[str, Mapping[str, Any]] | None = None,
) -> Saved | Wrong | Clash | Trouble:
    """Apply an edit to the plan as it is stored now (`first`), and save it as one unit.

    When someone else saves in between, the edit is merged again with what is stored then. So a save either is based on
    what is stored, or shows both versions; it never overwrites. `was`: see `stored.writes`.
    Raises Unauthorized: sign in again.
    """
    before = first
    for _attempt in range(ATTEMPTS):
        outcome = edit(before)
        if not isinstance(outcome, Accepted):
            return outcome
        try:
            saved = _save(before, outcome.document, was)
        except tuple(TROUBLES) as error:
            sentence, status = next(TROUBLES[kind] for kind in type(error).__mro__ if kind in TROUBLES)
            return Trouble(_(sentence), status)
        if saved is not None:
            return saved
        before = load()
    return Trouble(_(BUSY), 409)


TROUBLES: Final[Mapping[type[Exception], tuple[str, int]]] = {
    Unreachable: (UNREACHABLE, 503),
    Refused: (REFUSED, 422),
    Forbidden: (REFUSED, 422),
    TooManyDomains: (MORE_THAN_FIVE, 409),
    PlanError: (NOT_WRITABLE, 422),
}
"""What to say when a plan is not saved though nothing is wrong with what was typed."""


def _save(
    before: StoredPlan, after: Plan, was: Mapping[str, Mapping[str, Any]] | None = None
) -> Saved | Trouble | None:
    """Write a changed plan as one unit; None if someone else wrote in between."""
    person = PersonRef(current.launch().patient.reference, current.launch().patient.display)
    unit = stored.writes(before, after, known=catalogue(), patient=person, author=person, language=language(), was=was)
    if not unit:
        return Saved(arrived=not before.on_its_way)
    if before.on_its_way:
        return Trouble(_(ON_ITS_WAY), 409)
    try:
        records = current.records().save(unit)
    except Conflict:
        return None
    if not stored.arrived(unit, records):
        return None
    document.keep_in_chart(before, after, records[-1].place, language())
    return Saved(arrived=all(one.state == "stored" for one in records))
