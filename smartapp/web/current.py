"""What belongs to the request at hand: the services of its app, its launch, its records, and the time.

There is one typed way to each. Flask's `g` holds them untyped, so it is read only here and in `guard`, which fills it.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING, cast

from flask import current_app, g, has_request_context

from smartapp.services import KEY, Services

if TYPE_CHECKING:
    from smartapp.records import Records
    from smartapp.storage.launches import Launch


def services() -> Services:
    """Return the services of the app that handles this request."""
    return cast(Services, current_app.extensions[KEY])


def launch() -> Launch:
    """Return the launch of this page; only pages under `/l/<launch_id>` have one."""
    return cast("Launch", g.launch)


def launch_or_none() -> Launch | None:
    """Return the launch of this page, or None for a page outside any record and for no request at all."""
    return cast("Launch | None", g.get("launch")) if has_request_context() else None


def records() -> Records:
    """Return the records of the person this launch is about."""
    return cast("Records", g.records)


def has_records() -> bool:
    """Tell whether this is a page about a person, for a user who has pages."""
    return has_request_context() and "records" in g


def now() -> dt.datetime:
    """Return the time in the organisation's own zone, in whole seconds, as we write it in FHIR."""
    here = services()
    zone = zoneinfo.ZoneInfo(here.settings.time_zone)
    return dt.datetime.fromtimestamp(here.clock(), zone).replace(microsecond=0)


def today() -> str:
    """Return the day in the organisation's own zone, as a FHIR date."""
    return now().date().isoformat()
