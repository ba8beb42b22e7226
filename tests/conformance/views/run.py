"""Run our views in engines of SQL on FHIR that others wrote, over all that the app writes.

Medplum's engine (JavaScript) and fhir4ds (SQL on DuckDB) must make equal tables, keys must lead to the same resources,
and what the tables say must be what the app itself reads. Queries of docs/views.md give the same on DuckDB and SQLite.
A view with one wrong path must be noticed, each. sof-js, HL7's reference implementation, is on no registry: where
`VERSTEL_SOF_JS` names its folder, with what it needs installed in it, it must make the same tables too.
Run as `python -m tests.conformance.views.run`.
Exit 0: all agree, 1: they do not, 3: an engine can't be had here, and nothing else disagreed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fhir_profiles.views import definitions, views
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from scripts.view_tables import QUERIES
from tests.conformance import strangers
from tests.conformance.npm import MissingToolError, install, program, version
from tests.conformance.validate import CACHE
from tests.conformance.views import meaning
from tests.conformance.views.corpus import corpus
from tests.conformance.views.tables import PROBE, Asked, Tables, differences, empty_columns, in_sqlite

HERE: Final = Path(__file__).parent
PLACE: Final = CACHE / "views"
PATIENCE: Final = 900
MEDPLUM: Final = "Medplum's SQL on FHIR"
DUCKDB: Final = "fhir4ds on DuckDB"
REFERENCE: Final = "sof-js"
PASSED, FAILED, NOT_RUN = 0, 1, 3


class EngineError(Exception):
    """An engine stopped; the message is what it said last."""


@dataclass(frozen=True, slots=True)
class Made:
    """What an engine made of the views: tables, and what the queries gave where it can be asked any."""

    tables: Tables
    queries: Sequence[Sequence[Mapping[str, Any]]] = ()
    native: bool = True


Engine = Callable[[Sequence[Resource], Sequence[Resource]], Made]


def medplum() -> Engine:
    """Return Medplum's engine; MissingToolError where it can't be had."""
    node, modules = program("node"), install(HERE, PLACE / "medplum").resolve()
    # What it loads on the way wants a WebSocket, which Node has by itself from 22 on.
    return lambda given, resources: _run(
        [node, "--experimental-websocket", HERE / "medplum.mjs", modules], given, resources
    )


def duckdb() -> Engine:
    """Return fhir4ds in an environment of its own; MissingToolError where it can't be had."""
    folder, pins = PLACE / "duck", (HERE / "requirements.txt").read_text("utf-8")
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not (stamp.is_file() and stamp.read_text() == pins):
        venv.create(folder, clear=True, with_pip=True)
        wanted = ["--require-hashes", "-r", str(HERE / "requirements.txt")]
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        if done.returncode:
            raise MissingToolError(f"fhir4ds can't be installed: {done.stderr[-300:]}")
        stamp.write_text(pins)
    return lambda given, resources: _run([python, HERE / "duck.py"], given, resources)


def reference() -> Engine:
    """Return HL7's reference implementation from the folder that somebody put it in; MissingToolError without one."""
    folder = os.environ.get("VERSTEL_SOF_JS", "")
    if not folder:
        raise MissingToolError("It is on no registry; nobody named its folder in VERSTEL_SOF_JS.")
    return lambda given, resources: _run([program("node"), HERE / "reference.mjs", folder], given, resources)


def _run(command: Sequence[str | Path], given: Sequence[Resource], resources: Sequence[Resource]) -> Made:
    with tempfile.TemporaryDirectory() as folder:
        job, result = Path(folder, "job.json"), Path(folder, "result.json")
        asked = {"views": [*given, PROBE], "resources": resources, "queries": list(QUERIES.values())}
        job.write_text(json.dumps(asked), encoding="utf-8")
        line = [*map(str, command), str(job), str(result)]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=PATIENCE)
        if done.returncode:
            raise EngineError(done.stderr[-600:])
        return Made(**json.loads(result.read_bytes()))


def with_fault(view: Resource) -> Resource:
    """Return a view whose last column has another path, which finds nothing."""
    bad = deepcopy(view)
    [*_, last] = (one for one in _selects(bad) if "column" in one)
    last["column"][-1]["path"] = "id.where(false)"
    return bad


def _selects(part: Resource) -> Iterator[Resource]:
    for one in [*part.get("select", ()), *part.get("unionAll", ())]:
        yield one
        yield from _selects(one)


def complaints_of(made: Made, resources: Sequence[Resource]) -> Iterator[str]:
    """Yield what an engine's tables have otherwise than the app reads it."""
    yield from meaning.complaints(made.tables, resources, Catalogue())


def unnoticed(engine: Engine, made: Made, resources: Sequence[Resource]) -> Iterator[str]:
    """Yield each view that may have a wrong path without anybody noticing."""
    good = definitions()
    bad = engine([with_fault(one) for one in good], resources)
    lines = list(differences(made.tables, bad.tables))
    yield from (
        f"{one['name']}: a wrong path is not noticed" for one in good if not any(_of(one, line) for line in lines)
    )


def _of(view: Resource, line: str) -> bool:
    return line.startswith(f"{view['name']}:")


def asked_alike(first: Made, second: Made) -> Iterator[str]:
    """Yield each query that gives something else in SQLite, over the first tables, than on DuckDB."""
    answers = in_sqlite(first.tables, QUERIES.values())
    for what, here, there in zip(QUERIES, answers, second.queries, strict=True):
        if not here or Asked.of(here, first.tables) != Asked.of(there, second.tables):
            yield f"{what} {len(here)} rows in SQLite, {len(there)} on DuckDB, not the same"


ENGINES: Final[Mapping[str, Callable[[], Engine]]] = {MEDPLUM: medplum, DUCKDB: duckdb, REFERENCE: reference}


def main() -> int:
    """Run all, report, and return the exit code."""
    resources, missing = corpus(), set()
    made: dict[str, Made] = {}
    found: dict[str, list[str]] = {}
    for name, engine in ENGINES.items():
        try:
            opened = engine()
            found[name] = []
            made[name] = opened(definitions(), resources)
            found[name] += complaints_of(made[name], resources)
            if name == MEDPLUM:
                found[name] += unnoticed(opened, made[name], resources)
                found[name] += (f"{one} is empty in all" for one in empty_columns(made[name].tables, views()))
            elif MEDPLUM in made:
                found[name] += differences(made[MEDPLUM].tables, made[name].tables)
        except MissingToolError as error:
            print(f"{name} did not run: {error}")
            strangers.missing(name, error)
            missing.add(name)
        except EngineError as error:
            found[name].append(str(error))
    if {MEDPLUM, DUCKDB} <= made.keys():
        found[DUCKDB] += asked_alike(made[MEDPLUM], made[DUCKDB])
    for name, lines in found.items():
        for line in lines:
            print(f"{name}: {line}")
        _report(name, made.get(name), lines)
    return verdict(found, missing)


def verdict(found: Mapping[str, Sequence[str]], missing: Set[str]) -> int:
    """Return the exit code. Two engines are enough: the reference can't be had by itself, and may be missing."""
    if any(found.values()):
        return FAILED
    return NOT_RUN if missing - {REFERENCE} else PASSED


def _report(name: str, made: Made | None, lines: Sequence[str]) -> None:
    rows = sum(len(made.tables[one.name]) for one in views()) if made else len(lines)
    print(f"{name}: {rows} rows in {len(views()) if made else 0} tables, {len(lines)} complaints")
    note = "" if made is None or made.native else "Its functions ran in Python here: its extension does not load."
    strangers.held(name, max(rows, len(lines)), lines, version=_version(name), note=note)


def _version(name: str) -> str:
    if name == REFERENCE:
        return ""  # its package says 1.0.0 of each
    if name == MEDPLUM:
        return version(HERE, "@medplum/core")
    pins = (HERE / "requirements.txt").read_text("utf-8").splitlines()
    return next(line for line in pins if line.startswith("fhir4ds")).partition("==")[2].split()[0]


if __name__ == "__main__":
    sys.exit(main())
