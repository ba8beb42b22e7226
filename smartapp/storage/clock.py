"""The time that all processes of one app agree on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.storage.database import reading

ASKED_AGAIN_SECONDS = 30


class DatabaseClock:
    """Seconds since 1970 by the clock of the database, which every process shares; asked again each half minute.

    In between time goes on by a clock that nobody can set. SQLite has no clock but that of its one process.
    """

    def __init__(self, engine: Engine, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: tuple[float, float] | None = None
        """What the database said, and when it said so by our own count."""

    def __call__(self) -> float:
        """Return the time."""
        with self._lock:
            here = self._monotonic()
            if self._known is None or here >= self._known[1] + ASKED_AGAIN_SECONDS:
                self._known = self._asked(), here
            said, when = self._known
            return said + here - when

    def _asked(self) -> float:
        if self._engine.dialect.name != "postgresql":
            return time.time()
        with reading(self._engine) as connection:
            seconds = sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))
            return float(connection.execute(seconds).scalar_one())
