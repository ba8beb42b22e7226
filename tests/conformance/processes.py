"""The conformance part that kills real processes with -9 while people work, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys

from tests.conformance import databases
from tests.faults.__main__ import main

HISTORIES = 20

if __name__ == "__main__":
    kinds = ["sqlite", *(["postgresql"] if databases.binaries() else [])]
    codes = [main(["--processes", str(HISTORIES), "--hurry", "--database", kind]) for kind in kinds]
    sys.exit(1 if any(codes) else 0 if len(kinds) == 2 else 3)
