"""What other engines give: a core inside DuckDB, Polars, Spark and Sail beside one process, on the same lines.

    python -m benchmarks.engines [COUNT] [--write]

The lines are those of the part of conformance about populations: of all scored instruments, with whatever can be wrong
among them. Each engine has to give the bytes, the refusals and the exit code of one process, or there is no figure. The
engines come from the same pinned environment. What counts is CPU time of all processes that an engine has, Java's too,
and that is what a core of a machine does that has nothing else to do; starting is measured apart, on a few lines, for a
longer file takes no more of it. Exit code 1 where a core of Spark or Sail gives less than half of one process.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import misses, sections
from benchmarks.whole import on_disk, used
from smartapp.populations.engines import CLUSTERS, ENGINES
from tests.conformance.engines.environment import python, surroundings, version
from tests.conformance.engines.population import INSTRUMENTS, write
from tests.conformance.npm import MissingToolError, program

PROMISED: Final = 0.5
FEW: Final = 2_000  # lines by which starting is measured
NAMES: Final = {"duckdb": "DuckDB", "polars": "Polars", "spark": "Spark", "sail": "Sail"}
PACKAGES: Final = {"duckdb": "duckdb", "polars": "polars", "spark": "pyspark", "sail": "pysail"}
_FLOOR: Final = """
import sys, orjson
for line in open(sys.argv[1], 'rb'):
    try:
        orjson.loads(line)
    except ValueError:
        pass
"""


@dataclass(frozen=True)
class Row:
    """One way to score the lines: CPU seconds of starting and of the rest, and seconds until all was written."""

    name: str
    start: float
    rest: float
    wall: float


class Differs(Exception):
    """An engine gives something else than one process; the message says what."""


@dataclass(frozen=True)
class Lines:
    """Two files of responses, the shorter one to start with."""

    few: Path
    many: Path
    count: int

    @classmethod
    def written(cls, folder: Path, count: int) -> Lines:
        """Write them into a folder."""
        made = cls(folder / "few.ndjson", folder / "many.ndjson", count)
        write(made.few, FEW)
        write(made.many, count)
        return made

    def floor(self) -> Row:
        """Return what only parsing takes."""
        few, many = (used([str(python()), "-c", _FLOOR, str(path)]) for path in (self.few, self.many))
        return _row("`orjson.loads`, parses only", few.seconds, many.seconds, many.wall, self.count)

    def scored(self, name: str, options: Sequence[str], expected: list[tuple[str, str]]) -> Row:
        """Score both files and compare with what is `expected` of each, or expect what they give if that is empty.

        Raises Differs.
        """
        taken = []
        for number, path in enumerate((self.few, self.many)):
            out, rejects = path.with_name("out"), path.with_name("rejects")
            command = [str(python()), "-m", "smartapp", "score", "--rejects", str(rejects), *options, str(path)]
            taken.append(used(command, out, code=1, environment=surroundings()))
            found = (_digest(out), _digest(rejects))
            if len(expected) <= number:
                expected.append(found)
            elif expected[number] != found:
                which = "refusals" if expected[number][0] == found[0] else "scores"
                raise Differs(f"{name} gives other {which} of {path.name} than one process")
        few, many = taken
        return _row(name, few.seconds, many.seconds, many.wall, self.count)


def _row(name: str, few: float, many: float, wall: float, count: int) -> Row:
    # Starting, and what one line takes, from two lengths.
    each = (many - few) / (count - FEW)
    return Row(name, max(few - each * FEW, 0.0), each * count, wall)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows_of(lines: Lines) -> Iterator[Row]:
    """Yield a row for each that can be had here, one process first of those that score. Raises Differs."""
    expected: list[tuple[str, str]] = []
    yield lines.floor()
    yield lines.scored("**one process**", (), expected)
    for engine in ENGINES:
        try:
            if engine == "spark":
                program("java")
            yield lines.scored(f"{NAMES[engine]} {version(PACKAGES[engine])}", ("--engine", engine), expected)
        except MissingToolError as error:
            print(f"{NAMES[engine]} did not run: {error}", file=sys.stderr)


def ratios(rows: Sequence[Row]) -> list[float]:
    """Return what a core of each does of what one process does."""
    [own] = [row for row in rows if row.name == "**one process**"]
    return [own.rest / row.rest for row in rows]


def table(rows: Sequence[Row]) -> list[str]:
    """Return the table as lines of Markdown."""
    head = ["| engine | a core, to one process | start, CPU s | the rest, CPU s | until written, s |"]
    return [
        *head,
        "|---|---:|---:|---:|---:|",
        *(
            f"| {row.name} | {ratio:.2f} | {row.start:.1f} | {row.rest:.1f} | {row.wall:.1f} |"
            for row, ratio in zip(rows, ratios(rows), strict=True)
        ),
    ]


def missed(rows: Sequence[Row]) -> list[str]:
    """Say of which engines a core gives less than promised."""
    many = tuple(NAMES[engine] for engine in CLUSTERS)
    return [
        f"{row.name}: a core gives {ratio:.2f} of one process, and {PROMISED} is promised"
        for row, ratio in zip(rows, ratios(rows), strict=True)
        if row.name.startswith(many) and ratio < PROMISED
    ]


def section(rows: Sequence[Row], count: int, load: float) -> list[str]:
    """Return what the page says of it."""
    return [
        f"Written by `python -m benchmarks.engines {count} --write`: {count:,} lines of {', '.join(INSTRUMENTS)}, with",
        "broken ones among them. Each engine gave the bytes, the refusals and the exit code of one process. CPU time",
        "is that of all processes of an engine; starting is measured on few lines and left out of the ratio. The time",
        "until all was written is that of this machine: Spark takes all cores of it, the others one at a time.",
        f"The aim is {PROMISED} for Spark and Sail. Before the run began, {load:.1f} programs wanted a core.",
        "",
        *table(rows),
    ]


def main() -> int:
    """Measure, print and, when asked, write the page; return the exit code."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("count", nargs="?", type=int, default=20_000, help="lines (20,000)")
    options.add_argument("--write", action="store_true", help="write it into docs/benchmarks.md too")
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    try:
        with on_disk() as folder:
            rows = list(rows_of(Lines.written(folder, chosen.count)))
    except MissingToolError as error:
        print(f"No engine ran: {error}", file=sys.stderr)
        return 0
    except Differs as error:
        return misses.tell([str(error)])
    print("\n".join(table(rows)))
    if chosen.write:
        sections.write(sections.OTHERS, section(rows, chosen.count, load))
    return misses.tell(missed(rows))


if __name__ == "__main__":
    sys.exit(main())
