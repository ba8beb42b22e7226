"""What of a resource is searchable, as rows: the facts that a search compares, in SQL and in memory alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mappers.tolerant import text_in
from questionnaires.fhir import Resource
from smartapp.bases import behind
from smartapp.fhir.own.dates import EARLIEST, LATEST, date_range
from smartapp.fhir.own.search import Parameter, definition

# The index row that says whose patient record a resource belongs to: `Patient/<id>`.
COMPARTMENT = "#compartment"


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


def patients_of(resource: Resource, *bases: str) -> frozenset[str]:
    """Return the patients (`Patient/<id>`) whose record the resource belongs to by its own elements.

    References may start with any of these bases.
    """
    found: set[str] = set()
    for path in definition(resource["resourceType"]).compartment:
        if path == "#self":
            found.add(f"Patient/{resource.get('id')}")
            continue
        for value in walk(resource, path):
            reference = relative(text_in(value, "reference"), *bases)
            if reference.startswith("Patient/"):
                found.add(reference)
    return frozenset(found)


def walk(node: Any, path: str) -> Iterator[Any]:
    """Yield what is at a dotted path, walking through lists."""
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


def relative(reference: str, *bases: str) -> str:
    """Return a reference as `Type/id` when it points into one of these bases, without a version; else as it is."""
    inside = behind(reference, *bases) if "://" in reference else None
    return (reference if inside is None else inside).split("/_history/")[0]


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


def folded(text: str) -> str:
    """Return text as strings are compared: no case, no accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
