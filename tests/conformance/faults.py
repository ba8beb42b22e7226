"""The conformance part that plays histories of people, faults and deaths; see tests/faults/README.md."""

from __future__ import annotations

import sys

from tests.faults.__main__ import main

# `make faults` plays ten thousand. Sixty took 38 s on two cores; two thousand take longer than all the rest of this.
HISTORIES = 60

if __name__ == "__main__":
    sys.exit(main(["--histories", str(HISTORIES)]))
