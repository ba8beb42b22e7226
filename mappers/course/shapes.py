"""What a course is called in FHIR: one CarePlan, with Tasks for the questionnaires that it asks."""

from __future__ import annotations

from typing import Final

from mappers.assignment import COURSE_SYSTEM
from questionnaires.canonical import code_system_url, identifier_system, structure_url

PROFILE: Final = structure_url("programme-course")
IDENTIFIER_SYSTEM: Final = COURSE_SYSTEM
GROUP_SYSTEM: Final = identifier_system("course-group")
PLAN_SYSTEM: Final = code_system_url("plan")
PROGRAMME: Final = "programme"
"""The category of the CarePlan."""
CATEGORY: Final = f"{PLAN_SYSTEM}|{PROGRAMME}"
"""What a search for courses asks as `category`."""
MOMENT_URL: Final = structure_url("course-moment")
EVENT_URL: Final = structure_url("course-event")

DECLINED: Final = "moment-declined"
STOPPED: Final = "course-stopped"
PAUSED: Final = "course-paused"
REASONS: Final = {
    DECLINED: "De cliënt zei hier nee tegen",
    STOPPED: "Het programma is gestopt",
    PAUSED: "Het programma staat op pauze",
}
"""Why something of a course is not asked, by the code of `CodeSystem/plan`."""


def moment_value(course: str, moment: str) -> str:
    """Return what names a moment of a course: its identifier and the moment's own id."""
    return f"{course}/{moment}"
