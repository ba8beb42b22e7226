"""Checks what comes in: bounded JSON, a resource of FHIR R4, codes that exist. Refusals say what is wrong and where."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from questionnaires.fhir import Resource
from questionnaires.reading import DefinitionError, read
from smartapp.fhir.checked import model_problems
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Refused

# Far beyond what any resource of the app needs, and small enough to check without effort.
DEEPEST = 50
MOST_VALUES = 60_000


def parsed(body: bytes) -> Resource:
    """Read JSON into a resource. Raises Refused (400, 413): not JSON, not a resource, too deep, too much."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.", status=400
        ) from None
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        raise Refused("The body is JSON but not a FHIR resource: it has no resourceType.", status=400)
    _bounded(found)
    return found


def _bounded(resource: Resource) -> None:
    """Walk without recursion, so that hostile nesting cannot end the worker."""
    level: list[Any] = [resource]
    values = 0
    for _ in range(DEEPEST):
        following: list[Any] = []
        for node in level:
            children = node.values() if isinstance(node, dict) else node
            values += len(children)
            following.extend(child for child in children if isinstance(child, dict | list))
        if values > MOST_VALUES:
            raise Refused(f"The resource has more than {MOST_VALUES} values. Send it in smaller parts.", status=413)
        if not following:
            return
        level = following
    raise Refused(f"The resource is nested deeper than {DEEPEST} levels.", status=400)


def check(resource: Resource, where: str = "") -> None:
    """Check one resource against FHIR R4. Raises Refused (422) naming each element that is wrong, at most ten.

    `where` is put before the element's path, such as `Bundle.entry[2].resource.`.
    """
    type_ = resource["resourceType"]
    problems = [*model_problems(resource), *_code_problems(resource)]
    if not problems:
        return
    listed = "; ".join(f"{where}{problem}" for problem in problems[:10])
    more = f" (and {len(problems) - 10} more)" if len(problems) > 10 else ""
    raise Refused(f"This {type_} is not valid FHIR R4: {listed}{more}. Correct this and send it again.", status=422)


def _code_problems(resource: Resource) -> list[str]:
    type_ = resource["resourceType"]
    return [
        f"{type_}.{element}: {str(resource[element])[:40]!r} is not one of {', '.join(allowed)}"
        for element, allowed in _codes().get(type_, {}).items()
        if element in resource and resource[element] not in allowed
    ]


@cache
def _codes() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    return read_codes(Path(__file__).with_name("codes.toml"))


def read_codes(path: Path) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the allowed codes in a file, by resource type and element; DefinitionError for a type not kept here."""
    codes = read(path, dict[str, dict[str, tuple[str, ...]]])
    for type_ in codes:
        if type_ not in definitions():
            raise DefinitionError(path.name, type_, f"is not kept here; kept are {', '.join(definitions())}")
    return codes
