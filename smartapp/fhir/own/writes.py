"""Writing to our own store: a unit of resources in one transaction, all of them or none.

In three rounds. All writes are planned first, because a reference may name a resource that comes later in the unit;
then all are stored; then all are indexed, because whose record a resource belongs to can follow from another one of
the same unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.own.finding import Finder
from smartapp.fhir.own.indexing import Indexer
from smartapp.fhir.own.renewing import tenant_key
from smartapp.fhir.own.sealing import Tenant
from smartapp.fhir.own.search import definition, understand
from smartapp.fhir.own.tables import resource_versions, resources, row_of
from smartapp.fhir.references import renamed
from smartapp.fhir.store import Conflict, Query, RecordError, Refused, Stored, Write

P = ParamSpec("P")
R = TypeVar("R")

_ID = re.compile(r"^[A-Za-z0-9\-.]{1,64}$")
_ETAG = re.compile(r'^(?:W/)?"(?P<version>[^"]{1,64})"$')
# The escape itself, not a backslash that someone wrote before the letters u0000.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_CONDITION = re.compile(r"^[^?\s]*$")

_NEW, _VERSION = sa.insert(resources), sa.insert(resource_versions)
_CHANGED = sa.update(resources).where(resources.c.key == sa.bindparam("of"))


# Called inside the transaction with a resource about to be stored, the version it replaces and the patients whose
# record it belongs to; it refuses by raising.
Permit = Callable[[Resource, Stored | None, frozenset[str]], None]


@dataclass(frozen=True, slots=True)
class _Planned:
    """A write with the id it gets, the version it replaces and the `key` of its row, or what makes it needless."""

    write: Write
    id: str
    current: Stored | None = None
    existing: Stored | None = None
    key: int | None = None

    @property
    def reference(self) -> str:
        return f"{self.write.resource['resourceType']}/{self.id}"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one `tenant` inside a transaction that may write; `clock` gives the time of a version."""

    connection: Connection
    tenant: Tenant
    clock: Callable[[], datetime]

    def put_all(self, writes: Sequence[Write], permit: Permit | None) -> list[Stored]:
        """Write a unit and say of each whether it was `created`. A RecordError says which write it is about."""
        planned = [_at(number, self._planned, write) for number, write in enumerate(writes)]
        _refuse_twice(planned)
        names = {plan.write.full_url: plan.reference for plan in planned if plan.write.full_url}
        tenant, indexer = tenant_key(self.connection, self.tenant), Indexer(self.connection, self.tenant)
        stored = [_at(number, self._put, plan, names, tenant) for number, plan in enumerate(planned)]
        for number, (plan, (one, _key)) in enumerate(zip(planned, stored, strict=True)):
            if permit is not None:
                _at(number, permit, one.resource, plan.current or plan.existing, indexer.patients(one.resource))
        indexer.index({key: one.resource for one, key in stored if key is not None})
        return [one for one, _key in stored]

    def _planned(self, write: Write) -> _Planned:
        type_ = text_in(write.resource, "resourceType")
        if not type_:
            raise Refused("The resource has no resourceType. Say what it is, such as 'Observation'.", status=400)
        definition(type_)
        return self._creating(type_, write) if write.method == "create" else self._updating(type_, write)

    def _creating(self, type_: str, write: Write) -> _Planned:
        existing = self._existing(type_, write.if_none_exist)
        if existing is None and write.new_id is not None:
            _key, existing = self._current(type_, _checked_id(type_, write.new_id))
        if existing is not None:
            return _Planned(write, existing.resource["id"], existing=existing)
        return _Planned(write, write.new_id or str(uuid4()))

    def _updating(self, type_: str, write: Write) -> _Planned:
        key, current = self._current(type_, _checked_id(type_, text_in(write.resource, "id")))
        if write.if_match is not None:
            _check_version(write, current)
        return _Planned(write, write.resource["id"], current, key=key)

    def _current(self, type_: str, id_: str) -> tuple[int | None, Stored | None]:
        row = row_of(self.connection, self.tenant.name, type_, id_)
        return (None, None) if row is None else (row.key, self.tenant.stored(row.content))

    def _existing(self, type_: str, wanted: str | None) -> Stored | None:
        """Return the one resource that a conditional create finds (`identifier=system|value`), or None."""
        if wanted is None:
            return None
        if not wanted or not _CONDITION.match(wanted):
            raise Refused("If-None-Exist is not a search. Write it as identifier=system|value.", status=400)
        pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in wanted.split("&")))
        search = understand(Query(type_, pairs))
        if not search.criteria and not search.ids:
            raise Refused("If-None-Exist names nothing to look for. Write it as identifier=system|value.", status=400)
        found = Finder(self.connection, self.tenant).page(search, count=2).matches
        if len(found) > 1:
            raise Refused(f"If-None-Exist matches more than one {type_}. Use an identifier that is unique.", status=412)
        return found[0] if found else None

    def _put(self, plan: _Planned, names: Mapping[str, str], tenant: int) -> tuple[Stored, int | None]:
        """Store a version, and return it with the key of its row; None for one that was there already."""
        if plan.existing is not None:
            return replace(plan.existing, created=False), None
        version = 1 if plan.current is None else int(plan.current.resource["meta"]["versionId"]) + 1
        updated = self.clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        resource = _version(plan, version, updated, names)
        content = self.tenant.packed(_bytes(resource))
        row = {"tenant": tenant, "type": resource["resourceType"], "id": plan.id, "version": version}
        if plan.key is None:
            made = self.connection.execute(_NEW, row).inserted_primary_key
            key = int(made[0])  # type: ignore[index]  # SQLAlchemy: None only for statements without a row
        else:
            key = plan.key
            self.connection.execute(_CHANGED, {"of": key, "version": version})
        self.connection.execute(_VERSION, {"resource": key, "version": version, "content": content})
        return Stored(resource, f'W/"{version}"', created=plan.current is None), key


def _checked_id(type_: str, id_: str) -> str:
    if not _ID.match(id_):
        raise Refused(
            f"{type_}.id is missing or not a FHIR id (letters, digits, '-' and '.', at most 64). "
            "An update needs the id of what it updates.",
            status=400,
        )
    return id_


def _version(plan: _Planned, version: int, updated: str, names: Mapping[str, str]) -> Resource:
    """Return the resource as this version says it: its own id and version, and references by their real names."""
    given = plan.write.resource
    meta = {**object_in(given, "meta"), "versionId": str(version), "lastUpdated": updated}
    ours: Resource = {"resourceType": given["resourceType"], "id": plan.id, "meta": meta}
    return ours | {name: rewritten(value, names) for name, value in given.items() if name not in ours}


def _bytes(resource: Resource) -> bytes:
    type_ = resource["resourceType"]
    try:
        content = orjson.dumps(resource)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Refused(f"{type_} cannot be written as JSON: {error}.", status=400) from None
    if _NUL.search(content):  # PostgreSQL would refuse it too, but without a word about what is wrong
        raise Refused(f"{type_} holds the character U+0000, which FHIR does not allow. Take it out.", status=400)
    return content


def _at(number: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the work of one write of a unit; an error says which one it was."""
    try:
        return work(*args, **kwargs)
    except RecordError as error:
        error.unit_index = number
        raise


def rewritten(value: Any, names: Mapping[str, str]) -> Any:
    """Return a value with each Reference to a `urn:uuid:` name of this unit made a real one.

    Raises Refused when a reference names something that the unit does not hold.
    """

    def real(name: str) -> str:
        if not name.startswith("urn:"):
            return name
        if name not in names:
            raise Refused(
                f"A reference names {name[:60]!r}, which nothing in this unit is called. "
                "Give the resource that it means this fullUrl, or refer to it as Type/id.",
                status=400,
            )
        return names[name]

    return renamed(value, real)


def _refuse_twice(planned: Iterable[_Planned]) -> None:
    seen: set[str] = set()
    for plan in planned:
        if plan.existing is not None:
            continue
        for name in (plan.reference, plan.write.full_url):
            if name in seen:
                raise Refused(f"{name} appears more than once in this unit. Write each resource once.", status=400)
            if name:
                seen.add(name)


def _check_version(write: Write, current: Stored | None) -> None:
    match = _ETAG.match(write.if_match or "")
    if match is None:
        raise Refused('If-Match is not a version tag. Send the ETag you got, such as W/"3".', status=400)
    found = None if current is None else current.resource["meta"]["versionId"]
    if found != match["version"]:
        raise Conflict(
            f"{write.resource['resourceType']} is now at version {found}, this update was made on version "
            f"{match['version']}. Read the current version, merge, and send its ETag in If-Match."
            if found
            else f"This {write.resource['resourceType']} does not exist, so it has no version to match.",
            current,
        )
