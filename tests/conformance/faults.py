"""The conformance part that plays histories of people, faults and deaths; see tests/faults/README.md."""

from __future__ import annotations

import sys

from tests.faults.__main__ import main

FIRST_SEED, HISTORIES = 1, 2000
"""The same ones each time, so that a change is judged by what it changed; `make faults` plays five times as many."""

if __name__ == "__main__":
    sys.exit(main(["--seed", str(FIRST_SEED), "--histories", str(HISTORIES)]))
