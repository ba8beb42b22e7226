"""What can be decided about a course on the way. Each gives a new course and adds one event; nothing is taken away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mappers.course.model import Course, CourseEvent, EventKind, Planned, Status


class NotPossible(ValueError):
    """What was asked does not fit where the course is. `code` says why, for the caller to put into a sentence.

    `not-going-on`, `not-paused`, `no-such-moment`, `moment-over`, `before-start`, `after-end`, `not-declined`,
    `already-declined`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def paused(course: Course, today: dt.date, by: Mapping[str, str]) -> Course:
    """Return the course on hold from today: nothing of it is asked until it is resumed. Raises NotPossible."""
    _must_be(course, "active")
    return _with(course, "paused", today, by, status="on-hold")


def resumed(course: Course, today: dt.date, by: Mapping[str, str]) -> Course:
    """Return the course that goes on from today: what was not over when it was paused comes so many days later.

    A moment that had begun keeps its first day and ends later, so that what was answered in it stays answered. A day
    that was chosen in the pause holds, unless it went by. The longest that the course may take grows by the pause too.
    Raises NotPossible.
    """
    since = course.paused_since
    if since is None:
        raise NotPossible("not-paused")
    pause = today - since
    chosen = _moved_in_pause(course)

    def later(one: Planned) -> Planned:
        if one.closes < since:
            return one
        if one.id in chosen:
            return _by(one, max(today - one.opens, dt.timedelta()), course.start)
        moved_on = replace(one, closes=one.closes + pause)
        if one.opens >= since:
            about = one.about + pause if one.about else None
            moved_on = replace(moved_on, opens=one.opens + pause, about=about)
        return replace(moved_on, tell=one.tell + pause) if one.tell >= since else moved_on

    planned = _in_order(map(later, course.planned))
    end = course.end + pause if course.end and course.end >= since else course.end
    return _with(replace(course, planned=planned, end=end), "resumed", today, by, status="active")


def moved(
    course: Course, moment: str, opens: dt.date, today: dt.date, by: Mapping[str, str], *, with_later: bool = False
) -> Course:
    """Return the course in which a moment begins on another day, as long as before; its point in time moves with it.

    `with_later` moves all that begin after it by as much. What was over stays where it was, and nothing comes after the
    longest that the course may take. Raises NotPossible.
    """
    _must_go_on(course)
    found, until = _not_over(course, moment, today), _until(course, today)
    if opens < max(course.start, today) and opens != found.opens:
        raise NotPossible("before-start")
    by_days = opens - found.opens
    changed = {one.id for one in course.planned if with_later and one.opens > found.opens and one.closes >= until}
    changed.add(moment)

    shifted = (_by(one, by_days, course.start) if one.id in changed else one for one in course.planned)
    planned = _in_order(shifted)
    end = _end(course, today)
    if end is not None and any((one.about or one.opens) > end for one in planned if one.id in changed):
        raise NotPossible("after-end")
    events = tuple(
        CourseEvent("moved", today, by, one.id, one.opens, one.closes) for one in course.planned if one.id in changed
    )
    return replace(course, planned=planned, events=(*course.events, *events))


def declined(course: Course, moment: str, today: dt.date, by: Mapping[str, str]) -> Course:
    """Return the course in which the client says no to one moment, which is not over yet. Raises NotPossible."""
    _must_go_on(course)
    if _moment(course, moment).declined:
        raise NotPossible("already-declined")
    found = _not_over(course, moment, today)
    return _with(_with_moment(course, replace(found, declined=True)), "declined", today, by, moment)


def taken_back(course: Course, moment: str, today: dt.date, by: Mapping[str, str]) -> Course:
    """Return the course in which a no to one moment is taken back, as long as its days last. Raises NotPossible."""
    _must_go_on(course)
    if not _moment(course, moment).declined:
        raise NotPossible("not-declined")
    found = _not_over(course, moment, today)
    return _with(_with_moment(course, replace(found, declined=False)), "taken-back", today, by, moment)


def stopped(course: Course, today: dt.date, by: Mapping[str, str]) -> Course:
    """Return the course stopped early: what was stays, and nothing more comes. Raises NotPossible."""
    _must_go_on(course)
    return _with(course, "stopped", today, by, status="revoked")


# ---- inside ----------------------------------------------------------------------------------------------------------


def _must_be(course: Course, status: Status) -> None:
    if course.status != status:
        raise NotPossible("not-going-on")


def _must_go_on(course: Course) -> None:
    """Let a course pass that goes on, or is paused: what comes can be decided then too."""
    if course.status not in ("active", "on-hold"):
        raise NotPossible("not-going-on")


def _moment(course: Course, id_: str) -> Planned:
    found = course.moment(id_)
    if found is None:
        raise NotPossible("no-such-moment")
    return found


def _not_over(course: Course, id_: str, today: dt.date) -> Planned:
    """Return a moment about which something can be decided still."""
    found = _moment(course, id_)
    if found.closes < _until(course, today):
        raise NotPossible("moment-over")
    return found


def _until(course: Course, today: dt.date) -> dt.date:
    """Return the day before which moments are over: in a pause no day goes by."""
    return course.paused_since or today


def _end(course: Course, today: dt.date) -> dt.date | None:
    """Return the last day that a course may take; a pause adds to it, as far as it lasts until now."""
    return course.end + (today - _until(course, today)) if course.end else None


def _moved_in_pause(course: Course) -> frozenset[str]:
    """Return the moments of a paused course of which the days were chosen since it was paused."""
    kinds = [one.kind for one in course.events]
    since = len(kinds) - kinds[::-1].index("paused") if "paused" in kinds else len(kinds)
    return frozenset(one.moment for one in course.events[since:] if one.kind == "moved")


def _in_order(planned: Iterable[Planned]) -> tuple[Planned, ...]:
    return tuple(sorted(planned, key=lambda one: (one.opens, one.closes)))


def _by(one: Planned, days: dt.timedelta, start: dt.date) -> Planned:
    """Return a moment so many days later; nobody is told of it before its course begins."""
    return replace(
        one,
        tell=max(start, one.tell + days),
        opens=one.opens + days,
        closes=one.closes + days,
        about=one.about + days if one.about else None,
    )


def _with_moment(course: Course, moment: Planned) -> Course:
    return replace(course, planned=tuple(moment if one.id == moment.id else one for one in course.planned))


def _with(
    course: Course,
    kind: EventKind,
    today: dt.date,
    by: Mapping[str, str],
    moment: str = "",
    *,
    status: Status | None = None,
) -> Course:
    events = (*course.events, CourseEvent(kind, today, by, moment))
    return replace(course, events=events, status=status or course.status)
