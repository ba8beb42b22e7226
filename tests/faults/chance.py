"""Chance that can be played again: while a history runs, all randomness of this process comes from its seed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def seeded(seed: str) -> Iterator[None]:
    """Draw all randomness, of uuid and secrets too, from the seed, and run what would run in threads one by one."""
    source = random.Random(seed)
    before = random.getstate()
    random.seed(seed)
    try:
        with (
            patch.object(os, "urandom", source.randbytes),
            patch.object(random, "_urandom", source.randbytes),
            patch.object(ThreadPoolExecutor, "submit", _at_once),
        ):
            yield
    finally:
        random.setstate(before)


def _at_once(_pool: ThreadPoolExecutor, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
    """Run a job of a thread pool before returning, as if its thread had been the fastest there is.

    What kills a process (a BaseException) is not kept for whoever asks the future: it ends the whole, here and now.
    """
    future: Future[Any] = Future()
    try:
        future.set_result(function(*args, **kwargs))
    except Exception as error:  # noqa: BLE001  (a future carries whatever its job raised)
        future.set_exception(error)
    return future
