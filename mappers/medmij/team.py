"""The circle of a client → nl-core-careteam: who is in it now, by name and role.

Nobody is referred to: of the professionals and loved ones of an EHR we serve nothing, and a reference that leads
nowhere helps nobody. Phone numbers, and who left or was only invited, stay here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from mappers.circle import IDENTIFIER_SYSTEM, ROLE_SYSTEM, Member, circle_of, is_circle
from mappers.identity import Identifier, values_in
from mappers.medmij.shapes import LANGUAGE, NL_CORE, filled, readable_id, start
from mappers.plan import PersonRef
from questionnaires.fhir import Resource, coding

PROFILE: Final = f"{NL_CORE}/nl-core-careteam"
_ROLES: Final = {
    "loved-one": "Naaste",
    "representative": "Wettelijk vertegenwoordiger",
    "clinician": "Vaste behandelaar",
    "responsible": "Regiebehandelaar",
    "case-manager": "Casemanager",
    "peer-worker": "Ervaringsdeskundige",
    "outside": "Hulpverlener buiten het team",
    "professional": "Hulpverlener",
}


def teams_of(teams: Iterable[Any], *, client: PersonRef, now: str) -> list[Resource]:
    """Return the circles of ours in which somebody is at this moment."""
    made = []
    for team in filter(is_circle, teams):
        participants = [_participant(one) for one in circle_of(team).people if one.name and one.is_in(now)]
        if participants:
            identifier = Identifier(IDENTIFIER_SYSTEM, values_in(team, IDENTIFIER_SYSTEM)[0])
            made.append(
                {
                    **start("CareTeam", PROFILE, readable_id("mijn-mensen", identifier)),
                    "identifier": [identifier.as_fhir()],
                    "status": "active",
                    "name": "Mijn mensen",
                    "subject": client.as_reference(LANGUAGE),
                    "participant": participants,
                }
            )
    return made


def _participant(member: Member) -> Resource:
    """Return one of the people; STU3 has one role, whose text is what they are to the client, in the client's words."""
    role = filled(
        {
            "coding": [coding(ROLE_SYSTEM, member.role, _ROLES[member.role])] if member.role else [],
            "text": member.relation,
        }
    )
    return filled({"role": role, "member": {"display": member.name}})
