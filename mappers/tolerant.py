"""Read JSON that others wrote: what is not of the kind that FHIR promises is as if it were not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _in(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def object_in(value: Any, name: str) -> dict[str, Any]:
    """Return the object in an element; an empty one where there is none."""
    found = _in(value, name)
    return found if isinstance(found, dict) else {}


def objects_in(value: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects in a list element; none where there is no list."""
    found = _in(value, name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text_in(value: Any, name: str) -> str:
    """Return the text in an element; "" where there is none."""
    found = _in(value, name)
    return found if isinstance(found, str) else ""


def texts_in(value: Any, name: str) -> list[str]:
    """Return the texts in a list element; none where there is no list."""
    found = _in(value, name)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def code_in(value: Any, name: str, system: str) -> str:
    """Return the code that the CodeableConcept in an element has from a code system; "" where it has none."""
    codings = objects_in(object_in(value, name), "coding")
    return next((text_in(coding, "code") for coding in codings if coding.get("system") == system), "")
