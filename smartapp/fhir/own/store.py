"""Our own FHIR store: versioned resources in SQL, one or more records (`tenant`) side by side.

It is the place for what an EHR does not take, and what the sandbox serves over HTTP as "the EHR".
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.own.search import (
    COMPARTMENT,
    Criterion,
    IndexRow,
    Search,
    SortKey,
    dated,
    definition,
    definitions,
    folded,
    index_rows,
    relative,
    split,
    understand,
)
from smartapp.fhir.references import renamed
from smartapp.fhir.store import Conflict, NotFound, Query, RecordError, Refused, Stored, Write
from smartapp.storage.database import metadata, reading, writing

P = ParamSpec("P")
R = TypeVar("R")

# A search through the seam returns every match. More than this is a question that was put too widely.
MOST_RESULTS = 2000

_ID = re.compile(r"^[A-Za-z0-9\-.]{1,64}$")
_ETAG = re.compile(r'^(?:W/)?"(?P<version>[^"]{1,64})"$')
# The escape itself, not a backslash that somebody wrote before the letters u0000.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_CONDITION = re.compile(r"^[^?\s]*$")

_key = sa.BigInteger().with_variant(sa.Integer, "sqlite")

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("key", _key, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated", sa.String(40), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("tenant", "type", "id"),
)

# Every version there has been, the current one included: what somebody wrote is never overwritten.
resource_versions = sa.Table(
    "resource_versions",
    metadata,
    sa.Column("resource", sa.ForeignKey(resources.c.key), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("updated", sa.String(40), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

resource_index = sa.Table(
    "resource_index",
    metadata,
    sa.Column("resource", sa.ForeignKey(resources.c.key), nullable=False, index=True),
    sa.Column("param", sa.String(80), nullable=False),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("low", sa.String(27)),
    sa.Column("high", sa.String(27)),
    sa.Index("ix_resource_index_value", "param", "value", "resource"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write came to: the resource as it is stored now, and whether it is new."""

    stored: Stored
    created: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: the matches, what they include, and how many matches there are in all."""

    matches: tuple[Stored, ...]
    included: tuple[Stored, ...]
    total: int


# Called inside the transaction with a resource about to be stored, the version it replaces and the patients whose
# record it belongs to; it refuses by raising.
Permit = Callable[[Resource, Stored | None, frozenset[str]], None]


def _now() -> datetime:
    return datetime.now(UTC)


class OwnStore:
    """Keeps resources of one `tenant` (whose default is the base address). Implements RecordStore.

    `base_url` is the address under which references may name our resources; `clock` gives the time of a write.
    """

    def __init__(
        self, engine: Engine, base_url: str, *, tenant: str | None = None, clock: Callable[[], datetime] = _now
    ) -> None:
        self.engine = engine
        self.base_url = base_url.rstrip("/")
        self.tenant = tenant or self.base_url
        self._clock = clock

    # ---- the seam

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement: every type of `search_parameters.toml`, all that this store does."""
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-11-22",
            "kind": "instance",
            "software": {"name": "Verstel own store"},
            "implementation": {"description": "Verstel own store", "url": self.base_url},
            "fhirVersion": "4.0.1",
            "format": ["json", "application/fhir+json"],
            "rest": [
                {
                    "mode": "server",
                    "resource": [
                        {
                            "type": known.type,
                            "interaction": [
                                {"code": code}
                                for code in ("read", "vread", "history-instance", "search-type", "create", "update")
                            ],
                            "versioning": "versioned-update",
                            "readHistory": True,
                            "updateCreate": True,
                            "conditionalCreate": True,
                            "searchInclude": [
                                f"{known.type}:{parameter.name}"
                                for parameter in known.params.values()
                                if parameter.kind == "reference"
                            ],
                            "searchParam": [
                                {"name": "_id", "type": "token"},
                                *({"name": p.name, "type": _search_type(p.kind)} for p in known.params.values()),
                            ],
                        }
                        for known in definitions().values()
                    ],
                    "interaction": [{"code": "transaction"}, {"code": "batch"}],
                }
            ],
        }

    def read(self, type: str, id: str, /) -> Stored:
        """Return the current version, or raise NotFound."""
        definition(type)
        with reading(self.engine) as connection:
            row = self._row(connection, type, id)
        if row is None:
            raise NotFound(f"There is no {type}/{id[:64]} here. Check the id, or search for it.")
        return _stored(row.content)

    def search(self, query: Query, /) -> list[Stored]:
        """Return all matches and what they include. More than MOST_RESULTS is Refused."""
        page = self.find(understand(query), count=MOST_RESULTS)
        if page.total > MOST_RESULTS:
            raise Refused(
                f"The search for {query.type} has {page.total} results, more than {MOST_RESULTS}. Narrow it.",
                status=400,
            )
        return [*page.matches, *page.included]

    def write(self, write: Write, /) -> Stored:
        """Write one resource. Raises Conflict (stale `if_match`), NotFound or Refused."""
        return self.put_all([write])[0].stored

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        """Write all or nothing, in the order given."""
        return [outcome.stored for outcome in self.put_all(writes)]

    # ---- what the sandbox's HTTP face needs beside it

    def read_version(self, type: str, id: str, version: str) -> Stored:
        """Return one version of a resource, or raise NotFound."""
        for stored in self.history(type, id):
            if stored.resource["meta"]["versionId"] == version:
                return stored
        raise NotFound(f"There is no version {version[:20]!r} of {type}/{id[:64]}. Its history lists what there is.")

    def history(self, type: str, id: str) -> list[Stored]:
        """Return all versions of a resource, newest first, or raise NotFound."""
        definition(type)
        with reading(self.engine) as connection:
            rows = connection.execute(
                sa.select(resource_versions.c.content)
                .join(resources, resources.c.key == resource_versions.c.resource)
                .where(resources.c.tenant == self.tenant, resources.c.type == type, resources.c.id == id)
                .order_by(resource_versions.c.version.desc())
            ).all()
        if not rows:
            raise NotFound(f"There is no {type}/{id[:64]} here. Check the id, or search for it.")
        return [_stored(row.content) for row in rows]

    def belongs_to(self, type: str, id: str, patient: str) -> bool:
        """Say whether a resource is part of a patient's record (`Patient/<id>`)."""
        with reading(self.engine) as connection:
            found = connection.execute(
                sa.select(resources.c.key)
                .where(resources.c.tenant == self.tenant, resources.c.type == type, resources.c.id == id)
                .where(self._in_compartment(patient))
            ).first()
        return found is not None

    def find(self, search: Search, *, count: int, offset: int = 0, patient: str | None = None) -> Page:
        """Return one page of a search; with `patient` (`Patient/<id>`) only what is in that person's record.

        What is shared by all (practitioners, definitions) is found with any `patient`; that holds for what is
        included too: an include never reaches into another person's record.
        """
        with reading(self.engine) as connection:
            condition = self._condition(search, patient)
            total = connection.execute(sa.select(sa.func.count()).select_from(resources).where(condition)).scalar_one()
            ordered = sa.select(resources.c.key, resources.c.content).where(condition)
            rows = connection.execute(
                ordered.order_by(*_order(search.sort), resources.c.key).limit(count).offset(offset)
            ).all()
            keys = [row.key for row in rows]
            included = self._included(connection, search, keys, patient) if keys else []
        return Page(
            matches=tuple(_stored(row.content) for row in rows),
            included=tuple(_stored(content) for content in included),
            total=total,
        )

    def put_all(self, writes: Sequence[Write], permit: Permit | None = None) -> list[Outcome]:
        """Write all or nothing and say of each whether it was created; `permit` may refuse each one (see Permit)."""
        with writing(self.engine) as connection:
            planned = [_at(i, self._planned, connection, write) for i, write in enumerate(writes)]
            _refuse_twice(planned)
            names: dict[str | None, str] = {
                plan.write.full_url: f"{plan.write.resource['resourceType']}/{plan.id}"
                for plan in planned
                if plan.write.full_url
            }
            outcomes = [_at(i, self._put, connection, plan, names) for i, plan in enumerate(planned)]
            # Indexed when all are stored: whose record one belongs to can follow from another of the same unit.
            for i, (plan, outcome) in enumerate(zip(planned, outcomes, strict=True)):
                _at(i, self._settle, connection, plan, outcome, permit)
        return outcomes

    # ---- inside

    def _row(self, connection: Connection, type_: str, id_: str) -> sa.Row[Any] | None:
        return connection.execute(
            sa.select(resources).where(
                resources.c.tenant == self.tenant, resources.c.type == type_, resources.c.id == id_
            )
        ).first()

    def _planned(self, connection: Connection, write: Write) -> _Plan:
        type_ = text_in(write.resource, "resourceType")
        if not type_:
            raise Refused("The resource has no resourceType. Say what it is, such as 'Observation'.", status=400)
        definition(type_)
        if write.method == "create":
            existing = self._existing(connection, type_, write.if_none_exist)
            id_ = existing.resource["id"] if existing else str(uuid.uuid4())
            return _Plan(write, id_, None, existing)
        id_ = text_in(write.resource, "id")
        if not _ID.match(id_):
            raise Refused(
                f"{type_}.id is missing or not a FHIR id (letters, digits, '-' and '.', at most 64). "
                "An update needs the id of what it updates.",
                status=400,
            )
        row = self._row(connection, type_, id_)
        current = None if row is None else _stored(row.content)
        if write.if_match is not None:
            _check_version(write, current)
        return _Plan(write, id_, current, None)

    def _existing(self, connection: Connection, type_: str, condition: str | None) -> Stored | None:
        if condition is None:
            return None
        if not condition or not _CONDITION.match(condition):
            raise Refused("If-None-Exist is not a search. Write it as identifier=system|value.", status=400)
        pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in condition.split("&")))
        search = understand(Query(type_, pairs))
        if not search.criteria and not search.ids:
            raise Refused("If-None-Exist names nothing to look for. Write it as identifier=system|value.", status=400)
        rows = connection.execute(
            sa.select(resources.c.content).where(self._condition(search, None)).order_by(resources.c.key).limit(2)
        ).all()
        if len(rows) > 1:
            raise Refused(f"If-None-Exist matches more than one {type_}. Use an identifier that is unique.", status=412)
        return _stored(rows[0].content) if rows else None

    def _put(self, connection: Connection, plan: _Plan, names: dict[str | None, str]) -> Outcome:
        if plan.existing is not None:
            return Outcome(plan.existing, created=False)
        type_ = plan.write.resource["resourceType"]
        version = 1 if plan.current is None else int(plan.current.resource["meta"]["versionId"]) + 1
        moment = self._clock().astimezone(UTC)
        updated = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        resource: Resource = {
            "resourceType": type_,
            "id": plan.id,
            "meta": {
                **object_in(plan.write.resource, "meta"),
                "versionId": str(version),
                "lastUpdated": updated,
            },
        }
        for name, value in plan.write.resource.items():
            if name not in resource:
                resource[name] = rewritten(value, names)
        try:
            content = orjson.dumps(resource)
        except (orjson.JSONEncodeError, RecursionError) as error:
            raise Refused(f"{type_} cannot be written as JSON: {error}.", status=400) from None
        if _NUL.search(content):
            raise Refused(f"{type_} holds the character U+0000, which FHIR does not allow. Take it out.", status=400)
        values = {"version": version, "updated": updated, "content": content}
        if plan.current is None:
            statement = sa.insert(resources).values(tenant=self.tenant, type=type_, id=plan.id, **values)
            key = connection.execute(statement).inserted_primary_key[0]  # type: ignore[index]
        else:
            row = self._row(connection, type_, plan.id)
            key = row.key  # type: ignore[union-attr]
            connection.execute(sa.update(resources).where(resources.c.key == key).values(**values))
        connection.execute(sa.insert(resource_versions).values(resource=key, **values))
        return Outcome(Stored(resource, f'W/"{version}"'), created=plan.current is None)

    def _settle(self, connection: Connection, plan: _Plan, outcome: Outcome, permit: Permit | None) -> None:
        if plan.existing is None:
            patients = self._index(connection, outcome.stored.resource)
        else:
            patients = self._patients(connection, plan.existing.resource)
        if permit is not None:
            permit(outcome.stored.resource, plan.current or plan.existing, patients)

    def _index(self, connection: Connection, resource: Resource) -> frozenset[str]:
        row = self._row(connection, resource["resourceType"], resource["id"])
        key = row.key  # type: ignore[union-attr]
        connection.execute(sa.delete(resource_index).where(resource_index.c.resource == key))
        rows = set(index_rows(resource, self.base_url))
        if resource["resourceType"] == "Provenance":
            # A Provenance about an Observation is part of the record that the Observation is part of.
            rows |= {
                IndexRow(COMPARTMENT, value=patient)
                for target in objects_in(resource, "target")
                for patient in self._patients_at(connection, relative(text_in(target, "reference"), self.base_url))
            }
        if rows:
            connection.execute(
                sa.insert(resource_index),
                [
                    {
                        "resource": key,
                        "param": row.param,
                        "value": row.value,
                        "system": row.system,
                        "low": row.low,
                        "high": row.high,
                    }
                    for row in rows
                ],
            )
        return frozenset(row.value for row in rows if row.param == COMPARTMENT)

    def _patients(self, connection: Connection, resource: Resource) -> frozenset[str]:
        return self._patients_at(connection, f"{resource['resourceType']}/{resource['id']}")

    def _patients_at(self, connection: Connection, reference: str) -> frozenset[str]:
        type_, _, id_ = reference.partition("/")
        return frozenset(
            connection.execute(
                sa.select(resource_index.c.value)
                .join(resources, resources.c.key == resource_index.c.resource)
                .where(resources.c.tenant == self.tenant, resources.c.type == type_, resources.c.id == id_)
                .where(resource_index.c.param == COMPARTMENT)
            ).scalars()
        )

    def _condition(self, search: Search, patient: str | None) -> sa.ColumnElement[bool]:
        parts: list[sa.ColumnElement[bool]] = [resources.c.tenant == self.tenant, resources.c.type == search.type]
        parts += [resources.c.id.in_(ids) for ids in search.ids]
        parts += [_matches(criterion, self.base_url) for criterion in search.criteria]
        if patient is not None and not definition(search.type).shared:
            parts.append(self._in_compartment(patient))
        return sa.and_(*parts)

    @staticmethod
    def _in_compartment(patient: str) -> sa.ColumnElement[bool]:
        return _indexed(COMPARTMENT, resource_index.c.value == patient)

    def _included(self, connection: Connection, search: Search, keys: list[int], patient: str | None) -> list[bytes]:
        found: dict[int, bytes] = {}
        for inclusion in search.inclusions:
            if inclusion.reverse:
                matches = sa.select(resources.c.type + "/" + resources.c.id).where(resources.c.key.in_(keys))
                condition = sa.and_(
                    resources.c.type == inclusion.type,
                    _indexed(inclusion.param, resource_index.c.value.in_(matches)),
                )
            else:
                pointed = sa.select(resource_index.c.value).where(
                    resource_index.c.resource.in_(keys), resource_index.c.param == inclusion.param
                )
                condition = (resources.c.type + "/" + resources.c.id).in_(pointed)
                if inclusion.target:
                    condition = sa.and_(condition, resources.c.type == inclusion.target)
            if patient is not None:
                shared = [known.type for known in definitions().values() if known.shared]
                condition = sa.and_(condition, sa.or_(resources.c.type.in_(shared), self._in_compartment(patient)))
            rows = connection.execute(
                sa.select(resources.c.key, resources.c.content)
                .where(resources.c.tenant == self.tenant, condition)
                .order_by(resources.c.key)
                .limit(MOST_RESULTS)
            )
            found |= {row.key: row.content for row in rows}
        return [content for key, content in found.items() if key not in keys]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A write with the id it gets, the version it replaces, or the `existing` one that makes it needless."""

    write: Write
    id: str
    current: Stored | None
    existing: Stored | None


def _at(index: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the work of one write of a unit; an error says which one it was."""
    try:
        return work(*args, **kwargs)
    except RecordError as error:
        error.unit_index = index
        raise


def rewritten(value: Any, names: Mapping[str | None, str]) -> Any:
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


def _refuse_twice(planned: Iterable[_Plan]) -> None:
    seen: set[str] = set()
    for plan in planned:
        if plan.existing is not None:
            continue
        for name in (f"{plan.write.resource['resourceType']}/{plan.id}", plan.write.full_url):
            if name in seen:
                raise Refused(f"{name} stands more than once in this unit. Write each resource once.", status=400)
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


def _indexed(param: str, condition: sa.ColumnElement[bool] | None = None) -> sa.ColumnElement[bool]:
    inner = sa.select(resource_index.c.resource).where(resource_index.c.param == param)
    if condition is not None:
        inner = inner.where(condition)
    return resources.c.key.in_(inner)


def _matches(criterion: Criterion, base: str) -> sa.ColumnElement[bool]:
    name = criterion.parameter.name
    if criterion.modifier == "missing":
        present = _indexed(name)
        return sa.not_(present) if criterion.values == ("true",) else present
    if criterion.modifier == "identifier":
        return _indexed(f"{name}:identifier", sa.or_(*(_token(value) for value in criterion.values)))
    condition = sa.or_(*(_means(criterion, value, base) for value in criterion.values))
    found = _indexed(name, condition)
    return sa.not_(found) if criterion.modifier == "not" else found


def _means(criterion: Criterion, value: str, base: str) -> sa.ColumnElement[bool]:
    index = resource_index.c
    match criterion.parameter.kind:
        case "token":
            return _token(value)
        case "reference":
            return _reference(criterion, value, base)
        case "date":
            return _dates(criterion.parameter.name, value)
        case "string" if criterion.modifier == "contains":
            return index.value.contains(folded(value), autoescape=True)
        case "string":
            return index.value.startswith(folded(value), autoescape=True)
        case kind:
            return (index.system if kind == "canonical" and "|" in value else index.value) == value


def _token(value: str) -> sa.ColumnElement[bool]:
    index = resource_index.c
    system, *rest = split(value, "|")
    if not rest:
        return index.value == system
    code = "|".join(rest)
    return sa.and_(index.system == system, index.value == code) if code else index.system == system


def _reference(criterion: Criterion, value: str, base: str) -> sa.ColumnElement[bool]:
    index = resource_index.c
    reference = relative(value, base)
    if "/" in reference:
        return index.value == reference
    if criterion.parameter.target:
        return index.value == f"{criterion.parameter.target}/{reference}"
    return index.value.endswith(f"/{reference}", autoescape=True)


def _dates(name: str, value: str) -> sa.ColumnElement[bool]:
    index = resource_index.c
    prefix, low, high = dated(name, value)
    within = sa.and_(index.low >= low, index.high <= high)
    meanings: dict[str, sa.ColumnElement[bool]] = {
        "eq": within,
        "ne": sa.not_(within),
        "gt": index.high > high,
        "lt": index.low < low,
        "ge": sa.or_(index.high > high, within),
        "le": sa.or_(index.low < low, within),
        "sa": index.low > high,
        "eb": index.high < low,
        "ap": sa.and_(index.low <= high, index.high >= low),
    }
    return meanings[prefix]


def _order(keys: tuple[SortKey, ...]) -> list[sa.ColumnElement[Any]]:
    order: list[sa.ColumnElement[Any]] = []
    for key in keys:
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
        order.append((column.desc() if key.descending else column.asc()).nulls_last())
    return order


def _stored(content: bytes) -> Stored:
    resource = orjson.loads(content)
    return Stored(resource, f'W/"{resource["meta"]["versionId"]}"')


def _search_type(kind: str) -> str:
    return "reference" if kind == "canonical" else kind
