"""The courses of a person in the record: how they are found, and where each of their moments is. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mappers.answers import is_finished
from mappers.assignment import assignment_of, is_assignment
from mappers.conversation import conversation_of
from mappers.course import (
    CATEGORY,
    Answered,
    Asked,
    Course,
    Planned,
    Standing,
    course_of,
    is_over,
    moment_of,
    standing,
    task_changes,
)
from mappers.tolerant import text_in
from questionnaires.fhir import Resource
from questionnaires.programmes import programmes
from smartapp.fhir.store import Query
from smartapp.records import Record
from smartapp.web import typed
from smartapp.web.language import day_of


@dataclass(frozen=True, slots=True)
class Followed:
    """A course with its CarePlan and its Tasks as the record has them, and what is known of its moments.

    `answered` and `talked` are as `standing` takes them.
    """

    course: Course
    record: Record
    tasks: tuple[Record, ...] = ()
    answered: tuple[Answered, ...] = ()
    talked: tuple[dt.date, ...] = ()

    @property
    def on_its_way(self) -> bool:
        """Tell whether something of it was saved here and has not arrived in the record: it cannot be changed yet."""
        return any(one.state != "stored" for one in (self.record, *self.tasks))

    @property
    def seen(self) -> str:
        """Return what stands in a page for what the course says, to see later whether it still says so."""
        return digest_of(self.course)

    def standing(self, today: dt.date) -> tuple[Standing, ...]:
        """Return where each moment is `today`."""
        return standing(self.course, self.answered, today, talked=self.talked)

    def is_over(self, today: dt.date) -> bool:
        """Tell whether nothing of it comes any more."""
        return is_over(self.course, self.standing(today), today)


def query(patient: str) -> Query:
    """Return the query for the courses of a person (`Patient/1`)."""
    return Query.of("CarePlan", patient=patient, category=CATEGORY)


def courses_in(
    care_plans: Iterable[Record], tasks: Iterable[Record] = (), responses: Iterable[Resource] = ()
) -> tuple[Followed, ...]:
    """Return the courses among CarePlans, the last that began first; what was refused is not among them.

    `tasks` and `responses` are those of the same person, as far as the reader sees them.
    """
    asked = tuple(one for one in tasks if one.state != "refused")
    sent = tuple(one for one in responses if is_finished(one))
    read = ((course_of(one.resource, programmes()), one) for one in care_plans if one.state != "refused")
    found = [_followed(course, record, asked, sent) for course, record in read if course is not None]
    return tuple(sorted(found, key=lambda one: one.course.start, reverse=True))


def as_decided(care_plans: Iterable[Record], tasks: Iterable[Record]) -> list[Record]:
    """Return Tasks as the courses of the same person have them.

    What was decided stands in the course. An EHR may not have let its Tasks follow: then they say what was before.
    """
    read = (course_of(one.resource, programmes()) for one in care_plans if one.state != "refused")
    courses = [one for one in read if one is not None]
    return [_as_decided(courses, one) for one in tasks]


def _as_decided(courses: Iterable[Course], task: Record) -> Record:
    changed = (new for course in courses for new in task_changes(course, [task.resource]))
    return next((replace(task, resource=new) for new in changed), task)


def digest_of(course: Course) -> str:
    """Return the same for courses in which the same was decided, and something else for any other."""
    days = [(one.id, one.tell, one.opens, one.closes, one.declined) for one in course.planned]
    return typed.digest(repr((course.identifier, course.status, course.end, len(course.events), days)))


def foreseen(course: Course, responses: Iterable[Resource], today: dt.date) -> tuple[Standing, ...]:
    """Return where each moment of a course that is not begun yet would be, by what was sent in before."""
    sent = [one for one in responses if is_finished(one)]
    return standing(course, _answered(sent), today, talked=_talked(sent))


def _followed(course: Course, record: Record, tasks: Iterable[Record], responses: Iterable[Resource]) -> Followed:
    mine = [(one, task) for task in tasks if (one := _moment(course, task)) is not None]
    sent = tuple(responses)
    # Who reads the programme may not read the answers: that they came, its own Task says too. Another system
    # may close a Task by answers that came too late: where those are read, they say so.
    days = {f"QuestionnaireResponse/{text_in(one, 'id')}": day_of(text_in(one, "authored")) for one in sent}
    by_task = [
        Answered(asked.instrument, one.opens)
        for one, task in mine
        if is_assignment(task.resource) and text_in(task.resource, "status") == "completed"
        for asked in [assignment_of(task.resource)]
        if (days.get(asked.response or "") or one.closes) <= one.closes
    ]
    answered = (*by_task, *_answered(sent))
    return Followed(course, record, tuple(task for _one, task in mine), answered, _talked(sent))


def _answered(responses: Iterable[Resource]) -> tuple[Answered, ...]:
    days = ((one, day_of(text_in(one, "authored"))) for one in responses)
    named = ((Asked(text_in(one, "questionnaire")), day) for one, day in days if day is not None)
    return tuple(Answered(asked.instrument, day) for asked, day in named)


def _moment(course: Course, task: Record) -> Planned | None:
    """Return the moment of a course that a Task is of, None where it is of none."""
    named = moment_of(task.resource)
    return course.moment(named[1]) if named is not None and named[0] == course.identifier else None


def _talked(responses: Iterable[Resource]) -> tuple[dt.date, ...]:
    """Return the days of the conversations in which something was written down."""
    written = ((conversation_of(one), text_in(one, "authored")) for one in responses)
    days = (day_of(conversation.begun or authored) for conversation, authored in written if conversation is not None)
    return tuple(day for day in days if day is not None)
