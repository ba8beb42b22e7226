"""One row of the audit log: something a person did with a record, and the AuditEvent that tells other systems of it.

NEN 7513 asks who did what with whose record, when and from where. The row holds that; this module only translates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from questionnaires.canonical import structure_url
from questionnaires.fhir import RESOURCE_TYPES

Event = Literal["launch", "logout", "read", "search", "create", "update", "denied", "refused", "pruned"]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the log; an empty text where something is unknown."""

    recorded: int  # seconds since 1970
    event: Event
    outcome: str  # a code of FHIR's audit-event-outcome: "0" is success
    reason: str  # why it was refused
    issuer: str
    user: str  # reference, such as `Practitioner/3`
    user_name: str
    role: str
    subject: str  # the user as the identity provider calls them
    patient: str  # reference of the person whose record it was
    address: str  # IP address
    objects: tuple[str, ...]
    """References (`Goal/7`), or resource types for a search; also the page (`plan.goal`), or what was refused."""


_EVENT_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
_LOGIN = {"system": _DICOM, "code": "110114", "display": "User Authentication"}
_LOG_USED = {"system": _DICOM, "code": "110101", "display": "Audit Log Used"}
_REST = {"system": _EVENT_TYPES, "code": "rest", "display": "RESTful Operation"}
_TYPES = {"launch": _LOGIN, "logout": _LOGIN, "pruned": _LOG_USED}
_ACTIONS: dict[str, str] = {"read": "R", "search": "R", "create": "C", "update": "U", "pruned": "D"}
_SUBTYPES: dict[str, dict[str, str]] = {
    "launch": {"system": _DICOM, "code": "110122", "display": "Login"},
    "logout": {"system": _DICOM, "code": "110123", "display": "Logout"},
    "read": {"system": _INTERACTIONS, "code": "read", "display": "read"},
    "search": {"system": _INTERACTIONS, "code": "search-type", "display": "search-type"},
    "create": {"system": _INTERACTIONS, "code": "create", "display": "create"},
    "update": {"system": _INTERACTIONS, "code": "update", "display": "update"},
}
_TREATMENT = {"code": "TREAT", "display": "treatment"}
# A representative's reason has no code of its own there: not each is of the family, nor holds a power of attorney.
_PURPOSES = {
    "client": {"code": "PATRQT", "display": "patient requested"},
    **dict.fromkeys(("clinician", "responsible", "case-manager", "peer-worker", "outside"), _TREATMENT),
    "loved-one": {"code": "FAMRQT", "display": "family requested"},
}
_REASONS = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def audit_event(entry: AuditEntry) -> dict[str, Any]:
    """Return a row as an AuditEvent of our profile, for `verstel audit export` and whatever an organisation adds."""
    agent: dict[str, Any] = {
        "who": {
            **({"reference": entry.user} if entry.user else {}),
            "display": entry.user_name or entry.role or "unknown",
        },
        "requestor": True,
    }
    if entry.subject:
        agent["altId"] = entry.subject
    if entry.role:
        agent["role"] = [{"text": entry.role}]
    if entry.address:
        agent["network"] = {"address": entry.address, "type": "2"}
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "meta": {"profile": [structure_url("recovery-audit-event")]},
        "type": dict(_TYPES.get(entry.event, _REST)),
        "action": _ACTIONS.get(entry.event, "E"),  # E: execute, for what touches no resource, such as a sign-in
        "recorded": datetime.fromtimestamp(entry.recorded, UTC).isoformat(timespec="milliseconds"),
        "outcome": entry.outcome,
        "agent": [agent],
        "source": {"observer": {"display": "Verstel"}},
        "entity": [_entity(name) for name in entry.objects if name] + _patient_entity(entry),
    }
    if entry.event in _SUBTYPES:
        event["subtype"] = [dict(_SUBTYPES[entry.event])]
    if entry.reason:
        event["outcomeDesc"] = entry.reason
    if entry.role in _PURPOSES:
        event["purposeOfEvent"] = [{"coding": [{"system": _REASONS, **_PURPOSES[entry.role]}]}]
    return event


def _entity(name: str) -> dict[str, Any]:
    # A search has only a type. `what` needs something, so it gets the type as its display.
    type_, _, id_ = name.partition("/")
    entity: dict[str, Any] = {"what": {"reference": name, "display": type_} if id_ else {"display": name}}
    if type_[:1].isupper():
        entity["type"] = {"system": RESOURCE_TYPES, "code": type_, "display": type_}
    return entity


def _patient_entity(entry: AuditEntry) -> list[dict[str, Any]]:
    # The base resource allows no entity, but then nothing says what an event such as a refused sign-in was about.
    if not entry.patient:
        return [] if entry.objects else [{"what": {"display": entry.event}}]
    return [
        {
            "what": {"reference": entry.patient, "display": "Patient"},
            "type": {
                "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                "code": "1",
                "display": "Person",
            },
            "role": {
                "system": "http://terminology.hl7.org/CodeSystem/object-role",
                "code": "1",
                "display": "Patient",
            },
        }
    ]
