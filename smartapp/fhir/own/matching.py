"""Search without a server: whether a resource in hand is what a query asks for.

For what waits in the outbox, and for parameters an EHR does not know. Dates are not judged: they let through.
"""

from __future__ import annotations

from questionnaires.fhir import Resource
from smartapp.fhir.own.search import Criterion, IndexRow, folded, index_rows, relative, split, understand
from smartapp.fhir.store import Query


def matches(resource: Resource, query: Query, base: str) -> bool:
    """Tell whether a resource is what the query asks for; `base` is the address its references may start with."""
    if resource.get("resourceType") != query.type:
        return False
    search = understand(query)
    if any(resource.get("id") not in ids for ids in search.ids):
        return False
    rows = index_rows(resource, base)
    return all(_meets(rows, criterion, base) for criterion in search.criteria)


def _meets(rows: list[IndexRow], criterion: Criterion, base: str) -> bool:
    name = criterion.parameter.name
    own = [row for row in rows if row.param == name]
    match criterion.modifier:
        case "missing":
            return bool(own) == (criterion.values == ("false",))
        case "identifier":
            named = [row for row in rows if row.param == f"{name}:identifier"]
            return any(_is_token(row, value) for row in named for value in criterion.values)
        case "not":
            return not _any(own, criterion, base)
        case _:
            return _any(own, criterion, base)


def _any(rows: list[IndexRow], criterion: Criterion, base: str) -> bool:
    if criterion.parameter.kind == "date":
        return True
    return any(_means(row, criterion, value, base) for row in rows for value in criterion.values)


def _means(row: IndexRow, criterion: Criterion, value: str, base: str) -> bool:
    match criterion.parameter.kind:
        case "token":
            return _is_token(row, value)
        case "reference":
            wanted = relative(value, base)
            return row.value == wanted or ("/" not in wanted and row.value.endswith(f"/{wanted}"))
        case "string":
            return (
                folded(value) in row.value if criterion.modifier == "contains" else row.value.startswith(folded(value))
            )
        case kind:
            return (row.system if kind == "canonical" and "|" in value else row.value) == value


def _is_token(row: IndexRow, value: str) -> bool:
    system, *rest = split(value, "|")
    if not rest:
        return row.value == system
    code = "|".join(rest)
    return row.system == system and (not code or row.value == code)
