"""The References inside a resource: which others it names, and the same resource with other names.

A Reference is any object with a text `reference`, however deep it is nested; one by identifier alone names nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def references(node: Any) -> Iterator[str]:
    """Yield the text of each Reference, such as `Patient/1` or `urn:uuid:…`, in the order of the resource."""
    if isinstance(node, list):
        for element in node:
            yield from references(element)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "reference" and isinstance(value, str):
                yield value
            else:
                yield from references(value)


def with_references(node: Any, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
    """Return a copy in which each Reference is what `change` makes of it.

    `change` gets the whole Reference (its `reference` is text), because what replaces it may need to say more than
    another address: a type and an identifier where there is no address yet. What it raises passes through.
    """
    if isinstance(node, list):
        return [with_references(element, change) for element in node]
    if not isinstance(node, dict):
        return node
    copy = {name: with_references(value, change) for name, value in node.items()}
    return change(copy) if isinstance(copy.get("reference"), str) else copy


def renamed(node: Any, rename: Callable[[str], str]) -> Any:
    """Return a copy in which each Reference has the address that `rename` gives it, and everything else as it was."""
    return with_references(node, lambda one: {**one, "reference": rename(one["reference"])})
