"""Which role somebody has towards the person of a launch: from what the record system says of the two.

Nothing here asks a server. What was not told stays unknown, and who is not sure of somebody gives them least: a loved
one whose RelatedPerson can't be read is a guest. Of a professional the record system itself decides whether they may
open the record, so one of whom nothing more is told is a clinician.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mappers.circle import ROLE_SYSTEM, Circle
from mappers.period import is_on
from mappers.roles import Role
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.access import table
from smartapp.settings import Issuer
from smartapp.smart.identity import relative_user

_LEAST_FIRST: Final[tuple[Role, ...]] = ("outside", "responsible", "peer-worker", "case-manager", "clinician")
"""Of several roles that codes of one kind name, the one with least rights counts."""
_CLOSE: Final[tuple[Role, ...]] = ("representative", "loved-one")
PROFESSIONALS: Final = frozenset({"Practitioner", "PractitionerRole"})
_OURS: Final[Mapping[str, Role]] = {f"{ROLE_SYSTEM}|{role}": role for role in (*_LEAST_FIRST, *_CLOSE)}
"""Codes of our own mean themselves; what others mean is in `access.toml` with each role."""


NOBODY: Final = Circle()


@dataclass(frozen=True, slots=True)
class Known:
    """What was told of a user and a person; None where it was not asked, or not answered.

    `user` is the resource of their fhirUser, `roles` the PractitionerRoles of a Practitioner, `teams` the CareTeams of
    the person. `circle` are the person's own people.
    """

    user: Resource | None = None
    roles: Sequence[Resource] | None = None
    teams: Sequence[Resource] | None = None
    circle: Circle = NOBODY


@dataclass(frozen=True, slots=True)
class Relation:
    """A role, and why it is no more than that, as a code for the log and the page: "" where there is nothing to say."""

    role: Role
    why: str = ""


def relation_of(reference: str, patient_id: str, known: Known, issuer: Issuer, now: str) -> Relation:
    """Return the role of a user (`Practitioner/7`, "" for nobody we know) towards a person.

    `now` is a FHIR dateTime with a zone: who left a team, or whose role is over, has no role by it. Where it is about
    nobody (`patient_id` is ""), only professionals are somebody.
    """
    match reference.partition("/")[0]:
        case "Patient" | "RelatedPerson" if not patient_id:
            return Relation("guest", "no-professional")
        case "Patient":
            return Relation("client") if reference == f"Patient/{patient_id}" else Relation("guest", "another-patient")
        case "RelatedPerson":
            return _Asked(issuer, patient_id, now).of_someone_close(reference, known)
        case type_ if type_ in PROFESSIONALS:
            return _Asked(issuer, patient_id, now).of_a_professional(reference, known)
        case _:
            return Relation("guest", "fhir-user-type")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Reads resources of one issuer about one person at one moment."""

    issuer: Issuer
    patient_id: str
    now: str

    def of_someone_close(self, reference: str, known: Known) -> Relation:
        person = known.user
        if person is None or _named(person) != reference:
            return Relation("guest", "related-person-unread")
        if self.refers(person, "patient") != f"Patient/{self.patient_id}":
            return Relation("guest", "related-person-of-another")
        if not self.holds(person):
            return Relation("guest", "related-person-over")
        said = objects_in(person, "relationship")
        if self.issuer.koppeltaal is not None:
            # There the role in the care team leads, and what the two are to each other is for information (TOP-KT-027).
            mine = (one for one in self.members(known.teams or ()) if self.refers(one, "member") == reference)
            said = [concept for one in mine for concept in objects_in(one, "role")]
        named = self.roles_in(said, _CLOSE)
        return Relation("representative" if "representative" in named else "loved-one")

    def of_a_professional(self, reference: str, known: Known) -> Relation:
        works_as = [one for one in self.works_as(reference, known) if self.holds(one)]
        signed_in_as = known.user if reference.startswith("PractitionerRole/") else None
        if signed_in_as is not None and not works_as:
            return Relation("guest", "practitioner-role-over")
        names = {reference, *map(_named, works_as), *(self.refers(one, "practitioner") for one in works_as)} - {""}
        in_teams = list(self.members(known.teams or ()))
        mine = [one for one in in_teams if self.refers(one, "member") in names]
        in_circle = next((one for name in names if (one := known.circle.of(name, self.now))), None)
        if self.issuer.team == "follow" and not mine and not in_circle and self.is_known(in_teams, names, known):
            return Relation("outside", "outside-the-team")
        qualified = objects_in(known.user, "qualification") if not signed_in_as else []
        said = (
            [concept for one in mine for concept in objects_in(one, "role")],
            [concept for one in works_as for concept in objects_in(one, "code")],
            [object_in(one, "code") for one in qualified],
        )
        named = next(filter(None, (self.roles_in(concepts, _LEAST_FIRST) for concepts in said)), set[Role]())
        own = {role for role in _LEAST_FIRST if in_circle and role == in_circle.role}
        return Relation(next((role for role in _LEAST_FIRST if role in (named or own)), "clinician"))

    def works_as(self, reference: str, known: Known) -> list[Resource]:
        """Return the PractitionerRoles of a user: the one that they signed in as, or those of the Practitioner."""
        if reference.startswith("PractitionerRole/"):
            return [known.user] if known.user is not None and _named(known.user) == reference else []
        return [one for one in known.roles or () if self.refers(one, "practitioner") == reference]

    def members(self, teams: Iterable[Resource]) -> Iterator[Resource]:
        """Yield who is in a team of this person at this moment."""
        for team in teams:
            about = self.refers(team, "subject") == f"Patient/{self.patient_id}"
            if about and text_in(team, "status") in self.working and self.holds(team):
                yield from (one for one in objects_in(team, "participant") if self.holds(one))

    @property
    def working(self) -> tuple[str, ...]:
        """Return the status of a team that works; a Koppeltaal domain always says it (KT2_CareTeam)."""
        return ("active",) if self.issuer.koppeltaal is not None else ("active", "")

    def is_known(self, in_teams: Iterable[Resource], names: Collection[str], known: Known) -> bool:
        """Tell whether the teams name professionals, in a way that would show this one if they were among them."""
        others = {self.refers(one, "member").partition("/")[0] for one in in_teams} & PROFESSIONALS
        if not others:
            return False
        # A team may name somebody by the other of the two: then both must be known of this one.
        both = {name.partition("/")[0] for name in names} | ({"PractitionerRole"} if known.roles is not None else set())
        return others <= both

    def roles_in(self, concepts: Iterable[Resource], of: Collection[Role]) -> set[Role]:
        """Return the roles, of these, that the codes of some concepts name."""
        codes = {**_OURS, **table().role_codes(), **self.issuer.roles}
        keys = (
            f"{text_in(coding, 'system')}|{text_in(coding, 'code')}"
            for concept in concepts
            for coding in objects_in(concept, "coding")
        )
        return {role for key in keys if (role := codes.get(key)) in of and role is not None}

    def refers(self, resource: Resource, name: str) -> str:
        """Return `Type/id` of whom an element refers to, "" where that is nobody at this issuer."""
        return relative_user(text_in(object_in(resource, name), "reference"), *self.issuer.bases)

    def holds(self, resource: Resource) -> bool:
        """Tell whether a resource, or a part of one, is active and its period not over."""
        period = object_in(resource, "period")
        return resource.get("active") is not False and is_on(text_in(period, "start"), text_in(period, "end"), self.now)


def _named(resource: Resource) -> str:
    return f"{text_in(resource, 'resourceType')}/{text_in(resource, 'id')}"
