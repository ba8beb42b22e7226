"""The name of a person as one line, read from any resource with a HumanName, and the Reference that carries it."""

from __future__ import annotations

from typing import Any, Final

from mappers.tolerant import objects_in, text_in, texts_in
from questionnaires.model import Text

_FIRST = ("usual", "official")
_CARE: Final = Text("zorgverlener", "care professional")
_WHO: Final = {
    "Patient": Text("cliënt", "client"),
    "Practitioner": _CARE,
    "PractitionerRole": _CARE,
    "RelatedPerson": Text("naaste", "relative or friend"),
}
"""What a person is called in a reference while their name is not known, by the type of their resource."""


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


def first_name(display: str) -> str:
    """Return the first name if a display begins with one, else all of it."""
    # "Dr.", "A." and "Jansen," are not what anyone is called.
    first = display.partition(" ")[0]
    return first if len(first) > 1 and not first.endswith((".", ",")) else display


def reference_to(reference: str, name: str, language: str) -> dict[str, str]:
    """Return the FHIR Reference to a person (`Patient/1`): with their name, or what they are where it is not known.

    Our profiles ask for a display, and an empty one is not FHIR: a server refuses all that is written with it.
    """
    who = _WHO.get(reference.partition("/")[0])
    display = name or (who.get(language) if who else "")
    return {"reference": reference, "display": display} if display else {"reference": reference}


def _parts(name: dict[str, Any]) -> list[str]:
    # Some servers send one given name as a text instead of a list.
    return [
        one for part in ("prefix", "given", "family") for one in (*texts_in(name, part), text_in(name, part)) if one
    ]
