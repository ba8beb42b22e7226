"""What the page of things that did not get through shows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from mappers.words import words_of
from smartapp.records.outbox import Unsent
from smartapp.records.parcels import Parcel

Why = Literal["conflict", "refused", "trouble"]
What = Literal["answers", "goal", "step", "plan", "document", "other"]

_WHAT: dict[str, What] = {
    "QuestionnaireResponse": "answers",
    "Goal": "goal",
    "Task": "step",
    "CarePlan": "plan",
    "DocumentReference": "document",
}


@dataclass(frozen=True, slots=True)
class StoppedThing:
    """One thing of a unit: what it is, why it stopped, the record system's own words about that, and its author's."""

    what: What
    why: Why
    said: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoppedUnit:
    """What was saved at one moment and did not get through whole."""

    id: str
    saved_at: dt.datetime
    things: tuple[StoppedThing, ...]


def stopped_unit(unsent: Unsent) -> StoppedUnit:
    """Return how a unit that was stopped, or set aside, is shown to its author."""
    unit = unsent.unit
    numbers = unit.stopped or unit.pending
    things = [_thing(unit.parcels[number], set_aside=not unit.stopped) for number in numbers]
    return StoppedUnit(
        id=unsent.id,
        saved_at=dt.datetime.fromtimestamp(unsent.made, dt.UTC),
        # Scores are made from the answers, and are made again with them.
        things=tuple(thing for thing in things if thing.words or len(things) == 1),
    )


def _thing(parcel: Parcel, *, set_aside: bool) -> StoppedThing:
    why: Why = "trouble" if set_aside else "conflict" if parcel.state == "conflict" else "refused"
    words = tuple(words_of(parcel.write.resource))
    return StoppedThing(_WHAT.get(parcel.type, "other"), why, parcel.reason, words)
