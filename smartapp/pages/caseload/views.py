"""What the list of a professional's own clients shows, in words: pure but for the language of the reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mappers.assignment import Assignment
from mappers.caseload import Follows, Line, Sent
from questionnaires.catalogue import Catalogue
from smartapp.fhir.own.index import folded
from smartapp.i18n import message
from smartapp.pages.caseload.reading import Caseload
from smartapp.web.language import day_of, format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.talks import when

WEEK_DAYS: Final = 7
_SHOWS: Final = {
    "": message("Everybody"),
    "sent": message("Sent something"),
    "waiting": message("Something waits"),
    "week": message("A talk within a week"),
}
_LACKS: Final = {
    "clients": message("It did not name all your clients. Somebody may be missing here."),
    "talks": message("It did not name all your talks."),
    "sent": message("It did not name all that was sent in."),
    "waiting": message("It did not name all that waits."),
    "programmes": message("It did not name all programmes."),
}
_ORDERS: Final = {"": message("By name"), "near": message("What comes first")}


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to show the list: its value, what it is called, and whether it is chosen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line as people read it. `mark` changes with what the line says, and says nothing to anybody else."""

    name: str
    birth_date: str
    sought: str
    chart: str
    mark: str
    sent: tuple[str, ...]
    waiting: tuple[str, ...]
    talk: str
    follows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseloadPage:
    """The rows that are shown, of `count` clients in all; `stamp` changes with what any of all lines says."""

    rows: tuple[Row, ...]
    count: int
    shows: tuple[Choice, ...]
    orders: tuple[Choice, ...]
    show: str
    order: str
    stamp: str
    since: dt.date
    find: str = ""
    more: bool = False
    told: bool = True
    lacks: tuple[str, ...] = ()
    charts: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """How the reader wants the list: which lines, in what order, and the name that they look for."""

    show: str = ""
    order: str = ""
    find: str = ""

    @classmethod
    def of(cls, show: str, order: str, find: str = "") -> Wish:
        """Read a wish; what is none of ours is taken for none."""
        return cls(show if show in _SHOWS else "", order if order in _ORDERS else "", find.strip())

    def chosen(self, lines: Iterable[Line], today: dt.date) -> list[Line]:
        """Return the lines that are wanted, which come in the order of names, in the order that is wanted."""
        wanted = [one for one in lines if self._fits(one, today) and folded(self.find) in folded(one.name)]
        if self.order == "near":
            wanted.sort(key=lambda one: one.near or dt.date.max)
        return wanted

    def _fits(self, line: Line, today: dt.date) -> bool:
        if self.show == "sent":
            return bool(line.sent)
        if self.show == "waiting":
            return bool(line.waiting)
        if self.show == "week":
            return line.talk is not None and (line.talk.start.date() - today).days < WEEK_DAYS
        return True


def page_of(
    found: Caseload,
    wish: Wish,
    *,
    today: dt.date,
    known: Catalogue,
    chart_of: Callable[[str], str],
    mark_of: Callable[[str], str],
) -> CaseloadPage:
    """Return the page of what was found; `chart_of` gives the address of a chart by id, `mark_of` a keyed digest."""
    lines = [one.line for one in found.shown]
    marks = {one.id: mark_of(_said(one)) for one in lines}
    rows = [
        Row(
            name=line.name or _("Name not known"),
            birth_date=format_date(line.birth_date),
            sought=folded(line.name),
            chart=chart_of(line.id),
            mark=marks[line.id],
            sent=tuple(_sent(one, known) for one in line.sent),
            waiting=tuple(_waiting(one, known) for one in line.waiting),
            talk=when(line.talk.start) if line.talk else "",
            follows=tuple(_follows(one) for one in line.follows),
        )
        for line in wish.chosen(lines, today)
    ]
    return CaseloadPage(
        rows=tuple(rows),
        count=len(lines),
        shows=_choices(_SHOWS, wish.show),
        orders=_choices(_ORDERS, wish.order),
        show=wish.show,
        order=wish.order,
        stamp=mark_of("|".join([*marks.values(), *found.lacks])),
        since=found.since,
        find=wish.find,
        more=found.more,
        told=found.told,
        lacks=tuple(_(_LACKS[one]) for one in found.lacks),
        charts=bool(chart_of("x")),
    )


def _said(line: Line) -> str:
    """Return what changes when the line says something else; not because a day went by."""
    follows = [(one.course.identifier, one.paused, one.moment.id if one.moment else "") for one in line.follows]
    return repr((line.id, line.name, line.sent, line.waiting, line.talk, follows))


def _follows(one: Follows) -> str:
    title = text_of(one.course.title)
    if one.paused or one.moment is None:
        return _("%(title)s: paused", title=title)
    moment = text_of(one.moment.title)
    if one.is_open:
        return _("%(title)s: %(moment)s, until %(day)s", title=title, moment=moment, day=format_date(one.moment.closes))
    return _("%(title)s: %(moment)s, from %(day)s", title=title, moment=moment, day=format_date(one.moment.opens))


def _choices(all_: dict[str, str], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, _(label), value == chosen) for value, label in all_.items())


def _title(instrument: str, known: Catalogue) -> str:
    if instrument in known.instruments:
        return text_of(known.instruments[instrument].title)
    return _("a questionnaire of the record system")


def _sent(sent: Sent, known: Catalogue) -> str:
    return _("%(title)s, on %(day)s", title=_title(sent.instrument, known), day=format_date(day_of(sent.on)))


def _waiting(asked: Assignment, known: Catalogue) -> str:
    title, day = _title(asked.instrument, known), format_date(asked.due)
    if asked.asked_by and day:
        return _("%(title)s, asked by %(name)s, until %(day)s", title=title, name=asked.asked_by, day=day)
    if asked.asked_by:
        return _("%(title)s, asked by %(name)s", title=title, name=asked.asked_by)
    return _("%(title)s, until %(day)s", title=title, day=day) if day else title
