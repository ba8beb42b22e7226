"""What the pages of a programme show: moments in words, and what was decided, by whom and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import url_for

from mappers.course import Course, CourseEvent, Planned, Standing
from mappers.course.model import EventKind, State
from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
from questionnaires.programmes import Programme, programmes
from smartapp.i18n import message
from smartapp.pages.course.found import Followed
from smartapp.web.fields import Link
from smartapp.web.language import format_date, format_list, ngettext, text_of
from smartapp.web.language import gettext as _

DECIDED: Final[Mapping[EventKind, str]] = {
    "started": message("Begun"),
    "paused": message("Paused"),
    "resumed": message("Gone on after the pause"),
    "moved": message("Another day for: %(title)s"),
    "declined": message("Not this time: %(title)s"),
    "taken-back": message("Yes after all: %(title)s"),
    "stopped": message("Stopped"),
}

STANDS: Final[Mapping[State, str]] = {
    "later": message("This comes later."),
    "past": message("These days are over."),
    "missed": message("Missed. That is all right. Nothing is filled in for it."),
    "paused": message("This waits, since the programme is paused."),
    "stopped": message("This comes no more."),
}
IS_OPEN: Final = {
    True: message("This is now. It can be filled in until %(day)s."),
    False: message("This is now, until %(day)s."),
}
"""By whether it asks for questionnaires; so is WAS."""
WAS: Final = {True: message("Filled in."), False: message("This was held.")}
DECLINED: Final = {True: message("You said: not this time."), False: message("The client said: not this time.")}
"""By whether the reader is the client."""


@dataclass(frozen=True, slots=True)
class MomentView:
    """One moment in words. `asks` says what is filled in, `waiting` what can be now, and `done` what was.

    `change` is where it is moved or declined, "" where it is over; `declined`: a no can be taken back.
    """

    id: str
    title: str
    when: str
    says: str
    purpose: str
    outcome: str = ""
    asks: str = ""
    waiting: tuple[Link, ...] = ()
    done: str = ""
    change: str = ""
    declined: bool = False


@dataclass(frozen=True, slots=True)
class DecidedView:
    """One thing that was decided: on which day, what, by whom, and which days a moment had before."""

    day: dt.date
    what: str
    by: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course as it is today. `says` is how it goes on, in one sentence; `seen` what it says, for its forms.

    `before` has what was last first.
    """

    identifier: str
    title: str
    about: str
    group: str
    says: str
    now: tuple[MomentView, ...]
    next: tuple[MomentView, ...]
    before: tuple[MomentView, ...]
    decided: tuple[DecidedView, ...]
    available: tuple[str, ...]
    seen: str
    paused: bool
    over: bool
    on_its_way: bool

    @property
    def changes(self) -> bool:
        """Tell whether something can be decided about it now."""
        return bool(self.identifier) and not self.over and not self.on_its_way


def course_view(followed: Followed, today: dt.date, *, own: bool) -> CourseView:
    """Return a course in words; `own`: to the client whose it is."""
    course, over = followed.course, followed.is_over(today)
    closed = over or followed.on_its_way
    shown = [
        (one, _moment(one, today, own=own, change="" if closed else _change(course, one, today)))
        for one in followed.standing(today)
    ]
    programme = _programme(course)
    return CourseView(
        identifier=course.identifier,
        title=text_of(course.title),
        about=text_of(programme.about) if programme else "",
        group=course.group,
        says=_goes(followed, today),
        now=tuple(view for one, view in shown if _is_now(one, today)),
        next=tuple(view for one, view in shown if not _is_now(one, today) and not _is_before(one, today)),
        before=tuple(view for one, view in reversed(shown) if _is_before(one, today)),
        decided=tuple(_decided(course, one) for one in course.events),
        available=tuple(text_of(one.text) for one in programme.available) if programme and not over else (),
        seen=followed.seen,
        paused=course.status == "on-hold",
        over=over,
        on_its_way=followed.on_its_way,
    )


def _programme(course: Course) -> Programme | None:
    """Return the programme that a course is of, as it was when the course began; None where it is another by now."""
    found = programmes().get(course.programme)
    return found if found is not None and found.version == course.version else None


def _is_before(one: Standing, today: dt.date) -> bool:
    # In a pause no day goes by: what waits comes when the programme goes on, whatever day it had.
    return (one.planned.closes < today and one.state != "paused") or one.state in ("stopped", "answered")


def _is_now(one: Standing, today: dt.date) -> bool:
    return not _is_before(one, today) and one.planned.opens <= today and one.state != "paused"


def _goes(followed: Followed, today: dt.date) -> str:
    course = followed.course
    if course.stopped_on is not None:
        return _("Stopped on %(day)s. What was, stays.", day=format_date(course.stopped_on))
    if followed.is_over(today):
        return _("This programme is over.")
    if course.paused_since is not None:
        return _("Paused since %(day)s. Nothing is asked now.", day=format_date(course.paused_since))
    if course.start > today:
        return _("This begins on %(day)s.", day=format_date(course.start))
    if course.end is None:
        return _("Begun on %(day)s.", day=format_date(course.start))
    return _("Begun on %(day)s, until %(end)s at most.", day=format_date(course.start), end=format_date(course.end))


def _change(course: Course, one: Standing, today: dt.date) -> str:
    """Return where a moment is moved or declined, "" where it is over."""
    if one.planned.closes < (course.paused_since or today) or one.state == "answered" or not course.identifier:
        return ""
    return url_for("course.moment", identifier=course.identifier, moment_id=one.planned.id)


def _moment(one: Standing, today: dt.date, *, own: bool, change: str = "", leads: bool = True) -> MomentView:
    """Return a moment in words; `leads`: with the way to what waits for the client."""
    planned = one.planned
    return MomentView(
        id=planned.id,
        title=text_of(planned.title),
        when=when(planned),
        says=_says(one, today, own=own),
        purpose=text_of(planned.purpose),
        outcome=text_of(planned.outcome),
        asks=_asks(planned, own=own),
        waiting=tuple(_to_fill_in(instrument, leads=own and leads) for instrument in one.waiting),
        done=format_list([title_of(instrument) for instrument in one.done]) if one.state != "answered" else "",
        change=change,
        declined=planned.declined,
    )


def when(planned: Planned) -> str:
    """Return when a moment is: on a day, about a day, or between two."""
    first, last = format_date(planned.opens), format_date(planned.closes)
    if planned.opens == planned.closes:
        said = _("On %(day)s", day=first)
    elif planned.about is not None:
        said = _(
            "About %(about)s, between %(first)s and %(last)s", about=format_date(planned.about), first=first, last=last
        )
    else:
        said = _("Between %(first)s and %(last)s", first=first, last=last)
    minutes = ngettext("%(num)s minute", "%(num)s minutes", planned.minutes or 0)
    return f"{said}, {minutes}" if planned.minutes else said


def _asks(planned: Planned, *, own: bool) -> str:
    """Return in a sentence what is filled in at a moment, "" for nothing."""
    titles = format_list([title_of(one.instrument) for one in planned.questionnaires])
    if not titles:
        return ""
    return _("You fill in: %(titles)s.", titles=titles) if own else _("Asked: %(titles)s.", titles=titles)


def title_of(instrument: str) -> str:
    """Return what a questionnaire is called; its id where we do not know it."""
    known = catalogue().instruments.get(instrument)
    return text_of(known.title) if known else instrument


def _to_fill_in(instrument: str, *, leads: bool) -> Link:
    known = leads and instrument in catalogue().asked
    href = url_for("questionnaire.intro", instrument_id=instrument) if known else ""
    return Link(title_of(instrument), href)


def _says(one: Standing, today: dt.date, *, own: bool) -> str:
    """Return where a moment is, in a sentence. What was missed is no fault."""
    asked = bool(one.planned.questionnaires)
    if one.state == "announced":
        return _("This comes %(when)s.", when=after_days(one.planned.opens, today))
    if one.state == "open":
        says = IS_OPEN[asked]
    elif one.state == "answered":
        says = WAS[asked]
    elif one.state == "declined":
        says = DECLINED[own]
    else:
        says = STANDS[one.state]
    return _(says, day=format_date(one.planned.closes))


def after_days(day: dt.date, today: dt.date) -> str:
    """Return how long from now a later day is, within a sentence: tomorrow, in 5 days, in 3 weeks."""
    days = (day - today).days
    if days <= 1:
        return _("tomorrow")
    if days < 14:
        return ngettext("in %(num)s day", "in %(num)s days", days)
    return ngettext("in %(num)s week", "in %(num)s weeks", days // 7)


def _decided(course: Course, event: CourseEvent) -> DecidedView:
    one = course.moment(event.moment)
    before = ""
    if event.opens is not None and event.closes is not None:
        before = _("It was from %(first)s to %(last)s.", first=format_date(event.opens), last=format_date(event.closes))
    what = _(DECIDED[event.kind], title=text_of(one.title) if one else event.moment)
    return DecidedView(event.day, what, text_in(event.by, "display"), before)


@dataclass(frozen=True, slots=True)
class Told:
    """A course to read and no more: what it is called, how it goes on, and its moments in the order of their days."""

    title: str
    says: str
    moments: tuple[MomentView, ...]


def told(followed: Followed, today: dt.date, *, own: bool) -> Told:
    """Return a course for paper, or for somebody who only reads it; `own`: to the client whose it is."""
    moments = (_moment(one, today, own=own, leads=False) for one in followed.standing(today))
    return Told(text_of(followed.course.title), _goes(followed, today), tuple(moments))


# --- beginning ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProgrammeChoice:
    """A programme that can be begun."""

    value: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class Coming:
    """All that a course would ask, with its days; `sources` are what the programme comes from."""

    title: str
    about: str
    counted: str
    length: str
    moments: tuple[MomentView, ...]
    sources: tuple[str, ...]
    available: tuple[str, ...]
    seen: str


@dataclass(frozen=True, slots=True)
class BeginPage:
    """The form that begins a programme, with all that was typed, and what would come once that is known."""

    choices: tuple[ProgrammeChoice, ...]
    typed: Mapping[str, str]
    problems: Mapping[str, str]
    trouble: str = ""
    coming: Coming | None = None

    @property
    def summary(self) -> tuple[dict[str, str], ...]:
        """Return what needs correcting, with the id of the field, for the summary at the top of the page."""
        first = {"programme": f"programme-{self.choices[0].value}"} if self.choices else {}
        return tuple({"field": first.get(name, name), "text": text} for name, text in self.problems.items())


def choices(offered: Iterable[Programme]) -> tuple[ProgrammeChoice, ...]:
    """Return the programmes that can be begun."""
    return tuple(ProgrammeChoice(one.id, text_of(one.title), text_of(one.about)) for one in offered)


def coming(programme: Programme, course: Course, moments: Iterable[Standing], today: dt.date, seen: str) -> Coming:
    """Return what would come of a programme; `seen` is what stands for the choices that it follows from."""
    return Coming(
        title=text_of(course.title),
        about=text_of(programme.about),
        counted=_(
            "Counted from %(what)s: %(day)s.", what=text_of(programme.counted_from), day=format_date(course.start)
        ),
        length=_("It takes until %(day)s at most.", day=format_date(course.end)) if course.end else "",
        moments=tuple(_moment(one, today, own=False) for one in moments),
        sources=tuple(one.citation for one in programme.sources.values()),
        available=tuple(text_of(one.text) for one in programme.available),
        seen=seen,
    )


# --- elsewhere ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the first page says of a course: one measurement that is now or near, in words, and whether it is paused.

    `talk` is the day about which a conversation is planned, where one is near.
    """

    title: str
    says: str = ""
    purpose: str = ""
    paused: bool = False
    talk: dt.date | None = None


def ahead(followed: Iterable[Followed], today: dt.date) -> tuple[Ahead, ...]:
    """Return what the client's first page says of the courses that go on, as far as there is something to say."""
    said = (_ahead(one, today) for one in followed if not one.is_over(today))
    return tuple(one for one in said if one.says or one.paused or one.talk)


def _ahead(followed: Followed, today: dt.date) -> Ahead:
    course = followed.course
    if course.paused_since is not None:
        return Ahead(text_of(course.title), paused=True)
    moments = followed.standing(today)
    asked = next((one for one in moments if one.planned.questionnaires and one.state in ("open", "announced")), None)
    talks = (one.planned for one in moments if one.planned.kind == "talk" and one.state in ("open", "announced"))
    # What day a conversation was held is not known here: after the day that was named, nothing more is said of it.
    talk = next((day for one in talks if (day := one.about or one.closes) >= today), None)
    return Ahead(
        text_of(course.title),
        says=_asked(course, asked, today) if asked else "",
        # What is open stands on that page itself, with what it is for.
        purpose=text_of(asked.planned.purpose) if asked and asked.state == "announced" else "",
        talk=talk,
    )


def _asked(course: Course, one: Standing, today: dt.date) -> str:
    title = text_of(one.planned.title)
    if one.state == "open":
        return _("Now: %(title)s. You can do this until %(day)s.", title=title, day=format_date(one.planned.closes))
    number = len(one.planned.questionnaires)
    what = ngettext("%(num)s questionnaire", "%(num)s questionnaires", number)
    values = {"when": after_days(one.planned.opens, today), "what": what}
    again = any(_names(each) & _names(one.planned) for each in course.planned if each.opens < one.planned.opens)
    said = _("We ask you %(what)s again %(when)s.", **values) if again else _("We ask you %(what)s %(when)s.", **values)
    return said[:1].upper() + said[1:]


def _names(planned: Planned) -> set[str]:
    return {one.instrument for one in planned.questionnaires}


@dataclass(frozen=True, slots=True)
class Line:
    """A course in one line, for a professional: what it is called, and what is now or next."""

    title: str
    says: str


def line_of(followed: Iterable[Followed], today: dt.date) -> tuple[Line, ...]:
    """Return the courses that go on and of which something is now or comes, each in one line."""
    lines = (Line(text_of(one.course.title), _next(one, today)) for one in followed if not one.is_over(today))
    return tuple(one for one in lines if one.says)


def _next(followed: Followed, today: dt.date) -> str:
    """Return what is now or next, "" where nothing is."""
    if followed.course.paused_since is not None:
        return _("paused since %(day)s", day=format_date(followed.course.paused_since))
    moments = followed.standing(today)
    now = next((one for one in moments if one.state == "open"), None)
    if now is not None:
        values = {"title": text_of(now.planned.title), "day": format_date(now.planned.closes)}
        return _("now %(title)s, until %(day)s", **values)
    later = next((one for one in moments if one.state in ("announced", "later")), None)
    if later is None:
        return ""
    return _("next %(title)s, from %(day)s", title=text_of(later.planned.title), day=format_date(later.planned.opens))
