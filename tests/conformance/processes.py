"""The conformance part that kills real processes with -9 while people work, on SQLite and on PostgreSQL.

Exit codes: 0 passed, 1 something was lost, doubled, false, unseen or left, 3 there is no PostgreSQL on this machine.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.conformance import databases
from tests.conformance.sizes import size

HISTORIES = size("killed processes, per database")
"""`make faults` plays 300, and waits for leases to end by themselves."""


def play(kind: str) -> subprocess.CompletedProcess[str]:
    """Play the histories on one database."""
    options = ["--processes", str(HISTORIES), "--hurry", "--database", kind]
    command = [sys.executable, "-m", "tests.faults", *options]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def main() -> int:
    """Play on both at the same time, as each uses one core, and return the exit code."""
    kinds = ["sqlite", *(["postgresql"] if databases.binaries() else [])]
    with ThreadPoolExecutor() as pool:
        played = list(pool.map(play, kinds))
    for kind, done in zip(kinds, played, strict=True):
        print(f"on {kind}:\n{done.stdout}", flush=True)
    return 1 if any(done.returncode for done in played) else 0 if len(kinds) == 2 else 3


if __name__ == "__main__":
    sys.exit(main())
