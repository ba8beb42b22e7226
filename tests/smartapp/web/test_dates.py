"""A typed date is read in both ways that people write it, and never guessed."""

from __future__ import annotations

import pytest

from smartapp.web.dates import iso_date


@pytest.mark.parametrize(
    ("typed", "date"),
    [
        ("2027-12-31", "2027-12-31"),
        ("31-12-2027", "2027-12-31"),
        (" 1/3/2027 ", "2027-03-01"),
        ("29-2-2028", "2028-02-29"),  # 2028 divides by four
    ],
)
def test_a_date_is_read_in_both_ways(typed, date):
    assert iso_date(typed) == date


@pytest.mark.parametrize("typed", ["", "morgen", "29-2-2027", "2027-13-01", "12-31-2027", "1-1-27", "31-12-20271"])
def test_what_is_not_a_date_is_not_guessed(typed):
    assert iso_date(typed) is None
