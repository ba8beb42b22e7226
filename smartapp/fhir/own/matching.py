"""Search without a database: whether a resource in hand is what a query asks for, and in which order it comes.

For what waits in the outbox, for parameters an EHR does not know, and for what our own tables cannot tell because they
hold no texts.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from questionnaires.fhir import Resource
from smartapp.fhir.own.index import IndexRow, index_rows
from smartapp.fhir.own.meaning import Compare, Comparison, Every, Not, Presence, Some, Test, meaning
from smartapp.fhir.own.search import Criterion, SortKey, understand
from smartapp.fhir.store import Query

T = TypeVar("T")

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
    return meets(resource, search.criteria, base)


def meets(resource: Resource, criteria: Iterable[Criterion], base: str) -> bool:
    """Tell whether a resource meets every one of these criteria."""
    rows = index_rows(resource, base)
    return all(_meets(rows, meaning(criterion, base)) for criterion in criteria)


def ordered(found: Iterable[T], keys: Iterable[SortKey], base: str, resource_of: Callable[[T], Resource]) -> list[T]:
    """Return what was found, sorted; what lacks an element comes last, what is equal stays in the order it came in."""
    present = list(found)
    for key in reversed(tuple(keys)):
        values = [(_sorted_by(resource_of(one), key, base), one) for one in present]
        having = [(value, one) for value, one in values if value is not None]
        having.sort(key=operator.itemgetter(0), reverse=key.descending)
        present = [one for _, one in having] + [one for value, one in values if value is None]
    return present


def _sorted_by(resource: Resource, key: SortKey, base: str) -> str | None:
    if key.parameter is None:
        return str(resource["id"])
    rows = (row for row in index_rows(resource, base) if row.param == key.field)
    values = [row.low or "" if key.parameter.kind == "date" else row.value for row in rows]
    return (max if key.descending else min)(values, default=None)


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
