"""The AuditEvents that a domain gets of us: of a launch that succeeded, and of one that failed."""

from __future__ import annotations

import pytest

from mappers.koppeltaal.audit import EXPECTED, Chain, Teller, launch_failed, launched
from tests.koppeltaal import checking
from tests.koppeltaal.domain import MODULE
from tests.koppeltaal.portal import APP

_EXTENSION = "http://koppeltaal.nl/fhir/StructureDefinition/"


def names_in(event: dict) -> dict[str, str]:
    return {one["url"].removeprefix(_EXTENSION): one["valueId"] for one in event["extension"] if "valueId" in one}


def test_a_launch_that_succeeded_is_told_of_the_task_as_it_was_read(portal, domain, courier):
    version = domain.now("Task/t1")["meta"]["versionId"]
    portal.enter(jti="trace-1")
    courier.round()
    [event] = domain.of_type("AuditEvent")
    [read] = domain.asked("GET", "/Task/t1")[:1]
    assert event["entity"][0]["what"]["reference"] == f"Task/t1/_history/{version}"
    assert (event["action"], event["outcome"]) == ("E", "0")
    assert (event["type"]["code"], event["subtype"][0]["code"]) == ("110100", "110120")
    assert event["agent"][0]["who"]["reference"] == f"Device/{MODULE}"
    assert event["agent"][0]["requestor"] is False
    assert event["source"] == {"site": APP, "observer": {"reference": f"Device/{MODULE}", "type": "Device"}}
    assert names_in(event) == {"trace-id": "trace-1", "request-id": read.headers["X-Request-Id"]}


@pytest.mark.parametrize(
    ("bend", "about"),
    [
        (lambda domain: domain.change("Task/t1", **{"for": {"reference": "Patient/bram"}}), "Task/t1/_history/2"),
        (lambda domain: domain.answer_more.update(resource=None), f"Device/{MODULE}"),
        (lambda domain: domain.answer_more.update(resource="Task/unknown"), f"Device/{MODULE}"),
        (lambda domain: domain.claims_more.update(aud="other-1"), f"Device/{MODULE}"),
    ],
)
def test_a_launch_that_failed_is_told_with_its_trace_and_without_a_person(portal, domain, courier, bend, about):
    bend(domain)
    token = domain.hti(sub="Patient/anna", resource="Task/t1", definition="ActivityDefinition/hoop", jti="trace-2")
    assert portal.come_back(portal.send(token)).status_code == 400
    courier.round()
    [event] = domain.of_type("AuditEvent")
    assert (event["outcome"], event["entity"][0]["what"]["reference"]) == ("4", about)
    assert names_in(event) == {"trace-id": "trace-2"}
    assert event["outcomeDesc"]
    assert "Patient/" not in str(event)
    assert "Voorbeeld" not in str(event)


def test_a_store_that_was_away_is_told_of_as_what_nobody_expected(portal, domain, courier, clock):
    domain.silent = True
    token = domain.hti(sub="Patient/anna", resource="Task/t1", definition="ActivityDefinition/hoop")
    assert portal.come_back(portal.send(token)).status_code == 502
    courier.round()
    domain.silent = False
    clock.now += 60
    courier.round()
    [event] = domain.of_type("AuditEvent")
    assert event["outcome"] == "8"


def test_a_sign_in_that_nobody_began_is_told_to_nobody(portal, domain, courier):
    assert portal.get("/callback?state=x&code=y").status_code == 400
    courier.round()
    assert domain.requests == []


TELLER, CHAIN = Teller("Device/a", "https://app.example"), Chain("t", "r", "c")


@pytest.mark.parametrize(
    "event",
    [
        launched(TELLER, CHAIN, "Task/1/_history/2", "2026-02-02T03:20:00+00:00"),
        launch_failed(TELLER, Chain("t"), "", "2026-02-02T03:20:00+00:00", outcome=EXPECTED, said="x"),
    ],
)
def test_what_we_write_holds_nothing_that_the_profile_does_not_take(event):
    assert checking.problems(event) == []
    assert event["entity"][0]["what"]["type"] in ("Task", "Device")


@pytest.mark.parametrize(
    "bent",
    [
        {"purposeOfEvent": [{"text": "x"}]},
        {"entity": None},
        {"agent": [{"type": {"text": "x"}, "who": {"reference": "Practitioner/1"}, "requestor": False}]},
        {"recorded": "2024-02-05T12:06:13+0000"},
        {"extension": [{"url": "https://x.example", "valueId": "1"}]},
        {"extension": [{"url": f"{_EXTENSION}trace-id", "valueId": "no id"}]},
    ],
)
def test_the_table_of_the_profile_can_refuse(bent):
    good = launched(TELLER, CHAIN, "Task/1", "2026-02-02T03:20:00+00:00")
    assert checking.problems({**good, **bent}) != []
