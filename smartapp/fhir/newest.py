"""The newest so many of what was found, whether or not the server put them in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from smartapp.fhir.own.index import walk
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Found, Query, Stored

_DAY = len("2026-11-26")


def newest(found: Sequence[Stored], query: Query, *, cut: bool) -> Found:
    """Return the newest `query.most` of what was found; `cut` says that the server has more than that."""
    # Python's sort keeps the order of the server among equals; what has no date comes last.
    ordered = sorted(found, key=lambda one: _date(one, query), reverse=True)
    return Found(ordered[: query.most], cut=cut or len(ordered) > (query.most or 0))


def is_newest_first(found: Sequence[Stored], query: Query) -> bool:
    """Tell whether what was found is in the order asked, by the day: dates may differ in how precise they are."""
    days = [_date(one, query)[:_DAY] for one in found]
    return all(one >= other for one, other in pairwise(days))


def _date(stored: Stored, query: Query) -> str:
    known = definitions().get(query.type)
    parameter = known.params.get(query.by) if known else None
    paths = parameter.path.split("|") if parameter else []
    dates = (value for path in paths for value in walk(stored.resource, path) if isinstance(value, str))
    return next(dates, "")
