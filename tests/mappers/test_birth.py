"""When somebody was born is read as it is told, and an age is only given where it is sure."""

from __future__ import annotations

import datetime as dt

import pytest

from mappers.birth import age_on, birth_date_of


@pytest.mark.parametrize("told", ["1992", "1992-03", "1992-03-14"])
def test_a_birth_date_is_as_precise_as_the_record_says(told):
    assert birth_date_of({"birthDate": told}) == told


@pytest.mark.parametrize("told", ["", "14-03-1992", "1992-02-30", "1992-3-4", "1992-03-14T10:00:00Z", 1992, None])
def test_what_is_no_fhir_date_is_not_shown(told):
    assert birth_date_of({"birthDate": told}) == ""


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("1992-03-14", "2026-03-13", 33),
        ("1992-03-14", "2026-03-14", 34),
        ("1992-02-29", "2026-02-28", 33),
        ("1992-02-29", "2026-03-01", 34),
        ("2026-03-14", "2026-03-14", 0),
    ],
)
def test_an_age_is_in_whole_years(born, day, age):
    assert age_on(born, dt.date.fromisoformat(day)) == age


@pytest.mark.parametrize("born", ["", "1992", "1992-03", "2027-01-01"])
def test_an_age_that_is_not_sure_is_not_given(born):
    assert age_on(born, dt.date(2026, 3, 14)) is None
