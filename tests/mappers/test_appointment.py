"""The next appointment is one that both count on, is not over, and is the first."""

from __future__ import annotations

import datetime as dt

import pytest

from mappers.appointment import NextTalk, next_talk

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def moment_of(value):
    try:
        return dt.datetime.fromisoformat(value) if "T" in value else dt.date.fromisoformat(value)
    except ValueError:
        return None


def one(start="2026-06-02T10:00:00Z", *, people=("Joost",), status="booked", mine="accepted", **more):
    actors = [("Patient/anna", "Anna", mine), *((f"Practitioner/{name}", name, "accepted") for name in people)]
    participants = [{"actor": {"reference": ref, "display": name}, "status": said} for ref, name, said in actors]
    return {"resourceType": "Appointment", "status": status, "start": start, "participant": participants} | more


def talk(*appointments):
    return next_talk(appointments, patient="Patient/anna", now=NOW, moment_of=moment_of)


def test_the_first_to_come_is_the_next():
    assert talk(one("2026-07-01T10:00:00Z"), one(people=("Joost", "Hanna", "Joost"))) == NextTalk(
        dt.datetime(2026, 6, 2, 10, tzinfo=dt.UTC), ("Joost", "Hanna")
    )


@pytest.mark.parametrize(
    "status", ["proposed", "pending", "cancelled", "noshow", "entered-in-error", "fulfilled", "", 7]
)
def test_what_may_not_happen_is_not_told(status):
    assert talk(one(status=status)) is None


def test_what_the_person_declined_is_not_theirs():
    assert talk(one(mine="declined")) is None


def test_what_goes_on_now_is_still_to_come_and_what_is_over_is_not():
    assert talk(one("2026-06-01T11:30:00Z", end="2026-06-01T12:15:00Z")) is not None
    assert talk(one("2026-06-01T11:30:00Z", end="2026-06-01T11:59:00Z")) is None
    assert talk(one("2026-06-01T11:59:00Z")) is None


@pytest.mark.parametrize("start", ["", "?", "2026-06-02", "2026-06-02T10:00:00", None])
def test_without_a_time_it_is_not_told(start):
    assert talk(one(start)) is None


def test_who_does_not_come_is_not_named_and_a_room_is_nobody():
    found = one(people=())
    found["participant"] += [
        {"actor": {"reference": "Practitioner/1", "display": "Joost"}, "status": "declined"},
        {"actor": {"reference": "Location/1", "display": "Kamer 3"}, "status": "accepted"},
        {"actor": {"reference": "https://ehr.example/fhir/Practitioner/2", "display": "Hanna"}, "status": "accepted"},
        {"actor": "?", "status": "accepted"},
    ]
    assert talk(found).people == ("Hanna",)
