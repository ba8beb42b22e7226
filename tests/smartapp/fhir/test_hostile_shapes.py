"""What a FHIR server answers when one element has another shape than FHIR promises: read past, never an accident."""

from __future__ import annotations

import json

import pytest
import responses

from smartapp.fhir.capabilities import read_offered
from smartapp.fhir.own.index import index_rows
from smartapp.fhir.remote import RemoteStore, outcome_text
from smartapp.fhir.store import Query, RecordError, Write
from tests.smartapp.bent import bent

BASE = "https://ehr.example/fhir"
STATEMENT = {
    "resourceType": "CapabilityStatement",
    "rest": [
        {
            "mode": "server",
            "resource": [
                {
                    "type": "Goal",
                    "interaction": [{"code": "read"}, {"code": "create"}],
                    "searchParam": [{"name": "patient"}],
                    "conditionalCreate": True,
                }
            ],
            "interaction": [{"code": "transaction"}],
        }
    ],
}
GOAL = {"resourceType": "Goal", "id": "1", "meta": {"versionId": "3"}}
BUNDLE = {
    "resourceType": "Bundle",
    "link": [{"relation": "self", "url": BASE}],
    "entry": [{"resource": GOAL, "response": {"status": "201", "location": "Goal/1/_history/3", "etag": 'W/"3"'}}],
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"code": "invalid", "diagnostics": "b", "details": {"text": "a"}}],
}
INDEXED = {
    "resourceType": "Goal",
    "id": "1",
    "identifier": [{"system": "urn:a", "value": "1"}],
    "lifecycleStatus": "active",
    "category": [{"coding": [{"system": "urn:c", "code": "hope"}]}],
    "subject": {"reference": "Patient/1", "identifier": {"system": "urn:b", "value": "2"}},
    "startDate": "2026-01-01",
    "target": [{"dueDate": "2026-05"}],
}
EVENT = {"resourceType": "CarePlan", "id": "1", "subject": {"reference": "Patient/1"}, "period": {"start": "2026"}}


def sound(value: object) -> bool:
    return isinstance(value, str) and value != ""


@pytest.fixture
def mock():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_a_capability_statement_of_any_shape_offers_texts_only():
    for statement in bent(STATEMENT):
        offered = read_offered(statement)
        assert set(map(type, offered.interactions)) <= {str}
        assert all(sound(code) for codes in offered.interactions.values() for code in codes)
        assert all(sound(name) for names in offered.search_params.values() for name in names)
        assert all(map(sound, offered.conditional_create))
    assert read_offered(STATEMENT).offers("Goal", "create")


def test_a_search_answer_of_any_shape_gives_typed_resources_or_says_that_it_is_unusable(mock):
    store = RemoteStore(BASE)
    for bundle in bent(BUNDLE):
        mock.replace("GET", f"{BASE}/Goal", json=bundle) if mock.registered() else mock.add(
            "GET", f"{BASE}/Goal", json=bundle
        )
        try:
            found = store.search(Query.of("Goal"))
        except RecordError:
            continue
        assert all(sound(one.resource["resourceType"]) for one in found)
        assert all(one.etag is None or sound(one.etag) for one in found)


@pytest.mark.parametrize("write", [Write("create", {"resourceType": "Goal"}), Write("update", GOAL)])
def test_a_written_entry_of_any_shape_has_an_id_and_a_text_as_its_tag(mock, write):
    store = RemoteStore(BASE)
    for bundle in bent(BUNDLE):
        mock.reset()
        mock.add("POST", BASE, json=bundle)
        try:
            (stored,) = store.write_all([write])
        except RecordError:
            continue
        assert sound(stored.resource["id"])
        assert stored.etag is None or sound(stored.etag)


@pytest.mark.parametrize("location", ["http://[", "Goal", "", "//", "Goal/1/2/3", "Patient/1"])
def test_a_location_that_names_nothing_is_not_called_stored(mock, location):
    mock.add("POST", f"{BASE}/Goal", status=201, headers={"Location": location})
    with pytest.raises(RecordError, match="says where it is"):
        RemoteStore(BASE).write(Write("create", {"resourceType": "Goal"}))


def test_a_refusal_of_any_shape_becomes_one_line_of_text():
    for outcome in bent(OUTCOME):
        assert isinstance(outcome_text(outcome), str)
    assert outcome_text(OUTCOME) == "a"
    assert outcome_text({"issue": [{"details": {"text": 7}, "diagnostics": ["b"], "code": "invalid"}]}) == "invalid"


@pytest.mark.parametrize("resource", [INDEXED, EVENT])
def test_a_stored_resource_of_any_shape_is_indexed_by_texts_only(resource):
    for other in bent(resource):
        if not isinstance(other, dict) or other.get("resourceType") != resource["resourceType"]:
            continue
        for row in index_rows(other, BASE):
            assert isinstance(row.system, str)
            assert isinstance(row.value, str)
            assert "None" not in json.dumps([row.system, row.value])
