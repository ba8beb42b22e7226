"""All measurements of `make bench`, one after another: `python -m benchmarks [--quick]`.

One that misses what is promised ends none of the others: what was missed is named once more at the end, and the exit
code is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.misses import MISSED

ALL: Final = (
    ("scoring",),
    ("processes", "200000"),
    ("engines", "200000"),
    ("load",),
    ("growth", "--many", "10000", "--no-postgresql"),
    ("log",),
)
QUICK: Final = (("scoring", "--quick"), ("processes", "20000"))


def missed_by(command: Sequence[str], name: str) -> list[str]:
    """Run one measurement, let it say what it says, and return what it missed."""
    found: list[str] = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            if line.startswith(MISSED):
                found.append(f"{name}: {line.removeprefix(MISSED).strip()}")
    if running.returncode and not found:
        found.append(f"{name}: ended with exit code {running.returncode}; what it said above tells why")
    return found


def main() -> int:
    """Run all, name what was missed, and return the exit code."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="scoring only, on few responses: for a first look")
    chosen = options.parse_args()
    missed: list[str] = []
    for name, *arguments in QUICK if chosen.quick else ALL:
        print(f"\n# {name}\n", flush=True)
        missed += missed_by([sys.executable, "-m", f"benchmarks.{name}", *arguments], name)
    print(f"\n# {len(missed)} missed\n")
    for one in missed:
        print(one)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
