"""JSON as others send it when they are wrong: a sound document in which one place has another shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SHAPES: tuple[Any, ...] = (None, True, 7, 1.5, "", "http://[", [], [7], ["x"], [[{}]], {}, {"x": 1}, {"code": [7]})


def bent(document: Any) -> Iterator[Any]:
    """Yield the document with each of its nodes, itself included, replaced by each of the shapes."""
    yield from SHAPES
    if isinstance(document, dict):
        for name, value in document.items():
            yield from ({**document, name: other} for other in bent(value))
    if isinstance(document, list):
        for at, value in enumerate(document):
            yield from ([*document[:at], other, *document[at + 1 :]] for other in bent(value))
