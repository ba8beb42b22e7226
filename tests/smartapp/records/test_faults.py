"""Saving while the EHR fails at every step, over real HTTP: nothing is lost, nothing written twice (attack 37)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from smartapp import create_app
from smartapp.fhir.store import Conflict, Forbidden, Query, Refused, Unreachable, Write
from smartapp.services import KEY
from tests.conftest import serve
from tests.smartapp.records.desk import SUBJECT, SYSTEM, TYPES, Desk


def response(number: int = 1) -> dict:
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": SYSTEM, "value": f"response-{number}"},
        "questionnaire": "https://verstel.nl/fhir/Questionnaire/hoop|1",
        "status": "completed",
        "subject": SUBJECT,
        "authored": "2026-03-03T10:00:00+01:00",
    }


def observation(code: str, of: str) -> dict:
    return {
        "resourceType": "Observation",
        "identifier": [{"system": SYSTEM, "value": f"score-{code}"}],
        "status": "final",
        "code": {"coding": [{"system": SYSTEM, "code": code}]},
        "subject": SUBJECT,
        "derivedFrom": [{"reference": of, "display": "HOOP"}],
        "effectiveDateTime": "2026-03-03T10:00:00+01:00",
    }


URN = "urn:uuid:5f3cbbd4-0c43-4b61-a0a4-4e3a5b0a8a11"


GOAL = {
    "resourceType": "Goal",
    "identifier": [{"system": SYSTEM, "value": "goal-1"}],
    "lifecycleStatus": "active",
    "description": {"text": "Weer naar het koor"},
    "subject": SUBJECT,
}


def once(resource: dict, full_url: str | None = None) -> Write:
    identifier = resource["identifier"]
    value = (identifier if isinstance(identifier, dict) else identifier[0])["value"]
    return Write("create", resource, full_url=full_url, if_none_exist=f"identifier={SYSTEM}|{value}")


def unit() -> list[Write]:
    """A response, a score that points to it, and a goal: three types, so that a fault can hit each step."""
    return [once(response(), URN), once(observation("a", URN)), once(GOAL)]


ALL_ONCE = dict.fromkeys(TYPES, 1)


@pytest.fixture
def server():
    yield from serve()


@pytest.fixture
def desk(server) -> Desk:
    """An EHR with transactions and conditional create, which chooses the ids."""
    server.sandbox.kind = replace(server.sandbox.kind, update_create=False)
    return Desk(server)


@pytest.fixture
def desk_with_own_ids(desk) -> Desk:
    """An EHR that takes one resource per request, under the id that we choose."""
    desk.server.sandbox.kind = replace(desk.server.sandbox.kind, update_create=True, transaction=False)
    return desk


@pytest.fixture
def fail(monkeypatch):
    """Save a unit while a fault happens; the app waits for an answer half a second then, and not ten."""

    def save(desk: Desk, method: str, type_: str, fault) -> list:
        desk.server.sandbox.faults.add(method, type_, fault)
        with monkeypatch.context() as patch:
            if fault == "timeout":
                patch.setattr("smartapp.fhir.http.READ_SECONDS", 0.5)
            saved = desk.visit().save(unit())
        desk.server.sandbox.faults.clear()
        return saved

    return save


@pytest.fixture
def desk_without_transactions(desk) -> Desk:
    """The same EHR, which takes one resource per request."""
    desk.server.sandbox.kind = replace(desk.server.sandbox.kind, transaction=False)
    return desk


@pytest.fixture
def plain_desk(desk_without_transactions) -> Desk:
    """An EHR without transactions and without conditional create: what real ones are."""
    sandbox = desk_without_transactions.server.sandbox
    sandbox.kind = replace(sandbox.kind, conditional_create=False)
    return desk_without_transactions


def test_a_unit_that_meets_no_fault_is_stored_once_with_its_reference(desk):
    records = desk.visit().save(unit())
    assert [(one.place, one.state) for one in records] == [("ehr", "stored")] * 3
    [score] = desk.stored("Observation")
    assert score["derivedFrom"][0]["reference"] == records[0].reference
    assert desk.visit().waiting() == []


PASSING = [409, 429, 500, 503, "drop", "drop-before", "timeout"]


@pytest.mark.parametrize("fault", PASSING)
def test_a_transaction_that_fails_waits_and_arrives_once(desk, fail, fault):
    assert [one.state for one in fail(desk, "POST", "Bundle", fault)] == ["waiting"] * 3
    later = desk.later()
    assert desk.counts() == ALL_ONCE
    assert later.waiting() == []
    [[found]] = later.search(Query.of("Observation", patient="Patient/anna"))
    assert found.state == "stored"


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("step", TYPES)
def test_a_request_that_fails_waits_and_its_unit_arrives_once(desk_without_transactions, fail, step, fault):
    desk = desk_without_transactions
    fail(desk, "POST", step, fault)
    desk.later()
    assert desk.counts() == ALL_ONCE
    [score], [answers] = desk.stored("Observation"), desk.stored("QuestionnaireResponse")
    assert score["derivedFrom"][0]["reference"] == f"QuestionnaireResponse/{answers['id']}"


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("step", TYPES)
def test_one_that_is_created_under_our_own_id_arrives_once_under_that_id(desk_with_own_ids, fail, step, fault):
    fail(desk_with_own_ids, "PUT", step, fault)
    desk_with_own_ids.later()
    assert desk_with_own_ids.counts() == ALL_ONCE
    token = f"{SYSTEM}|goal-1"
    assert [one["id"] for one in desk_with_own_ids.stored("Goal")] == [str(uuid.uuid5(uuid.NAMESPACE_URL, token))]


@pytest.mark.parametrize("fault", ["drop", "timeout"])
@pytest.mark.parametrize("step", TYPES)
def test_without_conditional_create_it_is_looked_up_before_it_is_sent_again(plain_desk, fail, step, fault):
    """Attack 37."""
    fail(plain_desk, "POST", step, fault)
    plain_desk.later()
    assert plain_desk.counts() == ALL_ONCE


def test_attack_37_a_double_click_writes_once(plain_desk):
    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(lambda _: plain_desk.visit().save(unit()), range(2)))
    assert plain_desk.counts() == ALL_ONCE
    assert [one.reference for one in sent[0]] == [one.reference for one in sent[1]]


def test_what_waits_is_shown_as_waiting_to_its_author(desk):
    desk.server.sandbox.faults.add("POST", "Bundle", 503)
    desk.visit().save(unit())
    [found] = desk.visit().search(Query.of("Goal", patient="Patient/anna"))
    assert [(one.state, one.resource["description"]["text"]) for one in found] == [("waiting", "Weer naar het koor")]
    assert "503" in found[0].reason
    [none] = desk.visit().search(Query.of("Goal", patient="Patient/anna", **{"lifecycle-status": "completed"}))
    assert none == []


def test_what_waits_survives_the_process(tmp_path):
    """A second process over the same database sends what the first could not."""
    for server in serve(database_url=f"sqlite:///{tmp_path / 'shared.db'}"):
        desk = Desk(server)
        server.sandbox.faults.add("POST", "Bundle", 503)
        desk.visit().save(unit())
        second = create_app(desk.core.settings)
        with second.extensions[KEY].engine.begin() as connection:
            connection.exec_driver_sql("update outbox set due = 0, leased_until = 0")
        second.extensions[KEY].records(desk.launch).send_waiting()
        second.extensions[KEY].engine.dispose()
        assert desk.counts() == ALL_ONCE


def test_a_response_the_ehr_refuses_moves_to_our_own_store_and_the_score_still_names_it(desk_without_transactions):
    desk = desk_without_transactions
    desk.server.sandbox.faults.add("POST", "QuestionnaireResponse", 422)
    records = desk.visit().save(unit())
    assert [(one.place, one.state) for one in records] == [("own", "stored"), ("ehr", "stored"), ("ehr", "stored")]
    [score] = desk.stored("Observation")
    assert score["derivedFrom"][0]["identifier"] == {"system": SYSTEM, "value": "response-1"}
    assert "reference" not in score["derivedFrom"][0]
    [[answers]] = desk.visit().search(Query.of("QuestionnaireResponse", patient="Patient/anna"))
    assert answers.place == "own"


def test_a_refusal_counts_for_a_day(desk_without_transactions):
    desk = desk_without_transactions
    desk.server.sandbox.faults.add("POST", "QuestionnaireResponse", 403)
    desk.visit().save([once(response(1))])
    assert desk.visit().place_for("QuestionnaireResponse") == "own"
    asked = desk.server.sandbox.faults.happened
    [record] = desk.visit().save([once(response(2))])
    assert (record.place, desk.server.sandbox.faults.happened) == ("own", asked)


def test_one_that_is_not_welcome_in_a_transaction_does_not_hold_up_the_others(desk):
    desk.server.sandbox.faults.add("POST", "Bundle", 422)
    desk.server.sandbox.faults.add("POST", "Observation", 422)
    places = [one.place for one in desk.visit().save(unit())]
    assert places == ["ehr", "own", "ehr"]


def test_attack_38_a_stale_change_gives_both_versions_and_overwrites_nothing(desk):
    [goal] = desk.visit().save([once(GOAL)])
    mine, theirs = ({**goal.resource, "description": {"text": text}} for text in ("mijn tekst", "hun tekst"))
    desk.visit().save([Write("update", theirs, if_match=goal.etag)])
    with pytest.raises(Conflict) as caught:
        desk.visit().save([Write("update", mine, if_match=goal.etag)])
    assert caught.value.current.resource["description"]["text"] == "hun tekst"
    assert [one["description"]["text"] for one in desk.stored("Goal")] == ["hun tekst"]
    assert desk.visit().waiting() == []


@pytest.mark.parametrize("fault", ["drop", "drop-before", 500])
def test_a_change_that_fails_on_the_way_arrives_and_is_no_conflict_with_itself(desk_without_transactions, fault):
    desk = desk_without_transactions
    [goal] = desk.visit().save([once(GOAL)])
    changed = {**goal.resource, "description": {"text": "Weer op de fiets"}}
    desk.server.sandbox.faults.add("PUT", "Goal", fault)
    [record] = desk.visit().save([Write("update", changed, if_match=goal.etag)])
    assert record.state == "waiting"
    assert desk.later().waiting() == []
    assert [one["description"]["text"] for one in desk.stored("Goal")] == ["Weer op de fiets"]


def test_a_change_that_waits_is_shown_to_its_author_as_they_wrote_it_and_cannot_be_changed_again(desk):
    [goal] = desk.visit().save([once(GOAL)])
    desk.server.sandbox.faults.add("PUT", "Goal", 503)
    changed = {**goal.resource, "description": {"text": "Weer op de fiets"}}
    desk.visit().save([Write("update", changed, if_match=goal.etag)])
    [[shown]] = desk.visit().search(Query.of("Goal", patient="Patient/anna"))
    assert (shown.state, shown.resource["description"]["text"]) == ("waiting", "Weer op de fiets")
    assert desk.visit().read("Goal", goal.resource["id"]).state == "waiting"
    with pytest.raises(Unreachable):
        desk.visit().save([Write("update", goal.resource, if_match=goal.etag)])
    [[arrived]] = desk.later().search(Query.of("Goal", patient="Patient/anna"))
    assert (arrived.state, arrived.resource["description"]["text"]) == ("stored", "Weer op de fiets")


def test_a_change_that_waited_too_long_is_refused_with_its_reason_and_kept(desk_without_transactions):
    """Attack 38."""
    desk = desk_without_transactions
    [goal] = desk.visit().save([once(GOAL)])
    desk.server.sandbox.faults.add("PUT", "Goal", 500)
    changed = {**goal.resource, "description": {"text": "mijn tekst"}}
    desk.visit().save([Write("update", changed, if_match=goal.etag)])
    desk.server.sandbox.store.write(Write("update", {**goal.resource, "description": {"text": "hun tekst"}}))
    [waiting] = desk.later().waiting()
    assert (waiting.state, [one.state for one in waiting.unit.parcels]) == ("stopped", ["conflict"])
    assert "Someone else changed this" in waiting.unit.reason
    assert waiting.unit.parcels[0].write.resource["description"]["text"] == "mijn tekst"
    assert [one["description"]["text"] for one in desk.stored("Goal")] == ["hun tekst"]


def test_what_has_not_arrived_cannot_be_changed_yet(desk):
    desk.server.sandbox.faults.add("POST", "Bundle", 503)
    desk.visit().save(unit())
    records = desk.visit()
    [[goal]] = records.search(Query.of("Goal", patient="Patient/anna"))
    with pytest.raises(Unreachable):
        records.save([Write("update", goal.resource)])


def test_a_change_the_ehr_refuses_is_told_to_its_author_and_not_kept(desk_without_transactions):
    desk = desk_without_transactions
    [goal] = desk.visit().save([once(GOAL)])
    desk.server.sandbox.faults.add("PUT", "Goal", 422)
    with pytest.raises(Refused):
        desk.visit().save([Write("update", goal.resource, if_match=goal.etag)])
    assert desk.visit().waiting() == []


def test_another_persons_resource_is_not_written(desk):
    with pytest.raises(Forbidden):
        desk.visit().save([once({**GOAL, "subject": {"reference": "Patient/bram"}})])
    assert desk.stored("Goal") == []


@pytest.mark.parametrize("kind", ["epic-like", "oracle-like", "athena-like", "meditech-like"])
def test_at_an_ehr_like_the_real_ones_a_unit_and_a_plan_find_a_place_and_can_be_read_back(kind):
    for server in serve(kind):
        desk = Desk(server)
        saved = desk.visit().save(unit())
        assert [one.state for one in saved] == ["stored"] * 3
        found = desk.visit().search(*(Query.of(type_, patient="Patient/anna") for type_ in TYPES))
        assert [len(records) for records in found] == [1, 1, 1]
        assert found[2][0].place == "own"


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_server_that_says_that_clients_choose_ids_and_does_not_let_them_gets_it_once_all_the_same(
    desk_with_own_ids, status
):
    """Under an id of its own, also when the answer to that is lost."""
    sandbox = desk_with_own_ids.server.sandbox
    sandbox.faults.add("PUT", "Goal", status, times=5)
    sandbox.faults.add("POST", "Goal", "drop")
    [record] = desk_with_own_ids.visit().save([once(GOAL)])
    assert record.state == "waiting"
    assert desk_with_own_ids.later().waiting() == []
    assert len(desk_with_own_ids.stored("Goal")) == 1


@pytest.mark.parametrize("fault", ["drop", "drop-before", 503])
def test_an_amendment_without_an_answer_is_not_made_a_second_time(plain_desk, fault):
    """It changes what is there, also after we looked and it was not changed yet."""
    plain_desk.visit().save([once(response())])
    item = [{"linkId": "hoop-01", "answer": [{"valueInteger": 4}]}]
    plain_desk.server.sandbox.faults.add("PUT", "QuestionnaireResponse", fault)
    plain_desk.visit().save([once({**response(), "item": item})])
    assert plain_desk.later().waiting() == []
    [stored] = plain_desk.stored("QuestionnaireResponse")
    assert (stored["status"], stored["item"]) == ("amended", item)
