"""The conformance part that plays histories of people, faults and deaths; see tests/faults/README.md."""

from __future__ import annotations

import sys

from tests.faults.__main__ import main

FIRST_SEED, HISTORIES = 1, 2000
"""The same ones each time, so that a change is judged by what it changed; `make faults` plays five times as many."""

OPEN = ("stuck", "alarmed")
"""What is known to be found and not mended yet, shown all the same: of living forms, seed 1737 (an EHR that took one
while its metadata could not be read, and never lets it be changed: its writer keeps the words and cannot save them) and
seed 1214 (a page of what did not get through tells of a story that is stored). Nothing lost, doubled or called saved.
"""

if __name__ == "__main__":
    opened = [word for kind in OPEN for word in ("--open", kind)]
    sys.exit(main(["--seed", str(FIRST_SEED), "--histories", str(HISTORIES), *opened]))
