"""The whole command, as a user runs it: `verstel score` from the start of the interpreter, in turn with the floor.

The floor is a whole process that reads the same files and only parses their lines. Both are started by `used.py`, which
says what CPU time and how much memory each took; what they write goes to nowhere, unless it is said otherwise.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.responses import INSTRUMENTS, lines, spaced

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / ".cache" / "benchmarks"
DIFFERENT: Final = 20_000  # responses; a longer file has them again and again
PROMISED: Final = 0.6
"""The least ratio of a command on 200,000 responses."""
MOST_MEGABYTES: Final = 150
MOST_GROWTH: Final = 1.2
"""How many times as long a line may take in a long file as in one of 100,000 lines: more cannot be chance."""
GROWING: Final = ("nel", "hoop")  # the longest and the shortest questionnaire
FILES: Final = 100

_FLOOR: Final = (
    "import sys, orjson\nfor name in sys.argv[1:]:\n    for line in open(name, 'rb'):\n        orjson.loads(line)"
)
_FLOOR_PACKED: Final = "import gzip\n" + _FLOOR.replace("open(", "gzip.open(")
_NOWHERE: Final = Path(os.devnull)
_PATIENCE: Final = 3600

Environment = Mapping[str, str] | None


@dataclass(frozen=True)
class Used:
    """What a command took: CPU seconds, MB at its peak, and seconds until it ended."""

    seconds: float
    megabytes: float
    wall: float


def used(
    command: Sequence[str], out: Path = _NOWHERE, *, code: int = 0, environment: Environment = None, watch: bool = False
) -> Used:
    """Run a command that has to end with an exit code, and say what it and all that it started took.

    With `watch` that counts processes which nobody waits for too.
    """
    starter = [
        sys.executable,
        "-I",
        "-S",
        str(Path(__file__).with_name("used.py")),
        "watch" if watch else "wait",
        str(out),
    ]
    began = time.perf_counter()
    done = subprocess.run(
        [*starter, *command], cwd=ROOT, capture_output=True, text=True, check=True, env=environment, timeout=_PATIENCE
    )
    wall = time.perf_counter() - began
    seconds, kilobytes, ended = done.stdout.split()
    if int(ended) != code:
        said = done.stderr[-300:]
        raise SystemExit(f"{command[:3]} ended with exit code {ended} and not {code}: its time means nothing. {said}")
    return Used(float(seconds), int(kilobytes) / 1024, wall)


def score(*files: Path) -> list[str]:
    """Return the command that scores files."""
    return [sys.executable, "-m", "smartapp", "score", *map(str, files)]


def floor(*files: Path, packed: bool = False) -> list[str]:
    """Return a whole process that only parses the lines of files."""
    return [sys.executable, "-c", _FLOOR_PACKED if packed else _FLOOR, *map(str, files)]


def append(path: Path, some: Iterable[bytes], times: int) -> None:
    """Write lines at the end of a file, all of them so many times."""
    block = b"".join(line + b"\n" for line in some)
    with path.open("ab") as file:
        for _ in range(times):
            file.write(block)


# --- every instrument ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """The whole command on one instrument: its ratios to a whole process that only parses."""

    instrument: str
    count: int
    micros: float  # CPU microseconds per response, without a file to write
    without_file: float
    to_file: float


def whole_command(instrument: str, count: int, rounds: int) -> Command:
    """Time `verstel score` on a file of so many responses; the ratios are those of the best of all rounds."""
    with on_disk() as folder:
        source, out = folder / "responses.ndjson", folder / "observations.ndjson"
        some = min(count, DIFFERENT)
        append(source, lines(some, instrument), count // some)
        runs = [
            [one.seconds for one in (used(floor(source)), used(score(source)), used(score(source), out))]
            for _ in range(rounds)
        ]
    floors, nulls, files = (min(times) for times in zip(*runs, strict=True))
    return Command(instrument, count, nulls / count * 1e6, floors / nulls, floors / files)


def commands_table(rows: Sequence[Command]) -> list[str]:
    """Return the whole commands as lines of Markdown."""
    head = ["| instrument | responses | µs per response | ratio | ratio, to a file |", "|---|---:|---:|---:|---:|"]
    return [
        *head,
        *(
            f"| {row.instrument} | {row.count:,} | {row.micros:.1f} | {row.without_file:.2f} | {row.to_file:.2f} |"
            for row in rows
        ),
    ]


def too_slow(rows: Iterable[Command]) -> list[str]:
    """Say of which instruments the command is slower than promised."""
    # Of fewer responses, starting up weighs too much.
    return [
        f"{row.instrument}: ratio {row.without_file:.2f} is below the promised {PROMISED}"
        for row in rows
        if row.count >= 200_000 and row.without_file < PROMISED
    ]


# --- how it grows, and other files --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """The whole command on some files: CPU microseconds per response, ratio to the floor, and MB at the peak."""

    instrument: str
    what: str
    count: int
    micros: float
    ratio: float
    megabytes: float


def run(instrument: str, what: str, count: int, files: Sequence[Path], rounds: int, *, packed: bool = False) -> Run:
    """Time the command on files, in turn with the floor; the best of all rounds, and the highest peak."""
    floors, own = [], []
    for _ in range(rounds):
        floors.append(used(floor(*files, packed=packed)).seconds)
        own.append(used(score(*files)))
    best = min(one.seconds for one in own)
    return Run(instrument, what, count, best / count * 1e6, min(floors) / best, max(one.megabytes for one in own))


@contextmanager
def on_disk() -> Iterator[Path]:
    """Yield a folder in the project's own cache: other places for temporary files are often memory, and small."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)


def growth(instrument: str, counts: Sequence[int]) -> Iterator[Run]:
    """Yield runs on one file that becomes longer; where the disk has no room for it, say so and end."""
    some = lines(DIFFERENT, instrument)
    with on_disk() as folder:
        path, there = folder / "responses.ndjson", 0
        for count in counts:
            more = count - there
            room, wanted = shutil.disk_usage(folder).free, more * sum(map(len, some)) // len(some)
            if wanted * 1.2 > room:
                print(f"{instrument}, {count:,} lines: no room for {wanted / 1e9:.0f} GB more", file=sys.stderr)
                return
            append(path, some[: min(more, DIFFERENT)], max(more // DIFFERENT, 1))
            there = count
            yield run(instrument, "one file", count, [path], 3 if count < 100_000 else 1)


def other_files(instrument: str, count: int, packed: int) -> Iterator[Run]:
    """Yield runs on the same responses in many files, written with spaces, and compressed (so many)."""
    some = lines(min(count, DIFFERENT), instrument)
    with on_disk() as folder:
        if instrument in GROWING:
            each = count // FILES
            files = [folder / f"QuestionnaireResponse.{number:03}.ndjson" for number in range(FILES)]
            for number, file in enumerate(files):
                start = number * each % len(some)
                append(file, some[start : start + each], 1)
            yield run(instrument, f"{FILES} files", count, files, 2)
            # What is packed twice may be put together: it unpacks to both.
            once = gzip.compress(b"".join(line + b"\n" for line in some), 1)
            path = folder / "responses.ndjson.gz"
            path.write_bytes(once * (packed // len(some)))
            yield run(instrument, "one `.gz` file", packed, [path], 1, packed=True)
        path = folder / "spaced.ndjson"
        append(path, map(spaced, some), count // len(some))
        yield run(instrument, "spaces between members", count, [path], 2)


def runs_table(rows: Sequence[Run]) -> list[str]:
    """Return runs as lines of Markdown."""
    head = ["| instrument | input | responses | µs per response | ratio | peak, MB |", "|---|---|---:|---:|---:|---:|"]
    return [
        *head,
        *(
            f"| {row.instrument} | {row.what} | {row.count:,} | {row.micros:.1f} | {row.ratio:.2f} "
            f"| {row.megabytes:.0f} |"
            for row in rows
        ),
    ]


def grown(rows: Iterable[Run]) -> list[str]:
    """Say what takes more memory than it may, and where a line takes longer in a long file than in a short one."""
    kept = list(rows)
    found = [
        f"{row.instrument}, {row.what}, {row.count:,} responses: {row.megabytes:.0f} MB, more than {MOST_MEGABYTES}"
        for row in kept
        if row.megabytes > MOST_MEGABYTES
    ]
    for name in INSTRUMENTS:
        usual = [row.micros for row in kept if row.instrument == name and row.count == 100_000]
        found += [
            f"{name}, {row.count:,} responses: {row.micros:.1f} µs each, and {usual[0]:.1f} in a file of 100,000"
            for row in kept
            if usual and row.instrument == name and row.count > 100_000 and row.what == "one file"
            if row.micros > MOST_GROWTH * usual[0]
        ]
    return found
