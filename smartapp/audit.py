"""The log of who did what with whose record, in rows that can be read back as AuditEvents.

What stands in a row follows what secondary texts say NEN 7513 asks: event, action, time, outcome, who with role and
network address, whose record, which objects, on what basis. Names are sealed; nothing of this goes into the text log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from flask import has_request_context, request
from sqlalchemy.engine import Engine

from questionnaires.canonical import structure_url
from smartapp.database import metadata, reading, writing
from smartapp.vault import Vault, digest

if TYPE_CHECKING:
    from smartapp.launches import Launch

Event = Literal["launch", "logout", "read", "search", "create", "update", "denied", "refused"]

AUDIT = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("recorded", sa.Integer, nullable=False, index=True),
    sa.Column("event", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(2), nullable=False),
    # Digest of issuer and patient: finds one person's rows, tells nobody who it is. Empty: about nobody.
    sa.Column("person", sa.String(64), nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

MOST_OBJECTS = 50


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row. `objects` are references (`Goal/7`) or, for a search, resource types."""

    recorded: int
    event: Event
    outcome: str
    reason: str
    issuer: str
    user: str
    user_name: str
    role: str
    subject: str
    patient: str
    address: str
    objects: tuple[str, ...]


class Audit:
    """Writes and reads the log. `clock` returns seconds since 1970."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    def record(
        self, launch: Launch, event: Event, objects: Sequence[str] = (), *, outcome: str = "0", reason: str = ""
    ) -> None:
        """Write what somebody did in a launch. `outcome` is FHIR's: 0 success, 4 refused, 8 serious failure."""
        self._write(
            AuditEntry(
                recorded=int(self._clock()),
                event=event,
                outcome=outcome,
                reason=reason,
                issuer=launch.issuer,
                user=launch.user.reference,
                user_name=launch.user.display,
                role=launch.user.role,
                subject=launch.user.subject,
                patient=launch.patient.reference,
                address=_address(),
                objects=tuple(dict.fromkeys(objects))[:MOST_OBJECTS],
            )
        )

    def refused(self, what: str, reason: str) -> None:
        """Write that somebody we do not know was turned away."""
        self._write(
            AuditEntry(
                recorded=int(self._clock()),
                event="refused",
                outcome="4",
                reason=reason,
                issuer="",
                user="",
                user_name="",
                role="",
                subject="",
                patient="",
                address=_address(),
                objects=(what,),
            )
        )

    def of_person(self, issuer: str, patient: str, *, most: int = 200) -> list[AuditEntry]:
        """Return the last rows about a person (`Patient/<id>`), newest first: what the client may read."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(AUDIT.c.sealed)
                .where(AUDIT.c.person == _person(issuer, patient))
                .order_by(AUDIT.c.number.desc())
                .limit(most)
            ).all()
        return [self._entry(row.sealed) for row in rows]

    def all(self, *, most: int = 1000) -> list[AuditEntry]:
        """Return the last rows, newest first: what an auditor may read."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(AUDIT.c.sealed).order_by(AUDIT.c.number.desc()).limit(most)).all()
        return [self._entry(row.sealed) for row in rows]

    def _entry(self, sealed: bytes) -> AuditEntry:
        values = self._vault.open(sealed)
        return AuditEntry(**values | {"objects": tuple(values["objects"])})

    def _write(self, entry: AuditEntry) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                AUDIT.insert().values(
                    recorded=entry.recorded,
                    event=entry.event,
                    outcome=entry.outcome,
                    person=_person(entry.issuer, entry.patient) if entry.patient else "",
                    sealed=self._vault.seal(asdict(entry)),
                )
            )


def _person(issuer: str, patient: str) -> str:
    return digest(f"person|{issuer}|{patient}")


def _address() -> str:
    return (request.remote_addr or "") if has_request_context() else ""


_EVENT_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
_LOGIN = {"system": _DICOM, "code": "110114", "display": "User Authentication"}
_REST = {"system": _EVENT_TYPES, "code": "rest", "display": "RESTful Operation"}
_ACTIONS: dict[str, str] = {"read": "R", "search": "R", "create": "C", "update": "U"}
_SUBTYPES: dict[str, dict[str, str]] = {
    "launch": {"system": _DICOM, "code": "110122", "display": "Login"},
    "logout": {"system": _DICOM, "code": "110123", "display": "Logout"},
    "read": {"system": _INTERACTIONS, "code": "read", "display": "read"},
    "search": {"system": _INTERACTIONS, "code": "search-type", "display": "search-type"},
    "create": {"system": _INTERACTIONS, "code": "create", "display": "create"},
    "update": {"system": _INTERACTIONS, "code": "update", "display": "update"},
}
_PURPOSES = {
    "client": {"code": "PATRQT", "display": "patient requested"},
    "clinician": {"code": "TREAT", "display": "treatment"},
}
_REASONS = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def audit_event(entry: AuditEntry) -> dict[str, Any]:
    """Return a row as an R4 AuditEvent of our profile: pure, so that a place can send its log where it wants."""
    login = entry.event in ("launch", "logout")
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
        "type": dict(_LOGIN if login else _REST),
        "action": _ACTIONS.get(entry.event, "E"),
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
    type_, _, id_ = name.partition("/")
    entity: dict[str, Any] = {"what": {"reference": name, "display": type_} if id_ else {"display": name}}
    if type_[:1].isupper():
        entity["type"] = {"system": "http://hl7.org/fhir/resource-types", "code": type_, "display": type_}
    return entity


def _patient_entity(entry: AuditEntry) -> list[dict[str, Any]]:
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
