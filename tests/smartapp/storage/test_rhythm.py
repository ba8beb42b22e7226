"""When a message may be sent: by day, in the zone of the place, over summer time, leap days and long pauses."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.storage.rhythm import DAY_BEGINS, DAY_ENDS, MOST_OF_ONE, Rhythm, Thing, a_week_after, by_day

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ZONES = st.sampled_from([AMSTERDAM, ZoneInfo("America/Paramaribo"), ZoneInfo("Pacific/Auckland"), ZoneInfo("UTC")])


def at(text: str, zone: dt.tzinfo = AMSTERDAM) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def local(moment: float, zone: dt.tzinfo = AMSTERDAM) -> str:
    return dt.datetime.fromtimestamp(moment, zone).replace(tzinfo=None).isoformat()


AROUND_CHANGES = st.sampled_from(
    [at("2026-03-29T00:00:00"), at("2026-10-25T00:00:00"), at("2028-02-28T12:00:00"), at("2027-12-31T00:00:00")]
).flatmap(lambda start: st.integers(start - 10 * 86_400, start + 10 * 86_400))
MOMENTS = st.one_of(AROUND_CHANGES, st.integers(at("2026-01-01T00:00:00"), at("2036-01-01T00:00:00")))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-27T08:59:59", "2026-11-27T09:00:00"),
        ("2026-11-27T09:00:00", "2026-11-27T09:00:00"),
        ("2026-11-27T19:59:59", "2026-11-27T19:59:59"),
        ("2026-11-27T20:00:00", "2026-11-28T09:00:00"),
        ("2026-03-28T22:00:00", "2026-03-29T09:00:00"),  # a night of ten hours
        ("2026-10-24T22:00:00", "2026-10-25T09:00:00"),  # a night of twelve
        ("2028-02-28T23:00:00", "2028-02-29T09:00:00"),
    ],
)
def test_it_waits_for_the_day(moment, day):
    assert local(by_day(at(moment), AMSTERDAM)) == day


@pytest.mark.parametrize(
    ("sent", "next_"),
    [
        ("2026-03-23T10:00:00", "2026-03-30T09:00:00"),
        ("2026-10-19T19:30:00", "2026-10-26T09:00:00"),
        ("2028-02-24T12:00:00", "2028-03-02T09:00:00"),
        ("2026-12-28T12:00:00", "2027-01-04T09:00:00"),
    ],
)
def test_a_week_is_one_of_the_calendar(sent, next_):
    assert local(a_week_after(at(sent), AMSTERDAM)) == next_


@given(MOMENTS, ZONES)
def test_it_is_day_then_never_before_and_as_soon_as_it_can(moment, zone):
    day = by_day(moment, zone)
    assert moment <= day <= moment + 14 * 3600
    assert DAY_BEGINS <= dt.datetime.fromtimestamp(day, zone).hour < DAY_ENDS
    assert by_day(day, zone) == day


@given(MOMENTS, ZONES)
def test_between_two_weekly_messages_are_seven_days_of_the_calendar(moment, zone):
    following = a_week_after(moment, zone)
    days = dt.datetime.fromtimestamp(following, zone).date() - dt.datetime.fromtimestamp(moment, zone).date()
    assert days == dt.timedelta(days=7)
    assert by_day(following, zone) == following


THINGS = st.lists(st.builds(Thing, st.text(max_size=3), MOMENTS, st.just(0)), max_size=8)


@given(THINGS, MOMENTS, ZONES, st.sampled_from(["once", "weekly"]), st.integers(1, 400))
def test_a_history_of_messages(things, began, zone, often, pause_days):
    """Somebody who never opens the app, with a courier that comes at once or is away for long."""
    told = {one.id: 0 for one in things}
    things = list({one.id: one for one in things}.values())
    last, sent, opened = None, [], began
    for turn in range(60):
        now_things = [Thing(one.id, one.ready, told[one.id]) for one in things]
        rhythm = Rhythm(often, opened, last)
        due = rhythm.next(now_things, zone)
        if due is None:
            break
        now = due if turn % 3 else by_day(due + pause_days * 86_400, zone)
        about = rhythm.now_about(now_things, now)
        assert about
        assert all(one.ready <= now for one in about)
        for one in about:
            told[one.id] += 1
        sent.append(now)
        last = now
    else:
        pytest.fail("it never ends")
    most = 1 if often == "once" else MOST_OF_ONE
    for one in things:
        assert told[one.id] == (most if one.ready > opened else 0)
    assert all(DAY_BEGINS <= dt.datetime.fromtimestamp(one, zone).hour < DAY_ENDS for one in sent)
    if often == "weekly":
        days = [dt.datetime.fromtimestamp(one, zone).date() for one in sent]
        assert all((later - earlier).days >= 7 for earlier, later in itertools.pairwise(days))


def test_what_is_ready_within_a_week_is_one_message():
    things = [Thing("a", at("2026-11-20T10:00:00"), 0), Thing("b", at("2026-11-25T10:00:00"), 0)]
    rhythm = Rhythm("weekly", at("2026-11-01T00:00:00"), last=at("2026-11-19T10:00:00"))
    due = rhythm.next(things, AMSTERDAM)
    assert local(due) == "2026-11-26T09:00:00"
    assert [one.id for one in rhythm.now_about(things, due)] == ["a", "b"]


def test_who_opened_the_app_knows_of_what_was_ready_then():
    things = [Thing("a", at("2026-11-20T10:00:00"), 0), Thing("b", at("2026-11-25T10:00:00"), 0)]
    for often in ("once", "weekly"):
        rhythm = Rhythm(often, opened=at("2026-11-21T08:00:00"))
        assert local(rhythm.next(things, AMSTERDAM)) == "2026-11-25T10:00:00"
        assert Rhythm(often, opened=at("2026-11-25T10:00:00")).next(things, AMSTERDAM) is None
