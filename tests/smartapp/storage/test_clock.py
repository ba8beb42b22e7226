"""One clock for all processes."""

from __future__ import annotations

import time

from smartapp.storage.clock import ASKED_AGAIN_SECONDS, DatabaseClock
from smartapp.storage.database import open_database


def test_a_clock_that_somebody_sets_moves_nothing_until_the_database_is_asked_again(url, monkeypatch):
    engine, count = open_database(url), [100.0]
    clock = DatabaseClock(engine, monotonic=lambda: count[0])
    began = clock()
    assert abs(began - time.time()) < 60
    day_before = began - 86_400
    monkeypatch.setattr(time, "time", lambda: day_before)
    count[0] += ASKED_AGAIN_SECONDS - 1
    assert clock() == began + ASKED_AGAIN_SECONDS - 1
    count[0] += 1
    there = clock()
    assert (there == day_before) if engine.dialect.name == "sqlite" else (there > began - 60)
    engine.dispose()
