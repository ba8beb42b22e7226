"""The questionnaires of a course as assignments: a Task each, from the first day of its moment to the last.

They are ordinary assignments, for any portal that shows Tasks. All are made when a course begins, and follow it: what
is paused is on hold, what is moved gets other days, what is declined or stopped is cancelled. One that was answered, or
that somebody withdrew by itself, stays as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mappers.assignment import WAITING, task_of
from mappers.course.model import Asked, Course, Planned
from mappers.course.shapes import IDENTIFIER_SYSTEM, PAUSED, PLAN_SYSTEM, REASONS, moment_value
from mappers.course.standing import why_not
from mappers.tolerant import code_in, object_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource, concept

_OUR_REASONS: Final = frozenset(REASONS)


def tasks_of(
    course: Course,
    *,
    care_plan: Mapping[str, str],
    patient: Mapping[str, str],
    requester: Mapping[str, str],
    asked_on: str,
    known: Catalogue,
    language: str = "nl",
) -> list[Resource]:
    """Return the Tasks of a course that begins, in the order of their days.

    `care_plan`, `patient` and `requester` are References with a display, `asked_on` is a zoned FHIR dateTime. Titles
    are in `language`; a questionnaire that is not in the catalogue is called by its id.
    """
    asked = ((one, questionnaire) for one in course.planned for questionnaire in one.questionnaires)
    return [
        _following(
            task_of(
                questionnaire=questionnaire.canonical,
                title=_title(questionnaire, known, language),
                patient=dict(patient),
                requester=dict(requester),
                asked_on=asked_on,
                identifier=task_identifier(course, one, questionnaire),
                message=one.purpose.get(language),
            )
            | {
                "language": language,
                "basedOn": [dict(care_plan)],
                "groupIdentifier": {"system": IDENTIFIER_SYSTEM, "value": moment_value(course.identifier, one.id)},
            },
            course,
            one,
        )
        for one, questionnaire in asked
    ]


def _title(asked: Asked, known: Catalogue, language: str) -> str:
    instrument = known.instruments.get(asked.instrument)
    return instrument.title.get(language) if instrument else asked.instrument


def task_identifier(course: Course, one: Planned, asked: Asked) -> str:
    """Return the identifier of the Task of a questionnaire at a moment, the same however often it is made."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{course.identifier} {one.id} {asked.instrument}"))


def moment_of(task: Any) -> tuple[str, str] | None:
    """Return of which course and which moment a Task is (its identifier, the moment's id); None for any other."""
    group = object_in(task, "groupIdentifier")
    course, _, moment = text_in(group, "value").rpartition("/")
    return (course, moment) if group.get("system") == IDENTIFIER_SYSTEM and course and moment else None


def asked_for(course: Course, tasks: Iterable[Resource]) -> Iterator[tuple[Planned, Resource]]:
    """Yield the Tasks of a course, each with its moment."""
    for task in tasks:
        named = moment_of(task)
        if named is not None and named[0] == course.identifier and (one := course.moment(named[1])) is not None:
            yield one, task


def task_changes(course: Course, tasks: Iterable[Resource]) -> list[Resource]:
    """Return those of its Tasks that have to change to follow a course, as they have to be."""
    changes = ((task, _following(task, course, one)) for one, task in asked_for(course, tasks) if _follows(task))
    return [new for old, new in changes if new != old]


def as_decided(task: Resource, courses: Iterable[Course]) -> Resource:
    """Return a Task as the courses of the same person have it; the same object where they have it so, or not at all.

    What was decided stands in the course. A server may not have let its Tasks follow: then they say what was before.
    """
    return next((new for course in courses for new in task_changes(course, [task])), task)


def _follows(task: Resource) -> bool:
    """Tell whether a Task goes with its course: it waits, or it was the course that took it away."""
    status = text_in(task, "status")
    return status in WAITING or (status == "cancelled" and code_in(task, "statusReason", PLAN_SYSTEM) in _OUR_REASONS)


def _following(task: Resource, course: Course, one: Planned) -> Resource:
    """Return a Task with the days of its moment, and as far asked as that is."""
    period = {"start": one.opens.isoformat(), "end": one.closes.isoformat()}
    made = {**task, "restriction": {**object_in(task, "restriction"), "period": period}}
    reason = why_not(course, one)
    if not reason:
        kept = {name: value for name, value in made.items() if name != "statusReason"}
        # One that its portal has taken up stays so.
        begun = text_in(task, "status") in WAITING and text_in(task, "status") != "on-hold"
        return kept if begun else {**kept, "status": "requested"}
    status = "on-hold" if reason == PAUSED else "cancelled"
    return {**made, "status": status, "statusReason": concept(PLAN_SYSTEM, reason, REASONS[reason])}
