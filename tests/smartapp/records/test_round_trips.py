"""A page costs at most two round trips to the EHR, one after the other."""

from __future__ import annotations

import threading
import time

from smartapp.fhir.store import Query
from tests.smartapp.helpers import launched


def test_all_questions_of_a_page_are_asked_at_once(app, monkeypatch):
    """Three searches are under way together: each waits until all three have begun."""
    anna = launched(app)
    together = threading.Barrier(3, timeout=60)
    search = anna.ehr.search

    def waiting_search(query: Query):
        together.wait()
        return search(query)

    monkeypatch.setattr(anna.ehr, "search", waiting_search, raising=False)
    queries = [Query.of(type_, patient="Patient/anna") for type_ in ("Goal", "Task", "Observation")]
    assert anna.records.search(*queries) == [[], [], []]


def test_the_metadata_is_asked_once_an_hour_and_not_per_page(app, monkeypatch):
    anna = launched(app)
    asked = []
    statement = anna.ehr.capabilities()
    monkeypatch.setattr(anna.ehr, "capabilities", lambda: asked.append(time.monotonic()) or statement, raising=False)
    for _ in range(3):
        anna.records.search(Query.of("Goal", patient="Patient/anna"))
    assert len(asked) == 1
