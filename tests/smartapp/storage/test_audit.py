"""A line of the log becomes an AuditEvent that anybody can read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from mappers.audit import AuditEntry, audit_event

ENTRY = AuditEntry(
    recorded=1_770_000_000,
    event="read",
    outcome="0",
    reason="",
    issuer="https://ehr.example/fhir",
    user="Practitioner/els",
    user_name="Els Visser",
    role="clinician",
    subject="u1",
    patient="Patient/anna",
    address="192.0.2.7",
    objects=("Goal/1", "CarePlan/2"),
)


def with_changes(**changes) -> AuditEntry:
    return replace(ENTRY, **changes)


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, "R"),
        ({"event": "create"}, "C"),
        ({"event": "update"}, "U"),
        ({"event": "launch", "objects": ()}, "E"),
        ({"event": "logout", "objects": ()}, "E"),
        ({"event": "denied", "outcome": "4", "reason": "role", "objects": ("plan.approve",)}, "E"),
        ({"event": "refused", "patient": "", "user": "", "user_name": "", "role": "", "subject": ""}, "E"),
        ({"event": "refused", "patient": "", "objects": (), "address": ""}, "E"),
        ({"event": "pruned", "patient": "", "role": "", "objects": ("7 rows",)}, "D"),
    ],
)
def test_every_kind_of_line_is_a_valid_audit_event_with_agent_and_object(changes, action):
    event = audit_event(with_changes(**changes))
    AuditEvent.model_validate(event)
    assert event["action"] == action
    assert event["agent"][0]["who"]["display"]
    assert event["entity"]
    assert event["recorded"] == "2026-02-02T02:40:00.000+00:00"  # 1,770,000,000 seconds after 1970


def test_it_says_whose_record_it_was_and_what_was_read():
    event = audit_event(ENTRY)
    assert [one["what"]["reference"] for one in event["entity"]] == ["Goal/1", "CarePlan/2", "Patient/anna"]
    assert event["agent"][-1]["network"] == {"address": "192.0.2.7", "type": "2"}
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
