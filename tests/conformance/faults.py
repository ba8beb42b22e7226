"""The conformance part that plays histories of people, faults and deaths; see tests/faults/README.md."""

from __future__ import annotations

import sys

from tests.faults.__main__ import main

FIRST_SEED, HISTORIES = 1, 2000
"""The same ones each time, so that a change is judged by what it changed; `make faults` plays five times as many."""
AT_LEAST = 600
"""How many of them are played with `--beside`, however soon the other parts end; its table says how many it were."""

if __name__ == "__main__":
    beside = ["--at-least", str(AT_LEAST)] if "--beside" in sys.argv[1:] else []
    sys.exit(main(["--seed", str(FIRST_SEED), "--histories", str(HISTORIES), *beside]))
