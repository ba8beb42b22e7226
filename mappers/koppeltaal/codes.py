"""The names of Koppeltaal: profiles, extensions and code systems, as its profiles have them."""

from __future__ import annotations

from typing import Final

from questionnaires.fhir import Resource

_PROFILES: Final = "http://koppeltaal.nl/fhir/StructureDefinition"
INSTANTIATES: Final = "http://vzvz.nl/fhir/StructureDefinition/instantiates"
TASK_CODES: Final = "http://vzvz.nl/fhir/CodeSystem/koppeltaal-task-code"
DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"


def profile(name: str) -> Resource:
    """Return the `meta` of a resource of a profile, such as KT2AuditEvent."""
    return {"profile": [extension_url(name)]}


def extension_url(name: str) -> str:
    """Return the address of a profile or an extension of Koppeltaal itself."""
    return f"{_PROFILES}/{name}"


def coding(system: str, code: str, display: str) -> Resource:
    """Return a Coding without anything that Koppeltaal does not take."""
    return {"system": system, "code": code, "display": display}
