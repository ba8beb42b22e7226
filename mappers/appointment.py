"""The next appointment of a person, read from the Appointments of their record. We never write one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource

_AGREED: Final = frozenset({"booked", "arrived", "checked-in"})
"""What both sides count on; what is only proposed, or waits for a yes, may still not happen."""
_WITH: Final = frozenset({"Practitioner", "PractitionerRole"})

MomentOf = Callable[[str], dt.date | None]
"""Turns a FHIR date or instant into a day or a zoned moment; None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class NextTalk:
    """An appointment to come: when it starts, as a zoned moment, and with whom, as the record names them.

    `end` is None where the record does not say it, `id` is its own.
    """

    start: dt.datetime
    people: tuple[str, ...]
    end: dt.datetime | None = None
    id: str = ""


def next_talk(
    appointments: Iterable[Resource], *, patient: str, now: dt.datetime, moment_of: MomentOf
) -> NextTalk | None:
    """Return the first appointment of a person (`Patient/<id>`) that is not over yet; None where there is none.

    One that goes on now is still to come for who opens the app on the way. One that this person declined is not theirs.
    """
    coming = talks_to_come(appointments, patient=patient, now=now, moment_of=moment_of)
    return min(coming, key=lambda one: one.start, default=None)


def talks_to_come(
    appointments: Iterable[Resource], *, patient: str, now: dt.datetime, moment_of: MomentOf
) -> list[NextTalk]:
    """Return the appointments of a person (`Patient/<id>`) that are not over yet, in the order of the record."""
    return [
        NextTalk(start, _people(one), end, text_in(one, "id"))
        for one in appointments
        if text_in(one, "status") in _AGREED and not _declined(one, patient)
        for start, end in [(_moment(one, "start", moment_of), _moment(one, "end", moment_of))]
        if start is not None and (end or start) >= now
    ]


def _moment(appointment: Resource, name: str, moment_of: MomentOf) -> dt.datetime | None:
    moment = moment_of(text_in(appointment, name))
    return moment if isinstance(moment, dt.datetime) and moment.tzinfo is not None else None


def _declined(appointment: Resource, patient: str) -> bool:
    mine = [one for one in objects_in(appointment, "participant") if _reference(one) == patient]
    return any(text_in(one, "status") == "declined" for one in mine)


def _people(appointment: Resource) -> tuple[str, ...]:
    """Return the names of the professionals who come, each once, in the order of the record."""
    coming = (one for one in objects_in(appointment, "participant") if text_in(one, "status") != "declined")
    names = (text_in(object_in(one, "actor"), "display") for one in coming if _reference(one).split("/")[0] in _WITH)
    return tuple(dict.fromkeys(name for name in names if name))


def _reference(participant: Resource) -> str:
    """Return whom a participant is, as `Type/id`, also where the record names its own address before it."""
    return "/".join(text_in(object_in(participant, "actor"), "reference").split("/")[-2:])
