"""When a talk is, as people say it."""

from __future__ import annotations

import datetime as dt

from smartapp.web import current
from smartapp.web.language import format_date, place_zone
from smartapp.web.language import gettext as _


def when(moment: dt.datetime) -> str:
    """Return when a talk begins: today, tomorrow or the day, and the time."""
    start = moment.astimezone(place_zone())
    days, time = (start.date() - current.now().date()).days, start.strftime("%H:%M")
    if days <= 0:
        return _("Today at %(time)s", time=time)
    if days == 1:
        return _("Tomorrow at %(time)s", time=time)
    day = format_date(start.date(), "full")
    return _("%(day)s at %(time)s", day=day[:1].upper() + day[1:], time=time)
