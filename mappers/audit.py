"""One row of the audit log: something a person did with a record, and the AuditEvent that tells other systems of it.

NEN 7513 asks who did what with whose record, when, from where and what for. The row holds that; this module only
translates it, into the patterns of IHE's Basic Audit Log Patterns (BALP) where those have one: a read, a create and an
update that succeeded. A page reads much at once and is one event: what it is there to show is the `data` of the
pattern, and the rest stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from questionnaires.canonical import identifier_system, structure_url
from questionnaires.fhir import RESOURCE_TYPES, Resource

Event = Literal[
    "launch",
    "logout",
    "read",
    "search",
    "create",
    "update",
    "export",
    "denied",
    "refused",
    "pruned",
    "asked",
    "reminder",
]
"""`asked`: the EHR asked on behalf of somebody whether there is something here, and was told nothing."""
Purpose = Literal["TREAT", "PATRQT", "SUPNWK", "HSYSADMIN", "representative", ""]
"""What for, as a code of HL7's ActReason: treatment, the client asked, someone whom the client lets, or the operator of
this installation. A legal representative has no code there: not each is appointed, or holds a power of attorney. Empty:
nobody knows."""
OPERATOR: Final = "operator"
"""The role of who has the command line: known to the machine, not to us."""
REUSED: Final = "reuse"
"""The object of a row that tells that answers were handed out for reuse; what for stands after it."""
BY_LINK: Final = "link"
"""The role of who has a link to what the client shared: known by nothing but what they call themselves."""
BY_ITSELF: Final = "verstel"
"""The role of this installation where it did by itself what the client asked of it, such as to send a reminder."""
BY_DOOR: Final = "door"
"""The role of who has a device on which one questionnaire was opened for them: they did not sign in."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the log; an empty text where something is unknown, or where the row is older than the field."""

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
    parts: tuple[str, ...] = ()
    """Which parts of the record that was, as they are shared, and the pages that show several."""
    purpose: Purpose = ""
    system: str = ""  # the address of the installation that wrote it
    organisation: str = ""  # what the issuer is called in the settings
    visit: str = ""
    """A digest that the rows of one launch have in common; it tells nothing of the launch."""
    through: str = ""
    """Who let somebody in that did not sign in, by name: who gave them the device."""


def purpose_of(role: str) -> Purpose:
    """Return what somebody in this role opens a record for."""
    return _PURPOSE_OF.get(role, "")


_PURPOSE_OF: dict[str, Purpose] = {
    "client": "PATRQT",
    **dict.fromkeys(("clinician", "responsible", "case-manager", "peer-worker", "outside"), "TREAT"),
    "loved-one": "SUPNWK",
    "representative": "representative",
    OPERATOR: "HSYSADMIN",
    BY_ITSELF: "PATRQT",
}
_PURPOSES: dict[str, str] = {
    "TREAT": "treatment",
    "PATRQT": "patient requested",
    "SUPNWK": "support network",
    "HSYSADMIN": "health system administration",
}
_TERMS = "http://terminology.hl7.org/CodeSystem"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_INTERACTIONS = "http://hl7.org/fhir/restful-interaction"


def _coding(system: str, code: str, display: str) -> Resource:
    return {"system": system, "code": code, "display": display}


_LOGIN = _coding(_DICOM, "110114", "User Authentication")
_EXPORT = _coding(_DICOM, "110106", "Export")
_ACTIVITY = _coding(_DICOM, "110100", "Application Activity")
_LOG_USED = _coding(_DICOM, "110101", "Audit Log Used")
_REST = _coding(f"{_TERMS}/audit-event-type", "rest", "RESTful Operation")
_TYPES = {"launch": _LOGIN, "logout": _LOGIN, "export": _EXPORT, "pruned": _LOG_USED, "reminder": _ACTIVITY}
_ACTIONS: dict[str, str] = {"read": "R", "create": "C", "update": "U", "export": "R", "pruned": "D"}
_SUBTYPES: dict[str, Resource] = {
    "launch": _coding(_DICOM, "110122", "Login"),
    "logout": _coding(_DICOM, "110123", "Logout"),
    "read": _coding(_INTERACTIONS, "read", "read"),
    "search": _coding(_INTERACTIONS, "search-type", "search-type"),
    "create": _coding(_INTERACTIONS, "create", "create"),
    "update": _coding(_INTERACTIONS, "update", "update"),
}
_SOURCE_ROLE = _coding(_DICOM, "110153", "Source Role ID")
_DESTINATION_ROLE = _coding(_DICOM, "110152", "Destination Role ID")
_DEVICE = _coding(_DICOM, "110150", "Application")
_RECIPIENT = _coding(f"{_TERMS}/v3-ParticipationType", "IRCP", "information recipient")
_AUTHOR = _coding(f"{_TERMS}/v3-ParticipationType", "AUT", "author (originator)")
_CLIENT_SERVER_USER = {
    "read": (_DESTINATION_ROLE, _SOURCE_ROLE, _RECIPIENT),
    # A question goes to the server, and so does what is written.
    "search": (_SOURCE_ROLE, _DESTINATION_ROLE, _RECIPIENT),
    "create": (_SOURCE_ROLE, _DESTINATION_ROLE, _AUTHOR),
    "update": (_SOURCE_ROLE, _DESTINATION_ROLE, _AUTHOR),
}
"""Who gives and who gets, as BALP has it: the client is this app, the server is the record system of the launch."""
_SYSTEM_OBJECT = _coding(f"{_TERMS}/audit-entity-type", "2", "System Object")
_PERSON = _coding(f"{_TERMS}/audit-entity-type", "1", "Person")
_OTHER = _coding(f"{_TERMS}/audit-entity-type", "4", "Other")
_DOMAIN_RESOURCE = _coding(f"{_TERMS}/object-role", "4", "Domain Resource")
_PATIENT = _coding(f"{_TERMS}/object-role", "1", "Patient")
_APPLICATION_SERVER = _coding(f"{_TERMS}/security-source-type", "4", "Application Server")

ROW_SYSTEM: Final = identifier_system("audit-row")
VISIT_SYSTEM: Final = identifier_system("visit")
_OBJECT_SYSTEM: Final = identifier_system("audit-object")


def audit_event(entry: AuditEntry, number: int | None = None, *, literal: bool = True) -> Resource:
    """Return a row as an AuditEvent of our profile. `number`: which row of the log of its installation it is.

    Without `literal` what was touched is named by an identifier and not referred to: that is for a server that does
    not have all of it, where `Goal/7` is somebody else's or nobody's.
    """
    event: Resource = {
        "resourceType": "AuditEvent",
        "meta": {"profile": [structure_url("recovery-audit-event")]},
        "type": dict(_TYPES.get(entry.event, _REST)),
        "action": _ACTIONS.get(entry.event, "E"),  # E: execute, also for a search and for what touches no resource
        "recorded": datetime.fromtimestamp(entry.recorded, UTC).isoformat(timespec="milliseconds"),
        "outcome": entry.outcome,
        "agent": _agents(entry),
        "source": _source(entry),
        "entity": [*_objects(entry, literal=literal), *_about(entry), *_labels(entry, number)],
    }
    if entry.event in _SUBTYPES:
        event["subtype"] = [dict(_SUBTYPES[entry.event])]
    if entry.reason:
        event["outcomeDesc"] = entry.reason
    # Rows from before it was kept: the role says it.
    if purpose := entry.purpose or purpose_of(entry.role):
        event["purposeOfEvent"] = [_purpose(purpose)]
    return event


def row_identifier(entry: AuditEntry, number: int) -> Resource:
    """Return what names a row of the log wherever its AuditEvent is."""
    return {"system": ROW_SYSTEM, "value": f"{entry.system or 'verstel'}#{number}"}


def _agents(entry: AuditEntry) -> list[Resource]:
    user: Resource = {
        "who": {
            **({"reference": entry.user} if entry.user else {}),
            "display": entry.user_name or entry.role or "unknown",
        },
        "requestor": True,
    }
    if entry.subject:
        user["altId"] = entry.subject
    if entry.role:
        user["role"] = [{"text": entry.role}]
    agents = [user]
    if entry.through:
        agents.append({"who": {"display": entry.through}, "role": [{"text": "gave the device"}], "requestor": False})
    if entry.event in _CLIENT_SERVER_USER:
        client, server, kind = _CLIENT_SERVER_USER[entry.event]
        user["type"] = _concept(kind)
        agents += [_machine(client, "Verstel", entry.system)]
        agents += [_machine(server, entry.organisation or entry.issuer or "unknown", entry.issuer)]
    # Of its own, since BALP lets a person have no network: a person is no device.
    if entry.address:
        device = {"who": {"display": "device of the user"}, "network": {"address": entry.address, "type": "2"}}
        agents.append({"type": _concept(_DEVICE), **device, "requestor": False})
    return agents


def _machine(kind: Resource, name: str, address: str) -> Resource:
    who = _named(name, address)
    network = {"network": {"address": address, "type": "5"}} if address else {}
    return {"type": _concept(kind), "who": who, "requestor": False, **network}


def _purpose(purpose: str) -> Resource:
    name = _PURPOSES.get(purpose)
    return _concept(_coding(f"{_TERMS}/v3-ActReason", purpose, name)) if name else {"text": purpose}


def _concept(coding: Resource) -> Resource:
    return {"coding": [dict(coding)]}


def _named(name: str, address: str) -> Resource:
    identifier = {"identifier": {"system": "urn:ietf:rfc:3986", "value": address}} if address else {}
    return {**identifier, "display": name}


def _source(entry: AuditEntry) -> Resource:
    site = {"site": entry.organisation} if entry.organisation else {}
    return {**site, "observer": _named("Verstel", entry.system), "type": [dict(_APPLICATION_SERVER)]}


def _objects(entry: AuditEntry, *, literal: bool) -> list[Resource]:
    names = [name for name in entry.objects if name]
    touched = entry.event in _CLIENT_SERVER_USER
    data = next((name for name in names if "/" in name), next(iter(names), entry.event)) if touched else None
    rest = [_entity(name, literal=literal) for name in names if name != data]
    if data is None:
        return rest
    return [{**_entity(data, literal=literal), "type": dict(_SYSTEM_OBJECT), "role": dict(_DOMAIN_RESOURCE)}, *rest]


def _entity(name: str, *, literal: bool) -> Resource:
    # A search has only a type. `what` needs something, so it gets the type as its display.
    type_, _, id_ = name.partition("/")
    named: Resource = {"reference": name} if literal else {"identifier": {"system": _OBJECT_SYSTEM, "value": name}}
    entity: Resource = {"what": {**named, "display": type_} if id_ else {"display": name}}
    if type_[:1].isupper():
        entity["type"] = _coding(RESOURCE_TYPES, type_, type_)
    return entity


def _about(entry: AuditEntry) -> list[Resource]:
    # The base resource allows no entity, but then nothing says what an event such as a refused sign-in was about.
    if not entry.patient:
        return [] if entry.objects else [{"what": {"display": entry.event}}]
    what = {"reference": entry.patient, "display": "Patient"}
    return [{"what": what, "type": dict(_PERSON), "role": dict(_PATIENT)}]


def _labels(entry: AuditEntry, number: int | None) -> list[Resource]:
    """Return what belongs to the row and is no object of it: the parts, the visit, and which row it is."""
    named = [{"identifier": {"system": VISIT_SYSTEM, "value": entry.visit}, "display": "visit"}] if entry.visit else []
    if number is not None:
        named.append({"identifier": row_identifier(entry, number), "display": "row of the log"})
    parts = [{"what": {"display": part}, "type": dict(_OTHER), "name": "part"} for part in entry.parts]
    return [*parts, *({"what": what, "type": dict(_OTHER)} for what in named)]
