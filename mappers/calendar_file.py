"""An appointment as an iCalendar file (RFC 5545), for somebody's own calendar.

It says when, and that it is an appointment: no name, no place and nothing of care, since calendars are shared, synced
and shown on locked screens. Times are in UTC, which every calendar shows in its own zone, also over summer time.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

PRODUCT: Final = "-//verstel.nl//NONSGML 1//EN"
_MIDNIGHT: Final = dt.time()


def calendar_file(
    *, uid: str, summary: str, start: dt.datetime, end: dt.datetime | None, made: dt.datetime, zone: dt.tzinfo
) -> str:
    """Return one appointment as a calendar; `uid` names it for good, so that a calendar that has it changes it.

    Moments are zoned. Without an `end`, or with one that is not after the start, it has none. From midnight to midnight
    in the zone of the place it is whole days. `summary` is a plain word, without the signs that the format escapes.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{_utc(made)}",
        *_when(start, end if end is not None and _is_after(end, start) else None, zone),
        f"SUMMARY:{summary}",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def _is_after(end: dt.datetime, start: dt.datetime) -> bool:
    # In UTC: two moments of one zone are compared by the wall, and that shows one hour twice when summer time ends.
    return end.astimezone(dt.UTC) > start.astimezone(dt.UTC)


def _when(start: dt.datetime, end: dt.datetime | None, zone: dt.tzinfo) -> list[str]:
    if end is None:
        return [f"DTSTART:{_utc(start)}"]
    first, after = start.astimezone(zone), end.astimezone(zone)
    if first.time() == after.time() == _MIDNIGHT:
        return [f"DTSTART;VALUE=DATE:{first:%Y%m%d}", f"DTEND;VALUE=DATE:{after:%Y%m%d}"]
    return [f"DTSTART:{_utc(start)}", f"DTEND:{_utc(end)}"]


def _utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
