"""Dates as people type them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from smartapp.i18n import message

NOT_A_DATE: Final = message("We do not recognise this date. Write day, month and year, such as 31-12-2027.")

_DUTCH_DATE: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")


def iso_date(text: str) -> str | None:
    """Return a date as FHIR writes it, from `2027-12-31` or `31-12-2027`; None for anything else."""
    if found := _DUTCH_DATE.fullmatch(text.strip()):
        day, month, year = (int(part) for part in found.groups())
    elif found := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text.strip()):
        year, month, day = (int(part) for part in found.groups())
    else:
        return None
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return None


def is_date_or(text: str, before: str) -> bool:
    """Tell whether a text is a date, or what stood there `before`: a month or a year, as others may write one."""
    return not text or text == before or iso_date(text) is not None


def as_date(text: str) -> str:
    """Return a text as FHIR writes a date, where it is one of a day; else the text as it is."""
    return iso_date(text) or text
