"""What the page of things that did not get through shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mappers.answers import asked_in
from mappers.course import is_course, moment_of
from mappers.tolerant import text_in
from mappers.words import words_of
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument
from smartapp.i18n import message
from smartapp.records.outbox import Unsent
from smartapp.records.parcels import Parcel
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of

Why = Literal["conflict", "refused", "trouble"]
What = Literal["answers", "goal", "step", "request", "plan", "programme", "document", "other"]

_WHAT: dict[str, What] = {
    "QuestionnaireResponse": "answers",
    "Goal": "goal",
    "Task": "step",
    "CarePlan": "plan",
    "DocumentReference": "document",
}

NAMES: Final[dict[What, str]] = {
    "answers": message("Your answers"),
    "goal": message("A goal"),
    "step": message("A step"),
    "request": message("What you asked for"),
    "plan": message("Your plan"),
    "programme": message("A programme"),
    "document": message("Your plan as a document"),
    "other": message("Something you saved"),
}
"""What each is called to its author."""

_PAGES: Final = {
    "QuestionnaireResponse": "scores/",
    "Goal": "plan/",
    "Task": "plan/",
    "CarePlan": "plan/",
    "DocumentReference": "plan/",
}
_PAGES_OF_OTHERS: Final = {"Task": "assignments/"}
"""Where the client, and where who assigns, finds what others made of such a thing."""


@dataclass(frozen=True, slots=True)
class StoppedThing:
    """One thing of a unit: what it is called, why it stopped, the record system's own words, and its author's.

    `page` is the page of this record where it stands as it is now, "" for none.
    """

    name: str
    why: Why
    said: str
    words: tuple[str, ...]
    page: str


@dataclass(frozen=True, slots=True)
class StoppedUnit:
    """What was saved at one moment and did not get through whole.

    `again` tells whether trying it again may help: it can't where all of it was changed by someone else.
    """

    id: str
    saved_at: dt.datetime
    things: tuple[StoppedThing, ...]
    again: bool


def stopped_unit(
    unsent: Unsent,
    *,
    own: bool,
    assigns: bool = False,
    seen: Callable[[Resource], Resource | None] = lambda resource: resource,
) -> StoppedUnit:
    """Return how a unit that was stopped, or set aside, is shown to its author.

    `own`: that is the client; `assigns`: that is somebody who may ask the client for things. `seen` gives what they see
    of a resource: one is sent whole, with what its author does not read.
    """
    unit = unsent.unit
    left = unit.stopped or unit.pending
    # A save of the plan sends all of it: what its author only read is not theirs to decide about.
    numbers = [number for number in left if unit.parcels[number].anew] or left
    parcels = _without_moments([unit.parcels[number] for number in numbers])
    things = [
        _thing(one, seen(one.write.resource) or {}, own=own, assigns=assigns, set_aside=not unit.stopped)
        for one in parcels
    ]
    return StoppedUnit(
        id=unsent.id,
        saved_at=dt.datetime.fromtimestamp(unsent.made, dt.UTC),
        # Scores are made from the answers, and are made again with them.
        things=tuple(thing for thing in things if thing.words or len(things) == 1),
        again=any(thing.why != "conflict" for thing in things),
    )


def _without_moments(parcels: list[Parcel]) -> list[Parcel]:
    """Return the parcels without what a programme asks, where the programme itself is among them: it says it all."""
    if not any(is_course(one.write.resource) for one in parcels):
        return parcels
    return [one for one in parcels if moment_of(one.write.resource) is None]


def _thing(parcel: Parcel, resource: Resource, *, own: bool, assigns: bool, set_aside: bool) -> StoppedThing:
    why: Why = "trouble" if set_aside else "conflict" if parcel.state == "conflict" else "refused"
    words = tuple(words_of(resource))
    if is_course(parcel.write.resource) or moment_of(parcel.write.resource) is not None:
        what: What = "programme"
        title = text_in(resource, "title") or text_in(resource, "description")
        return StoppedThing(_(NAMES[what]), why, parcel.reason, (title,) if title else (), "course/")
    what = "request" if parcel.type == "Task" and assigns else _WHAT.get(parcel.type, "other")
    form = _living_form(parcel.write.resource)
    if form is not None:
        return StoppedThing(text_of(form.title), why, parcel.reason, words, f"living/{form.id}/")
    pages = _PAGES if own else _PAGES_OF_OTHERS if assigns else {}
    return StoppedThing(_(NAMES[what]), why, parcel.reason, words, _page(parcel, pages))


def _living_form(resource: Resource) -> Instrument | None:
    """Return the living form that a response is of, in whatever version; None for anything else."""
    asked = asked_in(resource, catalogue())
    return asked if asked and asked.kind == "living" else None


def _page(parcel: Parcel, pages: Mapping[str, str]) -> str:
    page = pages.get(parcel.type, "")
    is_goal = parcel.type == "Goal" and parcel.write.method == "update"
    return f"{page}goals/{parcel.write.resource['id']}/" if page and is_goal else page
