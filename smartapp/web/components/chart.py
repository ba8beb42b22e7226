"""The geometry of scores, first and last beside each other or a line over time: drawn by `components/chart.html`.

Pure arithmetic, for any page and for paper. Positions are percentages of the picture, so it fills any width while its
text keeps its size. The axis is always the published range of the score: an axis cut off at the data would make a
small change look large. A missing score leaves a gap, never a guess. Nothing depends on which way a score went.

Why our own: of the libraries we tried, pygal 3.1.3 writes a <style> and a <script> into every picture, even with
`js=[]`, which our content security policy forbids; leather 0.4.1 writes fixed colours (no dark mode) and no accessible
name. Both scale their letters with the picture, which makes them unreadable at 320 px.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

LEFT, RIGHT, TOP, BOTTOM = 14.0, 93.0, 12.0, 80.0
"""The field of the points, in percent; around it is room for the numbers of the axis, the values and the dates."""

WIDTH_OF_A_DATE = 27.0
"""The width of a month and year at 320 px, in percent: dates closer together than this appear in the table only."""


@dataclass(frozen=True, slots=True)
class ChartValue:
    """One moment: a day, the value (None: no score), and a text for it if the number alone will not do."""

    day: dt.date
    value: float | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A score on its scale: the `first` is drawn as a ring, one in `between` small, the `last` filled."""

    x: float
    kind: Literal["first", "between", "last"]


@dataclass(frozen=True, slots=True)
class Change:
    """The scores of one scale on one line, in the order in which they are drawn; the newest lies on top."""

    marks: tuple[float, ...]  # where the scale has its numbers; the first and the last are its ends
    spans: tuple[tuple[float, float], ...]  # between two measurements in a row, the smaller x first
    dots: tuple[Dot, ...]


SCALE_LEFT, SCALE_RIGHT = 3.0, 97.0
"""The ends of the scale in a `Change`, in percent; beside them is room for half a dot."""


def change_of(values: Sequence[float | None], *, low: float, high: float) -> Change:
    """Lay out the scores of one scale, oldest first, between `low` and `high`, its published range.

    A single score is the `last`. None is a measurement without a score: no span goes across it, as nobody gave what
    lies there. Raises ValueError for a value outside the range: it cannot be this score.
    """
    _demand_within(values, low, high, "of a change")
    xs = [None if value is None else _along(value, low, high) for value in values]
    scored = [x for x in xs if x is not None]
    spans = tuple((min(a, b), max(a, b)) for a, b in itertools.pairwise(xs) if a is not None and b is not None)
    dots = [Dot(x, "between") for x in scored[1:-1]]
    dots += [Dot(x, "first") for x in scored[:1] if len(scored) > 1]
    dots += [Dot(x, "last") for x in scored[-1:]]
    return Change(tuple(_along(mark, low, high) for mark in _marks(low, high)), spans, tuple(dots))


def _along(value: float, low: float, high: float) -> float:
    return round(SCALE_LEFT + (SCALE_RIGHT - SCALE_LEFT) * (value - low) / (high - low), 2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A horizontal line with its number; `end` if it is an end of the range."""

    y: float
    label: str
    end: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A line between two consecutive points."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Point:
    """A value with its texts."""

    x: float
    y: float | None  # None: no score
    label: str
    when: str  # its date, or "" if there is no room for it
    anchor: str  # SVG's text-anchor, for both texts
    below: bool  # whether the value is written under its point


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole picture, ready to draw. `title` and `summary` are what a screen reader reads out."""

    id: str
    title: str
    summary: str
    caption: str
    ticks: tuple[Tick, ...]
    segments: tuple[Segment, ...]
    points: tuple[Point, ...]
    left: float = LEFT
    top: float = TOP
    bottom: float = BOTTOM


def line_chart(
    measured: Sequence[ChartValue],
    *,
    low: float,
    high: float,
    id: str,
    title: str,
    summary: str,
    caption: str,
    number: Callable[[float], str],
    month: Callable[[dt.date], str],
) -> Chart:
    """Lay out values over time between `low` and `high`, the published range.

    `measured` is oldest first. `number` and `month` write a number and a date in the reader's language. Raises
    ValueError for a value outside the range: it cannot be this score.
    """
    _demand_within([moment.value for moment in measured], low, high, id)
    xs = _across([moment.day for moment in measured])
    ys = [None if moment.value is None else _down(moment.value, low, high) for moment in measured]
    dated, under = _with_room(xs), _below(xs, ys)
    points = tuple(
        Point(
            x=x,
            y=y,
            label=moment.label or ("" if moment.value is None else number(moment.value)),
            when=month(moment.day) if index in dated else "",
            anchor=_anchor(x),
            below=index in under,
        )
        for index, (moment, x, y) in enumerate(zip(measured, xs, ys, strict=True))
    )
    # Only neighbours that both have a score: bridging a gap would draw a score that nobody gave.
    segments = tuple(
        Segment(a.x, a.y, b.x, b.y) for a, b in itertools.pairwise(points) if a.y is not None and b.y is not None
    )
    ticks = tuple(Tick(_down(value, low, high), number(value), value in {low, high}) for value in _marks(low, high))
    return Chart(id, title, summary, caption, ticks, segments, points)


def _demand_within(values: Sequence[float | None], low: float, high: float, id: str) -> None:
    if not low < high:
        raise ValueError(f"The range of chart {id!r} runs from {low} to {high}; low must be below high.")
    for value in values:
        if value is not None and not low <= value <= high:
            raise ValueError(f"Chart {id!r} holds {value}, outside its range {low} to {high}.")


def _across(days: Sequence[dt.date]) -> list[float]:
    """Return positions in proportion to time, with a single day in the middle."""
    if not days:
        return []
    span = (days[-1] - days[0]).days
    first, last = LEFT + 3, RIGHT  # clear of the axis, so that the first point does not sit on it
    # Several measurements on one day have no order in time that we know of: they are spread evenly.
    if span <= 0:
        step = (last - first) / (len(days) + 1)
        return [round(first + step * (index + 1), 2) for index in range(len(days))]
    return [round(first + (last - first) * (day - days[0]).days / span, 2) for day in days]


def _down(value: float, low: float, high: float) -> float:
    """Return the distance of a value from the top: SVG's y grows downwards."""
    return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 2)


def _anchor(x: float) -> Literal["start", "middle", "end"]:
    """Return which part of a text goes at `x`, so that the text stays inside the picture."""
    return "end" if x > 85 else "start" if x < LEFT + 6 else "middle"


def _with_room(xs: Sequence[float]) -> set[int]:
    """Return which points get their date: the last, then from the first on each that overlaps no other date."""
    # How far a date reaches to the left of its point.
    before = {"start": 0.0, "middle": WIDTH_OF_A_DATE / 2, "end": WIDTH_OF_A_DATE}
    starts = [x - before[_anchor(x)] for x in xs]
    chosen: list[int] = []
    # The newest date matters most, so it is placed first and the others have to give way to it.
    for index in dict.fromkeys([len(xs) - 1, *range(len(xs))]) if xs else ():
        if all(abs(starts[index] - starts[other]) >= WIDTH_OF_A_DATE for other in chosen):
            chosen.append(index)
    return set(chosen)


def _below(xs: Sequence[float], ys: Sequence[float | None]) -> set[int]:
    """Return which values are written under their point instead of above it."""
    # Above a point at the very top there is no room.
    under = {index for index, y in enumerate(ys) if y is not None and y < TOP + 6}
    for index, (x, y) in enumerate(zip(xs[:-1], ys[:-1], strict=True)):
        following = ys[index + 1]
        # The line to a higher point close by would run through a text above this one.
        if y is not None and following is not None and xs[index + 1] - x < WIDTH_OF_A_DATE and following <= y:
            under.add(index)
    return under


def _marks(low: float, high: float) -> list[float]:
    """Return the numbers on the axis: each whole number of a short range, else both ends and the middle."""
    if high - low <= 6 and low == int(low) and high == int(high):
        return [float(value) for value in range(int(low), int(high) + 1)]
    return [low, (low + high) / 2, high]
