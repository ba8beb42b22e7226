"""Rules of profiles whose package we can't be given, as functions: each is tried on what we have, and on a bad copy.

Which version of which source they were read in stands in the test that has them. A rule that nothing can break would
say nothing, so each one brings a change that has to break it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

Resource = dict[str, Any]
SD = "http://hl7.org/fhir/StructureDefinition"
ABSENT = f"{SD}/data-absent-reason"


@dataclass(frozen=True)
class Rule:
    """`name` is that of the source, `kind` the type of resource; `spoil` changes one that it holds for so that not."""

    name: str
    kind: str
    holds: Callable[[Resource], bool]
    spoil: Callable[[Resource], object]


def each(rules: Iterable[Rule]) -> pytest.MarkDecorator:
    """Return the mark that gives a test one rule at a time."""
    return pytest.mark.parametrize("rule", list(rules), ids=lambda rule: f"{rule.kind} {rule.name}")


def check(rule: Rule, resources: Iterable[Resource]) -> None:
    """Fail unless a rule holds for all resources of its type, and for none of them once it is spoiled.

    What `spoil` can't reach in one of them (it raises LookupError) is tried on the others; on one it has to work.
    """
    there = [one for one in resources if one["resourceType"] == rule.kind]
    assert there, f"there is no {rule.kind} to try it on"
    for one in there:
        assert rule.holds(one), one
    bad = [spoiled for one in there if (spoiled := _spoiled(rule, one)) is not None]
    assert bad, "nothing here can break it, so it says nothing"
    for one in bad:
        assert not rule.holds(one), one


def _spoiled(rule: Rule, resource: Resource) -> Resource | None:
    changed = copy.deepcopy(resource)
    try:
        rule.spoil(changed)
    except LookupError:
        return None
    return changed


def extensions(element: Any, url: str) -> list[Resource]:
    """Return the extensions of an element (None has none) with a url."""
    return [one for one in (element or {}).get("extension", []) if one["url"] == url]


def elements(value: Any) -> Iterator[Resource]:
    """Yield every object in a resource, the resource too."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from elements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from elements(inner)


def items(resource: Resource) -> list[Resource]:
    """Return every item of a Questionnaire or a response, at any depth."""
    found = []
    for one in resource.get("item", []):
        inside = [{"item": answer.get("item", [])} for answer in one.get("answer", [])]
        found += [one, *items(one), *(each_ for answer in inside for each_ in items(answer))]
    return found
