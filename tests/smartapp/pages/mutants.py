"""Records of others, changed at random, the same for one seed: wrong shapes, missing, doubled, deep, huge."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from questionnaires.fhir import Resource
from smartapp.fhir.store import Conflict, Query, RecordStore, Stored, Write

DEEP = 60
"""Levels of nesting; an answer with more is refused before a page sees it."""

Step = str | int
Path = tuple[Step, ...]


def odd_values(rng: random.Random) -> Any:
    """Return something that no element of FHIR should be, or not there."""
    return rng.choice(
        [
            None,
            True,
            False,
            0,
            -1,
            10**15,
            3.5,
            "",
            " ",
            "x",
            "é\u202e\x00\ufffe",
            "x" * 70_000,
            "2026-13-45",
            "0000",
            "9999-12-31T23:59:60+14:00",
            "urn:uuid:",
            "//",
            "http://[",
            "%00",
            [],
            [[]],
            [None, 7, "x", {}],
            {},
            {"x": [{}]},
            {"reference": ["x"]},
            {"coding": {"code": {}}},
            {"coding": [None, "x", {"system": [], "code": 7}]},
            [{"system": {}, "value": {}}] * 300,
            nested(DEEP),
        ]
    )


def nested(levels: int) -> Any:
    """Return lists in objects in lists."""
    value: Any = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {("item", "extension")[level % 4 // 2]: value}
    return value


def paths_of(node: Any, here: Path = ()) -> Iterator[Path]:
    """Yield the path of every element in a resource."""
    children: list[tuple[Step, Any]] = []
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    for step, child in children:
        yield (*here, step)
        yield from paths_of(child, (*here, step))


def mutated(resource: Resource, rng: random.Random) -> Resource:
    """Return a resource with one to three of its elements changed; what it is, and its id, stay."""
    changed = copy.deepcopy(resource)
    for _ in range(rng.randint(1, 3)):
        paths = [path for path in paths_of(changed) if path[0] not in {"resourceType", "id"}]
        if paths:
            _change(changed, rng.choice(paths), rng)
    return changed


def _change(resource: Resource, path: Path, rng: random.Random) -> None:
    *before, last = path
    parent: Any = resource
    for step in before:
        parent = parent[step]
    value = parent[last]
    match rng.randrange(6):
        case 0:
            del parent[last]
        case 1:
            parent[last] = [value]
        case 2:
            parent[last] = value[0] if isinstance(value, list) and value else {"value": value}
        case 3 if isinstance(parent, list):
            parent.extend([value] * 20)
        case _:
            parent[last] = odd_values(rng)


class Mutating:
    """A record in front of another: it gives what that has, changed by `rng`, and takes nothing."""

    def __init__(self, store: RecordStore, rng: random.Random) -> None:
        self._store, self._rng = store, rng
        self._share = rng.choice([0.1, 0.4, 1])

    def capabilities(self) -> Resource:
        """Return what the record behind says."""
        return self._store.capabilities()

    def read(self, type: str, id: str, /) -> Stored:
        """Return the resource, changed."""
        return self._changed(self._store.read(type, id))

    def history(self, type: str, id: str, /) -> list[Stored]:
        """Return the versions, each changed or not."""
        found = self._store.history(type, id)
        return [self._changed(one) if self._rng.random() < self._share else one for one in found]

    def search(self, query: Query, /) -> list[Stored]:
        """Return the matches, each changed or not."""
        return [self._changed(one) if self._rng.random() < self._share else one for one in self._store.search(query)]

    def write(self, _write: Write, /) -> Stored:
        """Say that somebody else wrote: nothing is kept of it, so that each page is as if it were the first."""
        raise Conflict("This record takes nothing.", None)

    def write_all(self, _writes: Sequence[Write], /) -> list[Stored]:
        """Say that somebody else wrote: nothing is kept of it, so that each page is as if it were the first."""
        raise Conflict("This record takes nothing.", None)

    def _changed(self, stored: Stored) -> Stored:
        return replace(stored, resource=mutated(stored.resource, self._rng))
