"""What a person does not want to be asked for a while: *not now* lasts thirty days, however long drafts are kept.

It stands among the drafts, sealed, as belonging to who said it, so it goes with all else that they did not send. It is
no draft: it has an end of its own.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy.engine import Engine

from smartapp.storage.database import writing
from smartapp.storage.drafts import DRAFTS, NOT_NOW, Drafts

DAYS: Final = 30
_SECONDS: Final = (DAYS + 1) * 86_400  # a day more: it is counted in days, of which one in autumn has 25 hours
_UNTIL: Final = "until"


def say_not_now(drafts: Drafts, about: str, today: dt.date) -> None:
    """Keep that its owner does not want to be asked; `about` is a digest of what, and says nothing itself."""
    until = (today + dt.timedelta(days=DAYS)).isoformat()
    drafts.change(_name(about), lambda _before: {_UNTIL: until})


def is_not_now(drafts: Drafts, about: str, today: dt.date) -> bool:
    """Tell whether its owner does not want to be asked today."""
    kept = drafts.get(_name(about))
    return kept is not None and str(kept.resource.get(_UNTIL, "")) > today.isoformat()


def forget_not_now(engine: Engine, now: float) -> None:
    """Delete what is over, of everybody."""
    old = (DRAFTS.c.questionnaire.startswith(NOT_NOW, autoescape=True), DRAFTS.c.changed <= int(now) - _SECONDS)
    with writing(engine, on="old drafts") as connection:
        connection.execute(DRAFTS.delete().where(*old))


def _name(about: str) -> str:
    return f"{NOT_NOW}{about[:48]}"
