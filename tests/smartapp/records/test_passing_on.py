"""Rows of the log that an EHR gets as AuditEvents: each once, in nobody's way, and none is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from mappers.audit import audit_event
from smartapp.fhir.store import Forbidden, Query, Refused, Unauthorized, Unreachable, Write
from smartapp.services import KEY, Services
from smartapp.settings import DEFAULT_SCOPES, Issuer
from smartapp.storage.examining import Examination, prune
from smartapp.storage.passing_on import AT_ONCE, LEASE_SECONDS, LONGEST_PAUSE_SECONDS, TO_PASS_ON
from tests.smartapp.helpers import EHR, Visitor, launched, make_app

SCOPES = f"{DEFAULT_SCOPES} patient/AuditEvent.crs"
DAY = 86_400


def app_with(clock, scopes: str = SCOPES):
    return make_app(clock, issuers=(Issuer(base=EHR, name="Test EHR", client_id="verstel", scopes=scopes),))


@pytest.fixture
def app(clock):
    app = app_with(clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def clinician(app) -> Visitor:
    return launched(app, role="clinician")


def sent(visitor: Visitor) -> list[dict[str, Any]]:
    """Return the AuditEvents that the EHR has about this person, in the order of their rows."""
    store = getattr(visitor.ehr, "store", visitor.ehr)
    events = [one.resource for one in store.search(Query.of("AuditEvent", patient=visitor.launch.patient.reference))]
    return sorted(events, key=row_of)


def row_of(event: dict[str, Any]) -> int:
    """Return which row of the log an AuditEvent is."""
    [value] = [
        one["what"]["identifier"]["value"] for one in event["entity"] if one["what"]["display"] == "row of the log"
    ]
    installation, _, number = value.partition("#")
    assert installation == "http://localhost"
    return int(number)


def waiting(visitor: Visitor) -> int:
    return visitor.core.audit.to_pass_on.waiting()


def pass_on(visitor: Visitor) -> None:
    while visitor.core.pass_on_log():
        pass


def look(visitor: Visitor, times: int = 1) -> None:
    for _ in range(times):
        assert visitor.get("help/").status_code == 200


def test_the_courier_sends_each_row_about_a_person_and_makes_no_new_one(clinician):
    look(clinician, 3)
    clinician.courier_comes()
    events = sent(clinician)
    assert [row_of(one) for one in events] == [1, 2, 3]
    assert waiting(clinician) == 0
    assert len(list(clinician.core.audit.entries())) == 3
    for event in events:
        AuditEvent.model_validate({name: value for name, value in event.items() if name not in {"id", "meta"}})
    assert events[0]["agent"][0]["who"] == {"reference": "Practitioner/jansen", "display": "SPV J. Jansen"}
    clinician.courier_comes()
    assert len(sent(clinician)) == 3


def test_no_page_waits_for_it(clinician):
    clinician.make_flaky().error = Unreachable("The EHR gave no answer.")
    look(clinician)
    assert (waiting(clinician), sent(clinician)) == (1, [])


def test_what_is_only_here_is_named_and_not_referred_to(app, clinician):
    clinician.core.audit.record(clinician.launch, "update", ["Goal/7/_history/2"])
    pass_on(clinician)
    [event] = sent(clinician)
    references = [one["what"]["reference"] for one in event["entity"] if "reference" in one["what"]]
    assert references == ["Patient/anna"]
    assert event["entity"][0]["what"]["identifier"]["value"] == "Goal/7/_history/2"


@pytest.mark.parametrize("scopes", [DEFAULT_SCOPES, f"{DEFAULT_SCOPES} patient/AuditEvent.rs"])
def test_an_issuer_whose_scopes_do_not_ask_for_it_gets_none(clock, scopes):
    clinician = launched(app_with(clock, scopes), role="clinician")
    look(clinician)
    pass_on(clinician)
    assert (waiting(clinician), sent(clinician)) == (0, [])


@pytest.mark.parametrize("scopes", ["user/AuditEvent.write", "patient/AuditEvent.c", "user/*.cruds", "patient/*.write"])
def test_each_spelling_of_the_scope_asks_for_it(clock, scopes):
    clinician = launched(app_with(clock, scopes), role="clinician")
    look(clinician)
    assert waiting(clinician) == 1


def test_rows_about_nobody_go_nowhere(app, clinician):
    clinician.core.audit.refused("launch", "unknown-issuer")
    clinician.core.audit.pruned("7 rows", "a rule")
    assert waiting(clinician) == 0


def test_while_the_ehr_is_away_rows_wait_longer_each_time_and_none_is_lost(clock, clinician):
    flaky = clinician.make_flaky()
    look(clinician, 2)
    flaky.error = Unreachable("The EHR gave no answer.")
    pauses = []
    for _ in range(5):
        began = clock.now
        while not clinician.core.pass_on_log():
            clock.now += 30
        pauses.append(clock.now - began)
    assert pauses == [0, 60, 120, 240, 480]
    assert (waiting(clinician), sent(clinician)) == (2, [])
    clock.now += DAY  # the launch is over, and the EHR is back
    flaky.error = None
    pass_on(clinician)
    assert (waiting(clinician), sent(clinician)) == (2, [])
    newest = launched(clinician.app)
    newest.core.audit.pass_on_with(newest.launch)
    pass_on(newest)
    assert [row_of(one) for one in sent(newest)] == [1, 2]


def test_no_pause_is_longer_than_a_day(clock, clinician):
    look(clinician)
    [row] = clinician.core.audit.to_pass_on.take().rows  # type: ignore[union-attr]
    clinician.core.audit.to_pass_on.later(replace(row, tried=400))
    clock.now += LONGEST_PAUSE_SECONDS - 1
    assert clinician.core.audit.to_pass_on.take() is None
    clock.now += 1
    assert clinician.core.audit.to_pass_on.take() is not None


def test_an_answer_that_was_lost_is_looked_for_and_nothing_stands_there_twice(clock, clinician, monkeypatch):
    look(clinician)
    store = clinician.ehr
    write = store.write

    def lost(one):
        write(one)
        raise Unreachable("The connection broke.")

    monkeypatch.setattr(store, "write", lost)
    clinician.core.pass_on_log()
    monkeypatch.setattr(store, "write", write)
    assert (len(sent(clinician)), waiting(clinician)) == (1, 1)
    clock.now += 60
    pass_on(clinician)
    assert (len(sent(clinician)), waiting(clinician)) == (1, 0)


def test_a_process_that_died_after_sending_leaves_it_to_the_next_which_finds_it(clock, clinician):
    look(clinician, 2)
    taken = clinician.core.audit.to_pass_on.take()
    assert taken is not None
    first = taken.rows[0]
    clinician.ehr.write(Write("create", audit_event(first.entry, first.number, literal=False)))
    assert not clinician.core.pass_on_log()  # taken, so no other process sends them now
    clock.now += LEASE_SECONDS
    pass_on(clinician)
    assert [row_of(one) for one in sent(clinician)] == [1, 2]
    assert waiting(clinician) == 0


def test_another_row_of_the_same_second_is_another(clinician):
    look(clinician, 2)
    first = clinician.core.audit.to_pass_on.take()
    assert first is not None
    assert len({one.entry.recorded for one in first.rows}) == 1
    clinician.core.audit.to_pass_on.later(*first.rows)
    with clinician.core.engine.begin() as connection:
        connection.execute(TO_PASS_ON.update().values(due=0))
    pass_on(clinician)
    assert [row_of(one) for one in sent(clinician)] == [1, 2]


def test_where_we_may_not_search_it_is_sent_again_rather_than_lost(clock, app):
    clinician = launched(app, role="clinician", scopes="patient/AuditEvent.c")
    look(clinician)
    taken = clinician.core.audit.to_pass_on.take()
    assert taken is not None
    clinician.ehr.write(Write("create", audit_event(taken.rows[0].entry, taken.rows[0].number, literal=False)))
    clock.now += LEASE_SECONDS
    pass_on(clinician)
    assert [row_of(one) for one in sent(clinician)] == [1, 1]
    assert waiting(clinician) == 0


def test_a_launch_that_may_not_leaves_it_to_the_next_one_about_this_person(app):
    clinician = launched(app, role="clinician", scopes="patient/Goal.rs")
    look(clinician)
    pass_on(clinician)
    assert (waiting(clinician), sent(clinician)) == (1, [])
    other = launched(app, patient="bram", role="clinician")
    other.core.audit.pass_on_with(other.launch)
    pass_on(other)
    assert waiting(clinician) == 1
    client = launched(app)
    client.core.audit.pass_on_with(client.launch)
    pass_on(client)
    [event] = sent(client)
    assert event["agent"][0]["who"]["display"] == "SPV J. Jansen"  # who looked, and not who sent it


def test_what_is_written_when_a_session_ends_goes_with_the_next_sign_in(app, clinician):
    clinician.post("logout")
    pass_on(clinician)
    assert waiting(clinician) == 1
    client = launched(app)
    client.core.audit.pass_on_with(client.launch)
    pass_on(client)
    [event] = sent(client)
    assert event["subtype"][0]["display"] == "Logout"


def test_an_ehr_that_does_not_take_it_at_all_is_left_alone_for_a_day(clock, clinician):
    flaky = clinician.make_flaky()
    flaky.error = Forbidden("Not for you.")
    look(clinician, 2)
    pass_on(clinician)
    flaky.error = None
    assert not clinician.core.records(clinician.launch).capability().can("AuditEvent", "create")
    clinician.core.audit.pass_on_with(clinician.launch)
    pass_on(clinician)
    assert (waiting(clinician), sent(clinician)) == (2, [])
    clock.now += DAY + 1
    client = launched(clinician.app)
    client.core.audit.pass_on_with(client.launch)
    pass_on(client)
    assert len(sent(client)) == 2


def test_one_row_that_is_refused_holds_up_no_other(clock, clinician):
    look(clinician, 3)
    store = clinician.ehr
    write = store.write

    def picky(one):
        if "row of the log" in str(one) and row_of(one.resource) == 2:
            raise Refused("Not this.", status=422)
        return write(one)

    store.write = picky  # type: ignore[method-assign]
    pass_on(clinician)
    assert ([row_of(one) for one in sent(clinician)], waiting(clinician)) == ([1, 3], 1)
    del store.write  # type: ignore[method-assign]
    clock.now += 60
    pass_on(clinician)
    assert [row_of(one) for one in sent(clinician)] == [1, 2, 3]


def test_a_token_that_is_over_is_no_refusal(clinician):
    flaky = clinician.make_flaky()
    flaky.error = Unauthorized("The token is over.")
    look(clinician)
    pass_on(clinician)
    flaky.error = None
    clinician.core.audit.pass_on_with(clinician.launch)
    pass_on(clinician)
    assert len(sent(clinician)) == 1


def test_rows_go_by_so_many_and_no_two_processes_take_one(clinician):
    look(clinician, AT_ONCE + 5)
    first, second = clinician.core.audit.to_pass_on.take(), clinician.core.audit.to_pass_on.take()
    assert first is not None
    assert second is not None
    numbers = [[one.number for one in taken.rows] for taken in (first, second)]
    assert numbers == [list(range(1, AT_ONCE + 1)), list(range(AT_ONCE + 1, AT_ONCE + 6))]
    assert clinician.core.audit.to_pass_on.take() is None


def test_a_row_of_another_key_waits_and_the_others_go(clinician):
    look(clinician, 2)
    with clinician.core.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET sealed = 'x' WHERE number = 1")
    pass_on(clinician)
    assert ([row_of(one) for one in sent(clinician)], waiting(clinician)) == ([2], 1)


def test_what_is_removed_by_rule_is_not_waited_for(clock, clinician):
    look(clinician, 2)
    core: Services = clinician.core
    clock.now += 10 * DAY
    list(prune(core.engine, core.vault, int(clock.now) - DAY))
    assert waiting(clinician) == 0
    pass_on(clinician)
    assert sent(clinician) == []


def test_the_chain_is_whole_with_it(clinician):
    look(clinician, 2)
    pass_on(clinician)
    core: Services = clinician.core
    assert list(Examination(core.engine, core.vault, {EHR}).findings()) == []


def test_a_new_key_of_the_issuer_takes_what_waits_along(app, clinician):
    core: Services = clinician.core
    core.audit.record(clinician.launch.by_address, "update", ["Goal/1"])
    core.audit.to_pass_on.hold(*core.audit.to_pass_on.take().rows)  # type: ignore[union-attr]
    core.audit.adopt(EHR, "linden", "Patient/anna")
    with core.engine.connect() as connection:
        [person] = connection.execute(TO_PASS_ON.select()).all()
    assert person.person == core.audit._person("linden", "Patient/anna")
