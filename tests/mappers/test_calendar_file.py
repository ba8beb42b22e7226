"""The file of an appointment, read back by a library that did not write it."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.calendar_file import calendar_file

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MADE = dt.datetime(2026, 11, 27, 12, tzinfo=AMSTERDAM)
UID = "0b7d9f0e-4f5e-4b43-9d8e-6f3b6d1c2a10"


def read(start: dt.datetime, end: dt.datetime | None = None, *, zone: dt.tzinfo = AMSTERDAM) -> icalendar.Event:
    text = calendar_file(uid=UID, summary="Afspraak", start=start, end=end, made=MADE, zone=zone)
    assert text.endswith("\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    calendar = icalendar.Calendar.from_ical(text)
    assert (calendar["VERSION"], bool(calendar["PRODID"])) == ("2.0", True)
    [event] = calendar.walk("VEVENT")
    assert event.errors == calendar.errors == []
    return event


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def test_it_says_when_and_that_it_is_an_appointment_and_nothing_else():
    event = read(at("2026-12-03T10:30:00"), at("2026-12-03T11:15:00"))
    assert {name: str(event[name]) for name in ("UID", "SUMMARY", "CLASS")} == {
        "UID": UID,
        "SUMMARY": "Afspraak",
        "CLASS": "PRIVATE",
    }
    assert sorted(event) == ["CLASS", "DTEND", "DTSTAMP", "DTSTART", "SUMMARY", "UID"]
    assert event.decoded("DTSTAMP") == MADE


@pytest.mark.parametrize(
    ("start", "utc"),
    [
        ("2026-03-28T10:00:00", 9),  # the day before summer time
        ("2026-03-29T10:00:00", 8),  # the day on which it begins
        ("2026-10-24T10:00:00", 8),
        ("2026-10-25T10:00:00", 9),  # and ends
    ],
)
def test_at_ten_on_the_wall_is_ten_on_the_wall(start, utc):
    found = read(at(start), at(start) + dt.timedelta(hours=1)).decoded("DTSTART")
    assert found == at(start)
    assert found.astimezone(dt.UTC).hour == utc


def test_without_an_end_it_has_none_and_so_with_one_that_is_no_end():
    for end in (None, at("2026-12-03T10:30:00"), at("2026-12-03T09:00:00")):
        event = read(at("2026-12-03T10:30:00"), end)
        assert "DTEND" not in event
        assert event.decoded("DTSTART") == at("2026-12-03T10:30:00")


@pytest.mark.parametrize(
    ("first", "after"),
    [
        ("2026-12-03", "2026-12-04"),
        ("2026-03-29", "2026-03-30"),
        ("2026-10-25", "2026-10-26"),
        ("2028-02-28", "2028-03-01"),
    ],
)
def test_from_midnight_to_midnight_it_is_whole_days(first, after):
    event = read(at(f"{first}T00:00:00").astimezone(dt.UTC), at(f"{after}T00:00:00").astimezone(dt.UTC))
    assert event.decoded("DTSTART") == dt.date.fromisoformat(first)
    assert event.decoded("DTEND") == dt.date.fromisoformat(after)


ZONES = st.sampled_from([AMSTERDAM, ZoneInfo("America/Paramaribo"), dt.UTC])
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2036, 1, 1), timezones=ZONES).map(  # noqa: DTZ001
    # There and back, since not each hour on the wall is one when summer time begins.
    lambda one: one.replace(microsecond=0).astimezone(dt.UTC).astimezone(one.tzinfo)
)


def test_an_hour_that_the_clock_shows_twice_is_told_apart():
    first = dt.datetime(2026, 10, 25, 2, 50, tzinfo=AMSTERDAM)  # still summer time
    second = dt.datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=AMSTERDAM)  # twenty minutes later, by the clock before it
    event = read(first, second, zone=AMSTERDAM)
    assert event.decoded("DTSTART") == dt.datetime(2026, 10, 25, 0, 50, tzinfo=dt.UTC)
    assert event.decoded("DTEND") == dt.datetime(2026, 10, 25, 1, 10, tzinfo=dt.UTC)


@given(MOMENTS, st.one_of(st.none(), MOMENTS), ZONES)
def test_the_moments_come_back_as_they_went(start, end, zone):
    event = read(start, end, zone=zone)
    found = event.decoded("DTSTART")
    # Compared in UTC: within an hour that the clock shows twice, Python calls no two moments of two zones equal.
    begins, ends = start.astimezone(dt.UTC), end.astimezone(dt.UTC) if end else None
    if isinstance(found, dt.datetime):
        assert found == begins
        assert event.decoded("DTEND", None) == (ends if ends is not None and ends > begins else None)
    else:
        assert found == start.astimezone(zone).date()
        assert event.decoded("DTEND") == end.astimezone(zone).date()
