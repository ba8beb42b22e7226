"""The geometry of a line over time: pure arithmetic, drawn by `components/chart.html`.

Positions are percentages of the picture, so the picture fills any width while its text keeps its size. The vertical
axis is always the published range of the score. Where there is no score there is a gap, never a guess.

Why our own: of the libraries tried, pygal 3.1.3 writes a <style> and a <script> into every picture, also with `js=[]`,
which our content security policy forbids, and leather 0.4.1 writes fixed colours (no dark mode) and no accessible name.
Both scale their letters with the picture, so that 320 px makes them unreadable.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

LEFT, RIGHT, TOP, BOTTOM = 14.0, 93.0, 12.0, 80.0
"""The field of the points in percent: room for the numbers of the axis, the values and the dates."""

WIDTH_OF_A_DATE = 27.0
"""A month and year at 320 px, in percent: dates closer together than this are left to the table."""


@dataclass(frozen=True, slots=True)
class ChartValue:
    """One moment: the day, and the value with its text, or None where there is no score."""

    day: dt.date
    value: float | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A horizontal line with its number; `end` where it is an end of the range."""

    y: float
    label: str
    end: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A line between two points next to each other."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Point:
    """A value (`y` None: no score), its text, its date where there is room, and where the texts stand."""

    x: float
    y: float | None
    label: str
    when: str
    anchor: str
    below: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole picture, ready to draw. `title` and `summary` are what a screen reader says."""

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

    `measured` is oldest first. `number` and `month` write a number and a date in the reader's language. A value outside
    the range raises ValueError: it cannot be this score.
    """
    if not low < high:
        raise ValueError(f"The range of chart {id!r} runs from {low} to {high}; low must be below high.")
    for moment in measured:
        if moment.value is not None and not low <= moment.value <= high:
            raise ValueError(f"Chart {id!r} holds {moment.value}, outside its range {low} to {high}.")
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
    segments = tuple(
        Segment(a.x, a.y, b.x, b.y) for a, b in itertools.pairwise(points) if a.y is not None and b.y is not None
    )
    ticks = tuple(Tick(_down(value, low, high), number(value), value in {low, high}) for value in _marks(low, high))
    return Chart(id, title, summary, caption, ticks, segments, points)


def _across(days: Sequence[dt.date]) -> list[float]:
    """Return positions in proportion to time; one day alone stands in the middle."""
    if not days:
        return []
    span = (days[-1] - days[0]).days
    first, last = LEFT + 3, RIGHT
    if span <= 0:
        step = (last - first) / (len(days) + 1)
        return [round(first + step * (index + 1), 2) for index in range(len(days))]
    return [round(first + (last - first) * (day - days[0]).days / span, 2) for day in days]


def _down(value: float, low: float, high: float) -> float:
    """Return the height of a value: `high` at the top, `low` at the bottom."""
    return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 2)


def _anchor(x: float) -> Literal["start", "middle", "end"]:
    """Return where a text above or below `x` is held, so that it stays inside the picture."""
    return "end" if x > 85 else "start" if x < LEFT + 6 else "middle"


def _with_room(xs: Sequence[float]) -> set[int]:
    """Return which points get their date written: the last, the first, and others where it overlaps nothing."""
    before = {"start": 0.0, "middle": WIDTH_OF_A_DATE / 2, "end": WIDTH_OF_A_DATE}
    starts = [x - before[_anchor(x)] for x in xs]
    chosen: list[int] = []
    for index in dict.fromkeys([len(xs) - 1, *range(len(xs))]) if xs else ():
        if all(abs(starts[index] - starts[other]) >= WIDTH_OF_A_DATE for other in chosen):
            chosen.append(index)
    return set(chosen)


def _below(xs: Sequence[float], ys: Sequence[float | None]) -> set[int]:
    """Return which values are written under their point: at the top of the field, and close before a higher one."""
    under = {index for index, y in enumerate(ys) if y is not None and y < TOP + 6}
    for index, (x, y) in enumerate(zip(xs[:-1], ys[:-1], strict=True)):
        following = ys[index + 1]
        if y is not None and following is not None and xs[index + 1] - x < WIDTH_OF_A_DATE and following <= y:
            under.add(index)
    return under


def _marks(low: float, high: float) -> list[float]:
    """Return the numbers of the axis: every whole one of a short range, else both ends and the middle."""
    if high - low <= 6 and low == int(low) and high == int(high):
        return [float(value) for value in range(int(low), int(high) + 1)]
    return [low, (low + high) / 2, high]
