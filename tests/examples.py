"""How many random examples a rule is tried with: a quarter in `make test`, all of them in `make conformance-whole`."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

ALL = "VERSTEL_ALL_EXAMPLES"
"""The variable of the environment that asks for all of them."""


def at_most(number: int) -> int:
    """Return how many of so many examples are tried in this run."""
    return number if os.environ.get(ALL) else max(1, number // 4)


def examples(number: int, **others: Any) -> settings:
    """Return hypothesis' settings for a test that is thorough with `number` examples; `others` are settings too."""
    return settings(max_examples=at_most(number), **others)
