"""Read `bad_examples.toml`: good examples of the package with one thing changed, and the reason they must fail for."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from msgspec import field

from questionnaires.reading import Strict, read

EXAMPLES = Path(__file__).parents[2] / "fhir_profiles" / "package" / "example"
DATA = Path(__file__).with_suffix(".toml")


class BadExample(Strict, frozen=True):
    """One change to one good example, and regular expressions that say which errors it must give."""

    id: str
    rule: str
    errors: tuple[str, ...]
    origin: str = field(name="from")
    plain: bool = False
    java: bool = False
    change: dict[str, Any] = field(name="set", default_factory=dict)
    remove: tuple[str, ...] = ()
    repeat: dict[str, int] = field(default_factory=dict)

    def resource(self) -> dict[str, Any]:
        """Return the bad example."""
        resource = json.loads((EXAMPLES / f"{self.origin}.json").read_bytes())
        for path in self.remove:
            parent, key = _place(resource, path)
            del parent[key]
        for path, value in self.change.items():
            parent, key = _place(resource, path)
            if isinstance(parent, list) and key == len(parent):
                parent.append(value)
            else:
                parent[key] = value
        for path, times in self.repeat.items():
            parent, key = _place(resource, path)
            parent.extend(copy.deepcopy(parent[key]) for _ in range(times))
        if self.plain:
            del resource["meta"]["profile"]
            resource.pop("meta")
        return resource

    def misses(self, errors: list[str]) -> list[str]:
        """Return what is wrong with the errors that were found: none of a kind expected, or one not expected."""
        absent = [f"no error matches {want!r}" for want in self.errors if not any(re.search(want, e) for e in errors)]
        other = [f"not the reason: {e}" for e in errors if not any(re.search(want, e) for want in self.errors)]
        return absent + other


def _place(resource: Any, path: str) -> tuple[Any, str | int]:
    """Return the parent of a path such as `item[0].text`, and the last key in it."""
    keys: list[str | int] = [int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", path)]
    for key in keys[:-1]:
        resource = resource[key]
    return resource, keys[-1]


class _BadExamples(Strict, frozen=True):
    case: tuple[BadExample, ...]


def bad_examples() -> tuple[BadExample, ...]:
    """Return all cases, in the order of the file; an unknown key is an error."""
    return read(DATA, _BadExamples).case
