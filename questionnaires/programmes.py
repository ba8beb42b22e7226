"""Programmes: when to measure, to talk and to look back, as data. One file is one programme.

Ours are in `programmes/`; a place puts its own, or another version of ours, in a folder named by the environment
variable VERSTEL_PROGRAMMES. Applied to a client from a day on, a programme becomes a course (`mappers.course`).
"""

from __future__ import annotations

import calendar
import datetime as dt
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from questionnaires import canonical
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.model import Text
from questionnaires.reading import DefinitionError, FilePlace, Name, Strict, read
from questionnaires.tables import CitationTable, FactTable

PROGRAMMES: Final = Path(__file__).with_name("programmes")

MOST_TIMES: Final = 200
"""So often a moment may come again: nobody reads of more, and each is a row in the record."""
MomentKind = Literal["plan", "talk", "measurement", "evaluation"]
Unit = Literal["days", "weeks", "months"]
StartedBy = Literal["clinician", "case-manager", "peer-worker"]
_SPAN: Final = re.compile(r"(?P<number>0|[1-9][0-9]{0,3}) (?P<unit>day|week|month)s?")

Span = Annotated[
    str,
    Meta(
        pattern=r"\A(0|[1-9][0-9]{0,3}) (day|week|month)s?\Z",
        description='is {value!r}; write a number of days, weeks or months, such as "6 weeks"',
    ),
]
"""A length of time, as `6 weeks` or `18 months`."""


def span_of(span: str) -> tuple[int, Unit]:
    """Return the number and the unit of a span: `18 months` is (18, "months")."""
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f"{span!r} is no number of days, weeks or months")
    units: dict[str, Unit] = {"day": "days", "week": "weeks", "month": "months"}
    return int(found["number"]), units[found["unit"]]


def after(day: dt.date, span: str, times: int = 1) -> dt.date:
    """Return the day that is so many times a span later; where a month has no such day, its last one.

    `31 January` and one month are the last of February. Counted at once from the day itself, so that two months after
    31 January are 31 March. `times` may be negative: so long before.
    """
    number, unit = span_of(span)
    number *= times
    if unit != "months":
        return day + dt.timedelta(days=number if unit == "days" else 7 * number)
    year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class Moment(Strict, frozen=True):
    """Something that a programme has at a time counted from its start: first day, last day, and when to tell.

    `about` is the point in time that the source names, where it names one. With `every` it comes again and again, until
    the programme's `longest` is over. `tell` is how long before `opens` the client reads of it.
    """

    id: Name
    kind: MomentKind
    title: Text
    purpose: Text
    opens: Span
    closes: Span
    outcome: Text | None = None
    about: Span | None = None
    every: Span | None = None
    tell: Span = "0 days"
    minutes: Annotated[int, Meta(ge=1, le=480)] | None = None
    questionnaires: tuple[Name, ...] = ()


class Available(Strict, frozen=True):
    """Somebody who is there for the client during the programme; `role` is one of `mappers.roles`."""

    role: Name
    text: Text


class Programme(Strict, frozen=True):
    """The whole file. `started_by` are the roles that may start it for a client."""

    id: Name
    version: Annotated[str, Meta(pattern=r"\A\d+\.\d+\.\d+\Z", description="is {value!r}; write it like 1.0.0")]
    title: Text
    about: Text
    counted_from: Text
    started_by: tuple[StartedBy, ...]
    moments: tuple[Moment, ...]
    sources: Mapping[str, CitationTable] = {}
    facts: tuple[FactTable, ...] = ()
    longest: Span | None = None
    available: tuple[Available, ...] = ()

    @property
    def canonical(self) -> str:
        """Return the address of its PlanDefinition, with the version."""
        return f"{canonical.BASE}/PlanDefinition/{self.id}|{self.version}"

    def moment(self, id_: str) -> Moment | None:
        """Return the moment with this id."""
        return next((one for one in self.moments if one.id == id_), None)


def read_programme(path: Path, known: Catalogue | None = None) -> Programme:
    """Return what a file says. DefinitionError names file and key where that can't be."""
    found = read(path, Programme)
    place = FilePlace(path.name)
    if found.id != path.stem:
        raise place.error("id", f"is {found.id!r}; the file is called {path.stem!r}, which must be the same")
    if not found.started_by:
        raise place.error("started_by", "is empty; somebody has to be able to start it")
    _check_moments(place, found, known or catalogue())
    _check_sources(place, found)
    return found


_STARTS: Final = tuple(dt.date(year, month, day) for year in (2023, 2024) for month in range(1, 13) for day in (1, 28))
"""Days from which spans are compared: a month is longer than 30 days after some of them only."""


def _check_moments(place: FilePlace, programme: Programme, known: Catalogue) -> None:
    if not programme.moments:
        raise place.error("moments", "is empty; a programme has at least one")
    seen: set[str] = set()
    for where, one in place.each("moments", programme.moments):
        if one.id in seen:
            raise where.error("id", f"is {one.id!r}, which an earlier moment has already")
        seen.add(one.id)
        _check_time(where, one, programme)
        for questionnaire in one.questionnaires:
            if questionnaire not in known.asked:
                raise where.error("questionnaires", f"has {questionnaire!r}; use one of {', '.join(known.asked)}")
        if len(set(one.questionnaires)) < len(one.questionnaires):
            raise where.error("questionnaires", "has one of them twice")
        if one.kind == "measurement" and not one.questionnaires:
            raise where.error("questionnaires", "is empty; a measurement asks at least one")
        if one.kind == "measurement" and one.outcome is None:
            raise where.error("outcome", "is missing; say what is measured, in words for the client")


def _check_time(where: FilePlace, one: Moment, programme: Programme) -> None:
    if not _in_order(one.opens, one.closes):
        raise where.error("closes", f"is {one.closes!r}, which comes before opens, {one.opens!r}")
    if one.about and not _in_order(one.opens, one.about, one.closes):
        raise where.error("about", f"is {one.about!r}, which is not between {one.opens!r} and {one.closes!r}")
    if programme.longest and not _in_order(one.opens, programme.longest):
        raise where.error("opens", f"is {one.opens!r}, after the longest that the programme takes")
    if one.every is not None:
        if span_of(one.every)[0] == 0:
            raise where.error("every", "is no time at all; write how long after one the next comes")
        if programme.longest is None:
            raise where.error("every", "needs an end: give the programme its longest")
        if after(_STARTS[0], one.every, MOST_TIMES) <= after(_STARTS[0], programme.longest):
            raise where.error("every", f"is {one.every!r}: it would come more than {MOST_TIMES} times")
        if not all(after(after(day, one.opens), one.every) > after(day, one.closes) for day in _STARTS):
            raise where.error("every", f"is {one.every!r}: the next would begin before this one is over")


def _in_order(*spans: str) -> bool:
    """Tell whether spans get no shorter, whichever day they are counted from."""
    days = ([after(day, span) for span in spans] for day in _STARTS)
    return all(one == sorted(one) for one in days)


def _check_sources(place: FilePlace, programme: Programme) -> None:
    for where, fact in place.each("facts", programme.facts):
        for source in fact.sources:
            if source not in programme.sources:
                raise where.error("sources", f"has {source!r}; [sources] has {', '.join(programme.sources) or 'none'}")
        if fact.verified and not fact.sources:
            raise where.error("verified", "is true, but no source is named")


def read_programmes(folders: Iterable[Path], known: Catalogue | None = None) -> Mapping[str, Programme]:
    """Return the programmes of some folders by id, in the order of their names; a later folder's counts."""
    files: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise DefinitionError(str(folder), "", "is not a folder; VERSTEL_PROGRAMMES must name one that exists")
        files |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return {id_: read_programme(path, known) for id_, path in files.items()}


@cache
def _programmes(folders: tuple[Path, ...], known: Catalogue) -> Mapping[str, Programme]:
    return read_programmes(folders, known)


def folder_of_the_place() -> Path | None:
    """Return the folder that VERSTEL_PROGRAMMES names, or None where the variable is not set."""
    named = os.environ.get("VERSTEL_PROGRAMMES", "")
    return Path(named) if named else None


def programmes() -> Mapping[str, Programme]:
    """Return the programmes of this process by id: ours, and those of the place in the folder VERSTEL_PROGRAMMES."""
    folder = folder_of_the_place()
    return _programmes((PROGRAMMES, folder) if folder else (PROGRAMMES,), catalogue())
