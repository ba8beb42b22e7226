"""What several processes give: wall time of `verstel score --jobs 2` beside that of one process.

    python -m benchmarks.processes [COUNT] [--write]

A machine that others use gives less than its cores promise. So two commands side by side, each with one half of the
same responses, are timed in the same round: no way of sharing the work can be faster than that. Exit code 1 where
`--jobs 2` gives less than 1.7 times one process, which is meant for two idle cores; what the halves gave is said beside
it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import misses, sections
from benchmarks.responses import lines
from benchmarks.whole import DIFFERENT, FILES, GROWING, append, on_disk, score

PROMISED: Final = 1.7
_ROUNDS: Final = 3


@dataclass(frozen=True)
class Shared:
    """Wall seconds of one process, and how many times as fast `--jobs 2` and two halves side by side are."""

    what: str
    seconds: float
    jobs: float
    halves: float

    @property
    def missed(self) -> str:
        """Say that it is less than promised; "" if it is not."""
        if self.jobs >= PROMISED:
            return ""
        return (
            f"{self.what}: --jobs 2 gave {self.jobs:.2f}× one process, and {PROMISED}× is promised on two idle cores; "
            f"two halves side by side gave {self.halves:.2f}× in the same run"
        )


def measured(instrument: str, count: int, *, many: bool, rounds: int = _ROUNDS) -> Shared:
    """Time responses in one file, or in a folder of many files; the best of all rounds."""
    some = lines(min(count, DIFFERENT), instrument)
    with on_disk() as folder:
        whole, *halves = (folder / name for name in ("whole", "first", "second"))
        for each in (whole, *halves):
            each.mkdir()
        number_of = FILES if many else 2
        for number in range(number_of):
            part = halves[number * 2 // number_of] / f"QuestionnaireResponse.{number:03}.ndjson"
            each_has = count // number_of
            append(part, some[:each_has], max(each_has // len(some), 1))
            with (whole / (part.name if many else "QuestionnaireResponse.ndjson")).open("ab") as file:
                file.write(part.read_bytes())
        jobs = [*score(whole), "--jobs", "2"]
        taken = [(_seconds(score(whole)), _seconds(jobs), _seconds(*map(score, halves))) for _ in range(rounds)]
    one, two, side_by_side = (min(column) for column in zip(*taken, strict=True))
    what = f"{instrument}, {count:,} responses in {f'{FILES} files' if many else 'one file'}"
    return Shared(what, one, one / two, one / side_by_side)


def _seconds(*commands: Sequence[str]) -> float:
    """Return how long these commands take side by side, each writing to a file."""
    with on_disk() as folder:
        began = time.perf_counter()
        running = []
        for number, each in enumerate(commands):
            with (folder / str(number)).open("wb") as out:
                running.append(subprocess.Popen(each, stdout=out, cwd=sections.ROOT))
        ended = [one.wait() for one in running]
        if any(ended):
            raise SystemExit("verstel score did not end well, so its time means nothing")
        return time.perf_counter() - began


def table(rows: Sequence[Shared]) -> list[str]:
    """Return the table as lines of Markdown."""
    head = ["| responses | one process | `--jobs 2` | two halves side by side |", "|---|---:|---:|---:|"]
    return [*head, *(f"| {row.what} | {row.seconds:.2f} s | {row.jobs:.2f}× | {row.halves:.2f}× |" for row in rows)]


def section(rows: Sequence[Shared], count: int, load: float) -> list[str]:
    """Return what the page says of it; `load`: how many others wanted a core in the minute before."""
    return [
        f"Written by `python -m benchmarks.processes {count} --write`. Wall time, written to a file. The two halves",
        "are two commands side by side, each with one half of the responses: no way of sharing the work can be faster.",
        f"The aim is {PROMISED}× on two idle cores. Before the run began, {load:.1f} programs wanted one of them.",
        "",
        *table(rows),
    ]


def main() -> int:
    """Measure, print and, when asked, write the page; return the exit code."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("count", nargs="?", type=int, default=20_000, help="responses (20,000)")
    options.add_argument("--write", action="store_true", help="write it into docs/benchmarks.md too")
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    rows = [measured(name, chosen.count, many=many) for name in GROWING for many in (False, True)]
    print("\n".join(table(rows)))
    if chosen.write:
        sections.write(sections.PROCESSES, section(rows, chosen.count, load))
    return misses.tell(row.missed for row in rows if row.missed)


if __name__ == "__main__":
    sys.exit(main())
