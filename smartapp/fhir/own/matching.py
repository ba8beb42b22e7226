"""Search without a database: whether a resource in hand is what a query asks for.

For what waits in the outbox, and for parameters an EHR does not know.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from questionnaires.fhir import Resource
from smartapp.fhir.own.index import IndexRow, index_rows
from smartapp.fhir.own.meaning import Compare, Comparison, Every, Not, Presence, Some, Test, meaning
from smartapp.fhir.own.search import understand
from smartapp.fhir.store import Query

_COMPARED: Mapping[Comparison, Callable[[str, str], bool]] = {
    "equals": operator.eq,
    "starts with": str.startswith,
    "contains": operator.contains,
    "ends with": str.endswith,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(resource: Resource, query: Query, base: str) -> bool:
    """Tell whether a resource is what the query asks for; `base` is the address its references may start with."""
    if resource.get("resourceType") != query.type:
        return False
    search = understand(query)
    if any(resource.get("id") not in ids for ids in search.ids):
        return False
    rows = index_rows(resource, base)
    return all(_meets(rows, meaning(criterion, base)) for criterion in search.criteria)


def _meets(rows: list[IndexRow], presence: Presence) -> bool:
    found = (row for row in rows if row.param == presence.param)
    test = presence.test
    return any(test is None or _holds(test, row) for row in found) == presence.wanted


def _holds(test: Test, row: IndexRow) -> bool:
    match test:
        case Compare(column, how, text):
            return _COMPARED[how](getattr(row, column) or "", text)
        case Not(inner):
            return not _holds(inner, row)
        case Every(tests):
            return all(_holds(one, row) for one in tests)
        case Some(tests):
            return any(_holds(one, row) for one in tests)
