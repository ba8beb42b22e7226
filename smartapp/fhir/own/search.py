"""FHIR search for our own store, as pure functions: what of a resource is searchable, and what a query asks.

What can be searched by is data: `search_parameters.toml` beside this file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from msgspec import field

from mappers.tolerant import text_in
from questionnaires.fhir import Resource
from questionnaires.reading import Line, Strict, read
from smartapp.fhir.store import Query, Refused

Kind = Literal["token", "reference", "date", "string", "canonical", "uri"]

# The index row that says whose patient record a resource belongs to: `Patient/<id>`.
COMPARTMENT = "#compartment"

EARLIEST = "0000"
LATEST = "9999-12-31T23:59:59.999999Z"

_CONTROL = {"_sort", "_count", "_include", "_revinclude", "_total"}
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_MODIFIERS: Mapping[Kind, frozenset[str]] = {
    "token": frozenset({"missing", "not"}),
    "reference": frozenset({"missing", "identifier"}),
    "date": frozenset({"missing"}),
    "string": frozenset({"missing", "contains"}),
    "canonical": frozenset({"missing"}),
    "uri": frozenset({"missing"}),
}
_DATE = re.compile(
    r"^(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?$"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one resource type."""

    name: str
    kind: Kind
    path: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What our own store knows of one resource type: its search parameters and whose record it belongs to."""

    type: str
    params: Mapping[str, Parameter]
    compartment: tuple[str, ...]
    shared: bool
    public: bool


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One searchable fact of a resource. Which fields are filled depends on the parameter's kind.

    token: `system` and `value`; reference: `value` as `Type/id`; string: `value` folded; canonical: `value` without
    and `system` with the version; date: `low` and `high`, the first and the last moment it can mean, UTC.
    """

    param: str
    value: str = ""
    system: str = ""
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition: any of `values` for this parameter (after a modifier such as `missing`)."""

    parameter: Parameter
    modifier: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key to sort by: a parameter, or None with `field` being `_id` or `_lastUpdated`."""

    parameter: Parameter | None
    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One `_include` or `_revinclude`: follow the reference parameter `param` of `type` (to `target` only)."""

    type: str
    param: str
    target: str | None
    reverse: bool


@dataclass(frozen=True, slots=True)
class Search:
    """A query that has been understood."""

    type: str
    ids: tuple[tuple[str, ...], ...]
    criteria: tuple[Criterion, ...]
    sort: tuple[SortKey, ...]
    count: int | None
    inclusions: tuple[Inclusion, ...]


class _ParameterTable(Strict, frozen=True):
    kind: Kind
    path: Line
    target: Line | None = None


class _TypeTable(Strict, frozen=True):
    """One resource type in the file. Without `compartment` it is in nobody's record; hence no key may be misspelt."""

    params: dict[str, _ParameterTable] = field(default_factory=dict)
    compartment: tuple[Line, ...] = ()
    shared: bool = False
    public: bool = False


@cache
def definitions() -> Mapping[str, Definition]:
    """Return what the store knows of each resource type, from `search_parameters.toml`."""
    return read_definitions(Path(__file__).with_name("search_parameters.toml"))


def read_definitions(path: Path) -> Mapping[str, Definition]:
    """Return what a file says of each resource type; DefinitionError where it says what can't be."""
    tables = dict(read(path, dict[str, _TypeTable]))
    common = tables.pop("_common", _TypeTable()).params
    return {
        type_: Definition(
            type=type_,
            params={
                name: Parameter(name, row.kind, row.path, row.target)
                for name, row in {**common, **table.params}.items()
            },
            compartment=table.compartment,
            shared=table.shared or table.public,
            public=table.public,
        )
        for type_, table in tables.items()
    }


def definition(type_: str) -> Definition:
    """Return what the store knows of one type, or raise Refused (404) naming the types it keeps."""
    try:
        return definitions()[type_]
    except KeyError:
        raise Refused(
            f"Resource type {type_[:64]!r} is not kept here. Kept are: {', '.join(sorted(definitions()))}.",
            status=404,
        ) from None


# ---- what of a resource is searchable


def index_rows(resource: Resource, base: str) -> list[IndexRow]:
    """Return the searchable facts of a resource; `base` is our own address, which references may start with."""
    known = definition(resource["resourceType"])
    rows = {
        row
        for parameter in known.params.values()
        for path in parameter.path.split("|")
        for value in walk(resource, path)
        for row in _rows(parameter, value, base)
    }
    rows |= {IndexRow(COMPARTMENT, value=patient) for patient in patients_of(resource, base)}
    return sorted(rows, key=lambda row: (row.param, row.system, row.value, row.low or "", row.high or ""))


def patients_of(resource: Resource, base: str) -> frozenset[str]:
    """Return the patients (`Patient/<id>`) whose record the resource belongs to by its own elements."""
    found: set[str] = set()
    for path in definition(resource["resourceType"]).compartment:
        if path == "#self":
            found.add(f"Patient/{resource.get('id')}")
            continue
        for value in walk(resource, path):
            reference = relative(text_in(value, "reference"), base)
            if reference.startswith("Patient/"):
                found.add(reference)
    return frozenset(found)


def walk(node: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a dotted path, walking through lists."""
    if isinstance(node, list):
        for element in node:
            yield from walk(element, path)
    elif not path:
        if node is not None:
            yield node
    elif isinstance(node, dict):
        name, _, rest = path.partition(".")
        if name in node:
            yield from walk(node[name], rest)


def relative(reference: str, base: str) -> str:
    """Return a reference as `Type/id` when it points into `base`, without a version; any other text as it is."""
    text = reference.removeprefix(base.rstrip("/") + "/")
    return text.split("/_history/")[0]


def _rows(parameter: Parameter, value: Any, base: str) -> Iterator[IndexRow]:
    name = parameter.name
    match parameter.kind:
        case "token":
            for system, code in _tokens(value):
                yield IndexRow(name, value=code, system=system)
        case "reference" if isinstance(value, dict):
            yield from _reference_rows(parameter, value, base)
        case "date":
            moments = _moments(value)
            if moments is not None:
                yield IndexRow(name, low=moments[0], high=moments[1])
        case "string" if isinstance(value, str):
            yield IndexRow(name, value=folded(value))
        case "canonical" if isinstance(value, str):
            yield IndexRow(name, value=value.split("|")[0], system=value)
        case "uri" if isinstance(value, str):
            yield IndexRow(name, value=value)
        case _:
            return


def _reference_rows(parameter: Parameter, value: Mapping[str, Any], base: str) -> Iterator[IndexRow]:
    reference = relative(text_in(value, "reference"), base)
    if reference and (parameter.target is None or reference.startswith(f"{parameter.target}/")):
        yield IndexRow(parameter.name, value=reference)
    for system, code in _tokens(value.get("identifier")):
        yield IndexRow(f"{parameter.name}:identifier", value=code, system=system)


def _tokens(value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case bool():
            yield "", "true" if value else "false"
        case str():
            yield "", value
        case {"coding": [*codings]}:
            for coding in codings:
                yield from _tokens(coding)
        case {"code": str(code)}:
            yield text_in(value, "system"), code
        case {"value": str(text)}:
            yield text_in(value, "system"), text
        case _:
            return


def _moments(value: Any) -> tuple[str, str] | None:
    if isinstance(value, str):
        return date_range(value)
    if isinstance(value, dict):
        start = date_range(text_in(value, "start")) if "start" in value else (EARLIEST, "")
        end = date_range(text_in(value, "end")) if "end" in value else ("", LATEST)
        if start and end:
            return start[0], end[1]
    return None


def date_range(text: str) -> tuple[str, str] | None:
    """Return the first and the last moment that a FHIR date or dateTime can mean, in UTC, or None if it is none.

    Without a zone it is read as UTC. Both ends have one fixed width, so that they compare as text.
    """
    match = _DATE.match(text)
    if match is None:
        return None
    part = match.groupdict()
    try:
        start = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            min(int(part["second"] or 0), 59),
            int((part["fraction"] or "0")[:6].ljust(6, "0")),
            tzinfo=UTC,
        )
        start -= _offset(part["zone"])
        return _moment(start), _moment(_end(start, part) - timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return None


def _end(start: datetime, part: Mapping[str, str | None]) -> datetime:
    if part["month"] is None:
        return start.replace(year=start.year + 1)
    if part["day"] is None:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    if part["hour"] is None:
        return start + timedelta(days=1)
    if part["second"] is None:
        return start + timedelta(minutes=1)
    return start + (timedelta(seconds=1) if part["fraction"] is None else timedelta(microseconds=1))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    return (1 if zone[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def folded(text: str) -> str:
    """Return text as strings are compared: no case, no accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()


# ---- what a query asks


def understand(query: Query) -> Search:
    """Read a query, or raise Refused (400) saying which parameter is not understood and which are."""
    known = definition(query.type)
    ids: list[tuple[str, ...]] = []
    criteria: list[Criterion] = []
    sort: list[SortKey] = []
    count: int | None = None
    inclusions: list[Inclusion] = []
    for name, value in query.params:
        if "\0" in value:
            raise _refuse("A search value holds the character U+0000. No text here has it.")
        base_name, _, modifier = name.partition(":")
        if base_name == "_id" and not modifier:
            ids.append(tuple(split(value, ",")))
        elif base_name == "_sort":
            sort.extend(_sort_key(known, key) for key in value.split(","))
        elif base_name == "_count":
            count = _count(value)
        elif base_name in ("_include", "_revinclude"):
            inclusions.append(_inclusion(query.type, name, value))
        elif base_name == "_total":
            continue  # the total is always given, and always exact
        else:
            criteria.append(_criterion(known, base_name, modifier, value))
    return Search(query.type, tuple(ids), tuple(criteria), tuple(sort), count, tuple(inclusions))


def _refuse(text: str) -> Refused:
    return Refused(text, status=400)


def _criterion(known: Definition, name: str, modifier: str, value: str) -> Criterion:
    parameter = known.params.get(name)
    if parameter is None:
        options = ", ".join(sorted([*known.params, "_id", *_CONTROL]))
        raise _refuse(
            f"{known.type} has no search parameter {name[:64]!r} here. It has: {options}. "
            "Leave the parameter out or use one of these."
        )
    if modifier and parameter.kind == "reference" and modifier in definitions():
        # `subject:Patient=1` says the same as `subject=Patient/1`.
        values = tuple(part if "/" in part else f"{modifier}/{part}" for part in split(value, ","))
        return Criterion(parameter, "", values)
    if modifier and modifier not in _MODIFIERS[parameter.kind]:
        options = ", ".join(f":{option}" for option in sorted(_MODIFIERS[parameter.kind]))
        raise _refuse(f"Modifier ':{modifier[:32]}' does not work on {name!r} here. These do: {options}.")
    if not value:
        raise _refuse(f"Search parameter {name!r} has no value. Give one or leave it out.")
    values = tuple(split(value, ","))
    if modifier == "missing" and values not in (("true",), ("false",)):
        raise _refuse(f"'{name}:missing' takes true or false.")
    if parameter.kind == "date" and modifier != "missing":
        for part in values:
            dated(name, part)
    return Criterion(parameter, modifier, values)


def dated(name: str, value: str) -> tuple[str, str, str]:
    """Return prefix, first and last moment of a date as a search gives it (`ge2026-01-01`), or raise Refused."""
    prefix, text = (value[:2], value[2:]) if value[:2] in _PREFIXES else ("eq", value)
    moments = date_range(text)
    if moments is None:
        raise _refuse(
            f"{name}: {value[:40]!r} is not a date. Write 2026, 2026-11, 2026-11-22 or 2026-11-22T10:00:00Z, "
            f"with one of {', '.join(_PREFIXES)} before it if you like."
        )
    return prefix, *moments


def _sort_key(known: Definition, key: str) -> SortKey:
    name = key.removeprefix("-")
    if name in ("_id", "_lastUpdated"):
        return SortKey(None, name, key.startswith("-"))
    parameter = known.params.get(name)
    if parameter is None:
        raise _refuse(f"_sort: {known.type} has no search parameter {name[:64]!r}. Sort by one that it has.")
    return SortKey(parameter, name, key.startswith("-"))


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise _refuse(f"_count: {value[:20]!r} is not a number of results.")
    return int(value)


def _inclusion(type_: str, name: str, value: str) -> Inclusion:
    parts = value.split(":")
    reverse = name.startswith("_revinclude")
    if ":" in name:
        raise _refuse(f"{name[:40]}: only {name.split(':', maxsplit=1)[0]} without a modifier works here.")
    if len(parts) not in (2, 3):
        raise _refuse(f"{name}: {value[:64]!r} is not understood. Write Type:parameter, such as CarePlan:goal.")
    source, param = parts[0], parts[1]
    parameter = definition(source).params.get(param)
    if parameter is None or parameter.kind != "reference" or (not reverse and source != type_):
        raise _refuse(f"{name}: {value[:64]!r} is not a reference parameter that can be followed from {type_}.")
    return Inclusion(source, param, parts[2] if len(parts) == 3 else None, reverse)


def split(value: str, separator: str) -> list[str]:
    r"""Split at a separator that is not escaped (`\,`), and take that separator's escapes away."""
    parts = re.split(rf"(?<!\\){re.escape(separator)}", value)
    return [part.replace(f"\\{separator}", separator) for part in parts]
