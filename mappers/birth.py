"""When a person was born, and so how old they are: beside a name it shows whose record this is."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from mappers.tolerant import text_in

_DATE: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def birth_date_of(patient: Any) -> str:
    """Return the birth date of a Patient as FHIR writes it (`1992`, `1992-03`, `1992-03-14`); "" where none is told."""
    told = text_in(patient, "birthDate").strip()
    return told if _DATE.fullmatch(told) and _is_a_day(told) else ""


def age_on(birth_date: str, day: dt.date) -> int | None:
    """Return how many whole years old someone is on a day; None unless the whole date is known and is not later."""
    if len(birth_date) != len("1992-03-14"):
        return None
    born = dt.date.fromisoformat(birth_date)
    # Who was born on 29 February is a year older on 1 March where there is no such day.
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if born <= day else None


def _is_a_day(told: str) -> bool:
    try:
        dt.date.fromisoformat((told + "-01-01")[:10])
    except ValueError:
        return False
    return True
