"""Search: one table of cases, and whatever hypothesis thinks of, answered alike by SQL and by memory."""

from __future__ import annotations

import itertools
import tomllib
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from smartapp.fhir.own.matching import matches
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, Write
from smartapp.storage.database import open_database
from tests.examples import examples

BASE = "http://127.0.0.1/fhir"
TABLE = tomllib.loads(Path(__file__).with_name("search_cases.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def engine():
    engine = open_database("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def filled(engine):
    store = OwnStore(engine, BASE, tenant="table")
    store.write_all([Write("update", resource) for resource in TABLE["resource"]])
    return store


def query_of(text: str) -> Query:
    type_, _, params = text.partition("?")
    return Query(type_, tuple(tuple(param.split("=", 1)) for param in params.split("&")))


def by_sql(store: OwnStore, query: Query) -> list[str]:
    return sorted(one.resource["id"] for one in store.search(query))


def by_memory(resources: list[dict], query: Query) -> list[str]:
    return sorted(one["id"] for one in resources if matches(one, query, BASE))


@pytest.mark.parametrize("case", TABLE["case"], ids=lambda case: case["query"])
def test_sql_finds_what_the_table_says(filled, case):
    assert by_sql(filled, query_of(case["query"])) == case["finds"], case["about"]


@pytest.mark.parametrize("case", TABLE["case"], ids=lambda case: case["query"])
def test_memory_finds_what_the_table_says(case):
    assert by_memory(TABLE["resource"], query_of(case["query"])) == case["finds"], case["about"]


# ---- whatever else there may be

IDS = ("anna", "Anna", "a_na", "1", "11", "a-1")
TEXTS = st.sampled_from(["", "a", "A", "%", "_", "a|1", "1", "urn:s", "Özgür", "ozgur de", "ß", "\\", "x,y", "ﬁ"])
DATES = ("2026", "2026-05", "2026-05-10", "2026-05-10T10:00:00+02:00", "2026-05-10T08:00:00Z", "1999", "not a date")
ADDRESSES = st.sampled_from(
    [*(f"Patient/{one}" for one in IDS), "Group/anna", f"{BASE}/Patient/anna", "https://x.example/Patient/anna", "anna"]
)
TOKEN = st.fixed_dictionaries({}, optional={"system": TEXTS, "code": TEXTS, "value": TEXTS})
REFERENCE = st.fixed_dictionaries({}, optional={"reference": ADDRESSES, "identifier": TOKEN})
PERIOD = st.fixed_dictionaries({}, optional={"start": st.sampled_from(DATES), "end": st.sampled_from(DATES)})
OBSERVATION = st.fixed_dictionaries(
    {"resourceType": st.just("Observation")},
    optional={
        "status": TEXTS,
        "identifier": st.lists(TOKEN, max_size=2),
        "code": st.fixed_dictionaries({"coding": st.lists(TOKEN, max_size=2)}),
        "subject": REFERENCE,
        "focus": st.lists(REFERENCE, max_size=2),
        "effectiveDateTime": st.sampled_from(DATES),
        "effectivePeriod": PERIOD,
    },
)
PATIENT = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "active": st.booleans(),
        "name": st.lists(st.fixed_dictionaries({}, optional={"text": TEXTS, "given": st.lists(TEXTS)}), max_size=2),
    },
)
ESCAPED = TEXTS.map(lambda text: text.replace(",", "\\,"))
TOKEN_VALUE = st.one_of(ESCAPED, st.tuples(ESCAPED, ESCAPED).map("|".join)).filter(bool)
REFERENCE_VALUE = st.one_of(ADDRESSES, st.sampled_from(IDS))
DATE_VALUE = st.tuples(
    st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]), st.sampled_from(DATES[:-1])
).map("".join)


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=2).map(",".join)


def parameters(names: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(st.sampled_from(names), some(values))


MISSING = ["status:missing", "code:missing", "subject:missing", "focus:missing", "date:missing", "patient:missing"]
OF_OBSERVATION = st.one_of(
    parameters(["status", "code", "identifier", "status:not", "code:not", "subject:identifier"], TOKEN_VALUE),
    parameters(["subject", "patient", "focus", "subject:Patient"], REFERENCE_VALUE),
    parameters(["date"], DATE_VALUE),
    st.tuples(st.sampled_from(MISSING), st.sampled_from(["true", "false"])),
    st.tuples(st.just("_id"), some(st.sampled_from(["0", "1", "2"]))),
)
OF_PATIENT = st.one_of(
    parameters(["name", "name:contains", "given", "active"], ESCAPED.filter(bool)),
    st.tuples(st.sampled_from(["name:missing", "active:missing"]), st.sampled_from(["true", "false"])),
)
numbers = itertools.count()


@examples(250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([(OBSERVATION, OF_OBSERVATION), (PATIENT, OF_PATIENT)]),
    data=st.data(),
)
def test_sql_and_memory_find_the_same(engine, kind, data):
    made, asked = kind
    resources = data.draw(st.lists(made, min_size=1, max_size=3), label="resources")
    resources = [{**one, "id": str(number)} for number, one in enumerate(resources)]
    params = tuple(data.draw(st.lists(asked, min_size=1, max_size=3), label="parameters"))
    store = OwnStore(engine, BASE, tenant=f"{uuid.uuid4()}-{next(numbers)}")
    stored = [one.resource for one in store.write_all([Write("update", one) for one in resources])]
    query = Query(resources[0]["resourceType"], params)
    assert by_sql(store, query) == by_memory(stored, query)
