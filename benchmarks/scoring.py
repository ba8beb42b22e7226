"""How fast responses become scores, as a ratio to a bare `orjson.loads` of the same lines in the same run.

    python -m benchmarks.scoring [--quick] [--write]

Seconds measured on another day or machine mean little, so every engine is timed in CPU seconds of one process, and the
floor (`orjson.loads`) just before and just after it; the ratio is that of the best times. Prints a table, and writes
its part of docs/benchmarks.md if asked to. Exit code 1 if Verstel is slower than promised (0.6 for every instrument,
for the whole command on 200,000 responses against a whole process that only parses them, both without the writing of
files), takes more than 150 MB, or takes longer over a line in a long file than in a short one.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks import misses, sections
from benchmarks.responses import INSTRUMENT, INSTRUMENTS, lines
from benchmarks.whole import (
    CACHE,
    GROWING,
    MOST_GROWTH,
    MOST_MEGABYTES,
    PROMISED,
    Command,
    Run,
    commands_table,
    grown,
    growth,
    other_files,
    runs_table,
    too_slow,
    whole_command,
)
from mappers.answers import answers_of
from mappers.bulk import BulkScorer, batches_of, observations_as_ndjson
from mappers.observations import observations_of
from mappers.scoring import score
from questionnaires.catalogue import catalogue
from questionnaires.publish import questionnaire

BLOCK: Final = 256 * 1024  # the same as the command reads
LENGTHS: Final = (10_000, 100_000, 1_000_000, 5_000_000)


# --- the engines: each is given lines, and returns a function that does its whole work on them --------------------

Engine = Callable[[Sequence[bytes]], Callable[[], None]]


def on_each(work: Callable[[bytes], object]) -> Engine:
    """Return an engine that works on one line after another."""

    def prepare(responses: Sequence[bytes]) -> Callable[[], None]:
        def run() -> None:
            for line in responses:
                work(line)

        return run

    return prepare


def verstel(responses: Sequence[bytes]) -> Callable[[], None]:
    """Return Verstel itself on blocks of a file: from responses to panels and all scores, as NDJSON."""
    scorer = BulkScorer(catalogue())
    text = b"\n".join(responses) + b"\n"
    blocks = [text[at : at + BLOCK] for at in range(0, len(text), BLOCK)]

    def run() -> None:
        for batch in batches_of(blocks):
            scorer.score(batch)

    return run


def plain(line: bytes) -> bytes:
    """Do the same the plain way, through dicts."""
    return observations_as_ndjson(orjson.loads(line), catalogue())


def models_parse(line: bytes) -> Any:
    """Parse and validate the response with fhir.resources."""
    model = importlib.import_module("fhir.resources.R4B.questionnaireresponse").QuestionnaireResponse
    return model.model_validate_json(line)


def models_score(line: bytes) -> object:
    """Parse, score, and write the Observations, all through fhir.resources."""
    observation_model = importlib.import_module("fhir.resources.R4B.observation").Observation
    answers = answers_of(json.loads(models_parse(line).model_dump_json()), catalogue())
    made = observations_of(answers, score(answers.instrument, answers.values))
    return [observation_model.model_validate(one).model_dump_json() for one in made]


def fhirpath() -> Engine | None:
    """Return fhirpathpy on the expressions of our published Questionnaire, or None if it can't be installed."""
    compiled = _fhirpath_expressions()
    if compiled is None:
        return None

    def work(line: bytes) -> object:
        response = orjson.loads(line)
        return [evaluate(response, {"resource": response}) for evaluate in compiled.values()]

    return on_each(work)


def _fhirpath_expressions() -> dict[str, Callable[[Any, dict[str, Any]], list[Any]]] | None:
    if not _has_fhirpath():
        return None
    engine = importlib.import_module("fhirpathpy")
    models = importlib.import_module("fhirpathpy.models").models
    published = questionnaire(catalogue().instrument(INSTRUMENT))
    (group,) = [one for one in published["item"] if one["linkId"] == f"{INSTRUMENT}-scores"]
    compiled = {}
    for item in group["item"]:
        (expression,) = [
            one["valueExpression"]["expression"] for one in item["extension"] if "calculatedExpression" in one["url"]
        ]
        compiled[item["linkId"].removeprefix(f"{INSTRUMENT}-score-")] = engine.compile(expression, models["r4"])
    return compiled


def _has_fhirpath() -> bool:
    """Install fhirpathpy in a folder of its own, for this benchmark only: its pins must not become the project's."""
    sys.path.append(str(CACHE))
    wanted = Path(__file__).with_name("requirements.txt")
    if not (CACHE / "fhirpathpy").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(CACHE), "-r", str(wanted)]
        if subprocess.run(command, check=False).returncode:
            return False
    importlib.invalidate_caches()
    return True


# --- measuring ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """One line of the table: CPU microseconds per response, and the ratio to the floor timed around it."""

    name: str
    does: str
    micros: float
    ratio: float


def cpu(run: Callable[[], None]) -> float:
    """Return the CPU seconds that something takes."""
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(name: str, does: str, engine: Engine, responses: Sequence[bytes], *, rounds: int) -> Timing:
    """Time an engine, and the floor on the same lines before and after each round.

    The ratio is that of the best times: on a machine that does other things too, the least disturbed round tells most.
    """
    floor, own = on_each(orjson.loads)(responses), engine(responses)
    if rounds > 1:
        own()  # whatever is compiled only once is compiled now
    floors, times = [cpu(floor)], []
    for _ in range(rounds):
        times.append(cpu(own))
        floors.append(cpu(floor))
    return Timing(name, does, min(times) / len(responses) * 1e6, min(floors) / min(times))


def check(responses: Sequence[bytes]) -> None:
    """Stop the benchmark unless all engines do the same work: the fast and the plain way, and fhirpathpy's scores."""
    scorer = BulkScorer(catalogue())
    if scorer.score([*responses]).observations != b"".join(map(plain, responses)):
        raise SystemExit("the fast and the plain way differ, so their speeds mean nothing")
    expressions = _fhirpath_expressions() or {}
    for line in responses[:2]:
        answers = answers_of(orjson.loads(line), catalogue())
        for one in score(answers.instrument, answers.values):
            if one.rule.scale in expressions:
                response = orjson.loads(line)
                found = [float(value) for value in expressions[one.rule.scale](response, {"resource": response})]
                if found != ([] if one.value is None else [float(one.value)]):
                    raise SystemExit(f"fhirpathpy gives {found} for {one.rule.code}, the mappers {one.value}")


def table(rows: Sequence[Timing]) -> list[str]:
    """Return the table as lines of Markdown."""
    head = ["| engine | does | µs per response | ratio |", "|---|---|---:|---:|"]
    return [*head, *(f"| {row.name} | {row.does} | {row.micros:,.1f} | {_ratio(row.ratio)} |" for row in rows)]


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def page(rows: Sequence[Timing], commands: Sequence[Command], runs: Sequence[Run], size: int, load: float) -> list[str]:
    """Return our part of docs/benchmarks.md. `size`: bytes of a response; `load`: programs that wanted a core."""
    used = ", ".join(f"{name} {version(name)}" for name in ("orjson", "msgspec", "fhir.resources"))
    return [
        "# How fast responses become scores",
        "",
        "Written by `python -m benchmarks.scoring --write`; do not edit. CPU time, one process. The ratio is the",
        "time of a bare `orjson.loads` of the same lines, measured in turn, divided by the engine's time: 1 is as",
        "fast as parsing alone. Ratios hold from machine to machine, microseconds do not.",
        f"Before the run began, {load:.1f} programs wanted one of this machine's {os.cpu_count()} cores.",
        "",
        "## In process",
        "",
        *table(rows),
        "",
        "Data: made-up responses, 3 % of the answers missing. Those to the NEL have",
        f"{size:,} bytes on average, and become a panel and seven scores; rows without an instrument are of the NEL.",
        "Before timing, the fast and the plain way gave the same bytes, and fhirpathpy the same scores.",
        "",
        "## The whole command",
        "",
        "`verstel score` on a file, with the start of the interpreter, against a whole process that reads the",
        "same file and only parses its lines. Of 200,000 responses, 20,000 are different. A file of scores is up",
        "to four times as long as that of the responses (HOOP); the last ratio has what writing it takes.",
        f"The aim is a ratio of at least {PROMISED} for every instrument at 200,000 responses, without a file.",
        "",
        *commands_table(commands),
        "",
        "## Length, memory, and other files",
        "",
        f"The whole command again, without a file to write. A response may take at most {MOST_GROWTH} times as long in",
        f"a long file as in one of 100,000, and the command at most {MOST_MEGABYTES} MB at its peak, however long its",
        "input is. The floor of a `.gz` file unpacks it too. *Spaces* are those that many programs write after commas",
        "and colons.",
        "",
        *runs_table(runs),
        "",
        "## Why there is no native wheel",
        "",
        "A prototype in Rust, measured on 26 November 2026 beside version 63687b1 on a shared machine of two",
        "cores, reached 1.51 (NEL) and 1.44 (HOOP) on one thread, where `verstel score` had 0.70 and 0.39. It",
        "checked less (dates, ids, UTF-8), refused nothing and knew no yes/no items. Since then pure Python came",
        "nearer, as the tables say, and several processes can share a file. A wheel would have to be built and",
        "kept safe for every system, and would say a second time what the rules mean. So none is built now.",
        "",
        f"Python {platform.python_version()}, {used}, fhirpathpy as in benchmarks/requirements.txt; "
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores.",
    ]


def main() -> int:
    """Measure, print and, when asked, write the page; return the exit code."""
    options = argparse.ArgumentParser(description="Speed of scoring, as a ratio to a bare orjson.loads.")
    options.add_argument("--quick", action="store_true", help="fewer rounds and responses: for a first look")
    options.add_argument("--write", action="store_true", help="rewrite docs/benchmarks.md (the README quotes it)")
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    rounds, counts = (5, [20_000]) if chosen.quick else (25, [20_000, 200_000])
    few = lines(1_000)
    check(few[:200])
    rows = [
        compare("orjson", "parses, nothing else: the floor", on_each(orjson.loads), few, rounds=rounds),
        compare("json (standard library)", "parses, nothing else", on_each(json.loads), few, rounds=rounds),
        *(
            compare(
                f"**Verstel**, {name}", "panel and all scores as NDJSON", verstel, lines(1_000, name), rounds=rounds
            )
            for name in INSTRUMENTS
        ),
        compare("Verstel, plain way", "the same through dicts", on_each(plain), few[:200], rounds=rounds),
        compare("fhir.resources", "validates the response, no scores", on_each(models_parse), few[:50], rounds=3),
        compare("fhir.resources + mappers", "scores and writes by models", on_each(models_score), few[:20], rounds=3),
    ]
    engine = fhirpath()
    if engine is not None:
        rows.append(compare("fhirpathpy", "7 scores, published expressions", engine, few[:2], rounds=1))
    else:
        print("fhirpathpy could not be installed; its row is missing.", file=sys.stderr)
    print("\n".join([*table(rows), ""]), flush=True)
    commands = [whole_command(name, count, 3 if count < 100_000 else 2) for name in INSTRUMENTS for count in counts]
    print("\n".join([*commands_table(commands), ""]), flush=True)
    print("\n".join(runs_table([])), flush=True)
    runs = []
    for run in _runs(quick=chosen.quick):
        runs.append(run)
        print(runs_table([run])[-1], flush=True)
    if chosen.write:
        sections.write(sections.SCORING, page(rows, commands, runs, sum(map(len, few)) // len(few), load))
    return misses.tell([*too_slow(commands), *grown(runs)])


def _runs(*, quick: bool) -> Iterator[Run]:
    for name in GROWING:
        yield from growth(name, LENGTHS[:2] if quick else LENGTHS)
    for name in INSTRUMENTS:
        yield from other_files(name, *((20_000, 20_000) if quick else (200_000, 1_000_000)))


if __name__ == "__main__":
    sys.exit(main())
