"""Doing several things at once that each wait for a server."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from smartapp.fhir.workplaces import elsewhere

_T = TypeVar("_T")

MOST_AT_ONCE = 8


def in_parallel(jobs: Sequence[Callable[[], _T]], most: int = MOST_AT_ONCE) -> list[_T]:
    """Run all jobs at once, in the context of the caller, and return their results in order; raises what one raised.

    `most` are under way at a time.
    """
    if len(jobs) < 2:
        return [job() for job in jobs]
    # The first one here: this thread would only wait, and each thread that is begun costs a page CPU.
    first, *others = jobs
    with ThreadPoolExecutor(max_workers=min(most - 1, len(others))) as pool:
        begun = [pool.submit(contextvars.copy_context().run, job) for job in others]
        mine = first()
        with elsewhere():
            return [mine, *(one.result() for one in begun)]
