"""The conformance part that plays 2,000 histories of people, faults and deaths; see tests/faults/README.md."""

from __future__ import annotations

import sys

from tests.faults.__main__ import main

HISTORIES = 2000

if __name__ == "__main__":
    sys.exit(main(["--histories", str(HISTORIES)]))
