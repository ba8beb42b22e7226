"""The circle: the client's people ↔ one CareTeam of ours, in the shape of the profile RecoveryCareTeam.

Each person is one participant, also after they left: then its period has an end, and who was in it when can still be
told. Who signs in somewhere is referred to (`RelatedPerson/7`); who does not is described inside the CareTeam itself.
What others put into the resource stays: participants that cannot be read as a person, and elements that are not ours.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.fhir_text import narrative, paragraph, typed
from mappers.human_name import human_name, reference_to
from mappers.identity import values_in
from mappers.period import is_on
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Text

PROFILE: Final = structure_url("recovery-care-team")
IDENTIFIER_SYSTEM: Final = identifier_system("circle")
ROLE_SYSTEM: Final = code_system_url("care-team-role")
IN_CIRCLE: Final = structure_url("in-circle")
TYPED_BY: Final = structure_url("typed-by")

LOVED_ONES: Final = ("loved-one", "representative")
PROFESSIONALS: Final = ("clinician", "responsible", "case-manager", "peer-worker", "outside", "professional")
ROLES: Final = (*LOVED_ONES, *PROFESSIONALS)
"""What a person can be in a circle. `professional` says no more than that: other CareTeams have it."""

_DISPLAYS: Final = {
    "client": "Client",
    "loved-one": "Loved one",
    "representative": "Legal representative",
    "clinician": "Regular clinician",
    "responsible": "Responsible clinician",
    "case-manager": "Case manager",
    "peer-worker": "Peer worker",
    "outside": "Professional outside the team",
    "professional": "Professional",
}
_TITLE: Final = Text("Mijn mensen", "My people")
_CLIENT: Final = Text("Cliënt", "Client")
_KEY: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
SIGNS_IN: Final = ("RelatedPerson", "Practitioner", "PractitionerRole", "Organization")
"""What somebody in a circle can be elsewhere; never a Patient."""


@dataclass(frozen=True, slots=True)
class Member:
    """One person in the circle; `id` is ours and stable. `relation` is in the client's words, `role` is of ROLES.

    `reference` is who they are where they sign in (`RelatedPerson/7`), "" for somebody without a login. `since`,
    `until`, `invited_on` and `came_on` are FHIR dates or dateTimes, "" for not (yet); `came_on` is the first time that
    they signed in. `supports` says that they said yes to support the client on hard days. Two people may have one name.
    """

    id: str
    name: str
    relation: str = ""
    role: str = ""
    reference: str = ""
    phone: str = ""
    since: str = ""
    until: str = ""
    invited_on: str = ""
    came_on: str = ""
    supports: bool = False

    def __post_init__(self) -> None:
        for line in ("name", "relation", "phone"):
            object.__setattr__(self, line, one_line(getattr(self, line)))

    @property
    def is_professional(self) -> bool:
        """Tell whether this is somebody who works with the client, and no loved one."""
        return self.role in PROFESSIONALS

    def is_in(self, now: str) -> bool:
        """Tell whether they are in the circle at a moment (a FHIR dateTime with a zone): they came, and did not leave.

        A day without a time counts as a whole day, as FHIR has it. An end that can't be read counts as an end.
        """
        return is_on(self.since, self.until, now)


@dataclass(frozen=True, slots=True)
class Circle:
    """The client's people, in their order, with those who left; the client is not one of them."""

    people: tuple[Member, ...] = ()

    def member(self, id_: str) -> Member | None:
        """Return one of the people, None where there is no such person."""
        return next((one for one in self.people if one.id == id_), None)

    def of(self, reference: str, now: str) -> Member | None:
        """Return who signs in as `reference` and is in the circle at this moment; None where nobody does."""
        return next((one for one in self.people if reference and one.reference == reference and one.is_in(now)), None)

    def with_member(self, member: Member) -> Circle:
        """Return the circle with one more person, after the others; changed where they are there already."""
        if self.member(member.id) is None:
            return Circle((*self.people, member))
        return Circle(tuple(member if one.id == member.id else one for one in self.people))

    def without(self, id_: str) -> Circle:
        """Return the circle without a person who was put into it by mistake; who leaves is `ended`."""
        return Circle(tuple(one for one in self.people if one.id != id_))

    def ended(self, id_: str, moment: str) -> Circle:
        """Return the circle that somebody leaves at this moment; the same where they left it before."""
        left = [replace(one, until=moment) if one.id == id_ and not one.until else one for one in self.people]
        return Circle(tuple(left))

    def came(self, id_: str, moment: str) -> Circle:
        """Return the circle of which somebody came for the first time at this moment; the same where they did."""
        came = [replace(one, came_on=moment) if one.id == id_ and not one.came_on else one for one in self.people]
        return Circle(tuple(came))

    def again(self, id_: str, until: str) -> Circle:
        """Return the circle in which somebody stays after all, who left it by mistake at `until`."""
        back = [replace(one, until="") if (one.id, one.until) == (id_, until) else one for one in self.people]
        return Circle(tuple(back))


def one_line(text: str) -> str:
    """Return a name or the like as FHIR can carry it, on one line and without spaces around it."""
    return " ".join(typed(text).split())


def circle_identifier(issuer: str, patient: str) -> str:
    """Return the identifier of the circle of one person: the same in two tabs, so that they write one."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{issuer}|{patient}|circle"))


def is_circle(resource: Any) -> bool:
    """Tell whether a resource is a circle of ours, whatever name it got when it was made."""
    return text_in(resource, "resourceType") == "CareTeam" and bool(values_in(resource, IDENTIFIER_SYSTEM))


# --- reading --------------------------------------------------------------------------------------------------------


def circle_of(care_team: Any) -> Circle:
    """Read the people in a CareTeam, ours or that of an EHR: who is not a person, or is the client, is left out."""
    return Circle(tuple(member for member, _stored in _read(care_team)))


def _read(care_team: Any) -> Iterator[tuple[Member, Resource]]:
    """Yield each person with the participant that says so; one without an id of its own is called by its place."""
    there = objects_in(care_team, "participant")
    given = [text_in(one, "id") for one in there]
    taken = {one for one in given if _KEY.fullmatch(one) and given.count(one) == 1}
    inside = {text_in(one, "id"): one for one in objects_in(care_team, "contained")}
    for place, stored in enumerate(there, start=1):
        key = text_in(stored, "id") if text_in(stored, "id") in taken else _free(f"n{place}", taken)
        if (member := _member(stored, key, inside)) is not None:
            yield member, stored


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "0"
    return name


def _member(stored: Resource, key: str, inside: dict[str, Resource]) -> Member | None:
    who = object_in(stored, "member")
    described = _described(stored, inside)
    reference = text_in(who, "reference")
    name = one_line(human_name(described)) or one_line(text_in(who, "display"))
    elsewhere = "" if reference.startswith("#") else reference
    if "Patient" in (text_in(who, "type"), _type_of(reference)) or not (name or elsewhere):
        return None
    own, period, more = _own_role(stored), object_in(stored, "period"), _more(stored)
    telephones = [
        object_in(more.get("phone"), "valueContactPoint"),
        *filter(_is_phone, objects_in(described, "telecom")),
    ]
    return Member(
        id=key,
        name=name,
        relation=text_in(own, "text"),
        role=_code(own),
        reference=elsewhere,
        phone=next((value for one in telephones if (value := one_line(text_in(one, "value")))), ""),
        since=text_in(period, "start"),
        until=text_in(period, "end"),
        invited_on=text_in(more.get("invitedOn"), "valueDateTime"),
        came_on=text_in(more.get("cameOn"), "valueDateTime"),
        supports=more.get("supports", {}).get("valueBoolean") is True,
    )


def _described(stored: Resource, inside: dict[str, Resource]) -> Resource:
    """Return the person that a participant has inside the CareTeam, {} where they are somewhere else."""
    reference = text_in(object_in(stored, "member"), "reference")
    return inside.get(reference[1:], {}) if reference.startswith("#") else {}


def _own_role(stored: Resource) -> Resource:
    """Return the role that says what somebody is in a circle: one with a code of ours, else the first with words."""
    roles = objects_in(stored, "role")
    coded = (one for one in roles if _code(one))
    return next(coded, None) or next((one for one in roles if text_in(one, "text")), {})


def _code(role: Resource) -> str:
    code = code_in({"role": role}, "role", ROLE_SYSTEM)
    return code if code in ROLES else ""


def _more(stored: Resource) -> dict[str, Resource]:
    found = (one for one in objects_in(stored, "extension") if one.get("url") == IN_CIRCLE)
    return {text_in(part, "url"): part for part in objects_in(next(found, None), "extension")}


def _type_of(reference: str) -> str:
    """Return the type that a reference names, `RelatedPerson` of `RelatedPerson/7`; "" where it names none."""
    return next(iter(reference.rsplit("/", 2)[-2:-1]), "")


def _is_phone(telecom: Resource) -> bool:
    return text_in(telecom, "system") == "phone"


# --- writing --------------------------------------------------------------------------------------------------------


def team_of(
    circle: Circle,
    *,
    patient: dict[str, str],
    identifier: str,
    language: str,
    existing: Resource | None = None,
    typist: dict[str, str] | None = None,
) -> Resource:
    """Write a circle as a CareTeam of ours, on top of the stored one.

    `patient` is the Reference to the client, `identifier` what `circle_identifier` gave, `typist` who typed it, None
    where nobody did. Who did not change stays as they were written.

    Raises ValueError for somebody new without a name, a role or an id that FHIR can carry, and for a Patient.
    """
    writer = _Writer(circle, patient, language, existing)
    participants = writer.participants()
    contained = writer.contained(participants)
    made: Resource = {
        # Without the narrative of others: it would go on naming who left.
        **{name: value for name, value in (existing or {}).items() if name not in ("text", "_text")},
        "resourceType": "CareTeam",
        "meta": {**object_in(existing, "meta"), "profile": _profiles(existing)},
        "language": language,
        "text": narrative(writer.told(), language, "generated"),
        "contained": contained,
        "extension": _extensions(existing, patient, typist),
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": identifier}, *_other_identifiers(existing)],
        "status": "active",
        "name": text_in(existing, "name") or _TITLE.get(language),
        "subject": object_in(existing, "subject") or patient,
        "participant": participants,
    }
    return {name: value for name, value in made.items() if value != []}


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the participants of a circle on top of those that are stored."""

    circle: Circle
    patient: dict[str, str]
    language: str
    existing: Resource | None

    def participants(self) -> list[Resource]:
        before = {member.id: (member, stored) for member, stored in _read(self.existing)}
        read = [stored for _member, stored in before.values()]
        others = [one for one in objects_in(self.existing, "participant") if not any(one is each for each in read)]
        if not any(_refers(one, self.patient["reference"]) for one in others):
            client = {"coding": [_coding("client")], "text": _CLIENT.get(self.language)}
            others.insert(0, {"role": [client], "member": self.patient})
        return [*others, *(self.participant(one, *before.get(one.id, (None, {}))) for one in self.circle.people)]

    def participant(self, member: Member, was: Member | None, stored: Resource) -> Resource:
        if member == was:
            return {"id": member.id, **stored}
        if was is None:
            _check(member)
        extension = [
            *_of_member(member),
            *(one for one in objects_in(stored, "extension") if one.get("url") != IN_CIRCLE),
        ]
        period = {"start": member.since, "end": member.until}
        period = {**object_in(stored, "period"), **period}
        made = {
            **stored,
            "id": member.id,
            "extension": extension,
            "role": self.roles(member, stored),
            "member": self.who(member, was, stored),
            "period": {name: value for name, value in period.items() if value},
        }
        return {name: value for name, value in made.items() if value not in ([], {})}

    def roles(self, member: Member, stored: Resource) -> list[Resource]:
        own = _own_role(stored)
        others = [one for one in objects_in(stored, "role") if one is not own]
        codings = [one for one in objects_in(own, "coding") if one.get("system") != ROLE_SYSTEM]
        codings = [*([_coding(member.role)] if member.role else []), *codings]
        made = {**own, "coding": codings, "text": member.relation}
        made = {name: value for name, value in made.items() if value not in ([], "")}
        return [*([made] if made else []), *others]

    def who(self, member: Member, was: Member | None, stored: Resource) -> Resource:
        there = object_in(stored, "member")
        if member.reference:
            if was is not None and was.reference == member.reference:
                return {**there, **reference_to(member.reference, member.name, self.language)}
            return reference_to(member.reference, member.name, self.language)
        return {"reference": f"#{self.name_inside(member, stored)}", "display": member.name}

    def name_inside(self, member: Member, stored: Resource) -> str:
        """Return the id of somebody who is described inside; the one they have, where nobody else has it too."""
        inside = [text_in(one, "id") for one in objects_in(self.existing, "contained")]
        reference = text_in(object_in(stored, "member"), "reference")
        sharing = [one for one in objects_in(self.existing, "participant") if _refers(one, reference)]
        if reference.startswith("#") and reference[1:] in inside and len(sharing) == 1:
            return reference[1:]
        return _free(member.id, set(inside))

    def contained(self, participants: Iterable[Resource]) -> list[Resource]:
        """Return what the CareTeam has inside: who has no login, and what others put there."""
        there = {text_in(one, "id"): one for one in objects_in(self.existing, "contained")}
        read = {text_in(_described(stored, there), "id") for _member, stored in _read(self.existing)}
        before = {member.id: member for member, _stored in _read(self.existing)}
        needed = {text_in(object_in(one, "member"), "reference"): text_in(one, "id") for one in participants}
        # Who was described and is no longer referred to goes: FHIR allows nothing inside that nobody refers to.
        made = {name: one for name, one in there.items() if name not in read or f"#{name}" in needed}
        for member in self.circle.people:
            name = next((ref[1:] for ref, id_ in needed.items() if ref.startswith("#") and id_ == member.id), "")
            if name and before.get(member.id) != member:
                made[name] = self.described(member, name, there.get(name, {}))
        return list(made.values())

    def described(self, member: Member, name: str, before: Resource) -> Resource:
        type_ = "Practitioner" if member.is_professional else "RelatedPerson"
        telecom = objects_in(before, "telecom")
        own = next(filter(_is_phone, telecom), {})
        phone = {**own, "system": "phone", "value": member.phone}
        kept = before if before.get("resourceType") == type_ else {}
        made: Resource = {
            **kept,
            "resourceType": type_,
            "id": name,
            **({"patient": self.patient} if type_ == "RelatedPerson" else {}),
            "name": before["name"] if one_line(human_name(before)) == member.name else [{"text": member.name}],
            "telecom": [*([phone] if member.phone else []), *(one for one in telecom if one is not own)],
        }
        return {name: value for name, value in made.items() if value != []}

    def told(self) -> list[str]:
        """Return the circle as XHTML: who is in it and what they are to the client, without those who left."""
        lines = (
            f"{one.name}: {one.relation}" if one.relation else one.name for one in self.circle.people if not one.until
        )
        return [paragraph(line) for line in (_TITLE.get(self.language), *lines) if line]


def _check(member: Member) -> None:
    if not (member.name and member.role in ROLES and _KEY.fullmatch(member.id)):
        raise ValueError("somebody new in a circle without a name, a role or an id")
    if member.reference and _type_of(member.reference) not in SIGNS_IN:
        raise ValueError("a reference to what is nobody who can be in a circle")


def _of_member(member: Member) -> list[Resource]:
    parts: list[Resource] = []
    if member.phone and member.reference:  # who is described inside has it there
        parts.append({"url": "phone", "valueContactPoint": {"system": "phone", "value": member.phone}})
    for url, moment in (("invitedOn", member.invited_on), ("cameOn", member.came_on)):
        if moment:
            parts.append({"url": url, "valueDateTime": moment})
    if member.supports:
        parts.append({"url": "supports", "valueBoolean": True})
    return [{"url": IN_CIRCLE, "extension": parts}] if parts else []


def _coding(role: str) -> Resource:
    return {"system": ROLE_SYSTEM, "code": role, "display": _DISPLAYS[role]}


def _refers(participant: Resource, reference: str) -> bool:
    return text_in(object_in(participant, "member"), "reference") == reference


def _profiles(existing: Resource | None) -> list[str]:
    there = object_in(existing, "meta").get("profile")
    return (
        [PROFILE, *(one for one in there if isinstance(one, str) and one != PROFILE)]
        if isinstance(there, list)
        else [PROFILE]
    )


def _extensions(existing: Resource | None, patient: dict[str, str], typist: dict[str, str] | None) -> list[Resource]:
    there = objects_in(existing, "extension")
    if typist is None:  # nobody typed: a sign-in was noted
        return there
    others = [one for one in there if one.get("url") != TYPED_BY]
    if typist.get("reference") != patient.get("reference"):
        return [{"url": TYPED_BY, "valueReference": typist}, *others]
    return others


def _other_identifiers(existing: Resource | None) -> list[Resource]:
    return [one for one in objects_in(existing, "identifier") if one.get("system") != IDENTIFIER_SYSTEM]
