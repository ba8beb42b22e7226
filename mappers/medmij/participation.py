"""How it is with the people around somebody, as their plan says it → zib-ParticipationInSociety, its social network.

The zib describes its network in free text, so these words fit as they are. Hobby and work situation are not filled: no
question of the plan asks for one of those alone.
"""

from __future__ import annotations

from typing import Final

from mappers.identity import Identifier
from mappers.medmij.shapes import LANGUAGE, SNOMED, ZIB, date_time, filled, readable_id, start
from mappers.plan import PersonRef, Plan
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource, concept

PROFILE: Final = f"{ZIB}/zib-ParticipationInSociety"
DOMAIN: Final = "social-contacts"
# The displays as Nictiz' own example has them.
_CODE: Final = concept(SNOMED, "314845004", "Status van participatie van patiënt (bevinding)")
_NETWORK: Final = concept(
    SNOMED, "365469004", "Bevinding betreffende netwerk van gezin, familie en ondersteuners (bevinding)"
)


def participation_of(plan: Plan, plan_name: str, *, client: PersonRef) -> list[Resource]:
    """Return what a plan tells of the people around its client; nothing where it tells nothing."""
    words = next((one.now for one in plan.domains if one.domain == DOMAIN), "")
    if not words:
        return []
    identifier = Identifier(identifier_system("plan"), f"{plan_name}-network")
    made = {
        **start("Observation", PROFILE, readable_id("sociaal-netwerk", identifier)),
        "identifier": [identifier.as_fhir()],
        "status": "final",
        "code": _CODE,
        "subject": client.as_reference(LANGUAGE),
        "effectiveDateTime": date_time(plan.updated),
        "performer": [client.as_reference(LANGUAGE)],
        "comment": "In eigen woorden, uit het herstelplan.",
        "component": [{"code": _NETWORK, "valueString": words}],
    }
    return [filled(made)]
