"""What a person does not want to be asked for a while: *not now* for thirty days, *it is still so* for a year.

Both last so long however long drafts are kept. They stand among the drafts, sealed, as belonging to who said it, so
they go with all else that they did not send. They are no drafts: they have an end of their own.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy.engine import Engine

from smartapp.storage.database import writing
from smartapp.storage.drafts import DRAFTS, NOT_NOW, Drafts

DAYS: Final = 30
STILL_SO_DAYS: Final = 366
_STILL_SO: Final = f"{NOT_NOW}still-so-"
_DAY: Final = 86_400
_UNTIL: Final = "until"
_ON: Final = "on"


def say_not_now(drafts: Drafts, about: str, today: dt.date) -> None:
    """Keep that its owner does not want to be asked; `about` is a digest of what, and says nothing itself."""
    until = (today + dt.timedelta(days=DAYS)).isoformat()
    drafts.change(_not_now(about), lambda _before: {_UNTIL: until})


def is_not_now(drafts: Drafts, about: str, today: dt.date) -> bool:
    """Tell whether its owner does not want to be asked today."""
    kept = drafts.get(_not_now(about))
    return kept is not None and str(kept.resource.get(_UNTIL, "")) > today.isoformat()


def say_still_so(drafts: Drafts, about: str, today: dt.date) -> None:
    """Keep that its owner looked at it today, and found that it is still so."""
    drafts.change(_still_so(about), lambda _before: {_ON: today.isoformat()})


def was_still_so(drafts: Drafts, about: str) -> str:
    """Return the day on which its owner last found that it is still so, a FHIR date; "" for no such day."""
    kept = drafts.get(_still_so(about))
    return str(kept.resource.get(_ON, "")) if kept else ""


def forget_not_now(engine: Engine, now: float) -> None:
    """Delete what is over, of everybody."""
    still_so = DRAFTS.c.questionnaire.startswith(_STILL_SO, autoescape=True)
    not_now = DRAFTS.c.questionnaire.startswith(NOT_NOW, autoescape=True) & ~still_so
    # A day more: it is counted in days, of which one in autumn has 25 hours.
    with writing(engine, on="old drafts") as connection:
        for kind, days in ((not_now, DAYS + 1), (still_so, STILL_SO_DAYS + 1)):
            connection.execute(DRAFTS.delete().where(kind, DRAFTS.c.changed <= int(now) - days * _DAY))


def _not_now(about: str) -> str:
    return f"{NOT_NOW}{about[:48]}"


def _still_so(about: str) -> str:
    return f"{_STILL_SO}{about[:40]}"
