"""Walls between one server's trouble and everybody else.

At most so many pages ask one host at the same time; a host that does not answer is left alone for a while and then
tried by one; and whatever one page asks has its time and its bytes in all. Without these, one silent EHR holds every
thread of this app, and one that sends page after page fills its memory.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Of 16 threads, four stay free for the others whatever one host does; see `Hosts.share`.
MOST_AT_ONCE = 12
# A queue that moves is worth a wait; one in which nobody got an answer for a second is not.
WAIT_SECONDS = 3.0
STILL_SECONDS = 1.0
MOST_FAILURES = 5
PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
PAGE_SECONDS = 30.0
PAGE_BYTES = 32 * 1024 * 1024


class Stopped(Exception):
    """It is not asked; `code`: busy, paused, over-budget. `retry_after`: in how many seconds it is worth a try."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = None if retry_after is None else max(1, math.ceil(retry_after))


class Budget:
    """What one page may take in all, whichever threads ask for it."""

    def __init__(self, seconds: float = PAGE_SECONDS, most_bytes: int = PAGE_BYTES) -> None:
        self.until = time.monotonic() + seconds
        self._left = most_bytes
        self._lock = threading.Lock()

    @property
    def over(self) -> bool:
        """Tell whether nothing is left, of either."""
        return self._left < 0 or time.monotonic() > self.until

    def spend(self, count: int) -> None:
        """Take bytes, and look at the time. Raises Stopped."""
        with self._lock:
            self._left -= count
        if self.over:
            raise Stopped("over-budget")


_BUDGET: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def budget(seconds: float | None = None, most_bytes: int | None = None) -> Iterator[Budget]:
    """Bound everything that is asked inside the block; a thread that works for it needs a copy of this context."""
    one = Budget(PAGE_SECONDS if seconds is None else seconds, PAGE_BYTES if most_bytes is None else most_bytes)
    token = _BUDGET.set(one)
    try:
        yield one
    finally:
        _BUDGET.reset(token)


def present_budget() -> Budget | None:
    """Return the budget of the page that is being made, None outside one."""
    return _BUDGET.get()


class Host:
    """One server, as seen by everyone here who asks it."""

    def __init__(self, clock: Callable[[], float], most_at_once: int) -> None:
        self._clock = clock
        self._most = most_at_once
        self._changed = threading.Condition()
        self._inside: dict[object, int] = {}
        self._moved = clock()
        self._failures = 0
        self._pause = 0.0
        self._shut_until = 0.0
        self._probing = False

    @contextmanager
    def visit(self, who: object, answered: Callable[[Exception], bool | None]) -> Iterator[None]:
        """Ask inside the block, or raise Stopped. `who` counts once, however many calls it makes at a time.

        `answered` says of an exception whether the host answered all the same; None: it was never asked.
        """
        probe = self._enter(who)
        outcome: bool | None = None
        try:
            yield
            outcome = True
        except Exception as error:
            outcome = answered(error)
            raise
        finally:
            self._leave(who, outcome, probe=probe)

    def _enter(self, who: object) -> bool:
        with self._changed:
            self._check_open()
            if who not in self._inside:
                self._wait_for_a_place()
                self._check_open()
            self._inside[who] = self._inside.get(who, 0) + 1
            self._moved = self._clock()
            # One tries, and the others hear how it went.
            probe = self._failures >= MOST_FAILURES
            self._probing = self._probing or probe
            return probe

    def _check_open(self) -> None:
        left = self._shut_until - self._clock()
        if left > 0 or self._probing:
            raise Stopped("paused", left)

    def _wait_for_a_place(self) -> None:
        until = self._clock() + WAIT_SECONDS
        while len(self._inside) >= self._most:
            left = min(until, self._moved + STILL_SECONDS) - self._clock()
            if left <= 0:
                raise Stopped("busy", PAUSE_SECONDS)
            self._changed.wait(left)

    def _leave(self, who: object, outcome: bool | None, *, probe: bool) -> None:
        with self._changed:
            self._inside[who] -= 1
            if not self._inside[who]:
                del self._inside[who]
            if probe:
                self._probing = False
            if outcome:
                self._failures, self._pause = 0, 0.0
            elif outcome is False:
                self._count_failure(probe=probe)
            self._moved = self._clock()
            self._changed.notify()

    def _count_failure(self, *, probe: bool) -> None:
        # Those that were under way when it was shut tell nothing new.
        if self._failures >= MOST_FAILURES and not probe:
            return
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self._pause = min(self._pause * 2 or PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            self._shut_until = self._clock() + self._pause


class Hosts:
    """All hosts that this process asks, by scheme, name and port."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_at_once: int = MOST_AT_ONCE) -> None:
        self._clock = clock
        self._most = most_at_once
        self._known: dict[str, Host] = {}
        self._lock = threading.Lock()

    def share(self, threads: int) -> None:
        """Let one host have three quarters of the threads that serve pages, from the next host on that is met."""
        self._most = max(1, threads * 3 // 4)

    def of(self, origin: str) -> Host:
        """Return the host at an origin (`https://ehr.example`)."""
        with self._lock:
            return self._known.setdefault(origin, Host(self._clock, self._most))

    def forget(self) -> None:
        """Forget what was learned about each of them."""
        with self._lock:
            self._known.clear()


HOSTS = Hosts()
"""The ones of this process."""
