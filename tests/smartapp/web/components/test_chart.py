"""Scores as pictures: the published range is the axis, time is to scale, a gap stays a gap."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.web.components.chart import (
    BOTTOM,
    RIGHT,
    SCALE_LEFT,
    SCALE_RIGHT,
    TOP,
    WIDTH_OF_A_DATE,
    Chart,
    ChartValue,
    change_of,
    line_chart,
)

FIRST = dt.date(2024, 1, 1)


def chart(*values: float | None, days: list[int] | None = None, low: float = 12, high: float = 48) -> Chart:
    """Draw values 100 days apart, or on the given days."""
    days = days or [100 * index for index in range(len(values))]
    measured = [ChartValue(FIRST + dt.timedelta(day), value) for day, value in zip(days, values, strict=True)]
    return line_chart(
        measured,
        low=low,
        high=high,
        id="c",
        title="t",
        summary="s",
        caption="c",
        number=lambda number: f"{number:g}",
        month=lambda day: f"{day:%m-%Y}",
    )


def test_the_ends_of_the_axis_are_the_published_range():
    drawn = chart(12, 48)
    assert [point.y for point in drawn.points] == [BOTTOM, TOP]
    assert [tick.label for tick in drawn.ticks] == ["12", "30", "48"]


def test_a_short_range_shows_every_whole_number():
    assert [tick.label for tick in chart(3, low=1, high=5).ticks] == ["1", "2", "3", "4", "5"]


def test_time_is_to_scale():
    first, second, third = (point.x for point in chart(20, 20, 20, days=[0, 100, 400]).points)
    assert (second - first) / (third - first) == pytest.approx(0.25, abs=0.001)  # 100 of 400 days


def test_a_gap_is_not_bridged():
    drawn = chart(20, None, 30)
    assert drawn.segments == ()
    assert drawn.points[1].y is None


def test_points_next_to_each_other_are_joined():
    assert len(chart(20, 25, None, 30, 31).segments) == 2  # 20-25 and 30-31


def test_one_point_alone_needs_no_line():
    assert (len(chart(20).points), chart(20).segments) == (1, ())


def test_no_points_make_an_empty_picture():
    assert chart().points == ()


def test_two_on_one_day_stand_beside_each_other():
    first, second = chart(20, 30, days=[0, 0]).points
    assert first.x < second.x


@pytest.mark.parametrize("value", [11.9, 48.1])
def test_a_value_outside_the_range_is_refused(value):
    with pytest.raises(ValueError, match="outside its range"):
        chart(value)


def test_a_range_upside_down_is_refused():
    with pytest.raises(ValueError, match="low must be below high"):
        chart(20, low=48, high=12)


def test_the_newest_always_has_its_date():
    assert chart(20, 21, 22, days=[0, 395, 400]).points[-1].when != ""


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=30))
def test_dates_never_overlap_and_nothing_leaves_the_picture(days):
    days = sorted(days)
    drawn = chart(*[20.0] * len(days), days=days)
    before = {"start": 0.0, "middle": WIDTH_OF_A_DATE / 2, "end": WIDTH_OF_A_DATE}
    starts = sorted(point.x - before[point.anchor] for point in drawn.points if point.when)
    assert all(b - a >= WIDTH_OF_A_DATE - 0.001 for a, b in itertools.pairwise(starts))
    assert all(0 <= point.x <= RIGHT for point in drawn.points)


# ---- the first and the last beside each other


def kinds(*values: float | None) -> list[str]:
    return [dot.kind for dot in change_of(values, low=1, high=5).dots]


def test_the_ends_of_a_scale_are_the_published_range():
    change = change_of([1, 5], low=1, high=5)
    assert [dot.x for dot in change.dots] == [SCALE_LEFT, SCALE_RIGHT]
    assert (change.marks[0], change.marks[-1], len(change.marks)) == (SCALE_LEFT, SCALE_RIGHT, 5)


def test_the_first_is_a_ring_the_last_is_filled_and_what_is_between_is_small():
    assert kinds(1, 2, 4, 5) == ["between", "between", "first", "last"]  # in the order of drawing: the last on top


def test_a_single_score_is_a_filled_dot_and_none_is_nothing():
    assert kinds(3) == kinds(None, 3, None) == ["last"]
    assert kinds(None) == kinds() == []


def test_what_lies_between_two_measurements_in_a_row_is_joined_whichever_way_it_went():
    up, down = (change_of(values, low=1, high=5).spans for values in ([2, 4], [4, 2]))
    assert up == down
    assert up == ((26.5, 73.5),)  # 3 + 94 × 1/4 and 3 + 94 × 3/4


def test_no_span_goes_across_a_measurement_without_a_score():
    assert change_of([2, None, 4], low=1, high=5).spans == ()
    assert len(change_of([2, 3, None, 4, 5], low=1, high=5).spans) == 2


@pytest.mark.parametrize("value", [0.9, 5.1])
def test_a_value_outside_the_range_is_refused_in_a_change_too(value):
    with pytest.raises(ValueError, match="outside its range"):
        change_of([value], low=1, high=5)


@given(st.lists(st.none() | st.floats(1, 5), max_size=12))
def test_every_score_has_one_dot_within_the_scale(values):
    change = change_of(values, low=1, high=5)
    assert len(change.dots) == sum(value is not None for value in values)
    assert [dot.kind for dot in change.dots].count("last") == (1 if change.dots else 0)
    assert all(SCALE_LEFT <= dot.x <= SCALE_RIGHT for dot in change.dots)
    assert all(start <= end for start, end in change.spans)
