"""Who are a professional's own clients at a moment, and the days of which a line tells."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers import course as courses
from mappers.caseload import Client, is_gone, line_of, own_clients
from questionnaires.catalogue import catalogue
from questionnaires.programmes import programmes

ZONE = dt.timezone(dt.timedelta(hours=2))
NOW = dt.datetime(2026, 6, 1, 10, tzinfo=ZONE)
ME = {"reference": "Practitioner/els"}
BASE = "https://ehr.example/fhir/"


def moment_of(text: str) -> dt.date | None:
    try:
        return dt.datetime.fromisoformat(text) if "T" in text else dt.date.fromisoformat(text)
    except ValueError:
        return None


def own(teams=(), patients=(), talks=(), now=NOW):
    return own_clients(
        teams=teams,
        patients=patients,
        talks=talks,
        names=("Practitioner/els", "PractitionerRole/els-spv"),
        named=lambda reference: reference.removeprefix(BASE),
        now=now,
        moment_of=moment_of,
    )


def team(start: str = "", end: str = "", **more: object) -> dict:
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    member = {"member": ME, **({"period": period} if period else {})}
    return {"status": "active", "subject": {"reference": "Patient/noor"}, "participant": [member], **more}


@given(st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)), st.integers(0, 400), st.integers(0, 400))
def test_a_team_ties_from_its_first_day_to_its_last_and_no_day_besides(first, length, later):
    """Also over the days on which the clock is put forward and back: a day is a whole day."""
    last, day = first + dt.timedelta(days=length), first + dt.timedelta(days=later)
    found = own([team(first.isoformat(), last.isoformat())], now=dt.datetime.combine(day, dt.time(12), ZONE))
    assert bool(found) == (first <= day <= last)


@pytest.mark.parametrize("reference", ["Practitioner/els", f"{BASE}Practitioner/els", "PractitionerRole/els-spv"])
def test_a_professional_is_known_by_each_of_their_names(reference):
    assert set(own([team(participant=[{"member": {"reference": reference}}])])) == {"noor"}


@pytest.mark.parametrize(
    "subject", ["Group/all", "https://other.example/fhir/Patient/noor", "Patient/", "", "noor", "Patient/a/b"]
)
def test_nobody_at_another_server_and_no_group_is_a_client(subject):
    assert own([team(subject={"reference": subject})]) == {}


def test_what_others_wrote_in_any_shape_is_no_client_and_no_error():
    strange = [None, 7, [], {"participant": "x"}, {"subject": 7, "participant": [7]}, {"participant": [{"actor": []}]}]
    assert own(strange, strange, strange) == {}


def test_who_died_or_is_no_longer_in_use_is_gone_and_who_did_not_come_is_not():
    assert is_gone({"active": False})
    assert is_gone({"deceasedDateTime": "2026"})
    assert is_gone({"deceasedBoolean": True})
    assert not is_gone({"deceasedBoolean": False, "active": True})
    assert not is_gone(None)


def task(due: str) -> dict:
    questionnaire = "https://verstel.nl/fhir/Questionnaire/hoop"
    period = {"restriction": {"period": {"end": due}}} if due else {}
    return {"resourceType": "Task", "status": "requested", "input": [{"valueCanonical": questionnaire}], **period}


@pytest.mark.parametrize(
    ("due", "near"),
    [("2026-06-05", "2026-06-05"), ("2026-06-01", "2026-06-01"), ("2026-05-31", None), ("", None), ("soon", None)],
)
def test_the_day_that_comes_first_is_one_that_is_not_over(due, near):
    line = line_of(
        Client("noor", called="Noor"),
        [task(due), task("2026-07-01") if near else task("")],
        since=dt.date(2026, 4, 20),
        now=NOW,
        moment_of=moment_of,
        known=catalogue(),
    )
    assert line.near == (dt.date.fromisoformat(near) if near else None)
    assert (line.name, len(line.waiting)) == ("Noor", 2)


def test_what_a_paused_programme_asked_does_not_wait_also_where_its_tasks_could_not_follow():
    noor, els, day = {"reference": "Patient/noor", "display": "Noor"}, {**ME, "display": "Els"}, dt.date(2026, 6, 1)
    begun = courses.applied(
        programmes()["three-moments"], day, known=catalogue(), patient="Patient/noor", today=day, by=els
    )
    tasks = courses.tasks_of(
        begun,
        care_plan={"reference": "CarePlan/1", "display": "Meten op drie momenten"},
        patient=noor,
        requester=els,
        asked_on=NOW.isoformat(),
        known=catalogue(),
    )

    def line(course):
        plan = courses.care_plan_of(course, patient=noor, author=els, created=NOW.isoformat(), today=day)
        return line_of(Client("noor"), [plan, *tasks], since=day, now=NOW, moment_of=moment_of, known=catalogue())

    assert [one.instrument for one in line(begun).waiting] == ["nel", "hoop", "mhcs", "mansa"]
    waits = line(courses.paused(begun, day, noor))
    assert waits.waiting == ()
    assert waits.follows[0].paused
