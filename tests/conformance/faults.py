"""The conformance part that plays histories of people, faults and deaths; see tests/faults/README.md."""

from __future__ import annotations

import sys

from tests.conformance.sizes import size
from tests.faults.__main__ import main

FIRST_SEED, HISTORIES = 1, 2000
"""The same ones each time, so that a change is judged by what it changed; `make faults` plays five times as many.

With `--beside` as many of them are played as the other parts leave time for, some at least; the table says how many.
"""

if __name__ == "__main__":
    beside = ["--at-least", str(size("histories of faults"))] if "--beside" in sys.argv[1:] else []
    sys.exit(main(["--seed", str(FIRST_SEED), "--histories", str(HISTORIES), *beside]))
