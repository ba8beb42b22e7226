"""Whether a client's answers may be used again, for research ↔ a FHIR Consent of their own; without one, never.

The Consent denies; each provision inside permits one purpose: the place's own quality research, or research by others.
What it does not say, and what can't be understood of it, allows nothing. It is kept in our own store and never at an
EHR: there, whoever opens the record would read what somebody chose.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from mappers.plan.shapes import target_of
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.canonical import identifier_system, structure_url
from questionnaires.fhir import Resource, concept

Purpose = Literal["HQUALIMP", "HRESCH"]
"""What for, as a code of HL7's v3-ActReason: the place improves its own care, or others do research."""
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
PROFILE: Final = structure_url("reuse-consent")
IDENTIFIER_SYSTEM: Final = identifier_system("reuse-consent")
_ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_DISPLAYS: Final[dict[Purpose, str]] = {"HQUALIMP": "health quality improvement", "HRESCH": "healthcare research"}
_SCOPE: Final = ("http://terminology.hl7.org/CodeSystem/consentscope", "research", "Research")
_CATEGORY: Final = (
    "http://terminology.hl7.org/CodeSystem/consentcategorycodes",
    "research",
    "Research Information Access",
)
CATEGORY_TOKEN: Final = f"{_CATEGORY[0]}|{_CATEGORY[1]}"
"""What a search finds these Consents by, among all others."""
_ACCESS: Final = ("http://terminology.hl7.org/CodeSystem/consentaction", "access", "Access")
_READ_ANSWERS: Final = ("valueBoolean", "valueDecimal", "valueInteger", "valueDate", "valueDateTime", "valueTime")


@dataclass(frozen=True, slots=True)
class Reuse:
    """What somebody's answers may be used for: nothing, unless they said so. `since` is a FHIR dateTime, or ""."""

    purposes: frozenset[Purpose] = frozenset()
    since: str = ""

    def allows(self, purpose: Purpose) -> bool:
        """Tell whether answers may be used for this."""
        return purpose in self.purposes


def name_of(issuer: str, patient: str) -> str:
    """Return the value of the identifier of somebody's Consent; `issuer` is the issuer's key."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"reuse-consent {issuer} {patient}"))


def is_reuse(resource: Any) -> bool:
    """Tell whether a resource is a Consent of ours about reuse; also one that was taken back."""
    return text_in(resource, "resourceType") == "Consent" and any(
        one.get("system") == IDENTIFIER_SYSTEM for one in objects_in(resource, "identifier")
    )


def patient_of(consent: Any) -> str:
    """Return whose Consent it is (`Patient/<id>`), "" where it does not say."""
    return target_of(object_in(consent, "patient"))


def reuse_of(consent: Any) -> Reuse:
    """Read what a client said about reuse; None, and what can't be understood whole, allows nothing."""
    rule, since = object_in(consent, "provision"), text_in(consent, "dateTime")
    if not (_holds(consent) and since and rule.keys() <= {"type", "provision"} and text_in(rule, "type") == "deny"):
        return Reuse()
    purposes = [_purpose_in(one) for one in objects_in(rule, "provision")]
    known = frozenset(one for one in purposes if one)
    # A provision that we can't read may take away what another gives: then none of them counts.
    return Reuse(known, since) if known and None not in purposes else Reuse()


def _holds(consent: Any) -> bool:
    """Tell whether a Consent is ours, in force, and given by whom it is about."""
    patient, performers = patient_of(consent), objects_in(consent, "performer")
    return (
        is_reuse(consent)
        and text_in(consent, "status") == "active"
        and code_in(consent, "scope", _SCOPE[0]) == _SCOPE[1]
        and bool(patient)
        and [target_of(one) for one in performers] == [patient]
        and "modifierExtension" not in consent
    )


def _purpose_in(provision: Resource) -> Purpose | None:
    coded = [
        one
        for one in objects_in(provision, "purpose")
        if one.get("system") == _ACT_REASON and one.get("code") in PURPOSES
    ]
    actions = [code_in({"action": one}, "action", _ACCESS[0]) for one in objects_in(provision, "action")]
    plain = provision.keys() == {"type", "purpose", "action"} and len(objects_in(provision, "purpose")) == 1
    if not plain or not coded or provision["type"] != "permit" or actions != [_ACCESS[1]]:
        return None
    return next(one for one in PURPOSES if one == coded[0]["code"])


def consent_of(reuse: Reuse, *, name: str, patient: Resource, before: Resource | None = None) -> Resource:
    """Write what a client said about reuse, on top of what is stored (`before`); `patient` is a FHIR Reference.

    One that allows nothing is `inactive`: what was said before stays in its earlier versions.
    """
    permits = [_permit(one) for one in PURPOSES if one in reuse.purposes]
    return {
        **({"id": before["id"]} if before and "id" in before else {}),
        "resourceType": "Consent",
        "meta": {**object_in(before, "meta"), "profile": [PROFILE]},
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": name}],
        "status": "active" if permits else "inactive",
        "scope": concept(*_SCOPE),
        "category": [concept(*_CATEGORY)],
        "patient": patient,
        "dateTime": reuse.since,
        "performer": [patient],
        "policyRule": {"text": "Verstel: answers are not used again for what is not permitted here."},
        "provision": {"type": "deny", **({"provision": permits} if permits else {})},
    }


def _permit(purpose: Purpose) -> Resource:
    return {
        "type": "permit",
        "action": [concept(*_ACCESS)],
        "purpose": [{"system": _ACT_REASON, "code": purpose, "display": _DISPLAYS[purpose]}],
    }


# ---- what is handed out ----------------------------------------------------------------------------------------------


def without_words(response: Resource) -> Resource:
    """Return of a QuestionnaireResponse what is handed out: whose, of what, when, and answers that are no free text.

    Only what is named here is taken over: no narrative, author, extension, words, file or reference.
    """
    kept = ("resourceType", "id", "questionnaire", "status", "authored")
    made = {name: response[name] for name in kept if name in response}
    subject = target_of(object_in(response, "subject"))
    items = list(_items(response))
    return made | ({"subject": {"reference": subject}} if subject else {}) | ({"item": items} if items else {})


def _items(of: Resource) -> Iterator[Resource]:
    for item in objects_in(of, "item"):
        answers, below = [one for raw in objects_in(item, "answer") if (one := _answer(raw))], list(_items(item))
        if answers or below:
            yield (
                {"linkId": text_in(item, "linkId")}
                | ({"answer": answers} if answers else {})
                | ({"item": below} if below else {})
            )


def _answer(raw: Resource) -> Resource:
    made: Resource = {name: raw[name] for name in _READ_ANSWERS if name in raw}
    if coding := {name: text for name in ("system", "code") if (text := text_in(raw.get("valueCoding"), name))}:
        made["valueCoding"] = coding
    quantity = object_in(raw, "valueQuantity")
    if "value" in quantity:
        made["valueQuantity"] = {
            name: quantity[name] for name in ("value", "unit", "system", "code") if name in quantity
        }
    below = list(_items(raw))
    return made | ({"item": below} if below else {})
