"""The courses of a person in the record: how they are found, and where each of their moments is. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mappers.answers import is_finished
from mappers.conversation import conversation_of
from mappers.course import (
    CATEGORY,
    Answered,
    Course,
    Standing,
    answered_in,
    as_decided,
    asked_for,
    course_of,
    is_over,
    sent_in,
    standing,
)
from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
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


def tasks_as_decided(care_plans: Iterable[Record], tasks: Iterable[Record]) -> list[Record]:
    """Return Tasks as the courses of the same person have them, whatever the record let follow."""
    read = (course_of(one.resource, programmes()) for one in care_plans if one.state != "refused")
    courses = [one for one in read if one is not None]
    decided = ((one, as_decided(one.resource, courses)) for one in tasks)
    return [one if new is one.resource else replace(one, resource=new) for one, new in decided]


def digest_of(course: Course) -> str:
    """Return the same for courses in which the same was decided, and something else for any other."""
    days = [(one.id, one.tell, one.opens, one.closes, one.declined) for one in course.planned]
    return typed.digest(repr((course.identifier, course.status, course.end, len(course.events), days)))


def foreseen(course: Course, responses: Iterable[Resource], today: dt.date) -> tuple[Standing, ...]:
    """Return where each moment of a course that is not begun yet would be, by what was sent in before."""
    sent = [one for one in responses if is_finished(one)]
    return standing(course, sent_in(sent, day_of, catalogue()), today, talked=_talked(sent))


def _followed(course: Course, record: Record, tasks: Iterable[Record], responses: Iterable[Resource]) -> Followed:
    sent = tuple(responses)
    mine = tuple(one for one in tasks if any(asked_for(course, [one.resource])))
    answered = answered_in(course, (one.resource for one in mine), sent, day_of, catalogue())
    return Followed(course, record, mine, answered, _talked(sent))


def _talked(responses: Iterable[Resource]) -> tuple[dt.date, ...]:
    """Return the days of the conversations in which something was written down."""
    written = ((conversation_of(one), text_in(one, "authored")) for one in responses)
    days = (day_of(conversation.begun or authored) for conversation, authored in written if conversation is not None)
    return tuple(day for day in days if day is not None)
