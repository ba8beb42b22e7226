"""What is chosen before a programme begins, for one client or several: which, on what day, and followed with whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from flask import request

from questionnaires.programmes import Programme, programmes
from smartapp.i18n import message
from smartapp.web import current, typed
from smartapp.web.dates import NOT_A_DATE, iso_date
from smartapp.web.language import gettext as _

LONGEST_GROUP: Final = 100
EARLIEST: Final = dt.timedelta(days=3 * 366)
"""How long ago a trajectory may have begun: the moments of ours are over by then."""
LATEST: Final = dt.timedelta(days=366)
_NAMES: Final = ("programme", "start", "group")

NEEDS_PROGRAMME: Final = message("Choose a programme.")
NEEDS_START: Final = message("Choose the day on which it begins.")
TOO_EARLY: Final = message("This day is too long ago. Choose a day in the last three years.")
TOO_FAR: Final = message("This day is too far away. Choose a day that is nearer.")
GROUP_TOO_LONG: Final = message("This name is too long. Keep it under a hundred characters.")


def posted() -> dict[str, str]:
    """Return what the form of this request says."""
    return {name: typed.clean(request.form.get(name, "")) for name in _NAMES}


def offered() -> dict[str, Programme]:
    """Return the programmes that the reader may begin, by their ids."""
    role = current.launch().user.role
    return {id_: one for id_, one in programmes().items() if role in one.started_by}


def problems(form: Mapping[str, str]) -> dict[str, str]:
    """Return what has to be put right, by the name of the field."""
    found: dict[str, str] = {}
    today = current.now().date()
    if form["programme"] not in offered():
        found["programme"] = _(NEEDS_PROGRAMME)
    day = iso_date(form["start"])
    if not form["start"]:
        found["start"] = _(NEEDS_START)
    elif day is None:
        found["start"] = _(NOT_A_DATE)
    elif dt.date.fromisoformat(day) < today - EARLIEST:
        found["start"] = _(TOO_EARLY)
    elif dt.date.fromisoformat(day) > today + LATEST:
        found["start"] = _(TOO_FAR)
    if len(form["group"]) > LONGEST_GROUP:
        found["group"] = _(GROUP_TOO_LONG)
    return found


def chosen(form: Mapping[str, str]) -> tuple[Programme, dt.date]:
    """Return what a form chooses in which there are no `problems`."""
    return offered()[form["programme"]], dt.date.fromisoformat(iso_date(form["start"]) or "")


def seen(form: Mapping[str, str], *more: str) -> str:
    """Return what stands for these choices, and `more`: what comes of them is read before it is begun."""
    return typed.digest("\n".join((form["programme"], iso_date(form["start"]) or "", form["group"], *more)))
