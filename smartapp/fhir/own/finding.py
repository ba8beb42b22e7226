"""Finding resources: what the tables can tell is asked of them, and the rest is judged on the resources themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from smartapp.fhir.own.index import index_rows
from smartapp.fhir.own.matching import meets, ordered
from smartapp.fhir.own.sealing import Tenant
from smartapp.fhir.own.search import Inclusion, Search, SortKey, definition, definitions
from smartapp.fhir.own.sql import Question, compartment_term, has_term, order, question, starting_at
from smartapp.fhir.own.tables import CURRENT, kept_by, resources
from smartapp.fhir.store import MOST_RESULTS, Stored

_Current = sa.Select[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search: the matches, what they include, and how many matches there are in all."""

    matches: tuple[Stored, ...]
    included: tuple[Stored, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Finder:
    """Searches in one tenant; with `patient` (`Patient/<id>`) only in that record and in what is shared by all."""

    connection: Connection
    tenant: Tenant
    patient: str | None = None

    def page(self, search: Search, *, count: int, offset: int = 0, counted: bool = True) -> SearchPage:
        """Return one page of a search; unless it is `counted`, `total` is of what was seen up to its end."""
        asked = question(search, self.tenant, self.patient)
        statement = None if asked.judged else _page_of(asked.condition, search.sort)
        if statement is None:
            every = self._judged(search, asked)
            return self._page(search, every[offset : offset + count], len(every))
        rows = self._stored(statement, {**asked.values, "most": count, "after": offset})
        # A page that is not full is the last one, and then nothing needs to be counted.
        if not counted or (len(rows) < count and (rows or not offset)):
            return self._page(search, rows, offset + len(rows))
        counting = sa.select(sa.func.count()).select_from(resources).where(asked.condition)
        return self._page(search, rows, self.connection.execute(counting, asked.values).scalar_one())

    def _page(self, search: Search, matches: Sequence[Stored], total: int) -> SearchPage:
        return SearchPage(tuple(matches), tuple(self._included(search, matches)), total)

    def _judged(self, search: Search, asked: Question) -> list[Stored]:
        rows = self._stored(CURRENT.where(asked.condition).order_by(resources.c.key), asked.values)
        found = (one for one in rows if meets(one.resource, asked.judged, self.tenant.base))
        return ordered(found, search.sort, self.tenant.base, lambda one: one.resource)

    def _stored(self, statement: _Current, values: Mapping[str, Any] = MappingProxyType({})) -> list[Stored]:
        return [self.tenant.stored(row.content) for row in self.connection.execute(statement, values)]

    def _included(self, search: Search, matches: Sequence[Stored]) -> list[Stored]:
        """Return what the matches bring along, each once, without the matches themselves."""
        found: dict[str, Stored] = {}
        for inclusion in search.inclusions if matches else ():
            follow = self._pointing_at if inclusion.reverse else self._pointed_at
            rows = self._stored(CURRENT.where(follow(inclusion, matches)).order_by(resources.c.key).limit(MOST_RESULTS))
            found |= {one.reference: one for one in rows}
        known = {one.reference for one in matches}
        return [one for reference, one in found.items() if reference not in known]

    def _pointing_at(self, inclusion: Inclusion, matches: Sequence[Stored]) -> sa.ColumnElement[bool]:
        terms = {self.tenant.term(inclusion.type, inclusion.param, one.reference) for one in matches}
        return sa.and_(starting_at(terms), self._within_reach(inclusion.type))

    def _pointed_at(self, inclusion: Inclusion, matches: Sequence[Stored]) -> sa.ColumnElement[bool]:
        ids: dict[str, set[str]] = defaultdict(set)
        for row in (row for one in matches for row in index_rows(one.resource, self.tenant.base)):
            type_, _, id_ = row.value.partition("/")
            if row.param == inclusion.param and type_ in definitions() and inclusion.target in (None, type_):
                ids[type_].add(id_)
        of_type = (
            sa.and_(resources.c.type == type_, resources.c.id.in_(some), self._within_reach(type_))
            for type_, some in ids.items()
        )
        return sa.and_(kept_by(self.tenant.name), sa.or_(sa.false(), *of_type))

    def _within_reach(self, type_: str) -> sa.ColumnElement[bool]:
        if self.patient is None or definition(type_).shared:
            return sa.true()
        return has_term([compartment_term(self.tenant, type_, self.patient)])


@lru_cache(maxsize=64)
def _page_of(condition: sa.ColumnElement[bool], sort: tuple[SortKey, ...]) -> _Current | None:
    """Return what finds the page of `most` resources `after` so many; None where only they themselves can be sorted."""
    sorting = order(sort)
    if sorting is None:
        return None
    # Chosen before their contents are fetched: the first of a thousand takes no thousand contents.
    chosen = sa.select(resources.c.key).where(condition).order_by(*sorting)
    page = chosen.limit(sa.bindparam("most", type_=sa.Integer)).offset(sa.bindparam("after", type_=sa.Integer))
    return CURRENT.where(resources.c.key.in_(page.correlate(None))).order_by(*sorting)
