"""How fast responses become scores, as a ratio to a bare `orjson.loads` of the same lines in the same run.

    python -m benchmarks.scoring [--quick] [--write]

Seconds measured on another day or machine mean little, so every engine is timed in CPU seconds of one process, and the
floor (`orjson.loads`) just before and just after it; the ratio is that of the best times. Prints a table, and writes
docs/benchmarks.md if asked to. Exit code 1 if Verstel is slower than promised (0.5 in process, 0.4 for the whole
command).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import random
import resource
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
SEED: Final = 20261122
MISSING: Final = 0.03
BLOCK: Final = 256 * 1024  # the same as the command reads
IN_PROCESS: Final = 0.5  # the promised ratio
COMMAND: Final = 0.4  # the promised ratio


def lines(count: int) -> list[bytes]:
    """Make responses to the forty questions of the NEL with 3 % of the answers missing, the same ones every time."""
    drawn = random.Random(SEED)
    nel = catalogue().instrument(INSTRUMENT)
    made = []
    for number in range(count):
        values: dict[str, str | bool] = {
            item.link_id: drawn.choice(item.scale.options).code
            for item in nel.items
            if item.scale is not None and drawn.random() >= MISSING
        }
        client = {"reference": f"Patient/p{number % 5000}", "display": f"Persoon {number % 5000}"}
        response = response_of(
            values,
            nel,
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


def whole_command(responses: Sequence[bytes], rounds: int) -> Timing:
    """Time `verstel score` as a user runs it: start of the interpreter, reading a file, writing a file."""
    floor = on_each(orjson.loads)(responses)
    floors, times = [cpu(floor)], []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "responses.ndjson"
        source.write_bytes(b"\n".join(responses) + b"\n")
        main = "from smartapp.cli import main; main()"
        command = [sys.executable, "-c", main, "score", str(source)]
        for _ in range(rounds):
            # The usage of children counts up over the whole run, so the difference is that of this child.
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            with (Path(folder) / "observations.ndjson").open("wb") as out:
                subprocess.run(command, check=True, stdout=out, cwd=ROOT)
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
            floors.append(cpu(floor))
    does = f"{len(responses):,} responses, file to file, start-up included"
    return Timing("verstel score", does, min(times) / len(responses) * 1e6, min(floors) / min(times))


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


def page(rows: Sequence[Timing], size: int, count: int) -> str:
    """Return docs/benchmarks.md."""
    used = ", ".join(f"{name} {version(name)}" for name in ("orjson", "msgspec", "fhir.resources"))
    return "\n".join(
        [
            "# How fast responses become scores",
            "",
            "Written by `python -m benchmarks.scoring --write`; do not edit. CPU time, one process. The ratio is the",
            "time of a bare `orjson.loads` of the same lines, measured just before and after, divided by the engine's",
            "time: 1 is as fast as parsing alone. Ratios hold from machine to machine, microseconds do not.",
            "",
            *table(rows),
            "",
            f"Data: made-up responses to the 40 statements of the NEL, {size:,} bytes each on average, 3 % of the",
            f"answers missing; each becomes a panel and seven scores. {count:,} responses for the command, fewer for",
            "the slow engines. Before timing, the fast and the plain way gave the same bytes, and fhirpathpy the same",
            "scores.",
            f"Promised are a ratio of at least {IN_PROCESS} in process and {COMMAND} for the whole command.",
            "",
            "What several processes give (`verstel score --jobs`) is measured by `python -m benchmarks.processes`.",
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
    rounds, count = (5, 2_000) if chosen.quick else (25, 20_000)
    responses = lines(count)
    few = responses[:1_000]
    check(few[:200])
    rows = [
        compare("orjson", "parses, nothing else: the floor", on_each(orjson.loads), few, rounds=rounds),
        compare("json (standard library)", "parses, nothing else", on_each(json.loads), few, rounds=rounds),
        compare("**Verstel**", "response → panel and 7 scores as NDJSON", verstel, few, rounds=rounds),
        compare("Verstel, plain way", "the same through dicts", on_each(plain), few[:200], rounds=rounds),
        compare("fhir.resources", "validates the response, no scores", on_each(models_parse), few[:50], rounds=3),
        compare("fhir.resources + mappers", "scores and writes by models", on_each(models_score), few[:20], rounds=3),
    ]
    engine = fhirpath()
    if engine is not None:
        rows.append(compare("fhirpathpy", "7 scores, published expressions", engine, few[:2], rounds=1))
    else:
        print("fhirpathpy could not be installed; its row is missing.", file=sys.stderr)
    rows.append(whole_command(responses, 3 if chosen.quick else 5))
    print("\n".join(table(rows)))
    if chosen.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(rows, sum(map(len, responses)) // len(responses), count), encoding="utf-8")
    bars = {"**Verstel**": IN_PROCESS, "verstel score": COMMAND}
    # A quick run is too short to be held to the promise for the whole command: starting up weighs too much.
    slow = [
        row for row in rows if row.ratio < bars.get(row.name, 0) and not (chosen.quick and row.name == "verstel score")
    ]
    for row in slow:
        print(f"{row.name}: ratio {row.ratio:.2f} is below the promised {bars[row.name]}", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
