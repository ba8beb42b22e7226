"""What can be searched by, and what a query asks: a query is understood as a whole or refused with what would be right.

What can be searched by is data: `search_parameters.toml` beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import field

from questionnaires.reading import FilePlace, OneLine, Strict, read
from smartapp.fhir.own.dates import date_range
from smartapp.fhir.store import Query, Refused

ParameterKind = Literal["token", "reference", "date", "string", "canonical", "uri"]

_CONTROL = {"_sort", "_count", "_elements", "_include", "_revinclude", "_total"}
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_MODIFIERS: Mapping[ParameterKind, frozenset[str]] = {
    "token": frozenset({"missing", "not"}),
    "reference": frozenset({"missing", "identifier"}),
    "date": frozenset({"missing"}),
    "string": frozenset({"missing", "contains"}),
    "canonical": frozenset({"missing"}),
    "uri": frozenset({"missing"}),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one resource type."""

    name: str
    kind: ParameterKind
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
class Criterion:
    """One condition: any of `values` for this parameter (after a modifier such as `missing`)."""

    parameter: Parameter
    modifier: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key to sort by: a parameter, whose name `field` is, or None with `field` being `_id`."""

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
    kind: ParameterKind
    path: OneLine
    target: OneLine | None = None


class _TypeTable(Strict, frozen=True):
    """One resource type in the file. Without `compartment` it is in nobody's record; hence no key may be misspelt."""

    params: dict[str, _ParameterTable] = field(default_factory=dict)
    compartment: tuple[OneLine, ...] = ()
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
    if not tables:
        raise FilePlace(path.name).error("", "has no resource type; write at least one")
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
        elif base_name == "_elements":
            continue  # all of a resource is never too much here: what goes over a wire is for who sends it to cut
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
    if name == "_id":
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
