"""Where our artefacts live: the canonical base, set in this one place, and the addresses made from it."""

from __future__ import annotations

import os

# An organisation that publishes under its own name sets VERSTEL_CANONICAL_BASE before `verstel questionnaires build`.
# It is read once, when the process starts: addresses are in constants all over the packages above.
BASE = os.environ.get("VERSTEL_CANONICAL_BASE", "https://verstel.nl/fhir").rstrip("/")


def questionnaire_url(instrument: str) -> str:
    """Return the canonical address (without version) of an instrument's Questionnaire."""
    return f"{BASE}/Questionnaire/{instrument}"


def code_system_url(name: str) -> str:
    """Return the address of one of our CodeSystems, such as `score` or `life-domain`."""
    return f"{BASE}/CodeSystem/{name}"


def value_set_url(name: str) -> str:
    """Return the address of one of our ValueSets."""
    return f"{BASE}/ValueSet/{name}"


def structure_url(name: str) -> str:
    """Return the address of one of our profiles or extensions."""
    return f"{BASE}/StructureDefinition/{name}"


def identifier_system(name: str) -> str:
    """Return the system of identifiers that we give out, such as `response` or `score`."""
    return f"{BASE}/identifier/{name}"
