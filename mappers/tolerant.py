"""Read JSON that others wrote: a value of another kind than FHIR promises counts as absent.

So one odd element in a record never takes down the page that shows the rest. `value` may be anything at all, and each
function returns an empty value rather than None, so that calls can be nested.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _in(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def object_in(value: Any, name: str) -> dict[str, Any]:
    """Return the object in an element, else an empty one."""
    found = _in(value, name)
    return found if isinstance(found, dict) else {}


def objects_in(value: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects in a repeating element, else an empty list."""
    found = _in(value, name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text_in(value: Any, name: str) -> str:
    """Return the text in an element, else ""."""
    found = _in(value, name)
    return found if isinstance(found, str) else ""


def texts_in(value: Any, name: str) -> list[str]:
    """Return the texts in a repeating element, else an empty list."""
    found = _in(value, name)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def code_in(value: Any, name: str, system: str) -> str:
    """Return the first code from the code system `system` in a CodeableConcept element, else ""."""
    codings = objects_in(object_in(value, name), "coding")
    return next((text_in(coding, "code") for coding in codings if coding.get("system") == system), "")
