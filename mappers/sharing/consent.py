"""What a client shares ↔ a FHIR Consent: one for each client, with a provision for each part that they chose about.

The parts are its data (`provision.data`), each named by an identifier, since a part is there before anything is written
in it. The Consent itself denies; each provision inside permits, and says to whom (`actor`) and what (`action`): to read
(`access`), or to type too (`correct`). A part that nobody may read has a provision that denies.

It is kept in our own store and never at an EHR: there, whoever opens the record would read of what they may not read
that it exists.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mappers.plan.shapes import target_of
from mappers.sharing.model import Choice, Sharing
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import Resource, concept

PROFILE: Final = structure_url("plan-consent")
IDENTIFIER_SYSTEM: Final = identifier_system("plan-consent")
PART_SYSTEM: Final = identifier_system("part")
READER_SYSTEM: Final = code_system_url("reader")
ROLE_SYSTEM: Final = code_system_url("care-team-role")
IN_RECORD: Final = "record"
"""The reader that stands for everybody who may open the record."""
_ACTION_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
_READ: Final = ("access", "Access")
_TYPE: Final = ("correct", "Correct")
_SCOPE: Final = ("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy", "Privacy Consent")
_CATEGORY: Final = ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL", "information disclosure")
_ACTOR: Final = ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient")


def name_of(issuer: str, patient: str) -> str:
    """Return the value of the identifier of somebody's Consent; `issuer` is the issuer's key."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"plan-consent {issuer} {patient}"))


def is_sharing(resource: Any) -> bool:
    """Tell whether a resource is a Consent of ours that holds."""
    return (
        text_in(resource, "resourceType") == "Consent"
        and text_in(resource, "status") == "active"
        and any(one.get("system") == IDENTIFIER_SYSTEM for one in objects_in(resource, "identifier"))
    )


# ---- reading ---------------------------------------------------------------------------------------------------------


def sharing_of(consent: Any) -> Sharing:
    """Read what a client chose.

    What can't be understood shares nothing: a provision that we do not know how to read leaves its part to the client.
    """
    choices: dict[str, Choice] = {}
    for provision in objects_in(object_in(consent, "provision"), "provision"):
        for part in _parts_in(provision):
            choices[part] = _with(choices.get(part, Choice(record=False)), provision)
    return Sharing(choices, text_in(consent, "dateTime"))


def _with(choice: Choice, provision: Resource) -> Choice:
    if text_in(provision, "type") != "permit":
        return choice
    names = set(_readers_in(provision))
    actions = {
        text_in(coding, "code") for one in objects_in(provision, "action") for coding in objects_in(one, "coding")
    }
    named = names - {IN_RECORD}
    return Choice(
        record=choice.record or (IN_RECORD in names and _READ[0] in actions),
        readers=choice.readers | (named if _READ[0] in actions else set()),
        typists=choice.typists | (named if _TYPE[0] in actions else set()),
    )


def _parts_in(provision: Resource) -> Iterator[str]:
    for data in objects_in(provision, "data"):
        identifier = object_in(object_in(data, "reference"), "identifier")
        if identifier.get("system") == PART_SYSTEM and text_in(identifier, "value"):
            yield text_in(identifier, "value")


def _readers_in(provision: Resource) -> Iterator[str]:
    for actor in objects_in(provision, "actor"):
        who = object_in(actor, "reference")
        identifier = object_in(who, "identifier")
        if identifier.get("system") in (READER_SYSTEM, ROLE_SYSTEM):
            yield text_in(identifier, "value")
        elif reference := target_of(who):
            yield reference


def displays_in(consent: Any) -> dict[str, str]:
    """Return what people were called when they were chosen, by their reference."""
    provisions = objects_in(object_in(consent, "provision"), "provision")
    people = (object_in(actor, "reference") for one in provisions for actor in objects_in(one, "actor"))
    return {target_of(one): text_in(one, "display") for one in people if target_of(one) and text_in(one, "display")}


# ---- writing ---------------------------------------------------------------------------------------------------------


def consent_of(
    sharing: Sharing,
    *,
    name: str,
    patient: Resource,
    titles: Mapping[str, str],
    displays: Mapping[str, str],
    before: Resource | None = None,
) -> Resource:
    """Write what a client shares, on top of what is stored (`before`).

    `titles` are what the parts are called, `displays` what the readers are; `patient` is a FHIR Reference.
    """
    provisions = [
        provision
        for part, choice in sorted(sharing.choices.items())
        for provision in _provisions(choice, _data(part, titles.get(part, part)), displays)
    ]
    made: Resource = {
        **{key: value for key, value in (before or {}).items() if key != "text"},
        "resourceType": "Consent",
        "meta": {**object_in(before, "meta"), "profile": [PROFILE]},
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": name}],
        "status": "active",
        "scope": concept(*_SCOPE),
        "category": [concept(*_CATEGORY)],
        "patient": patient,
        "performer": [patient],
        "policyRule": {"text": "Verstel: what is not permitted here, and by no rule of its parts, is denied."},
        "provision": {"type": "deny", **({"provision": provisions} if provisions else {})},
    }
    return {**made, "dateTime": sharing.changed} if sharing.changed else made


def _provisions(choice: Choice, data: Resource, displays: Mapping[str, str]) -> Iterator[Resource]:
    readers = [*([IN_RECORD] if choice.record else []), *sorted(choice.readers)]
    if not readers:
        yield {"type": "deny", "data": [data]}
        return
    yield _permit(readers, _READ, data, displays)
    if choice.typists:
        yield _permit(sorted(choice.typists), _TYPE, data, displays)


def _permit(readers: Iterable[str], action: tuple[str, str], data: Resource, displays: Mapping[str, str]) -> Resource:
    return {
        "type": "permit",
        "actor": [{"role": concept(*_ACTOR), "reference": _reference(one, displays.get(one, one))} for one in readers],
        "action": [concept(_ACTION_SYSTEM, *action)],
        "data": [data],
    }


def _reference(reader: str, display: str) -> Resource:
    if "/" in reader:
        return {"reference": reader, "display": display}
    system = READER_SYSTEM if reader == IN_RECORD else ROLE_SYSTEM
    return {"identifier": {"system": system, "value": reader}, "display": display}


def _data(part: str, title: str) -> Resource:
    return {
        "meaning": "related",
        "reference": {"identifier": {"system": PART_SYSTEM, "value": part}, "display": title},
    }
