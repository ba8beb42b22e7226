"""What another server says about itself, kept for a while: one request asks for it, however many want to know.

A failure is kept too. Otherwise everyone who signs in at an EHR that is silent would hold one of our threads until it
times out, and a stranger with twenty requests could hold them all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from smartapp.errors import AppError, EhrTrouble
from smartapp.fhir.workplaces import elsewhere

FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 120
"""How long a failure stands before we ask again; it doubles from the first to the longest."""

# How codes end where `fhir.bulkheads` let nobody ask: that says nothing about the answer, and costs no time.
_NEVER_ASKED = ("-busy", "-paused", "-over-budget")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T
    when: float


@dataclass(frozen=True, slots=True)
class _Failure:
    error: AppError
    pause: int
    until: float


class Kept(Generic[T]):
    """Answers by key. `clock` returns seconds since 1970; an answer is `fresh` for so many seconds.

    Where asking again fails, an answer stays good for `stale` seconds after it was given. Who finds a request under way
    waits for its answer, until that request has taken `patience` seconds.
    """

    def __init__(self, clock: Callable[[], float], *, fresh: int, stale: int = 0, patience: float) -> None:
        self._clock = clock
        self._fresh, self._stale, self._patience = fresh, stale, patience
        self._answers: dict[str, _Answer[T]] = {}
        self._failures: dict[str, _Failure] = {}
        self._under_way: dict[str, tuple[float, Future[T]]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, fetch: Callable[[], T], *, other_than: T | None = None) -> T:
        """Return the answer for a key, fetched where it is not known; `other_than` is one that did not do.

        Raises what `fetch` raises (an AppError), and EhrTrouble where somebody else's request takes too long.
        """
        with self._lock:
            known = self._known(key, other_than)
            if known is not None:
                return known
            under_way = self._under_way.get(key)
            if under_way is None:
                mine: Future[T] = Future()
                self._under_way[key] = time.monotonic(), mine
        # Outside the lock: one server that is slow must not hold up those who ask another.
        return self._ask(key, fetch, mine) if under_way is None else self._await(*under_way)

    def last(self, key: str) -> T | None:
        """Return the last answer for a key that is not stale, without asking anyone; None where there is none."""
        with self._lock:
            answer = self._answers.get(key)
        return answer.value if answer is not None and self._clock() < answer.when + self._stale else None

    def _known(self, key: str, other_than: T | None) -> T | None:
        now, answer, failure = self._clock(), self._answers.get(key), self._failures.get(key)
        if answer is not None and answer.value is not other_than and answer.when <= now < answer.when + self._fresh:
            return answer.value
        # What lies further away than any pause was set by a clock that was wrong.
        if failure is None or not failure.until - LONGEST_PAUSE_SECONDS <= now < failure.until:
            return None
        if answer is not None and now < answer.when + self._stale:
            return answer.value
        raise _copy(failure.error)

    def _ask(self, key: str, fetch: Callable[[], T], mine: Future[T]) -> T:
        try:
            value = self._asked(key, fetch)
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(value)
            return value
        finally:
            with self._lock:
                del self._under_way[key]

    def _asked(self, key: str, fetch: Callable[[], T]) -> T:
        try:
            value = fetch()
        except AppError as error:
            now = self._clock()
            with self._lock:
                if not error.code.endswith(_NEVER_ASKED):
                    self._failures[key] = _failed(error, self._failures.get(key), now)
                older = self._answers.get(key)
            if older is None or now >= older.when + self._stale:
                raise
            return older.value
        with self._lock:
            self._answers[key] = _Answer(value, self._clock())
            self._failures.pop(key, None)
        return value

    def _await(self, begun: float, answer: Future[T]) -> T:
        try:
            with elsewhere():
                return answer.result(max(0.0, begun + self._patience - time.monotonic()))
        except TimeoutError:
            raise EhrTrouble(code="still-asking") from None
        except AppError as error:
            raise _copy(error) from None


def _failed(error: AppError, before: _Failure | None, now: float) -> _Failure:
    pause = min(before.pause * 2, LONGEST_PAUSE_SECONDS) if before else FIRST_PAUSE_SECONDS
    return _Failure(error, pause, now + pause)


def _copy(error: AppError) -> AppError:
    # Each thread raises its own: one that several raise collects the tracebacks of them all.
    return type(error)(error.text, code=error.code)
