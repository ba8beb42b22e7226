"""A write counts as stored only when the answer carries what proves it (a contract for every answer)."""

from __future__ import annotations

import json

import pytest
import responses

from smartapp.fhir.http import LONGEST_RETRY_SECONDS
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Conflict, Unreachable, Write

BASE = "https://ehr.example/fhir"
ABOUT = {"subject": {"reference": "Patient/1", "display": "Anna"}}
NEW = {"resourceType": "Goal", **ABOUT, "description": {"text": "Zingen"}}
GOAL = {**NEW, "id": "g1", "meta": {"versionId": "3"}}
TASK = {"resourceType": "Task", "id": "t1", "for": {"reference": "Patient/1"}}
CREATE = Write("create", NEW)
UPDATE = Write("update", GOAL, if_match='W/"2"')
WITH_ID = Write("create", NEW, new_id="g1")
WRITES = [CREATE, UPDATE, WITH_ID]
PAGE = "<html><body>Wij zijn zo terug.</body></html>"


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def store() -> RemoteStore:
    return RemoteStore(BASE)


def answered(mock, store, write, *, status=200, headers=None, **body):
    """Write to a server that says so, alone; returns what is called stored."""
    for method in ("PUT", "POST"):
        for path in ("Goal", "Goal/g1", "Task/t1"):
            mock.add(method, f"{BASE}/{path}", status=status, headers=headers, **body)
    return store.write(write)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "body",
    [
        PAGE,
        json.dumps(GOAL)[:-9],
        "[]",
        "{}",
        json.dumps({"resourceType": "Patient", "id": "g1"}),
        json.dumps({**GOAL, "subject": {"reference": "Patient/2"}}),
        json.dumps({**GOAL, "subject": {"reference": "https://ehr.example/fhir/Patient/2/_history/1"}}),
        json.dumps({**GOAL, "id": "../g1"}),
        json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}),
    ],
    ids=["page", "cut off", "list", "empty", "type", "person", "person by address", "no id", "failure"],
)
def test_a_success_with_something_else_in_it_is_doubt_even_when_it_says_where(mock, store, write, body):
    headers = {"Location": f"{BASE}/Goal/g1/_history/3", "ETag": 'W/"3"'}
    with pytest.raises(Unreachable, match=r"ehr\.example answered the Goal that was sent to it with"):
        answered(mock, store, write, status=201, body=body, headers=headers)


@pytest.mark.parametrize("write", [UPDATE, WITH_ID])
@pytest.mark.parametrize(
    "answer",
    [
        {"json": {**GOAL, "id": "g2"}},
        {"headers": {"Location": f"{BASE}/Goal/g2"}},
        {"headers": {"Location": f"{BASE}/Task/g1", "ETag": 'W/"3"'}},
        {"headers": {"Location": "http://[", "ETag": 'W/"3"'}},
        {},
    ],
)
def test_a_success_under_another_id_or_under_none_is_doubt(mock, store, write, answer):
    with pytest.raises(Unreachable):
        answered(mock, store, write, **answer)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "answer",
    [
        {"json": GOAL},
        {"headers": {"Location": f"{BASE}/Goal/g1/_history/3"}},
        {"headers": {"Content-Location": "Goal/g1"}},
        {"json": {"resourceType": "OperationOutcome", "issue": []}, "headers": {"Location": "Goal/g1"}},
        {"json": {**GOAL, "subject": {"reference": "https://ehr.example/fhir/Patient/1"}}},
        {"json": {**GOAL, "subject": {"identifier": {"system": "urn:x", "value": "9"}}}},
    ],
)
def test_the_resource_or_where_it_is_counts(mock, store, write, answer):
    assert answered(mock, store, write, status=201, **answer).reference == "Goal/g1"


def test_an_update_without_a_body_counts_with_its_new_version(mock, store):
    stored = answered(mock, store, UPDATE, status=204, headers={"ETag": 'W/"3"'})
    assert (stored.resource, stored.etag) == (GOAL, 'W/"3"')
    with pytest.raises(Unreachable, match="says where it is"):
        answered(mock, store, CREATE, status=201, headers={"ETag": 'W/"3"'})


def test_a_task_about_someone_else_is_doubt(mock, store):
    with pytest.raises(Unreachable, match="another person"):
        answered(mock, store, Write("update", TASK), json={**TASK, "for": {"reference": "Patient/2"}})


def test_a_read_of_one_resource_is_not_answered_with_another(mock, store):
    mock.add("GET", f"{BASE}/Goal/g1", json={**GOAL, "id": "g2"})
    with pytest.raises(Unreachable, match="another Goal"):
        store.read("Goal", "g1")


class TestAnIdOfOurOwn:
    """`new_id`: the second try of a create meets the first one, whatever the server thinks of If-None-Exist."""

    def test_it_is_put_there_unless_something_is_there(self, mock, store):
        mock.add("PUT", f"{BASE}/Goal/g1", status=201, json=GOAL)
        store.write(Write("create", NEW, if_none_exist="identifier=a|b", new_id="g1"))
        (request,) = [call.request for call in mock.calls]
        assert json.loads(request.body) == {**NEW, "id": "g1"}
        assert request.headers["If-None-Match"] == "*"
        assert not {"If-None-Exist", "If-Match"} & set(request.headers)

    def test_in_a_transaction_too(self, mock, store):
        mock.add("POST", BASE, json=answer_of(entry(GOAL)))
        store.write_all([Write("create", NEW, full_url="urn:uuid:1", new_id="g1")])
        assert json.loads(mock.calls[0].request.body)["entry"] == [
            {
                "fullUrl": "urn:uuid:1",
                "resource": {**NEW, "id": "g1"},
                "request": {"method": "PUT", "url": "Goal/g1", "ifNoneMatch": "*"},
            }
        ]

    def test_what_is_there_already_comes_with_the_conflict(self, mock, store):
        mock.add("PUT", f"{BASE}/Goal/g1", status=412)
        mock.add("GET", f"{BASE}/Goal/g1", json=GOAL)
        with pytest.raises(Conflict) as caught:
            store.write(WITH_ID)
        assert caught.value.current.resource == GOAL


ONCE = Write("create", NEW, if_none_exist="identifier=a|b")


@pytest.mark.parametrize(
    ("write", "status", "created"),
    [
        (CREATE, 201, True),
        (CREATE, 200, None),
        (ONCE, 201, True),
        (ONCE, 200, False),
        (WITH_ID, 201, True),
        (WITH_ID, 200, False),
        (UPDATE, 200, None),
        (ONCE, 202, None),
    ],
)
def test_the_status_says_whether_it_was_made_now(mock, store, write, status, created):
    assert answered(mock, store, write, status=status, json=GOAL).created is created
    mock.add("POST", BASE, json=answer_of(entry(GOAL, f"{status} Done")))
    assert store.write_all([write])[0].created is created


def entry(resource=None, status="201 Created", **response):
    return {**({"resource": resource} if resource else {}), "response": {"status": status, **response}}


def answer_of(*entries):
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": list(entries)}


class TestATransaction:
    """The same contract holds for each entry, and for their number and order."""

    @pytest.mark.parametrize(
        "entries",
        [
            [],
            [entry(GOAL), entry(GOAL)],
            [{"resource": GOAL}],
            [entry(GOAL, "422 Unprocessable Entity")],
            [entry(GOAL, "done")],
            [entry(TASK)],
            [entry({**GOAL, "id": "g2"})],
            [entry({**GOAL, "subject": {"reference": "Patient/2"}})],
            [entry(location="Goal/g2/_history/1")],
            [entry()],
        ],
    )
    def test_an_entry_that_does_not_prove_it_leaves_all_in_doubt(self, mock, store, entries):
        mock.add("POST", BASE, json=answer_of(*entries))
        with pytest.raises(Unreachable):
            store.write_all([UPDATE])

    def test_entries_in_another_order_are_not_taken_for_each_other(self, mock, store):
        mine = [{**NEW, "identifier": [{"system": "urn:s", "value": value}]} for value in "ab"]
        kept = [{**one, "id": f"g{number}"} for number, one in enumerate(mine)]
        mock.add("POST", BASE, json=answer_of(*map(entry, reversed(kept))))
        with pytest.raises(Unreachable, match="another order"):
            store.write_all([Write("create", one) for one in mine])
        mock.replace("POST", BASE, json=answer_of(*map(entry, kept)))
        assert [one.reference for one in store.write_all([Write("create", one) for one in mine])] == [
            "Goal/g0",
            "Goal/g1",
        ]

    def test_entries_may_say_only_where_each_is(self, mock, store):
        mock.add("POST", BASE, json=answer_of(entry(location="Goal/g9/_history/1", etag='W/"1"'), entry(etag='W/"4"')))
        first, second = store.write_all([CREATE, UPDATE])
        assert (first.reference, first.etag, second.reference, second.etag) == ("Goal/g9", 'W/"1"', "Goal/g1", 'W/"4"')


class TestRetryAfter:
    """A server that is busy says when to come back; that reaches whoever has to wait."""

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"Retry-After": "60"}, 60),
            ({"Retry-After": "86400"}, LONGEST_RETRY_SECONDS),
            (
                {"Retry-After": "Thu, 26 Nov 2026 11:00:30 GMT", "Date": "Thu, 26 Nov 2026 11:00:00 GMT"},
                30,
            ),
            ({"Retry-After": "Thu, 26 Nov 2026 10:00:00 GMT", "Date": "Thu, 26 Nov 2026 11:00:00 GMT"}, None),
            ({"Retry-After": "Fri, 01 Jan 2999 00:00:00 GMT"}, LONGEST_RETRY_SECONDS),
            ({"Retry-After": "Fri, 01 Jan 2999 00:00:00 -0000", "Date": "soon"}, LONGEST_RETRY_SECONDS),
            ({"Retry-After": "0"}, None),
            ({"Retry-After": "-5"}, None),
            ({"Retry-After": "soon"}, None),
            ({}, None),
        ],
    )
    def test_in_seconds_or_as_a_moment_and_never_longer_than_an_hour(self, mock, store, status, headers, seconds):
        with pytest.raises(Unreachable) as caught:
            answered(mock, store, CREATE, status=status, headers=headers)
        assert caught.value.retry_after == seconds

    def test_one_that_is_busy_with_the_same_thing_says_it_too(self, mock, store):
        with pytest.raises(Conflict) as caught:
            answered(mock, store, CREATE, status=409, headers={"Retry-After": "60"})
        assert caught.value.retry_after == 60

    def test_another_refusal_has_none(self, mock, store):
        with pytest.raises(Unreachable) as caught:
            answered(mock, store, CREATE, status=500, headers={"Retry-After": "60"})
        assert caught.value.retry_after is None
