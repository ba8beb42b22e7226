"""Turns: parts that run at the same time install and build one after the other, in caches that are made for one."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TURNS = Path(__file__).parents[2] / ".cache/conformance/turns"


@contextmanager
def one_at_a_time(what: str) -> Iterator[None]:
    """Wait until no other process is within a block of this name, and keep others out of it meanwhile."""
    TURNS.mkdir(parents=True, exist_ok=True)
    with (TURNS / what).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
