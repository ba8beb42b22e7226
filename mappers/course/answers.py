"""What was answered of a course: by the responses that a reader sees, and by its own Tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from mappers.answers import asked_in, is_finished
from mappers.assignment import assignment_of, is_assignment
from mappers.course.model import Answered, Course
from mappers.course.tasks import asked_for
from mappers.tolerant import text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource

DayOf = Callable[[str], dt.date | None]
"""Turns a FHIR date or instant into the day that it was in the place's time zone; None where it cannot be read."""


def sent_in(responses: Iterable[Resource], day_of: DayOf, known: Catalogue) -> tuple[Answered, ...]:
    """Return which questionnaires were sent in, each with the day of its answers; forms not known here are left out."""
    return tuple(
        Answered(asked.id, day)
        for one in responses
        if is_finished(one) and (asked := asked_in(one, known)) and (day := day_of(text_in(one, "authored")))
    )


def answered_in(
    course: Course, tasks: Iterable[Resource], responses: Iterable[Resource], day_of: DayOf, known: Catalogue
) -> tuple[Answered, ...]:
    """Return what was answered of a course, as far as its reader sees the responses.

    Who reads the programme may not read the answers: that they came, its own Task says too. Another system may close a
    Task by answers that came too late: where those are read, they say so themselves.
    """
    sent = [one for one in responses if is_finished(one)]
    days = {f"QuestionnaireResponse/{text_in(one, 'id')}": day_of(text_in(one, "authored")) for one in sent}
    done = ((one, task) for one, task in asked_for(course, tasks) if text_in(task, "status") == "completed")
    by_task = [
        Answered(asked.instrument, one.opens)
        for one, task in done
        if is_assignment(task)
        for asked in [assignment_of(task)]
        if (days.get(asked.response or "") or one.closes) <= one.closes
    ]
    return (*by_task, *sent_in(sent, day_of, known))
