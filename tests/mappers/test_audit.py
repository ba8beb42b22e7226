"""A row of the log as AuditEvent: who did what with whose record, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mappers.audit import BY_DOOR, OPERATOR, AuditEntry, audit_event, purpose_of, row_identifier

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
    objects=("plan.goal", "Goal/7", "Task", "Observation/2"),
    parts=("domain.housing",),
    purpose="TREAT",
    system="https://verstel.example",
    organisation="De Linden",
    visit="0123456789abcdef",
)
OLD = replace(READ, parts=(), purpose="", system="", organisation="", visit="")
"""As a version wrote it that did not keep these."""


DICOM = "http://dicom.nema.org/resources/ontology/DCM"


def uri(value: str) -> dict[str, str]:
    return {"system": "urn:ietf:rfc:3986", "value": value}


def machine(code: str, display: str, name: str, address: str) -> dict[str, Any]:
    return {
        "type": {"coding": [coded(DICOM, code, display)]},
        "who": {"identifier": uri(address), "display": name},
        "requestor": False,
        "network": {"address": address, "type": "5"},
    }


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
                "type": {"coding": [coded(f"{terms}/v3-ParticipationType", "IRCP", "information recipient")]},
                "who": {"reference": "Practitioner/3", "display": "SPV J. Jansen"},
                "altId": "jansen",
                "role": [{"text": "clinician"}],
                "requestor": True,
            },
            machine("110152", "Destination Role ID", "Verstel", "https://verstel.example"),
            machine("110153", "Source Role ID", "De Linden", "https://ehr.example/fhir"),
            {
                "type": {"coding": [coded(DICOM, "110150", "Application")]},
                "who": {"display": "device of the user"},
                "requestor": False,
                "network": {"address": "192.0.2.7", "type": "2"},
            },
        ],
        "source": {
            "site": "De Linden",
            "observer": {"identifier": uri("https://verstel.example"), "display": "Verstel"},
            "type": [coded(f"{terms}/security-source-type", "4", "Application Server")],
        },
        "entity": [
            {
                "what": {"reference": "Goal/7", "display": "Goal"},
                "type": coded(f"{terms}/audit-entity-type", "2", "System Object"),
                "role": coded(f"{terms}/object-role", "4", "Domain Resource"),
            },
            {"what": {"display": "plan.goal"}},
            {"what": {"display": "Task"}, "type": coded(types, "Task", "Task")},
            {
                "what": {"reference": "Observation/2", "display": "Observation"},
                "type": coded(types, "Observation", "Observation"),
            },
            {
                "what": {"reference": "Patient/anna", "display": "Patient"},
                "type": coded(f"{terms}/audit-entity-type", "1", "Person"),
                "role": coded(f"{terms}/object-role", "1", "Patient"),
            },
            {
                "what": {"display": "domain.housing"},
                "type": coded(f"{terms}/audit-entity-type", "4", "Other"),
                "name": "part",
            },
            {
                "what": {
                    "identifier": {"system": "https://verstel.nl/fhir/identifier/visit", "value": "0123456789abcdef"},
                    "display": "visit",
                },
                "type": coded(f"{terms}/audit-entity-type", "4", "Other"),
            },
        ],
    }


@pytest.mark.parametrize(
    ("event", "type_", "action", "subtype"),
    [
        ("launch", "110114", "E", "110122"),
        ("logout", "110114", "E", "110123"),
        ("search", "rest", "E", "search-type"),
        ("create", "rest", "C", "create"),
        ("update", "rest", "U", "update"),
        ("export", "110106", "R", None),
        ("denied", "rest", "E", None),
        ("pruned", "110101", "D", None),
        ("reminder", "110100", "E", None),
    ],
)
def test_each_event_has_its_codes(event, type_, action, subtype):
    made = audit_event(replace(READ, event=event))
    given = made["subtype"][0]["code"] if "subtype" in made else None
    assert (made["type"]["code"], made["action"], given) == (type_, action, subtype)


def test_of_a_stranger_it_says_only_that_they_are_unknown():
    stranger = replace(
        OLD, event="refused", outcome="8", reason="state-old", user="", user_name="", role="", subject="", address=""
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
    event = audit_event(replace(OLD, role="client", user_name=""))
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "PATRQT"
    assert event["agent"][0]["who"]["display"] == "client"


@pytest.mark.parametrize(("event", "client", "user"), [("create", "110153", "AUT"), ("update", "110153", "AUT")])
def test_what_is_written_goes_from_the_app_to_the_record_by_an_author(event, client, user):
    made = audit_event(replace(READ, event=event))
    types = [one["type"]["coding"][0]["code"] for one in made["agent"]]
    assert types == [user, client, "110152", "110150"]


def test_of_who_has_a_device_it_says_who_gave_it_and_names_nobody_as_the_one_who_acted():
    made = audit_event(
        replace(READ, event="create", user="", user_name="", role=BY_DOOR, subject="", through="J. Jansen")
    )
    acted, gave, *_machines = made["agent"]
    assert acted["who"] == {"display": "door"}
    assert acted["requestor"] is True
    assert gave == {"who": {"display": "J. Jansen"}, "role": [{"text": "gave the device"}], "requestor": False}
    assert "altId" not in acted


@pytest.mark.parametrize("event", ["launch", "logout", "export", "denied"])
def test_what_touches_no_record_names_no_client_and_no_server(event):
    made = audit_event(replace(READ, event=event))
    assert [one["requestor"] for one in made["agent"]] == [True, False]
    assert "type" not in made["agent"][0]
    assert [one for one in made["entity"] if one.get("role", {}).get("code") == "4"] == []


def test_one_resource_is_the_data_of_the_pattern_or_else_the_page():
    for objects, data in ((("plan.goal", "Goal/7", "Goal/8"), "Goal"), (("overview.index",), "overview.index")):
        found = [one for one in audit_event(replace(READ, objects=objects))["entity"] if one.get("role")]
        assert [one["what"]["display"] for one in found] == [data, "Patient"]


def test_a_person_has_no_network_and_their_device_has():
    for event in ("read", "create", "launch", "denied"):
        with_network = [one for one in audit_event(replace(READ, event=event))["agent"] if "192.0.2.7" in str(one)]
        assert [one["who"] for one in with_network] == [{"display": "device of the user"}]


def test_for_another_server_only_the_people_are_referred_to():
    sent = audit_event(READ, literal=False)
    assert [one["what"]["reference"] for one in sent["entity"] if "reference" in one["what"]] == ["Patient/anna"]
    assert sent["entity"][0]["what"] == {
        "identifier": {"system": "https://verstel.nl/fhir/identifier/audit-object", "value": "Goal/7"},
        "display": "Goal",
    }


def test_a_row_is_known_by_its_installation_and_number():
    assert row_identifier(READ, 17)["value"] == "https://verstel.example#17"
    assert audit_event(READ, 17)["entity"][-1]["what"]["identifier"] == row_identifier(READ, 17)


def test_a_row_of_before_says_what_it_knows():
    event = audit_event(OLD)
    assert event["source"]["observer"] == {"display": "Verstel"}
    assert event["agent"][2]["who"]["display"] == "https://ehr.example/fhir"
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"  # the role says it
    assert [one["what"]["display"] for one in event["entity"]][-1] == "Patient"


@pytest.mark.parametrize(
    ("role", "purpose"),
    [
        ("client", "PATRQT"),
        ("clinician", "TREAT"),
        ("responsible", "TREAT"),
        ("case-manager", "TREAT"),
        ("peer-worker", "TREAT"),
        ("outside", "TREAT"),
        ("loved-one", "SUPNWK"),
        ("representative", "representative"),
        (OPERATOR, "HSYSADMIN"),
        ("guest", ""),
        ("", ""),
    ],
)
def test_what_for_follows_from_the_role(role, purpose):
    assert purpose_of(role) == purpose
    assert ("purposeOfEvent" in audit_event(replace(OLD, role=role))) == bool(purpose)
