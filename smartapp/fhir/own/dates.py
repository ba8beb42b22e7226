"""FHIR dates as periods: `2026-05` means a month, and two of them compare by their first and last moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

EARLIEST = "0000"
LATEST = "9999-12-31T23:59:59.999999Z"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE_ALL = -(2**62)

_DATE = re.compile(
    r"^(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?$"
)


def date_range(text: str) -> tuple[str, str] | None:
    """Return the first and the last moment that a FHIR date or dateTime can mean, in UTC, or None if it is not one.

    Without a zone it is read as UTC. Both ends have one fixed width, so that they compare as text.
    """
    match = _DATE.match(text)
    if match is None:
        return None
    part = match.groupdict()
    try:
        start = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            min(int(part["second"] or 0), 59),
            int((part["fraction"] or "0")[:6].ljust(6, "0")),
            tzinfo=UTC,
        )
        start -= _offset(part["zone"])
        return _moment(start), _moment(_end(start, part) - timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return None


def microseconds(moment: str) -> int:
    """Return a moment of `date_range` (or EARLIEST) as a number that orders the same: microseconds since 1970."""
    if moment == EARLIEST:
        return _BEFORE_ALL
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1)


def _end(start: datetime, part: Mapping[str, str | None]) -> datetime:
    if part["month"] is None:
        return start.replace(year=start.year + 1)
    if part["day"] is None:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    if part["hour"] is None:
        return start + timedelta(days=1)
    if part["second"] is None:
        return start + timedelta(minutes=1)
    return start + (timedelta(seconds=1) if part["fraction"] is None else timedelta(microseconds=1))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    return (1 if zone[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
