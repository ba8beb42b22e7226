"""What several processes give: `python -m benchmarks.processes [COUNT]`, wall time of `verstel score --jobs 2` and one.

A machine that others use gives less than its cores promise. So two commands side by side, each with one half of the
same responses, are timed in the same round: no way of sharing the work can be faster than that.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scoring import ROOT, lines


def measured(responses: Sequence[bytes], name: str, rounds: int) -> list[str]:
    """Return a row of a table: how many times as fast `--jobs 2` and two halves side by side are, the best of each."""
    with tempfile.TemporaryDirectory() as folder:
        whole, *halves = (Path(folder) / part for part in ("whole", "first", "second"))
        middle = len(responses) // 2
        for path, some in zip((whole, *halves), (responses, responses[:middle], responses[middle:]), strict=True):
            path.write_bytes(b"".join(line + b"\n" for line in some))
        taken = [
            (_seconds([str(whole)]), _seconds(["--jobs", "2", str(whole)]), _seconds(*([str(half)] for half in halves)))
            for _ in range(rounds)
        ]
    one, two, side_by_side = (min(column) for column in zip(*taken, strict=True))
    return [f"| {name}, {len(responses):,} responses | {one:.2f} s | {one / two:.2f}× | {one / side_by_side:.2f}× |"]


def _seconds(*arguments: Sequence[str]) -> float:
    """Return how long these commands take side by side, each writing to a file."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        running = []
        for number, each in enumerate(arguments):
            with (Path(folder) / str(number)).open("wb") as out:
                running.append(
                    subprocess.Popen([sys.executable, "-m", "smartapp", "score", *each], stdout=out, cwd=ROOT)
                )
        ended = [one.wait() for one in running]
        if any(ended):
            raise SystemExit("verstel score did not end well, so its time means nothing")
        return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print("| responses | one process | `--jobs 2` | two halves side by side |\n|---|---:|---:|---:|")
    print("\n".join(measured(lines(count), "nel", rounds=5)))


if __name__ == "__main__":
    main()
