"""Whether a FHIR Period holds at a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_DAY: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
"""A FHIR date: a whole day, month or year."""


def is_on(start: str, end: str, now: str) -> bool:
    """Tell whether a period holds at a moment (a FHIR dateTime with a zone); "" at either side is open.

    A day without a time counts as a whole day, as FHIR has it. A side that can't be read is not open: least rights
    where nobody can tell.
    """
    return not _is_over(end, now) and not _is_to_come(start, now)


def _is_over(end: str, now: str) -> bool:
    if not end:
        return False
    if _DAY.fullmatch(end):
        return end < now[: len(end)]
    over, moment = _moment(end), _moment(now)
    return over is None or moment is None or over <= moment


def _is_to_come(start: str, now: str) -> bool:
    if not start:
        return False
    if _DAY.fullmatch(start):
        return start > now[: len(start)]
    begin, moment = _moment(start), _moment(now)
    return begin is None or moment is None or begin > moment


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
