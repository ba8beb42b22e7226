"""A search that says how many it wants: the newest, told when there are more, and never an error for a long record."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import MOST_RESULTS, Query, Refused, Write, is_cut
from smartapp.storage.database import open_database

BASE = "https://ehr.example/fhir"
ASKED = Query.newest(3, "Observation", "date", patient="Patient/1")


@pytest.fixture
def mock(monkeypatch):
    monkeypatch.setattr("smartapp.fhir.remote._PLAIN", set())
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def score(day: int) -> dict:
    return {
        "resourceType": "Observation",
        "id": str(day),
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": f"{2000 + day // 360}-{day // 30 % 12 + 1:02}-{day % 28 + 1:02}",
    }


def record(mock, scores: list[dict], *, page: int, sorts: bool = True, refuses_to_sort: bool = False) -> None:
    """Let an EHR have these scores and give them so many at a time."""

    def answer(request):
        params = parse_qs(urlsplit(request.url).query)
        if refuses_to_sort and "_sort" in params:
            return 400, {}, json.dumps({"resourceType": "OperationOutcome"})
        found = sorted(scores, key=lambda one: one["effectiveDateTime"], reverse=True) if sorts else scores
        at = int(params.get("at", ["0"])[0])
        links = [{"relation": "next", "url": f"{BASE}/Observation?at={at + page}"}] if at + page < len(found) else []
        entries = [{"resource": one} for one in found[at : at + page]]
        return 200, {}, json.dumps({"resourceType": "Bundle", "link": links, "entry": entries})

    mock.add_callback("GET", f"{BASE}/Observation", callback=answer)


def ids(found) -> list[str]:
    return [one.resource["id"] for one in found]


def test_the_order_and_the_number_are_asked_of_the_server(mock):
    record(mock, [score(day) for day in range(3)], page=3)
    found = RemoteStore(BASE).search(ASKED)
    assert parse_qs(urlsplit(mock.calls[0].request.url).query) == {
        "patient": ["Patient/1"],
        "_sort": ["-date"],
        "_count": ["3"],
    }
    assert (ids(found), is_cut(found)) == (["2", "1", "0"], False)


def test_no_further_page_is_asked_for_when_there_is_enough(mock):
    record(mock, [score(day) for day in range(40)], page=2)
    found = RemoteStore(BASE).search(ASKED)
    assert (ids(found), is_cut(found)) == (["39", "38", "37"], True)
    assert len(mock.calls) == 2


def test_a_server_that_takes_no_notice_of_the_order_is_read_on_for_the_newest(mock):
    record(mock, [score(day) for day in range(40)], page=10, sorts=False)
    found = RemoteStore(BASE).search(ASKED)
    assert (ids(found), is_cut(found)) == (["39", "38", "37"], True)


def test_a_server_that_refuses_to_sort_is_asked_without_from_then_on_at_once(mock):
    record(mock, [score(day) for day in range(8)], page=10, sorts=False, refuses_to_sort=True)
    assert ids(RemoteStore(BASE).search(ASKED)) == ["7", "6", "5"]
    assert ids(RemoteStore(BASE).search(ASKED)) == ["7", "6", "5"]
    assert ["_sort" in call.request.url for call in mock.calls] == [True, False, False]


def test_a_search_that_is_refused_for_another_reason_is_refused(mock):
    mock.add("GET", f"{BASE}/Observation", status=400)
    for _ in range(2):
        with pytest.raises(Refused):
            RemoteStore(BASE).search(ASKED)
    with pytest.raises(Refused):
        RemoteStore(BASE).search(Query.of("Observation", patient="Patient/1"))
    assert ["_sort" in call.request.url for call in mock.calls] == [True, False] * 2 + [False]


def test_an_endless_record_is_cut_and_not_an_error_while_a_search_for_all_still_is_one(mock):
    record(mock, [score(day) for day in range(MOST_RESULTS + 100)], page=500, sorts=False)
    found = RemoteStore(BASE).search(ASKED)
    assert (len(found), is_cut(found)) == (3, True)
    with pytest.raises(Refused, match="more than 2000"):
        RemoteStore(BASE).search(Query.of("Observation", patient="Patient/1"))


def test_what_has_no_date_comes_last(mock):
    undated = {name: value for name, value in score(5).items() if name != "effectiveDateTime"}
    entries = [{"resource": one} for one in (undated, score(1), score(2))]
    mock.add("GET", f"{BASE}/Observation", json={"resourceType": "Bundle", "entry": entries})
    assert ids(RemoteStore(BASE).search(ASKED)) == ["2", "1", "5"]


def test_our_own_store_and_a_companion_do_the_same():
    engine = open_database("sqlite://")
    own = OwnStore(engine, BASE)
    own.write_all([Write("update", score(day)) for day in range(5)])
    for store in (own, CompanionStore(own, "https://other.example/fhir")):
        person = "Patient/1" if store is own else f"{BASE}/Patient/1"
        found = store.search(Query.newest(3, "Observation", "date", subject=person))
        assert (ids(found), is_cut(found)) == (["4", "3", "2"], True)
        found = store.search(Query.newest(5, "Observation", "date", subject=person))
        assert (len(found), is_cut(found)) == (5, False)
    engine.dispose()


def test_a_server_that_refuses_to_leave_out_is_asked_for_all_of_it_and_from_then_on_at_once(mock):
    asked = []

    def answer(request):
        asked.append(set(parse_qs(urlsplit(request.url).query)))
        if "_elements" in asked[-1]:
            return 400, {}, json.dumps({"resourceType": "OperationOutcome"})
        entry = [{"resource": score(1)}]
        return 200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entry})

    mock.add_callback("GET", f"{BASE}/Observation", answer)
    query = Query.of("Observation", patient="Patient/1", _elements="status,subject")
    for _ in range(2):
        assert [one.resource["id"] for one in RemoteStore(BASE).search(query)] == ["1"]
    assert asked == [{"patient", "_elements"}, {"patient"}, {"patient"}]


def test_a_list_of_people_is_a_list_of_addresses_at_a_companion(monkeypatch):
    """Each of them, and a comma that is part of a value stays one."""
    asked: list[Query] = []
    store = OwnStore(open_database("sqlite://"), BASE)
    monkeypatch.setattr(store, "search", lambda query: asked.append(query) or [])
    values = {"patient": "a,b", "owner": "Patient/a,Patient/b", "identifier": "s|x\\,y"}
    CompanionStore(store, BASE).search(Query.of("Task", values))
    both = f"{BASE}/Patient/a,{BASE}/Patient/b"
    assert dict(asked[0].params) == {"patient": both, "owner": both, "identifier": "s|x\\,y"}
