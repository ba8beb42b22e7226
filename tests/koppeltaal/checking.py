"""Whether a resource is one of the profiles of Koppeltaal, by the table in `profiles.toml`; the stub asks it too.

R4 itself is not looked at here: the profiles that stand on nl-core cannot be compiled without its package.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROFILES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("profiles.toml").read_text())
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def problems(resource: dict[str, Any]) -> list[str]:
    """Return what is wrong with a resource of one of the types in the table; nothing for any other type."""
    found = [one for one in PROFILES.items() if one[1]["type"] == resource["resourceType"]]
    return [problem for name, rules in found for problem in _against(resource, name, rules)]


def _against(resource: dict[str, Any], name: str, rules: dict[str, Any]) -> Iterator[str]:
    yield from (f"{name}: {path} is missing" for path in rules["always"] if None in _at(resource, path))
    yield from (f"{name}: {path} is not used" for path in rules["never"] if any(_is_there(resource, path)))
    for path, value in rules.get("exactly", {}).items():
        if any(one not in (None, value) for one in _at(resource, path)):
            yield f"{name}: {path} is not {value}"
    for path, types in rules.get("targets", {}).items():
        if {one.get("reference", "").partition("/")[0] for one in _at(resource, path) if one} - set(types):
            yield f"{name}: {path} refers to none of {types}"
    urls = [one["url"] for one in resource.get("extension", [])]
    yield from (f"{name}: the extension {url} is not used" for url in urls if url not in rules["extensions"])
    if rules.get("needs_extension") not in (None, *urls):
        yield f"{name}: an extension is missing"
    yield from (f"{name}: {problem}" for problem in _everywhere(resource))
    if name == "KT2AuditEvent" and not _INSTANT.fullmatch(resource["recorded"]):
        yield f"{name}: recorded is no instant"


def _is_there(node: dict[str, Any], path: str) -> Iterator[bool]:
    yield from (one is not None for one in _at(node, path))


def _everywhere(node: Any) -> Iterator[str]:
    """Yield what holds for every profile (restrictions on elements): no userSelected, identifiers of three parts."""
    if isinstance(node, list):
        for one in node:
            yield from _everywhere(one)
    elif isinstance(node, dict):
        if "userSelected" in node:
            yield "a Coding has userSelected"
        for identifier in node.get("identifier") or [] if isinstance(node.get("identifier"), list) else []:
            if not set(identifier) <= {"use", "system", "value"}:
                yield "an Identifier has more than use, system and value"
        if "valueId" in node and not _ID.fullmatch(node["valueId"]):
            yield "an id has signs that no id has"
        for value in node.values():
            yield from _everywhere(value)


def _at(node: dict[str, Any], path: str) -> Iterator[Any]:
    """Yield what stands at a path in each of the nodes that it leads through, None where nothing does."""
    name, _, rest = path.partition(".")
    value = node.get(name)
    if not rest:
        yield value
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield from _at(one, rest)
