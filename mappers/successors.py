"""A response that cannot be amended where it stands, said again as a response of its own: its successor.

A successor's identifier is that of the first response with a number behind it (`<uuid>.2`, then `<uuid>.3`), and its
scores are named after it. So a reader sees which response it follows, and the same successor always has the same name.
"""

from __future__ import annotations

import re
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.identity import Identifier, own_identifier
from mappers.observations import IDENTIFIER_SYSTEM as SCORE_SYSTEM
from questionnaires.fhir import Resource

_SYSTEMS: Final = frozenset({RESPONSE_SYSTEM, SCORE_SYSTEM})
_VALUE: Final = re.compile(r"(?P<first>[^/]+?)(\.(?P<number>[2-9]|[1-9][0-9]+))?(?P<score>/.*)?")


def first_of(identifier: Identifier) -> Identifier:
    """Return the identifier of the first response, or of its score, that one of a successor follows; else its own."""
    return Identifier(identifier.system, _numbered(identifier.value, 1)) if _is_ours(identifier) else identifier


def number_of(resource: Resource) -> int:
    """Return 1 for a response and its scores, 2 for its successor, and so on; 0 for what can have no successor."""
    ours = own_identifier(resource)
    found = _VALUE.fullmatch(ours.value) if ours is not None and _is_ours(ours) else None
    return int(found["number"] or 1) if found else 0


def successor(resource: Resource, number: int) -> Resource:
    """Return a response, or a score of it, as the one with this number: under the names of that, within it too."""
    made: Resource = _renamed(resource, number)
    return made


def _renamed(node: Any, number: int) -> Any:
    if isinstance(node, list):
        return [_renamed(one, number) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("system") in _SYSTEMS and isinstance(node.get("value"), str):
        return {**node, "value": _numbered(node["value"], number)}
    return {name: _renamed(value, number) for name, value in node.items()}


def _numbered(value: str, number: int) -> str:
    found = _VALUE.fullmatch(value)
    if found is None:
        return value
    return f"{found['first']}{f'.{number}' if number > 1 else ''}{found['score'] or ''}"


def _is_ours(identifier: Identifier) -> bool:
    return identifier.system in _SYSTEMS
