"""A search that was understood, as SQL over the index."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from smartapp.fhir.own.index import COMPARTMENT
from smartapp.fhir.own.meaning import Compare, Comparison, Every, Not, Presence, Some, Test, meaning
from smartapp.fhir.own.search import Inclusion, Search, SortKey, definition, definitions
from smartapp.fhir.own.tables import resource_index, resources

# A search through the seam returns every match. More than this is a question that was put too widely.
MOST_RESULTS = 2000


def condition(search: Search, *, tenant: str, base: str, patient: str | None = None) -> sa.ColumnElement[bool]:
    """Return what is true of the resources a search finds; with `patient` (`Patient/<id>`) only in that record."""
    parts: list[sa.ColumnElement[bool]] = [resources.c.tenant == tenant, resources.c.type == search.type]
    parts += [resources.c.id.in_(ids) for ids in search.ids]
    parts += [_required(meaning(criterion, base)) for criterion in search.criteria]
    if patient is not None and not definition(search.type).shared:
        parts.append(in_compartment(patient))
    return sa.and_(*parts)


def in_compartment(patient: str) -> sa.ColumnElement[bool]:
    """Return what is true of the resources in a patient's record (`Patient/<id>`)."""
    return _indexed(COMPARTMENT, resource_index.c.value == patient)


def order(keys: tuple[SortKey, ...]) -> list[sa.ColumnElement[Any]]:
    """Return what to sort by; what lacks the element comes last, and the oldest first where all else is equal."""
    return [*map(_sorted_by, keys), resources.c.key]


def included(
    connection: Connection, search: Search, keys: list[int], *, tenant: str, patient: str | None
) -> list[bytes]:
    """Return the contents that the matches with these `keys` bring along, each once, without the matches themselves.

    With `patient` nothing of another person's record comes along, whatever a reference says.
    """
    found: dict[int, bytes] = {}
    for inclusion in search.inclusions:
        wanted = _brought_by(inclusion, keys)
        if patient is not None:
            shared = [known.type for known in definitions().values() if known.shared]
            wanted = sa.and_(wanted, sa.or_(resources.c.type.in_(shared), in_compartment(patient)))
        rows = connection.execute(
            sa.select(resources.c.key, resources.c.content)
            .where(resources.c.tenant == tenant, wanted)
            .order_by(resources.c.key)
            .limit(MOST_RESULTS)
        )
        found |= {row.key: row.content for row in rows}
    return [content for key, content in found.items() if key not in keys]


def _brought_by(inclusion: Inclusion, keys: list[int]) -> sa.ColumnElement[bool]:
    reference = resources.c.type + "/" + resources.c.id
    if inclusion.reverse:
        matches = sa.select(reference).where(resources.c.key.in_(keys))
        pointing = _indexed(inclusion.param, resource_index.c.value.in_(matches))
        return sa.and_(resources.c.type == inclusion.type, pointing)
    pointed = sa.select(resource_index.c.value).where(
        resource_index.c.resource.in_(keys), resource_index.c.param == inclusion.param
    )
    of_type = [resources.c.type == inclusion.target] if inclusion.target else []
    return sa.and_(reference.in_(pointed), *of_type)


def _indexed(param: str, test: sa.ColumnElement[bool] | None = None) -> sa.ColumnElement[bool]:
    inner = sa.select(resource_index.c.resource).where(resource_index.c.param == param)
    return resources.c.key.in_(inner if test is None else inner.where(test))


def _required(presence: Presence) -> sa.ColumnElement[bool]:
    found = _indexed(presence.param, None if presence.test is None else _tested(presence.test))
    return found if presence.wanted else sa.not_(found)


def _tested(test: Test) -> sa.ColumnElement[bool]:
    match test:
        case Compare(column, how, text):
            return _COMPARED[how](resource_index.c[column], text)
        case Not(inner):
            return sa.not_(_tested(inner))
        case Every(tests):
            return sa.and_(*map(_tested, tests))
        case Some(tests):
            return sa.or_(*map(_tested, tests))


def _ends_with(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    # Not LIKE: SQLite's knows no case, and `/anna` is not the end of `Patient/Anna`.
    return sa.func.substr(column, sa.func.length(column) - len(text) + 1) == text


_COMPARED: Mapping[Comparison, Callable[[sa.ColumnElement[str], str], sa.ColumnElement[bool]]] = {
    "equals": operator.eq,
    "starts with": lambda column, text: column.startswith(text, autoescape=True),
    "contains": lambda column, text: column.contains(text, autoescape=True),
    "ends with": _ends_with,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _sorted_by(key: SortKey) -> sa.ColumnElement[Any]:
    column: sa.ColumnElement[Any]
    if key.parameter is None:
        column = resources.c.id if key.field == "_id" else resources.c.updated
    else:
        value = resource_index.c.low if key.parameter.kind == "date" else resource_index.c.value
        pick = sa.func.max if key.descending else sa.func.min
        column = (
            sa.select(pick(value))
            .where(resource_index.c.resource == resources.c.key, resource_index.c.param == key.parameter.name)
            .correlate(resources)
            .scalar_subquery()
        )
    return (column.desc() if key.descending else column.asc()).nulls_last()
