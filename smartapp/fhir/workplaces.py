"""Few requests are worked on at the same moment: one that waits for a server, or for another one, gives its place away.

Python runs one thread at a time, and one that lets go for a moment, such as at each statement to the database, comes
back behind all others that could run. So several that work at once make each other slower than they would be one after
the other, and whoever has the turn to write to SQLite keeps everybody waiting; docs/load.md has the figures.

Nobody waits here. Who begins a request looks whether there is a place (`smartapp.web.listening`); who comes back from
a wait goes on at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Workplaces:
    """So many places to work at, for the threads of one server; `freed` is called when one becomes free."""

    def __init__(self, count: int, freed: Callable[[], None]) -> None:
        self._count = count
        self._freed = freed
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def free(self) -> bool:
        """Tell whether somebody can begin."""
        return self._taken < self._count

    def take(self) -> None:
        """Take a place for this thread, even where none is free: the others have to know that it works."""
        _here.at = self
        with self._lock:
            self._taken += 1

    def leave(self) -> None:
        """Leave the place of this thread."""
        _here.at = None
        with self._lock:
            self._taken -= 1
        self._freed()


class _Here(threading.local):
    """Where this thread works; nowhere, if it is the courier's, say, or one of several that ask for a page."""

    at: Workplaces | None = None


_here = _Here()


@contextmanager
def elsewhere() -> Iterator[None]:
    """Let others work while this thread waits inside the block, or is busy with what is not Python."""
    place = _here.at
    if place is None:
        yield
        return
    place.leave()
    try:
        yield
    finally:
        place.take()


@contextmanager
def holding(lock: threading.Lock) -> Iterator[None]:
    """Hold a lock inside the block that others may hold for as long as a server takes to answer them."""
    with elsewhere():
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
