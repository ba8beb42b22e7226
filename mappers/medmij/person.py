"""The person → nl-core-patient, with what we know: a name as it is shown and a birth date. Never a BSN."""

from __future__ import annotations

from typing import Final

from mappers.medmij.shapes import NL_CORE, filled, start
from questionnaires.fhir import Resource

PROFILE: Final = f"{NL_CORE}/nl-core-patient"


def person_of(id_: str, name: str, birth_date: str) -> Resource:
    """Return the Patient, under the id by which everything else refers to it."""
    return filled(
        {
            **start("Patient", PROFILE, id_),
            "name": [{"text": name}] if name else [],
            "birthDate": birth_date,
        }
    )
