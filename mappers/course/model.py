"""The words of a course. Nothing here knows FHIR, and nothing reads a clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from questionnaires.model import Text, instrument_id
from questionnaires.programmes import MomentKind

Status = Literal["active", "on-hold", "revoked", "completed"]
"""FHIR's words for going on, paused, stopped early, and over."""
EventKind = Literal["started", "paused", "resumed", "moved", "declined", "taken-back", "stopped"]
State = Literal["later", "announced", "open", "answered", "past", "missed", "declined", "paused", "stopped"]
"""Where a moment is. `past`: its days are over, and nothing says whether it was; `missed`: it asked for answers that
did not come. What was missed stays missed: nothing is filled in for it afterwards."""


@dataclass(frozen=True, slots=True)
class CourseEvent:
    """Something that was decided about a course: on which day, by whom (a Reference with a display), at which moment.

    `moment` is the id of a planned moment, "" where it is about the whole. `opens` and `closes` are its days before it
    was moved, None for any other event.
    """

    kind: EventKind
    day: dt.date
    by: Mapping[str, str] = field(default_factory=dict)
    moment: str = ""
    opens: dt.date | None = None
    closes: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A questionnaire that a moment asks: its canonical, with the version of when the course began."""

    canonical: str

    @property
    def instrument(self) -> str:
        """Return the id of the instrument."""
        return instrument_id(self.canonical)


@dataclass(frozen=True, slots=True)
class Planned:
    """One moment of a course with its days: the first and the last on which it is, and when the client reads of it.

    `id` is unique in the course (`talk-3`), `moment` is that of the programme. Texts are as they were when the course
    began, so that a programme that changes later changes no course.
    """

    id: str
    moment: str
    kind: MomentKind
    title: Text
    purpose: Text
    tell: dt.date
    opens: dt.date
    closes: dt.date
    outcome: Text | None = None
    about: dt.date | None = None
    minutes: int | None = None
    questionnaires: tuple[Asked, ...] = ()
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """A programme of one client. `identifier` is ours; `end` is the last day it may take, None where none is set.

    `group` is what the place calls those who follow it together, "" for nobody else.
    """

    identifier: str
    programme: str
    version: str
    title: Text
    start: dt.date
    end: dt.date | None
    planned: tuple[Planned, ...]
    status: Status = "active"
    events: tuple[CourseEvent, ...] = ()
    group: str = ""

    def moment(self, id_: str) -> Planned | None:
        """Return the planned moment with this id."""
        return next((one for one in self.planned if one.id == id_), None)

    @property
    def paused_since(self) -> dt.date | None:
        """Return the day on which a course that is paused now was paused."""
        if self.status != "on-hold":
            return None
        return next((one.day for one in reversed(self.events) if one.kind == "paused"), self.start)

    @property
    def stopped_on(self) -> dt.date | None:
        """Return the day on which a course was stopped early."""
        if self.status != "revoked":
            return None
        return next((one.day for one in reversed(self.events) if one.kind == "stopped"), self.start)


@dataclass(frozen=True, slots=True)
class Answered:
    """That a questionnaire was sent in: the id of its instrument, and the day of the answers."""

    instrument: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one moment is on a day; `done` are the instruments that were answered in its days, in its order."""

    planned: Planned
    state: State
    done: tuple[str, ...] = ()

    @property
    def waiting(self) -> tuple[str, ...]:
        """Return the instruments that can be answered now and were not yet."""
        if self.state != "open":
            return ()
        return tuple(one.instrument for one in self.planned.questionnaires if one.instrument not in self.done)
