"""What stands on every sheet of paper, printed from the browser or made as a PDF: whose it is, and of which day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from smartapp.storage.launches import Person
from smartapp.web.language import _, format_date


@dataclass(frozen=True, slots=True)
class SheetHead:
    """Whose a sheet is, with the birth date as far as it is known, and the day on which it was made."""

    whose: str
    day: str


def sheet_head(person: Person, day: dt.date) -> SheetHead:
    """Return the head of each sheet about a person, in the language of the reader."""
    born = _("born %(date)s", date=format_date(person.birth_date)) if person.birth_date else ""
    return SheetHead(", ".join(part for part in (person.display, born) if part), format_date(day))
