"""Sessions: alive as long as somebody does something, which is noted now and then."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from smartapp.storage.database import _WRITES, open_database
from smartapp.storage.sessions import Sessions


class Clock:
    """Seconds that go by when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def writes(engine) -> list[str]:
    """The transactions that may write."""
    found: list[str] = []

    @sa.event.listens_for(engine, "begin")
    def note(connection) -> None:
        if _WRITES in connection.get_execution_options():
            found.append("write")

    return found


@pytest.mark.parametrize("inactivity", [60, 300, 1800])
def test_a_session_in_use_stays_alive_however_short_it_may_be_idle(engine, inactivity):
    clock = Clock()
    sessions = Sessions(engine, clock, inactivity=inactivity, absolute=86_400)
    secret = sessions.start().secret
    for _ in range(7):
        clock.now += inactivity // 2
        assert sessions.find(secret) is not None
    clock.now += inactivity
    assert sessions.find(secret) is None


def test_pages_of_one_minute_are_noted_once(engine, writes):
    clock = Clock()
    sessions = Sessions(engine, clock, inactivity=1800, absolute=86_400)
    secret = sessions.start().secret
    writes.clear()
    for _ in range(12):
        clock.now += 5
        sessions.find(secret)
    assert writes == ["write"]
