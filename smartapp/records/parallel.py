"""Doing several things at once that each wait for a server."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")

MOST_AT_ONCE = 8


def begin(jobs: Sequence[Callable[[], _T]]) -> Callable[[], list[_T]]:
    """Begin all jobs at once, in the context of the caller; what is returned waits for them.

    It returns their results in order, and raises what one of them raised.
    """
    if not jobs:
        return list
    pool = ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, len(jobs)))
    begun = [pool.submit(contextvars.copy_context().run, job) for job in jobs]
    pool.shutdown(wait=False)
    return lambda: [one.result() for one in begun]


def in_parallel(jobs: Sequence[Callable[[], _T]]) -> list[_T]:
    """Run all jobs at once and return their results in order; raises what one of them raised."""
    return [job() for job in jobs] if len(jobs) < 2 else begin(jobs)()
