"""What help somebody has, as their plan says it → zib-HelpFromOthers: one, with an activity per life domain.

The plan's own CarePlan is no zib-HelpFromOthers: only the answers to its fourth question are about help. They are the
client's words, so nothing is coded of them: not whether it is home care or a carer, not how often, not who.
"""

from __future__ import annotations

from typing import Final

from mappers.identity import Identifier
from mappers.medmij.shapes import LANGUAGE, SNOMED, ZIB, date_time, filled, readable_id, start
from mappers.plan import PersonRef, Plan
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource, concept

PROFILE: Final = f"{ZIB}/zib-HelpFromOthers"
# The display as Nictiz' own example has it.
_CATEGORY: Final = concept(SNOMED, "243114000", "Ondersteuning (regime/therapie)")


def help_of(plan: Plan, plan_name: str, catalogue: Catalogue, *, client: PersonRef) -> list[Resource]:
    """Return the help that a plan tells of; nothing where it tells of none."""
    titles = {one.code: one.title.nl for one in catalogue.life_domains}
    activities = [
        {
            "detail": {
                "code": {"text": titles.get(one.domain, one.domain) or "Hulp"},
                "status": "in-progress",
                "description": one.support,
            }
        }
        for one in plan.domains
        if one.support
    ]
    if not activities:
        return []
    identifier = Identifier(identifier_system("plan"), f"{plan_name}-help")
    made = {
        **start("CarePlan", PROFILE, readable_id("hulp-van-anderen", identifier)),
        "identifier": [identifier.as_fhir()],
        "status": "active",
        "intent": "plan",
        "category": [_CATEGORY],
        "subject": client.as_reference(LANGUAGE),
        "period": filled({"start": date_time(plan.created)}),
        "author": [client.as_reference(LANGUAGE)],
        "activity": activities,
    }
    return [filled(made)]
