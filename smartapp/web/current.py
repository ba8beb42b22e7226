"""What belongs to the request at hand: the services of its app, its launch, its records, and the time.

There is one typed way to each. Flask's `g` holds them untyped, so it is read only here and in `guard`, which fills it.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from flask import current_app, g, has_request_context, request

from smartapp.services import KEY, Services

if TYPE_CHECKING:
    from smartapp.records import Records
    from smartapp.storage.launches import Launch

_T = TypeVar("_T")

OF_TEAMS = frozenset({"team", "ropi"})
"""Blueprints whose pages are about a team."""


def services() -> Services:
    """Return the services of the app that handles this request."""
    return cast(Services, current_app.extensions[KEY])


def launch() -> Launch:
    """Return the launch of this page; only pages under `/l/<launch_id>` have one."""
    return cast("Launch", g.launch)


def launch_or_none() -> Launch | None:
    """Return the launch of this page, or None for a page outside any record and for no request at all."""
    return cast("Launch | None", g.get("launch")) if has_request_context() else None


def open_launch(launch: Launch, records: Records | None) -> None:
    """Let this be the launch of this page, and these the records of the person it is about; None about nobody."""
    g.launch = launch
    if records is not None:
        g.records = records
    g.pop("decided", None)


def bases() -> tuple[str, ...]:
    """Return every address by which the EHR of this launch writes itself."""
    return services().settings.bases(launch().issuer)


def is_first(sentence: str) -> bool:
    """Tell whether a page says this for the first time in this request; from now on it was said."""
    said: set[str] = g.setdefault("said", set())
    new = sentence not in said
    said.add(sentence)
    return new


def once_a_request(decide: Callable[[], _T]) -> Callable[[], _T]:
    """Have a function asked once for each request, and once more when its launch is known; outside one, each time."""

    @functools.wraps(decide)
    def decided() -> _T:
        if not has_request_context():
            return decide()
        known: dict[Callable[[], object], object] = g.setdefault("decided", {})
        if decide not in known:
            known[decide] = decide()
        return cast("_T", known[decide])

    return decided


def records() -> Records:
    """Return the records of the person this launch is about."""
    return cast("Records", g.records)


def is_about_team() -> bool:
    """Tell whether this page is about a team, whoever the launch is about: such a page reads nobody's record."""
    return has_request_context() and request.blueprint in OF_TEAMS


def shows(reference: str) -> None:
    """Say which resource this page is there to show; the log of access names it before whatever else was read."""
    g.shown = reference


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
