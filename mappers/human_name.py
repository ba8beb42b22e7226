"""The name of a person as one line, read from any resource with a HumanName."""

from __future__ import annotations

from typing import Any

from mappers.tolerant import objects_in, text_in, texts_in

_FIRST = ("usual", "official")


def human_name(resource: Any) -> str:
    """Return the name of a Patient, Practitioner or RelatedPerson; "" where there is none.

    A usual name goes before an official one, because it is what the person is called. The text that the EHR made of
    it goes before the parts: only the EHR knows the order in which a family writes its name.
    """
    names = objects_in(resource, "name")
    for name in sorted(names, key=lambda one: _FIRST.index(one["use"]) if one.get("use") in _FIRST else len(_FIRST)):
        line = text_in(name, "text").strip() or " ".join(part for part in _parts(name) if part)
        if line:
            return line
    return ""


def _parts(name: dict[str, Any]) -> list[str]:
    # Some servers send one given name as a text instead of a list.
    return [
        one for part in ("prefix", "given", "family") for one in (*texts_in(name, part), text_in(name, part)) if one
    ]
