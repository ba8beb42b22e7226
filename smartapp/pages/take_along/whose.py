"""Whether a file is of the person of this launch."""

from __future__ import annotations

from mappers.portable import Owner, PersonFile, is_of_same_person
from smartapp.web import current


def owner_here() -> Owner:
    """Return whose file one of this launch is."""
    launch = current.launch()
    return Owner(
        launch.issuer, launch.patient_id, launch.patient.display, launch.patient.birth_date, current.bases()[1:]
    )


def is_theirs(file: PersonFile) -> bool:
    """Tell whether a file is of the person of this launch, as far as can be known."""
    return is_of_same_person(file.owner, owner_here())
