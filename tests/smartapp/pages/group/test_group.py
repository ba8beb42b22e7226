"""One programme for several clients: read first, begun for each once, and told of each in words."""

from __future__ import annotations

import datetime as dt

import pytest

from mappers.circle import ROLE_SYSTEM
from mappers.course import course_of, is_course
from smartapp.fhir.store import Forbidden, Query, RecordError, RecordStore, Refused, Unreachable
from smartapp.records import Records
from tests.smartapp.helpers import EHR, launched, text_of
from tests.smartapp.pages.caseload.people import ME, joost, keep_from_the_team, person, put, team
from tests.smartapp.pages.plan.pages import fields_of

FORM = {"programme": "three-moments", "start": "2026-06-01", "group": "Dinsdagochtend"}


@pytest.fixture
def visitor(app):
    put(app, person("noor", "Noor"), person("sem", "Sem"), person("kees", "Kees"))
    put(app, team("noor"), team("sem"), team("kees"))
    return joost(app)


def courses(visitor, patient):
    found = visitor.ehr.search(Query.of("CarePlan", patient=f"Patient/{patient}"))
    return [course_of(one.resource) for one in found if is_course(one.resource)]


def begins(visitor, *clients, **more):
    form = {**FORM, "clients": list(clients), **more}
    page = visitor.post("group/", form)
    assert page.status_code == 200, text_of(page)
    return visitor.post("group/", {**form, "seen": fields_of(page)["seen"], "begin": "1"})


def test_what_comes_and_for_whom_is_read_before_anything_begins(visitor):
    said = text_of(visitor.post("group/", {**FORM, "clients": ["noor", "sem"]}))
    assert "Dit komt er: Meten op drie momenten" in said
    assert "Tussen 1 juni 2026 en 1 augustus 2026" in said
    assert "Voor: Noor en Sem." in said
    assert courses(visitor, "noor") == []


def test_each_client_gets_one_of_their_own_with_the_name_of_the_group(visitor):
    said = text_of(begins(visitor, "noor", "sem"))
    assert "Noor Begonnen." in said
    assert "Sem Begonnen." in said
    for patient in ("noor", "sem"):
        [course] = courses(visitor, patient)
        assert (course.start, course.group) == (dt.date(2026, 6, 1), "Dinsdagochtend")
        assert course.events[0].by["reference"] == "Practitioner/jansen"
    assert courses(visitor, "kees") == []
    noor, sem = (courses(visitor, one)[0].identifier for one in ("noor", "sem"))
    assert noor != sem


def test_sent_twice_each_has_one(visitor):
    begins(visitor, "noor", "sem")
    assert "Noor Begonnen." in text_of(begins(visitor, "noor", "sem"))
    assert len(courses(visitor, "noor")) == 1
    assert len(visitor.ehr.search(Query.of("Task", patient="Patient/noor"))) == 12


def test_who_follows_it_already_keeps_what_they_have(visitor):
    begins(visitor, "noor")
    said = text_of(begins(visitor, "noor", "sem", start="2026-06-08"))
    assert "Noor Volgt dit programma al." in said
    assert "Sem Begonnen." in said
    assert courses(visitor, "noor")[0].start == dt.date(2026, 6, 1)


def test_a_client_who_keeps_it_from_the_team_decides_and_the_others_begin(app, visitor):
    keep_from_the_team(app, "noor", "course")
    said = text_of(begins(visitor, "noor", "sem"))
    assert "Noor Voor deze cliënt kan dit hier niet beginnen." in said
    assert "Sem Begonnen." in said
    assert courses(visitor, "noor") == []


@pytest.mark.parametrize("error", [Unreachable("away"), Refused("no")])
def test_what_did_not_begin_is_said_of_that_client_alone(visitor, monkeypatch, error):
    save = Records.save

    def saves(self, writes, **more):
        if self.launch.patient.reference == "Patient/noor":
            raise error
        return save(self, writes, **more)

    monkeypatch.setattr(Records, "save", saves)
    said = text_of(begins(visitor, "noor", "sem"))
    assert "Noor Niet begonnen" in said
    assert "Sem Begonnen." in said


def test_while_the_record_takes_nothing_it_is_on_its_way(visitor):
    flaky = visitor.make_flaky()
    page = visitor.post("group/", {**FORM, "clients": ["noor"]})
    flaky.error = Unreachable("away")
    form = {**FORM, "clients": ["noor"], "seen": fields_of(page)["seen"], "begin": "1"}
    assert "Noor Op weg" in text_of(visitor.post("group/", form))


def test_who_is_no_client_of_the_reader_cannot_be_chosen(app, visitor):
    put(app, person("yara", "Yara"))
    assert 'value="yara"' not in visitor.get("group/").text
    answer = visitor.post("group/", {**FORM, "clients": ["yara"]})
    assert answer.status_code == 422
    assert "Kies minstens één cliënt." in text_of(answer)


def test_more_than_twenty_are_too_many_at_once(app):
    for number in range(21):
        put(app, person(f"p{number}", f"Persoon {number}"), team(f"p{number}"))
    answer = joost(app).post("group/", {**FORM, "clients": [f"p{number}" for number in range(21)]})
    assert answer.status_code == 422
    assert "hoogstens twintig" in text_of(answer)


def test_others_chosen_after_reading_are_read_again(visitor):
    seen = fields_of(visitor.post("group/", {**FORM, "clients": ["noor"]}))["seen"]
    page = visitor.post("group/", {**FORM, "clients": ["noor", "sem"], "seen": seen, "begin": "1"})
    assert "Voor: Noor en Sem." in text_of(page)
    assert courses(visitor, "noor") == []


def test_each_client_reads_in_their_own_log_what_was_looked_at_and_begun(visitor):
    begins(visitor, "noor")
    rows = [one for one in visitor.core.audit.entries() if one.patient == "Patient/noor"]
    assert any(one.event == "create" and "course" in one.parts for one in rows)
    assert any("caseload" in one.parts for one in rows)
    assert any("caseload" in one.parts for one in visitor.core.audit.entries() if one.patient == "Patient/sem")


def test_the_client_finds_it_on_their_own_page(app, visitor):
    begins(visitor, "noor")
    noor = launched(app, patient="noor", name="Noor")
    said = text_of(noor.get("course/"))
    assert "Samen gevolgd als groep: Dinsdagochtend." in said
    assert ME["display"] in said


@pytest.mark.parametrize("error", [Unreachable("away"), Forbidden("not by patient")])
def test_who_may_not_begin_it_for_a_client_may_not_where_the_record_says_nothing_of_their_team(app, visitor, error):
    peer = {"member": ME, "role": [{"coding": [{"system": ROLE_SYSTEM, "code": "peer-worker"}]}]}
    put(app, team("noor", peer))
    form = {**FORM, "clients": ["noor"]}
    seen = fields_of(visitor.post("group/", form))["seen"]
    ehrs = visitor.core.local_ehrs
    ehrs[EHR] = NoTeamOfAPatient(ehrs[EHR], error)
    said = text_of(visitor.post("group/", {**form, "seen": seen, "begin": "1"}))
    ehrs[EHR] = ehrs[EHR].store
    assert "Noor Voor deze cliënt kan dit hier niet beginnen." in said
    assert courses(visitor, "noor") == []


class NoTeamOfAPatient:
    """An EHR that names the teams of a professional, and not those of a patient."""

    def __init__(self, store: RecordStore, error: RecordError) -> None:
        self.store, self._error = store, error

    def search(self, query: Query):
        if query.type == "CareTeam" and query.params[0][0] == "patient":
            raise self._error
        return self.store.search(query)

    def __getattr__(self, name: str):
        return getattr(self.store, name)


def test_the_list_of_clients_leads_to_it_for_who_may(app, visitor):
    assert "/group/" in visitor.get("caseload/").text
    peer = launched(app, role="peer-worker", about_nobody=True, reference="Practitioner/jansen")
    assert "/group/" not in peer.get("caseload/").text
