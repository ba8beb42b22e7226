"""Where each moment of a course is on a day, by what was answered. It follows from the course and is kept nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from mappers.course.model import Answered, Course, Planned, Standing, State
from mappers.course.shapes import DECLINED, PAUSED, STOPPED

_WAS: Final = frozenset({"answered", "missed", "past", "stopped"})


def standing(
    course: Course, answered: Iterable[Answered], today: dt.date, *, talked: Iterable[dt.date] = ()
) -> tuple[Standing, ...]:
    """Return where each moment is `today`, in the order of their days.

    Answers count for a moment when their day is one of its days: what comes later fills in nothing that was missed.
    `talked` are the days of conversations that are known of; a talk counts as answered when it has one.
    """
    sent, talks = tuple(answered), frozenset(talked)
    return tuple(_standing(course, one, sent, talks, today) for one in course.planned)


def is_over(course: Course, moments: Iterable[Standing], today: dt.date) -> bool:
    """Tell whether nothing of a course comes any more, given where its moments are `today` (see `standing`).

    It was stopped, or every moment was answered, or its days are over. A no can be taken back as long as they last, and
    in a pause no day goes by.
    """
    until = course.paused_since or today
    was = (one.state in _WAS or (one.state == "declined" and one.planned.closes < until) for one in moments)
    return course.status not in ("active", "on-hold") or all(was)


def _standing(
    course: Course, one: Planned, sent: tuple[Answered, ...], talks: frozenset[dt.date], today: dt.date
) -> Standing:
    in_time = {each.instrument for each in sent if one.opens <= each.day <= one.closes}
    done = tuple(asked.instrument for asked in one.questionnaires if asked.instrument in in_time)
    return Standing(one, _state(course, one, _is_done(one, done, talks), today), done)


def _is_done(one: Planned, done: tuple[str, ...], talks: frozenset[dt.date]) -> bool:
    if one.questionnaires:
        return len(done) == len(one.questionnaires)
    return any(one.opens <= day <= one.closes for day in talks)


def _state(course: Course, one: Planned, done: bool, today: dt.date) -> State:
    if done:
        return "answered"
    if one.declined:
        return "declined"
    if is_stopped(course, one):
        return "stopped"
    return "paused" if is_paused(course, one) else _by_day(one, today)


def is_stopped(course: Course, one: Planned) -> bool:
    """Tell whether a moment does not come any more, since its course was stopped before it was over."""
    return (end := course.stopped_on) is not None and one.closes >= end


def is_paused(course: Course, one: Planned) -> bool:
    """Tell whether a moment waits, since its course was paused before it was over."""
    return (since := course.paused_since) is not None and one.closes >= since


def why_not(course: Course, one: Planned) -> str:
    """Return the code of why a moment is not asked, by what was decided; "" where nothing keeps it back."""
    if one.declined:
        return DECLINED
    if is_stopped(course, one):
        return STOPPED
    return PAUSED if is_paused(course, one) else ""


def _by_day(one: Planned, today: dt.date) -> State:
    if today > one.closes:
        return "missed" if one.questionnaires else "past"
    if today >= one.opens:
        return "open"
    return "announced" if today >= one.tell else "later"
