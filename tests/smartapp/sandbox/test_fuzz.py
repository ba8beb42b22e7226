"""Whatever is sent, the sandbox answers with a FHIR answer and never with a fault of its own."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Write
from smartapp.sandbox import make_sandbox
from smartapp.sandbox.app import sandbox_app
from smartapp.sandbox.tickets import Grant
from smartapp.storage.database import open_database
from tests.examples import examples
from tests.smartapp.sandbox.conftest import PEOPLE, goal

FEW = examples(120, suppress_health_check=[HealthCheck.function_scoped_fixture])

TYPES = sorted(definitions())
NAMES = sorted({name for known in definitions().values() for name in known.params})
CONTROLS = ["_id", "_sort", "_count", "_include", "_revinclude", "_total", "_offset", "_format"]
WORDS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", ",", "|", "\\,", "a|b", "|b", "a|", "ge", "ge2026", "9999", "0000", "-", "true", "Patient/anna"]
    ),
    st.integers(-10, 10**30).map(str),
)
MODIFIERS = ["", ":missing", ":not", ":contains", ":x", ":Patient"]
PARAMS = st.lists(
    st.tuples(
        st.tuples(
            st.sampled_from(NAMES + CONTROLS), st.sampled_from(["", ":missing", ":not", ":contains", ":x", ":Patient"])
        ),
        WORDS,
    ),
    max_size=4,
)
JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=12), inner, max_size=3)),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def api():
    engine = open_database("sqlite://")
    sandbox = make_sandbox(engine, "http://localhost", clients=())
    for person in PEOPLE:
        sandbox.store.write(Write("update", person))
    token = sandbox.tickets.token(Grant("app", "patient/*.crus", "Patient/anna", "anna", "f"), "access", 3600)
    client = sandbox_app(sandbox).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    yield client
    engine.dispose()


def check(answer):
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json["resourceType"] == "OperationOutcome"


@FEW
@given(type_=st.sampled_from(TYPES), params=PARAMS)
def test_any_search_is_answered(api, type_, params):
    pairs = [(name + modifier, value) for (name, modifier), value in params]
    check(api.get(f"/fhir/{type_}", query_string=pairs))


@FEW
@given(body=JSON_VALUES)
def test_any_json_is_answered(api, body):
    check(api.post("/fhir/Goal", data=json.dumps(body), content_type="application/fhir+json"))
    check(api.post("/fhir/", data=json.dumps(body), content_type="application/fhir+json"))


def places(node, path=()):
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


GOAL = {
    **goal(
        category=[{"coding": [{"system": "urn:x", "code": "a", "display": "A"}], "text": "A"}],
        startDate="2026-01-01",
        target=[{"dueDate": "2026-05-01"}],
        identifier=[{"system": "urn:x", "value": "1"}],
        meta={"profile": ["https://example.org/p"], "versionId": "7"},
    ),
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Doel</div>'},
}
PLAN_BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:0b0f8f0e-8d5a-4b0e-9f43-000000000001",
            "resource": GOAL,
            "request": {"method": "POST", "url": "Goal", "ifNoneExist": "identifier=urn:x|1"},
        },
        {"resource": {**GOAL, "id": "g"}, "request": {"method": "PUT", "url": "Goal/g", "ifMatch": 'W/"1"'}},
        {"request": {"method": "GET", "url": "Goal?patient=anna"}},
    ],
}


def spoiled(whole, path, value):
    """Return a copy in which one place holds another value."""
    made = copy.deepcopy(whole)
    if not path:
        return value
    node = made
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return made


def test_unspoiled_they_are_taken(api):
    created = api.post("/fhir/Goal", json=GOAL)
    assert created.status_code == 201
    assert created.json["description"] == GOAL["description"]
    unguarded = spoiled(PLAN_BUNDLE, ("entry", 1, "request"), {"method": "PUT", "url": "Goal/g"})
    answer = api.post("/fhir/", json=unguarded)
    assert answer.status_code == 200
    assert len(answer.json["entry"]) == len(PLAN_BUNDLE["entry"])


@FEW
@given(path=st.sampled_from(list(places(GOAL))), value=JSON_VALUES)
def test_a_resource_with_one_place_spoiled_is_answered(api, path, value):
    body = json.dumps(spoiled(GOAL, path, value))
    check(api.post("/fhir/Goal", data=body, content_type="application/fhir+json"))


@FEW
@given(path=st.sampled_from(list(places(PLAN_BUNDLE))), value=JSON_VALUES)
def test_a_transaction_with_one_place_spoiled_is_answered(api, path, value):
    body = json.dumps(spoiled(PLAN_BUNDLE, path, value))
    check(api.post("/fhir/", data=body, content_type="application/fhir+json"))


@FEW
@given(path=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]))
def test_any_address_is_answered(api, path, method):
    check(api.open(f"/fhir/{path}", method=method, data="{}", content_type="application/fhir+json"))


@FEW
@given(header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_any_header_is_answered(api, header):
    headers = {"If-Match": header, "If-None-Exist": header, "Prefer": header, "If-None-Match": header, "Accept": header}
    check(api.put("/fhir/Goal/h", json={**GOAL, "id": "h"}, headers=headers))
    check(api.post("/fhir/Goal", json=GOAL, headers=headers))
    check(api.get("/fhir/Patient/anna", headers=headers))
