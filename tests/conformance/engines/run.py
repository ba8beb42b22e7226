"""Score one population by every engine: the same bytes and the same refusals as `verstel score` in one process.

Responses of all scored instruments (4,000; in a whole run 20,000), with whatever can be wrong among them
(population.py). On Sail a table of lines is scored as in a notebook too, by `mapInArrow`.
Run as `python -m tests.conformance.engines.run`.
Exit 0: all agree, 1: they do not, 3: an engine can't be had here, and nothing else disagreed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from smartapp.populations.engines import ENGINES
from tests.conformance import strangers
from tests.conformance.engines.environment import PATIENCE, python, surroundings, version
from tests.conformance.engines.population import write
from tests.conformance.npm import MissingToolError, program
from tests.conformance.sizes import size

LINES: Final = size("lines of a population")
FEW: Final = LINES // 10
NAMES: Final = {"duckdb": "DuckDB", "polars": "Polars", "spark": "Apache Spark", "sail": "Sail"}
PACKAGES: Final = {"duckdb": "duckdb", "polars": "polars", "spark": "pyspark", "sail": "pysail"}
PASSED, FAILED, NOT_RUN = 0, 1, 3


class Population:
    """A file of responses, and what one process makes of it."""

    def __init__(self, folder: Path, lines: int) -> None:
        self.file = folder / f"{lines}.ndjson"
        write(self.file, lines)
        self.code, self.observations, self.refusals = self._scored(sys.executable, ())

    def complaints(self, options: Sequence[str]) -> Iterator[str]:
        """Yield what comes out otherwise with these options."""
        code, observations, refusals = self._scored(str(python()), options)
        what = " ".join(options)
        if code != self.code:
            yield f"{what}: exit code {code} and not {self.code}"
        if observations != self.observations:
            yield f"{what}: other scores than one process gives"
        if refusals != self.refusals:
            yield f"{what}: other refusals than one process gives"

    def _scored(self, interpreter: str, options: Sequence[str]) -> tuple[int, str, bytes]:
        with tempfile.TemporaryDirectory() as folder:
            rejects, out = Path(folder, "rejects"), Path(folder, "out")
            command = [interpreter, "-m", "smartapp", "score", "--rejects", str(rejects), *options, str(self.file)]
            with out.open("wb") as file:
                done = subprocess.run(
                    command, stdout=file, stderr=subprocess.PIPE, check=False, env=surroundings(), timeout=PATIENCE
                )
            if done.returncode == 2:
                raise MissingToolError(done.stderr.decode()[-300:])
            return done.returncode, _digest(out), rejects.read_bytes()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_a_notebook(engine: str, few: Population, folder: Path) -> Iterator[str]:
    """Yield what a table of lines gives otherwise, by `mapInArrow`."""
    out = folder / f"{engine}.notebook"
    command = [str(python()), "-m", "tests.conformance.engines.notebook", engine, str(few.file), str(out)]
    done = subprocess.run(command, capture_output=True, check=False, env=surroundings(), timeout=PATIENCE)
    if done.returncode or _digest(out) != few.observations:
        yield f"mapInArrow: other scores than one process gives; it said last: {done.stderr.decode()[-200:]}"


def complaints_of(engine: str, whole: Population, few: Population, folder: Path) -> Iterator[str]:
    """Yield what an engine gives otherwise than one process, in each way that it is asked."""
    if engine == "spark":
        program("java")
    yield from whole.complaints(["--engine", engine])
    if engine == "sail":  # on Spark it may take minutes to begin: docs/populations.md
        yield from in_a_notebook(engine, few, folder)


def main() -> int:
    """Run all, report, and return the exit code."""
    found: dict[str, list[str]] = {}
    missing = False
    with tempfile.TemporaryDirectory() as place:
        whole, few = Population(Path(place), LINES), Population(Path(place), FEW)
        print(f"{LINES} lines, of which {whole.refusals.count(bytes([10]))} refusals")
        for engine in ENGINES:
            name = NAMES[engine]
            started = time.monotonic()
            try:
                found[name] = list(complaints_of(engine, whole, few, Path(place)))
            except subprocess.TimeoutExpired:
                found[name] = [f"it did not end in {PATIENCE} seconds"]
            except MissingToolError as error:
                print(f"{name} did not run: {error}")
                strangers.missing(name, error)
                missing = True
                continue
            for line in found[name]:
                print(f"{name}: {line}")
            print(f"{name}: {len(found[name])} complaints, {time.monotonic() - started:.0f} s", flush=True)
            strangers.held(name, LINES, found[name], version=version(PACKAGES[engine]))
    return verdict(found, missing=missing)


def verdict(found: Mapping[str, Sequence[str]], *, missing: bool) -> int:
    """Return the exit code."""
    if any(found.values()):
        return FAILED
    return NOT_RUN if missing else PASSED


if __name__ == "__main__":
    sys.exit(main())
