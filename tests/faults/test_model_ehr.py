"""The model EHR is as strict as a real one: what it lets through, no history would ever find."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest

from tests.faults.kinds import kinds
from tests.faults.model_ehr import Answer, Caller, ModelEhr

BASE = "http://localhost:81/fhir"
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "walk"},
    "subject": {"reference": "Patient/anna"},
    "identifier": [{"system": "urn:s", "value": "1"}],
}


class Asking:
    """A client with Anna's token."""

    def __init__(self, kind: str, *, lag: float = 0) -> None:
        self.now = 0.0
        self.ehr = ModelEhr(BASE, kinds()[kind], lambda: self.now, {"t": Caller("Patient/anna", "anna")}.get, lag=lag)

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = None if body is None else orjson.dumps(body)
        return self.ehr.answer(method, f"{BASE}{path}", {"Authorization": "Bearer t", **given}, sent)


def bundle(
    *entries: tuple[str, str, Mapping[str, object], dict[str, str]], kind: str = "transaction"
) -> dict[str, object]:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"fullUrl": f"urn:uuid:{number}", "resource": resource, "request": {"method": method, "url": url, **more}}
            for number, (method, url, resource, more) in enumerate(entries)
        ],
    }


@pytest.fixture
def full() -> Asking:
    return Asking("full")


def test_an_update_is_taken_only_on_the_version_that_it_was_based_on(full):
    made = full("POST", "/Goal", GOAL)
    assert (made.status, made.headers["ETag"]) == (201, 'W/"1"')
    goal = {**GOAL, "id": "n1"}
    assert full("PUT", "/Goal/n1", goal, If_Match='W/"1"').status == 200
    assert full("PUT", "/Goal/n1", goal, If_Match='W/"1"').status == 412


def test_a_conditional_create_makes_one_resource_where_it_is_known_and_two_where_it_is_not(full):
    statuses = [full("POST", "/Goal", GOAL, If_None_Exist="identifier=urn:s|1").status for _ in range(2)]
    assert statuses == [201, 200]
    plain = Asking("plain")
    assert [plain("POST", "/Goal", GOAL, If_None_Exist="identifier=urn:s|1").status for _ in range(2)] == [201, 201]


def test_a_client_chooses_an_id_once_and_only_where_it_may(full):
    goal = {**GOAL, "id": "mine"}
    assert [full("PUT", "/Goal/mine", goal, If_None_Match="*").status for _ in range(2)] == [201, 412]
    assert Asking("plain")("PUT", "/Goal/mine", goal, If_None_Match="*").status == 405


def test_a_transaction_with_one_bad_entry_leaves_nothing(full):
    stale = ("PUT", "Goal/n1", {**GOAL, "id": "n1"}, {"ifMatch": 'W/"7"'})
    full("POST", "/Goal", GOAL)
    assert full("POST", "/", bundle(("POST", "Goal", GOAL, {}), stale)).status == 412
    assert [kept.reference for kept in full.ehr.current()] == ["Goal/n1"]
    assert len(full.ehr.log) == 1


def test_a_transaction_makes_the_references_between_its_entries_real(full):
    plan = {"resourceType": "CarePlan", "status": "active", "goal": [{"reference": "urn:uuid:1"}]}
    answer = full("POST", "/", bundle(("POST", "CarePlan", plan, {}), ("POST", "Goal", GOAL, {})))
    made, goal = (entry["resource"] for entry in orjson.loads(answer.body)["entry"])
    assert made["goal"][0]["reference"] == f"Goal/{goal['id']}"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"description": {"text": ""}}, 422),
        ({"note": []}, 422),
        ({"subject": {"reference": "Patient/bram"}}, 403),
        ({"addresses": [{"reference": "Goal/nowhere"}]}, 422),
        ({"addresses": [{"reference": "urn:uuid:7"}]}, 422),
    ],
)
def test_content_that_fhir_or_the_token_does_not_allow_is_refused(full, change, status):
    assert full("POST", "/Goal", {**GOAL, **change}).status == status


def test_what_is_about_somebody_else_is_not_found(full):
    full.ehr.put({**GOAL, "id": "b", "subject": {"reference": "Patient/bram"}})
    assert full("GET", "/Goal/b").status == 404
    assert orjson.loads(full("GET", "/Goal?patient=bram").body)["entry"] == []


def test_a_search_finds_by_person_and_identifier_and_refuses_what_it_does_not_know(full):
    full("POST", "/Goal", GOAL)
    found = [
        len(orjson.loads(full("GET", f"/Goal?{query}").body)["entry"])
        for query in ("patient=anna", "identifier=urn:s|1", "identifier=urn:s|2")
    ]
    assert found == [1, 1, 0]
    assert full("GET", "/Goal?colour=red").status == 400


def test_an_index_that_runs_behind_does_not_know_the_newest(full):
    slow = Asking("full", lag=2)
    slow("POST", "/Goal", GOAL)
    assert orjson.loads(slow("GET", "/Goal?patient=anna").body)["total"] == 0
    slow.now = 2
    assert orjson.loads(slow("GET", "/Goal?patient=anna").body)["total"] == 1


def test_a_read_only_server_takes_nothing(full):
    assert Asking("read-only")("POST", "/Goal", GOAL).status == 403


def test_a_batch_does_what_it_can():
    oracle = Asking("oracle-like")
    document = {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/anna"}}
    sent = bundle(("POST", "DocumentReference", document, {}), ("POST", "Goal", GOAL, {}), kind="batch")
    statuses = [entry["response"]["status"] for entry in orjson.loads(oracle("POST", "/", sent).body)["entry"]]
    assert statuses == ["201", "403"]
