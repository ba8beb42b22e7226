"""Which measurement it was, what a change is, and that no count of few follows from the others."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappers.research import (
    DOES_NOT_APPLY,
    MOMENTS,
    NOT_ANSWERED,
    NOT_ASKED,
    Cell,
    cells_of,
    change_of,
    column,
    moments_of,
    suppressed,
    variables_of,
)
from mappers.scoring import score
from tests.mappers.build import CATALOGUE, all_answered, values_for

ASKED = list(CATALOGUE.asked.values())


@pytest.mark.parametrize(
    ("days", "moments"),
    [
        ([], []),
        ([5], ["begin"]),
        ([5, 5], ["begin", "other"]),
        ([5, 6], ["begin", "end"]),
        ([0, 40, 100], ["begin", "middle", "end"]),
        ([0, 10, 45, 80, 100], ["begin", "other", "middle", "other", "end"]),  # the middle is 50: 45 is nearest
        ([0, 40, 60, 100], ["begin", "middle", "other", "end"]),  # as near: the earlier one
        ([0, 0, 100, 100], ["begin", "other", "other", "end"]),
    ],
)
def test_a_persons_own_first_nearest_the_middle_and_last(days, moments):
    assert moments_of(days) == moments


def test_windows_of_a_traject():
    start = date(2024, 1, 1).toordinal()
    # 18 months are 18 x 30.4375 = 547.875 days: 548 is nearer than 540. 2 months are 60.875 days.
    days = [-1, 30, 60, 61, 540, 548, 640, 913, 1010]
    expected = ["other", "begin", "other", "other", "other", "middle", "other", "end", "other"]
    assert moments_of([start + day for day in days], start) == expected


@given(st.lists(st.integers(0, 1500)).map(sorted), st.none() | st.integers(0, 400))
def test_each_moment_is_there_once_at_most_and_in_order_of_time(days, start):
    found = [moment for moment in moments_of(days, start) if moment in MOMENTS]
    assert found == [moment for moment in MOMENTS if moment in found]


@given(st.dictionaries(st.integers(-6, 9), st.integers(0, 20)))
def test_what_is_not_said_is_six_people_or_more_and_two_answers_or_more_wherever_there_are_so_many(counts):
    told = suppressed(counts)
    hidden = [value for value, number in told.items() if number is None]
    assert all(number is None or number == 0 or number >= 6 for number in told.values())
    assert all(told[value] in (None, counts[value]) for value in counts)
    if hidden and any(number for number in told.values()):
        assert len(hidden) >= 2
        assert sum(counts[value] for value in hidden) >= 6
    if all(number == 0 or number >= 6 for number in counts.values()):
        assert not hidden


def test_the_change_of_six_people():
    # Begin 1..6, mean 3.5; changes 0, 1, 2, 3, 4, 5: mean 2.5, squares 2(6.25 + 2.25 + 0.25) = 17.5, sd sqrt(17.5 / 5).
    made = change_of([(1 + at, 1 + 2 * at) for at in range(6)])
    assert (made.n, made.begin, made.end, made.change) == (6, 3.5, 6, 2.5)
    assert made.sd == pytest.approx(3.5**0.5)
    assert change_of([(1.0, 2.0)] * 5).n is None


@pytest.mark.parametrize("instrument", ASKED, ids=lambda one: one.id)
def test_every_cell_has_a_variable_and_every_number_is_in_its_range(instrument):
    @settings(max_examples=30)
    @given(values_for(instrument))
    def hold(values):
        variables = variables_of(instrument, "en", free_text=True)
        cells = list(cells_of(instrument, values, free_text=True))
        assert [cell.code for cell in cells] == list(variables)
        scores = {one.rule.code: one.value for one in score(instrument, values)}
        for cell in cells:
            variable = variables[cell.code]
            if cell.kind == "text":
                continue
            assert (cell.value is None) is (cell.missing is not None)
            assert cell.missing is None or cell.missing in variable.missing
            assert cell.value is None or variable.low <= cell.value <= variable.high
            assert cell.value is None or not variable.values or cell.value in dict(variable.values)
            assert cell.kind == "answer" or cell.value == scores[cell.code]

    hold()


def test_why_an_answer_is_missing():
    nel, mansa = CATALOGUE.instrument("nel"), CATALOGUE.instrument("mansa")
    optional = next(item for item in nel.items if item.scale and item.scale.has_not_applicable)
    cells = {cell.code: cell for cell in cells_of(nel, {optional.link_id: "na"})}
    assert cells[optional.link_id] == Cell(optional.link_id, "answer", None, DOES_NOT_APPLY)
    assert cells[next(item.link_id for item in nel.items if item is not optional)].missing is NOT_ANSWERED
    dependent = [item for one in ASKED for item in one.items if item.enable_when and item.scale]
    for item in dependent:
        instrument = next(one for one in ASKED if item in one.items)
        assert {cell.code: cell for cell in cells_of(instrument, {})}[item.link_id].missing is NOT_ASKED
    assert [cell.value for cell in cells_of(mansa, all_answered("mansa", "7")) if cell.kind == "answer"].count(7) == 12


def test_every_column_has_a_name_of_its_own_that_spss_takes():
    names = [
        column(code, moment, version)
        for one in ASKED
        for code in (*variables_of(one, "nl", free_text=True), f"{one.id}_day")
        for moment in MOMENTS
        for version in ("", "1.0.0-official")
    ]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z]\w*", name) and len(name) <= 64 for name in names)
