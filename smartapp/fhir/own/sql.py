"""A search that was understood, as SQL: what the tables can say of it, and what only the resources themselves can.

A search starts at the rows of its rarest term, those of a person if it names one, and asks of each resource found there
whether it has the others. So it takes as long among many people as among few.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from smartapp.fhir.own.dates import microseconds
from smartapp.fhir.own.index import COMPARTMENT
from smartapp.fhir.own.meaning import Compare, Comparison, Every, Not, Presence, Some, Test, meaning
from smartapp.fhir.own.sealing import Tenant
from smartapp.fhir.own.search import Criterion, Parameter, Search, SortKey, definition
from smartapp.fhir.own.tables import kept_by, resource_dates, resource_terms, resources

_COMPARED: Mapping[Comparison, Callable[[Any, Any], sa.ColumnElement[bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Question:
    """A search for the database: the `condition` on resources, and the criteria that are judged on their content.

    `values` are those of the parameters of the condition. Searches that ask for as many terms, and for nothing else,
    have one and the same condition: so what is made of it can be kept.
    """

    condition: sa.ColumnElement[bool]
    values: Mapping[str, tuple[int, ...]]
    judged: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class _Terms:
    """A resource has one of these terms; the lower the `rarity`, the fewer do."""

    terms: tuple[int, ...]
    rarity: int


def question(search: Search, tenant: Tenant, patient: str | None = None) -> Question:
    """Return what a search asks of the database; with `patient` (`Patient/<id>`) only in that record."""
    found: list[_Terms] = []
    conditions: list[sa.ColumnElement[bool]] = []
    judged: list[Criterion] = []
    for criterion in search.criteria:
        presence = meaning(criterion, tenant.base)
        terms = _terms(search.type, presence, tenant)
        if criterion.parameter.kind == "date" and presence.test is not None:
            conditions.append(_dated(presence.param, presence.test))
        elif terms is None:
            judged.append(criterion)
        elif presence.wanted:
            found.append(_Terms(terms, _rarity(criterion.parameter)))
        else:
            conditions.append(sa.not_(has_term(terms)))
    if patient is not None and not definition(search.type).shared:
        found.append(_Terms((compartment_term(tenant, search.type, patient),), 0))
    found.sort(key=lambda one: one.rarity)
    if search.ids or not found:
        of_type = sa.and_(kept_by(tenant.name), resources.c.type == search.type)
        conditions = [of_type, *(resources.c.id.in_(ids) for ids in search.ids), *conditions]
    condition = _reached(len(found), starts=not search.ids)
    values = {_named(number): one.terms for number, one in enumerate(found)}
    return Question(sa.and_(condition, *conditions) if conditions else condition, values, tuple(judged))


@cache
def _reached(count: int, *, starts: bool) -> sa.ColumnElement[bool]:
    """Return what is true of resources that have a term of each of so many groups, whose names are `_named`.

    Where it `starts` the search, the first group is where the database begins, and all others are asked of what it
    finds.
    """
    groups: list[sa.BindParameter[Any]] = [sa.bindparam(_named(number), expanding=True) for number in range(count)]
    tests = [starting_at if starts and not number else has_term for number in range(count)]
    return sa.and_(sa.true(), *(test(group) for test, group in zip(tests, groups, strict=True)))


def _named(number: int) -> str:
    return f"terms_{number}"


def _rarity(parameter: Parameter) -> int:
    if parameter.name == "identifier" or parameter.target == "Patient":
        return 0
    return {"reference": 1, "canonical": 2, "uri": 2}.get(parameter.kind, 3)


Terms = Iterable[int] | sa.BindParameter[Any]
"""Some terms, or the parameter of a statement that stands for them."""


def starting_at(terms: Terms) -> sa.ColumnElement[bool]:
    """Return what is true of the resources that have one of these terms, for the database to start at those."""
    return resources.c.key.in_(sa.select(resource_terms.c.resource).where(_is_one_of(terms)))


def has_term(terms: Terms) -> sa.ColumnElement[bool]:
    """Return the same as `starting_at`, to be asked of each resource that was found otherwise."""
    return sa.exists().where(resource_terms.c.resource == resources.c.key, _is_one_of(terms))


def _is_one_of(terms: Terms) -> sa.ColumnElement[bool]:
    return resource_terms.c.term.in_(terms if isinstance(terms, sa.BindParameter) else tuple(terms))


def compartment_term(tenant: Tenant, type_: str, patient: str) -> int:
    """Return the term of the resources of one type in a patient's record (`Patient/<id>`)."""
    return tenant.term(type_, COMPARTMENT, patient)


def _terms(type_: str, presence: Presence, tenant: Tenant) -> tuple[int, ...] | None:
    """Return the terms of which one makes a test hold, or None where the terms cannot tell."""
    if not isinstance(presence.test, Some):
        return None
    found = []
    for test in presence.test.tests:
        match test:
            case Compare("value", "equals", value):
                found.append(tenant.term(type_, presence.param, value))
            case Every((Compare("system", "equals", system), Compare("value", "equals", value))) if system:
                found.append(tenant.term(type_, presence.param, value, system))
            case _:
                return None
    return tuple(found)


def _dated(param: str, test: Test) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        resource_dates.c.resource == resources.c.key, resource_dates.c.param == param, _tested(test)
    )


def _tested(test: Test) -> sa.ColumnElement[bool]:
    match test:
        case Compare(column, how, text):
            return _COMPARED[how](resource_dates.c[column], microseconds(text))
        case Not(inner):
            return sa.not_(_tested(inner))
        case Every(tests):
            return sa.and_(*map(_tested, tests))
        case Some(tests):
            return sa.or_(*map(_tested, tests))


def order(keys: tuple[SortKey, ...]) -> list[sa.ColumnElement[Any]] | None:
    """Return what to sort by, or None where only the resources themselves can tell.

    What lacks the element comes last, and the oldest first where all else is equal.
    """
    columns = [_sorted_by(key) for key in keys]
    known = [column for column in columns if column is not None]
    return [*known, resources.c.key] if len(known) == len(columns) else None


def _sorted_by(key: SortKey) -> sa.ColumnElement[Any] | None:
    column: sa.ColumnElement[Any]
    if key.field == "_id":
        column = resources.c.id
    elif key.parameter is not None and key.parameter.kind == "date":
        pick = sa.func.max if key.descending else sa.func.min
        column = (
            sa.select(pick(resource_dates.c.low))
            .where(resource_dates.c.resource == resources.c.key, resource_dates.c.param == key.field)
            .correlate(resources)
            .scalar_subquery()
        )
    else:
        return None
    return (column.desc() if key.descending else column.asc()).nulls_last()
