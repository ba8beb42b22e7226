"""The records of one client in a launch about nobody: its token, the client's sight, and an outbox that goes on."""

from __future__ import annotations

import pytest

from mappers.assignment import task_of
from mappers.circle import ROLE_SYSTEM, Circle
from mappers.sharing.parts import ASKED, answers_part
from smartapp.courier import Courier
from smartapp.fhir.store import Forbidden, NotFound, Query, Refused, Unreachable, Write
from smartapp.records.outbox import OUTBOX
from smartapp.records.parcels import Parcel
from smartapp.storage.launches import Person
from tests.smartapp.helpers import launched
from tests.smartapp.pages.caseload.people import ME, answered, joost, keep_from_the_team, person, put, team

NOOR, SEM = Person("Patient/noor", "Noor"), Person("Patient/sem", "Sem")


@pytest.fixture
def visitor(app):
    put(app, person("noor", "Noor"), team("noor"), person("sem", "Sem"), team("sem"))
    return joost(app)


def asks(patient: str = "noor") -> Write:
    task = task_of(
        questionnaire="https://verstel.nl/fhir/Questionnaire/hoop|1.0.0",
        title="Hoop",
        patient={"reference": f"Patient/{patient}", "display": "Iemand"},
        requester=ME,
        asked_on="2026-06-01T10:00:00+02:00",
        identifier=f"for-{patient}",
    )
    name = task["identifier"][0]
    return Write.once(task, identifier=f"{name['system']}|{name['value']}")


def tasks(visitor, patient: str = "noor") -> list[str]:
    found = visitor.ehr.search(Query.of("Task", patient=f"Patient/{patient}"))
    return [one.resource["identifier"][0]["value"] for one in found]


def units(core) -> list[tuple[str, str]]:
    with core.engine.connect() as connection:
        return [(row.launch_id, row.state) for row in connection.execute(OUTBOX.select())]


def all_due(core) -> None:
    with core.engine.begin() as connection:
        connection.execute(OUTBOX.update().values(due=0))


def test_what_is_written_is_of_that_client_and_stands_in_their_log(visitor):
    records = visitor.core.records_of(visitor.launch, NOOR)
    [saved] = records.save([asks()])
    assert (saved.state, saved.place) == ("stored", "ehr")
    assert tasks(visitor) == ["for-noor"]
    last = visitor.logged()
    assert (last.event, last.patient, last.user) == ("create", "Patient/noor", "Practitioner/jansen")


def test_nothing_of_another_client_is_written_or_read_by_them(visitor):
    records = visitor.core.records_of(visitor.launch, NOOR)
    with pytest.raises(Forbidden):
        records.save([asks("sem")])
    put(visitor.app, answered("sem"))
    with pytest.raises(NotFound):
        records.read("QuestionnaireResponse", "answered-sem-hoop")
    assert records.search(Query.of("QuestionnaireResponse", patient="Patient/sem")) == [[]]


def test_their_client_decides_what_is_seen_there(visitor):
    put(visitor.app, answered("noor"), answered("sem"))
    keep_from_the_team(visitor.app, "noor", answers_part("hoop"))
    seen = {
        who.display: len(visitor.core.records_of(visitor.launch, who).search(query)[0])
        for who in (NOOR, SEM)
        for query in [Query.of("QuestionnaireResponse", patient=who.reference)]
    }
    assert seen == {"Noor": 0, "Sem": 1}


def test_the_role_is_the_one_towards_that_client(visitor):
    peer = {"member": ME, "role": [{"coding": [{"system": ROLE_SYSTEM, "code": "peer-worker"}]}]}
    put(visitor.app, team("sem", peer))
    roles = [visitor.core.records_of(visitor.launch, who).launch.user.role for who in (NOOR, SEM)]
    assert roles == ["clinician", "peer-worker"]
    # A peer worker asks for nothing, there as in a chart.
    with pytest.raises(Forbidden):
        visitor.core.records_of(visitor.launch, SEM).save([asks("sem")])


def test_what_their_client_keeps_from_the_record_goes_to_no_server(visitor):
    keep_from_the_team(visitor.app, "noor", ASKED)
    with pytest.raises(Forbidden):
        visitor.core.records_of(visitor.launch, NOOR).save([asks()])
    assert tasks(visitor) == []


def test_what_did_not_arrive_is_sent_later_by_the_same_launch_also_after_a_restart(visitor):
    flaky = visitor.make_flaky()
    flaky.error = Unreachable("down")
    for who in (NOOR, SEM):
        [saved] = visitor.core.records_of(visitor.launch, who).save([asks(who.reference.partition("/")[2])])
        assert saved.state == "waiting"
    assert units(visitor.core) == [(visitor.launch.id, "waiting")] * 2
    flaky.error = None
    all_due(visitor.core)
    Courier(visitor.core).round()  # one that begins anew knows what the database has, and nothing else
    assert (tasks(visitor), tasks(visitor, "sem")) == (["for-noor"], ["for-sem"])
    assert units(visitor.core) == []
    entries = [one for one in visitor.core.audit.entries() if one.event == "create"]
    assert sorted(one.patient for one in entries) == ["Patient/noor", "Patient/sem"]


def test_two_that_wait_are_two_owners_and_each_sees_their_own(visitor):
    visitor.make_flaky().error = Unreachable("down")
    for who in (NOOR, SEM):
        visitor.core.records_of(visitor.launch, who).save([asks(who.reference.partition("/")[2])])
    for who in (NOOR, SEM):
        [unsent] = visitor.core.records_of(visitor.launch, who).waiting()
        assert unsent.unit.parcels[0].write.resource["for"]["reference"] == who.reference


def test_after_the_session_it_waits_for_who_opens_that_record(visitor):
    flaky = visitor.make_flaky()
    flaky.error = Unreachable("down")
    visitor.core.records_of(visitor.launch, NOOR).save([asks()])
    visitor.core.end_session(visitor.launch.session_id)
    flaky.error = None
    all_due(visitor.core)
    Courier(visitor.core).round()
    assert units(visitor.core) == [(visitor.launch.id, "held")]
    assert tasks(visitor) == []
    chart = launched(visitor.app, patient="noor", name="Noor", role="clinician", subject="jansen")
    all_due(visitor.core)
    Courier(visitor.core).round()
    assert tasks(chart) == ["for-noor"]


@pytest.mark.parametrize("write", [asks("sem"), Write("create", {"resourceType": "Practitioner"})])
def test_a_unit_that_is_not_of_its_owner_is_never_sent(visitor, write):
    """However it came there: what a unit is about and for whom it was kept must be one person."""
    core = visitor.core
    owner = core.outbox.owner(visitor.launch.issuer_key, "Patient/noor", visitor.launch.user.key)
    core.outbox.put(owner, visitor.launch.id, [Parcel(write, "ehr")])
    Courier(core).round()
    assert [state for _launch, state in units(core)] == ["held"]
    assert tasks(visitor, "sem") == []


def test_an_ehr_that_left_the_settings_lets_nobody_see_anything(visitor):
    object.__setattr__(visitor.core.settings, "issuers", ())
    about = visitor.core.towards(visitor.launch, NOOR, None, Circle())
    assert about.user.role == "guest"


def test_a_launch_about_nobody_has_no_records_but_those_of_somebody(visitor):
    with pytest.raises(Refused):
        visitor.core.records(visitor.launch)
    assert visitor.core.records_of(visitor.launch, NOOR).launch.id == visitor.launch.id
