"""Keeping up what resources are found by: the terms and the moments of each, made anew at every write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mappers.tolerant import objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.own.dates import microseconds
from smartapp.fhir.own.index import COMPARTMENT, IndexRow, index_rows, patients_of, relative
from smartapp.fhir.own.sealing import Tenant
from smartapp.fhir.own.search import definition
from smartapp.fhir.own.tables import resource_dates, resource_terms, row_of


@dataclass(frozen=True, slots=True)
class Indexer:
    """Indexes the resources of one tenant inside a transaction that may write."""

    connection: Connection
    tenant: Tenant

    def index(self, written: Mapping[int, Resource]) -> None:
        """Index resources anew, by the keys of their rows."""
        for table in (resource_terms, resource_dates):
            self.connection.execute(sa.delete(table).where(table.c.resource.in_(written)))
        terms: list[dict[str, int]] = []
        dates: list[dict[str, int | str]] = []
        for key, resource in written.items():
            rows = [*index_rows(resource, self.tenant.base), *self._compartments(resource)]
            terms += [{"term": term, "resource": key} for term in set(self._terms(resource["resourceType"], rows))]
            dates += [{"resource": key, **moments} for moments in _moments(rows)]
        for table, values in ((resource_terms, terms), (resource_dates, dates)):
            if values:
                self.connection.execute(sa.insert(table), values)

    def patients(self, resource: Resource, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return the patients (`Patient/<id>`) whose record a resource belongs to.

        A Provenance about an Observation is part of the record that the Observation is part of.
        """
        found = patients_of(resource, self.tenant.base)
        for target in objects_in(resource, "target") if resource["resourceType"] == "Provenance" else ():
            reference = relative(text_in(target, "reference"), self.tenant.base)
            type_, _, id_ = reference.partition("/")
            row = None if reference in seen else row_of(self.connection, self.tenant.name, type_, id_)
            if row is not None:
                found |= self.patients(self.tenant.stored(row.content).resource, seen | {reference})
        return found

    def _compartments(self, resource: Resource) -> Iterator[IndexRow]:
        if resource["resourceType"] == "Provenance":  # of all others `index_rows` says it
            yield from (IndexRow(COMPARTMENT, value=patient) for patient in self.patients(resource))

    def _terms(self, type_: str, rows: list[IndexRow]) -> Iterator[int]:
        params = definition(type_).params
        # Texts that are found by a part of them have no terms: a digest has no parts.
        texts = {name for name, one in params.items() if one.kind in ("string", "date")}
        for row in rows:
            if row.param not in texts:
                yield self.tenant.term(type_, row.param, row.value)
                if row.system not in ("", row.value):
                    yield self.tenant.term(type_, row.param, row.value, row.system)


def _moments(rows: list[IndexRow]) -> list[dict[str, int | str]]:
    return [
        {"param": row.param, "low": microseconds(row.low), "high": microseconds(row.high)}
        for row in rows
        if row.low is not None and row.high is not None
    ]
