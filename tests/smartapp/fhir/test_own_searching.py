"""How the own store searches: from the rows of the person who is asked about, whoever else there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from smartapp.fhir.own.search import understand
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, Write
from smartapp.storage.database import open_database
from smartapp.storage.vault import open_vault

BASE = "http://127.0.0.1/fhir"
NEWEST_FIRST = ["2026-05-03", "2026-05-02", "2026-05-01"]


@pytest.fixture(scope="module")
def store() -> Iterator[OwnStore]:
    engine = open_database("sqlite://")
    vault = open_vault(engine, [Fernet.generate_key().decode()])
    store = OwnStore(engine, BASE, vault=vault, clock=lambda: datetime(2026, 6, 1, tzinfo=UTC))
    store.write_all([score(patient, day) for patient in "ab" for day in sorted(NEWEST_FIRST)])
    yield store
    engine.dispose()


def score(patient: str, day: str) -> Write:
    observation = {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:score", "value": f"{patient}-{day}"}],
        "category": [{"coding": [{"system": "urn:cat", "code": "survey"}]}],
        "code": {"coding": [{"system": "urn:own", "code": "hoop"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": day,
    }
    return Write("create", observation)


@contextmanager
def statements(store: OwnStore) -> Iterator[list[tuple[str, object]]]:
    """Yield what the database is asked within the `with`."""
    asked: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    sa.event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(store.engine, "before_cursor_execute", note)


def plan_of(store: OwnStore, statement: str, parameters: object) -> list[str]:
    """Return how SQLite goes about a statement, a line per step."""
    driver = store.engine.raw_connection()
    rows = driver.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    driver.close()
    return [row[3] for row in rows]


@pytest.mark.parametrize(
    "params",
    [
        {"patient": "a"},
        {"patient": "Patient/a", "category": "survey"},
        {"category": "urn:cat|survey", "patient": "a"},
        {"patient": "a", "code": "urn:own|hoop", "date": "ge2026-05"},
        {"patient": "a", "category:not": "vital-signs"},
        {"patient": "a", "_sort": "-date"},
        {"patient": "a", "identifier:missing": "false"},
        {"identifier": "urn:score|a-2026-05-01"},
        {"subject": "Patient/a,Patient/c"},
    ],
    ids="&".join,
)
def test_a_search_about_one_person_starts_at_their_rows_and_reads_no_table_through(store, params):
    query = Query.of("Observation", params)
    with statements(store) as asked:
        found = store.search(query)
    assert {one.resource["subject"]["reference"] for one in found} == {"Patient/a"}
    [(statement, parameters)] = asked
    plan = plan_of(store, statement, parameters)
    assert [step for step in plan if step.startswith("SCAN")] == []
    assert plan[0].startswith("SEARCH resources USING INTEGER PRIMARY KEY")
    start = next(step for step in plan if "resource_terms" in step)
    assert start == "SEARCH resource_terms USING PRIMARY KEY (term=?)"


def test_a_page_that_is_not_full_is_asked_for_once_and_a_full_one_is_counted(store):
    search = understand(Query.of("Observation", patient="a"))
    with statements(store) as asked:
        assert store.find(search, count=4).total == 3
        assert len(asked) == 1
        assert store.find(search, count=2).total == 3
        assert len(asked) == 3
        assert store.find(search, count=2, offset=2).total == 3
        assert len(asked) == 4
        assert store.find(search, count=2, offset=9).total == 3


def test_the_newest_of_a_record_are_found_without_opening_the_others(store, monkeypatch):
    opened = []
    vault = store._kept.sealing
    monkeypatch.setattr(type(vault), "open_bytes", _noting(type(vault).open_bytes, opened))
    search = understand(Query.of("Observation", patient="a", _sort="-date"))
    page = store.find(search, count=2)
    assert [one.resource["effectiveDateTime"] for one in page.matches] == NEWEST_FIRST[:2]
    assert len(opened) == 2


def _noting(original, opened):
    def open_bytes(self, sealed):
        opened.append(sealed)
        return original(self, sealed)

    return open_bytes


@pytest.mark.parametrize("sort", ["-date", "date", "identifier", "-identifier", "code,-date", "_lastUpdated,-date"])
def test_an_order_that_the_tables_do_not_know_pages_like_one_that_they_know(store, sort):
    search = understand(Query.of("Observation", patient="a", _sort=sort))
    whole = store.find(search, count=9)
    pages = [store.find(search, count=1, offset=number) for number in range(3)]
    assert [page.matches[0] for page in pages] == list(whole.matches)
    assert {page.total for page in pages} == {3}
    days = [one.resource["effectiveDateTime"] for one in whole.matches]
    assert days == (NEWEST_FIRST if "-" in sort else NEWEST_FIRST[::-1])
