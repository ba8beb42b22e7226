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


def test_it_says_who_did_what_with_whose_record_when_from_where_and_what_for():
    event = audit_event(READ)
    [agent] = event["agent"]
    assert agent["who"] == {"reference": "Practitioner/3", "display": "SPV J. Jansen"}
    assert (agent["altId"], agent["role"]) == ("jansen", [{"text": "clinician"}])
    assert agent["network"] == {"address": "192.0.2.7", "type": "2"}
    # 1 770 000 000 seconds after the beginning of 1970.
    assert (event["action"], event["recorded"]) == ("R", "2026-02-02T02:40:00.000+00:00")
    assert (event["type"]["code"], event["subtype"][0]["code"]) == ("rest", "read")
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    goal, search, page, person = event["entity"]
    assert (goal["what"], goal["type"]["code"]) == ({"reference": "Goal/7", "display": "Goal"}, "Goal")
    assert (search["what"], search["type"]["code"]) == ({"display": "Task"}, "Task")
    assert page == {"what": {"display": "plan.goal"}}
    assert (person["what"]["reference"], person["role"]["code"]) == ("Patient/anna", "1")


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
