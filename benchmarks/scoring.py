"""How fast responses become scores, as a ratio to a bare `orjson.loads` of the same lines in the same run.

    python -m benchmarks.scoring [--quick] [--write]

Seconds measured on another day or machine mean little, so every engine is timed in CPU seconds of one process, and the
floor (`orjson.loads`) just before and just after it; the ratio is that of the best times. Prints a table, and writes
docs/benchmarks.md if asked to. Exit code 1 if Verstel is slower than promised: 0.6 for every instrument, for the whole
command on 200,000 responses against a whole process that only parses them, both without the writing of files.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson

from mappers.answers import answers_of, response_of
from mappers.bulk import BulkScorer, batches_of, observations_as_ndjson
from mappers.observations import observations_of
from mappers.scoring import score
from questionnaires.catalogue import catalogue
from questionnaires.model import NOT_APPLICABLE
from questionnaires.publish import questionnaire

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "benchmarks.md"
CACHE: Final = ROOT / ".cache" / "benchmarks"
INSTRUMENT: Final = "nel"
INSTRUMENTS: Final = ("nel", "hoop", "mhcs", "mansa")
SEED: Final = 20261122
MISSING: Final = 0.03
BLOCK: Final = 256 * 1024  # the same as the command reads
PROMISED: Final = 0.6
OTHERS: Final = "## Other engines"  # from this heading on, the page is written by another script


def lines(count: int, instrument: str = INSTRUMENT) -> list[bytes]:
    """Make responses to all questions of an instrument with 3 % of the answers missing, the same ones every time."""
    drawn = random.Random(SEED)
    form = catalogue().instrument(instrument)
    made = []
    for number in range(count):
        values: dict[str, str | bool] = {
            item.link_id: drawn.choice(item.scale.options).code if item.scale is not None else drawn.random() < 0.5
            for item in form.items
            if drawn.random() >= MISSING
        }
        client = {"reference": f"Patient/p{number % 5000}", "display": f"Persoon {number % 5000}"}
        response = response_of(
            values,
            form,
            status="completed",
            authored=f"2026-{1 + number % 12:02}-{1 + number % 28:02}T10:00:00+01:00",
            subject=client,
            author=client,
            source=client,
            identifier=f"{drawn.getrandbits(128):032x}",
        )
        made.append(orjson.dumps({"id": f"r{number}", **response}))
    return made


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


_FLOOR: Final = "import sys, orjson\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"


@dataclass(frozen=True)
class Command:
    """The whole command on one instrument: its ratios to a whole process that only parses."""

    instrument: str
    count: int
    micros: float  # CPU microseconds per response, without a file to write
    without_file: float
    to_file: float


def whole_command(instrument: str, count: int, rounds: int) -> Command:
    """Time `verstel score` as a user runs it, from the start of the interpreter, in turn with the floor."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "responses.ndjson", Path(folder) / "observations.ndjson"
        some = min(count, 20_000)
        block = b"".join(line + b"\n" for line in lines(some, instrument))
        with source.open("wb") as file:
            for _ in range(count // some):
                file.write(block)
        floor = [sys.executable, "-c", _FLOOR, str(source)]
        command = [sys.executable, "-m", "smartapp", "score", str(source)]
        null = Path(os.devnull)
        runs = [(_used(floor, null), _used(command, null), _used(command, out)) for _ in range(rounds)]
    floors, nulls, files = (min(times) for times in zip(*runs, strict=True))
    return Command(instrument, count, nulls / count * 1e6, floors / nulls, floors / files)


def _used(command: Sequence[str], out: Path) -> float:
    """Run a command; return its CPU seconds."""
    with out.open("wb") as file:
        child = subprocess.Popen(command, stdout=file, cwd=ROOT)
        _, ended, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(ended)
    if child.returncode:
        raise SystemExit(f"{command[0]} did not end well, so its time means nothing")
    return used.ru_utime + used.ru_stime


def commands_table(rows: Sequence[Command]) -> list[str]:
    """Return the whole commands as lines of Markdown."""
    head = [
        "| instrument | responses | µs per response | ratio | ratio, to a file |",
        "|---|---:|---:|---:|---:|",
    ]
    return [
        *head,
        *(
            f"| {row.instrument} | {row.count:,} | {row.micros:.1f} | {row.without_file:.2f} | {row.to_file:.2f} |"
            for row in rows
        ),
    ]


def rewritten(line: bytes) -> bytes:
    """Return a response as some EHRs return it, with numbers instead of codes; only the plain way reads that."""
    response = orjson.loads(line)
    for group in response["item"]:
        for item in group["item"]:
            code = item["answer"][0]["valueCoding"]["code"]
            if code != NOT_APPLICABLE:
                item["answer"] = [{"valueInteger": int(code)}]
    return orjson.dumps(response)


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


def page(rows: Sequence[Timing], commands: Sequence[Command], size: int) -> str:
    """Return docs/benchmarks.md as far as it is written here."""
    used = ", ".join(f"{name} {version(name)}" for name in ("orjson", "msgspec", "fhir.resources"))
    return "\n".join(
        [
            "# How fast responses become scores",
            "",
            "Written by `python -m benchmarks.scoring --write`; do not edit. CPU time, one process. The ratio is the",
            "time of a bare `orjson.loads` of the same lines, measured in turn, divided by the engine's time: 1 is as",
            "fast as parsing alone. Ratios hold from machine to machine, microseconds do not.",
            "",
            "## In process",
            "",
            *table(rows),
            "",
            "Data: made-up responses, 3 % of the answers missing. Those to the NEL have",
            f"{size:,} bytes on average, and become a panel and seven scores; "
            "rows without an instrument are of the NEL.",
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
            "What several processes give (`verstel score --jobs`) is measured by `python -m benchmarks.processes`.",
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
            "",
        ]
    )


def main() -> int:
    """Measure, print and, when asked, write the page; return the exit code."""
    options = argparse.ArgumentParser(description="Speed of scoring, as a ratio to a bare orjson.loads.")
    options.add_argument("--quick", action="store_true", help="fewer rounds and responses: for a first look")
    options.add_argument("--write", action="store_true", help="rewrite docs/benchmarks.md (the README quotes it)")
    chosen = options.parse_args()
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
    commands = [whole_command(name, count, 3 if count < 100_000 else 1) for name in INSTRUMENTS for count in counts]
    print("\n".join(commands_table(commands)))
    if chosen.write:
        PAGE.parent.mkdir(exist_ok=True)
        before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        _, heading, others = before.partition(f"\n{OTHERS}\n")
        PAGE.write_text(page(rows, commands, sum(map(len, few)) // len(few)) + heading + others, encoding="utf-8")
    # Of fewer responses, starting up weighs too much.
    slow = [row for row in commands if row.count >= 200_000 and row.without_file < PROMISED]
    for row in slow:
        print(f"{row.instrument}: ratio {row.without_file:.2f} is below the promised {PROMISED}", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
