"""A row of the log as AuditEvent: who did what with whose record, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappers.audit import AuditEntry, audit_event

READ = AuditEntry(
    recorded=1_770_000_000,
    event="read",
    outcome="0",
    reason="",
    issuer="https://ehr.example/fhir",
    user="Practitioner/3",
    user_name="SPV J. Jansen",
    role="clinician",
    subject="jansen",
    patient="Patient/anna",
    address="192.0.2.7",
    objects=("Goal/7", "Task", "plan.goal"),
)


def coded(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": system, "code": code, "display": display}


def test_it_says_who_did_what_with_whose_record_when_from_where_and_what_for():
    """The whole of it; HL7's validator judges such events in `make conformance`."""
    types, terms = "http://hl7.org/fhir/resource-types", "http://terminology.hl7.org/CodeSystem"
    assert audit_event(READ) == {
        "resourceType": "AuditEvent",
        "meta": {"profile": ["https://verstel.nl/fhir/StructureDefinition/recovery-audit-event"]},
        "type": coded(f"{terms}/audit-event-type", "rest", "RESTful Operation"),
        "subtype": [coded("http://hl7.org/fhir/restful-interaction", "read", "read")],
        "action": "R",
        "recorded": "2026-02-02T02:40:00.000+00:00",  # 1 770 000 000 seconds after the beginning of 1970
        "outcome": "0",
        "purposeOfEvent": [{"coding": [coded(f"{terms}/v3-ActReason", "TREAT", "treatment")]}],
        "agent": [
            {
                "who": {"reference": "Practitioner/3", "display": "SPV J. Jansen"},
                "altId": "jansen",
                "role": [{"text": "clinician"}],
                "requestor": True,
                "network": {"address": "192.0.2.7", "type": "2"},
            }
        ],
        "source": {"observer": {"display": "Verstel"}},
        "entity": [
            {"what": {"reference": "Goal/7", "display": "Goal"}, "type": coded(types, "Goal", "Goal")},
            {"what": {"display": "Task"}, "type": coded(types, "Task", "Task")},
            {"what": {"display": "plan.goal"}},
            {
                "what": {"reference": "Patient/anna", "display": "Patient"},
                "type": coded(f"{terms}/audit-entity-type", "1", "Person"),
                "role": coded(f"{terms}/object-role", "1", "Patient"),
            },
        ],
    }


@pytest.mark.parametrize(
    ("event", "type_", "action", "subtype"),
    [
        ("launch", "110114", "E", "110122"),
        ("logout", "110114", "E", "110123"),
        ("search", "rest", "R", "search-type"),
        ("create", "rest", "C", "create"),
        ("update", "rest", "U", "update"),
        ("denied", "rest", "E", None),
        ("pruned", "110101", "D", None),
    ],
)
def test_each_event_has_its_codes(event, type_, action, subtype):
    made = audit_event(replace(READ, event=event))
    given = made["subtype"][0]["code"] if "subtype" in made else None
    assert (made["type"]["code"], made["action"], given) == (type_, action, subtype)


def test_of_a_stranger_it_says_only_that_they_are_unknown():
    stranger = replace(
        READ, event="refused", outcome="8", reason="state-old", user="", user_name="", role="", subject="", address=""
    )
    event = audit_event(replace(stranger, patient="", objects=()))
    assert event["agent"] == [{"who": {"display": "unknown"}, "requestor": True}]
    assert (event["outcome"], event["outcomeDesc"]) == ("8", "state-old")
    # FHIR would allow none, but then nothing says what was refused.
    assert event["entity"] == [{"what": {"display": "refused"}}]
    assert "purposeOfEvent" not in event
    assert audit_event(replace(stranger, patient="", objects=("callback",)))["entity"] == [
        {"what": {"display": "callback"}}
    ]


def test_a_client_asked_for_it_themselves_and_someone_without_a_name_goes_by_their_role():
    event = audit_event(replace(READ, role="client", user_name=""))
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "PATRQT"
    assert event["agent"][0]["who"]["display"] == "client"
