"""What other engines give: a core inside DuckDB, Polars, Spark and Sail beside one process, on the same lines.

    python -m benchmarks.engines [COUNT] [--write]

The lines are those of the part of conformance about populations: of all scored instruments, with whatever can be wrong
among them. Each engine has to give the bytes, the refusals and the exit code of one process, or there is no figure. The
engines come from the same pinned environment. What counts is CPU time of all processes that an engine has, Java's too,
and that is what a core of a machine does that has nothing else to do. Starting is told apart by giving the same file
three times, for a longer input takes no more of it. Exit code 1 where a core of Spark or Sail gives less than half of
one process.
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
from benchmarks.whole import Used, on_disk, used
from smartapp.populations.engines import CLUSTERS, ENGINES
from tests.conformance.engines.environment import python, surroundings, version
from tests.conformance.engines.population import INSTRUMENTS, write
from tests.conformance.npm import MissingToolError, program

PROMISED: Final = 0.5
TIMES: Final = 3  # that the file is given, to tell starting from scoring
NAMES: Final = {"duckdb": "DuckDB", "polars": "Polars", "spark": "Spark", "sail": "Sail"}
PACKAGES: Final = {"duckdb": "duckdb", "polars": "polars", "spark": "pyspark", "sail": "pysail"}
_FLOOR: Final = """
import sys, orjson
for name in sys.argv[1:]:
    for line in open(name, 'rb'):
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
    """A file of so many responses."""

    path: Path
    count: int

    @classmethod
    def written(cls, folder: Path, count: int) -> Lines:
        """Write them into a folder."""
        made = cls(folder / "responses.ndjson", count)
        write(made.path, count)
        return made

    def floor(self) -> Row:
        """Return what only parsing takes."""
        command = [str(python()), "-c", _FLOOR]
        once, often = (used([*command, *[str(self.path)] * times]) for times in (1, TIMES))
        return _row("`orjson.loads`, parses only", once, often)

    def scored(self, name: str, options: Sequence[str], expected: list[tuple[str, str]]) -> Row:
        """Score the file once and often, and compare with what is `expected` of each, or expect what they give.

        Raises Differs.
        """
        taken = []
        for number, times in enumerate((1, TIMES)):
            out, rejects = self.path.with_name("out"), self.path.with_name("rejects")
            command = [str(python()), "-m", "smartapp", "score", "--rejects", str(rejects), *options]
            files = [str(self.path)] * times
            taken.append(used([*command, *files], out, code=1, environment=surroundings(), watch=True))
            found = (_digest(out), _digest(rejects))
            if len(expected) <= number:
                expected.append(found)
            elif expected[number] != found:
                which = "refusals" if expected[number][0] == found[0] else "scores"
                raise Differs(f"{name} gives other {which} than one process")
        return _row(name, *taken)


def _row(name: str, once: Used, often: Used) -> Row:
    rest = (often.seconds - once.seconds) / (TIMES - 1)
    return Row(name, max(once.seconds - rest, 0.0), rest, once.wall)


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
        "is that of all processes of an engine; starting is told apart and left out of the ratio. The time until all",
        "was written is that of this machine: Spark takes all cores of it, the others one at a time.",
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
