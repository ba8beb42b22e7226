"""Play histories: `python -m tests.faults --seed 17 --history`, or `--histories 2000`; see README.md."""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TextIO

from tests.faults.checker import KINDS
from tests.faults.faults import FAULTS
from tests.faults.history import Options, Result, play
from tests.faults.kinds import kinds
from tests.faults.processes import play_on_processes

KEPT: Final = Path(".cache/faults")
EACH: Final = 20
"""How many histories a worker plays before it is asked whether that was enough."""


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the history to play, or the first of several")
    parser.add_argument("--histories", type=int, default=1, help="how many, from --seed on")
    parser.add_argument(
        "--at-least", type=int, metavar="N", help="stop after N of them, or later, when standard input is closed"
    )
    parser.add_argument("--history", action="store_true", help="print what happened")
    parser.add_argument("--kind", choices=sorted(kinds()), help="the kind of EHR; else the seed decides")
    parser.add_argument("--only", metavar="FAULT", action="append", choices=sorted(FAULTS), help="only these faults")
    parser.add_argument("--share", type=float, help="the share of requests with a fault")
    parser.add_argument("--kills", type=float, help="the share of steps in which a process dies")
    parser.add_argument("--app-processes", type=int, help="how many processes of the app")
    parser.add_argument("--lag", type=float, help="how many seconds the EHR's index runs behind")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="how many histories are played at once"
    )
    parser.add_argument("--processes", type=int, metavar="N", help="play N histories on real processes, killed with -9")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="of real processes")
    parser.add_argument("--hurry", action="store_true", help="real processes: what a dead one held is free at once")
    parser.add_argument("--open", metavar="KIND", action="append", default=[], help="a known finding: shown only")
    parser.add_argument("--most", type=int, default=20, help="how many failed seeds to print")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Play, print, and return 0 only if nothing was lost, doubled, false, unseen or left."""
    asked = _arguments(given)
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of words have an order that changes with each process; a seed must not.
        arguments = [sys.executable, "-m", "tests.faults", *(given if given is not None else sys.argv[1:])]
        return subprocess.run(arguments, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False).returncode
    options = Options(
        kind=asked.kind,
        processes=asked.app_processes,
        faults=tuple(asked.only) if asked.only else None,
        share=asked.share,
        kills=asked.kills,
        lag=asked.lag,
    )
    seeds = range(asked.seed, asked.seed + asked.histories)
    started = time.monotonic()
    if asked.processes:
        seeds = range(asked.seed, asked.seed + asked.processes)
        results = play_on_processes(seeds, options, asked.database, hurry=asked.hurry)
        _keep_failures(results, asked.database)
    else:
        results = _play_all(seeds, options, asked.workers, asked.at_least)
    if asked.history:
        _print_history(results)
    _print_table(results, time.monotonic() - started)
    return _print_failures(results, asked.most, frozenset(asked.open))


def _play_all(seeds: range, options: Options, workers: int, at_least: int | None = None) -> list[Result]:
    results: list[Result] = []
    with _players(seeds, options, workers) as played:
        for first in range(0, len(seeds), EACH * workers):
            if at_least is not None and len(results) >= at_least and _closed(sys.stdin):
                break
            for result in played(seeds[first : first + EACH * workers]):
                results.append(result)
                if result.findings:  # at once: a long run that is broken off has said what it found
                    print(f"seed {result.seed}: {', '.join(result.counts)}", file=sys.stderr, flush=True)
    return results


@contextmanager
def _players(seeds: range, options: Options, workers: int) -> Iterator[Callable[[range], Iterator[Result]]]:
    """Yield what plays some histories: one after the other here, or many at once in processes of their own."""
    if len(seeds) == 1 or workers == 1:
        yield lambda some: (play(seed, options) for seed in some)
        return
    play(seeds[0], replace(options, steps=1))  # so that what all histories need is loaded, once for all workers
    with ProcessPoolExecutor(workers, get_context("fork")) as pool:
        yield lambda some: pool.map(partial(_played, options), some, chunksize=4)


def _closed(stream: TextIO) -> bool:
    """Tell whether who writes this has closed it; nothing else makes one readable into which nothing is written."""
    return bool(select.select([stream], [], [], 0)[0])


def _played(options: Options, seed: int) -> Result:
    """Play one of many histories; what happened is told by playing it alone."""
    return replace(play(seed, options), history=[])


def _print_history(results: Sequence[Result]) -> None:
    for result in results:
        print("\n".join(_told(result)))


def _told(result: Result) -> Iterator[str]:
    yield f"seed {result.seed}: {result.about}"
    for event in result.history:
        yield f"{event.at - 1_790_000_000:10.1f}  {event.actor:20} {event.what}"


def _keep_failures(results: Sequence[Result], database: str) -> None:
    """Keep what happened on real processes where something is wrong: it can't be played again to the letter."""
    for result in results:
        if result.findings:
            KEPT.mkdir(parents=True, exist_ok=True)
            file = KEPT / f"{time.time():.0f}-{database}-{result.seed}.txt"
            file.write_text("\n".join([*_told(result), *(f"{one.kind}: {one.what}" for one in result.findings)]))
            print(f"What happened in seed {result.seed}: {file}")


def _print_table(results: Sequence[Result], seconds: float) -> None:
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        for name in (result.kind, "all"):
            rows[name] += result.counts
            rows[name]["histories"] += 1
            for column in ("faults", "kills", "words"):
                rows[name][column] += getattr(result, column)
    columns = ("histories", "words", "faults", "kills", *KINDS)
    print(f"{'EHR':16}" + "".join(f"{column:>10}" for column in columns))
    for name in sorted(rows, key=lambda one: (one == "all", one)):
        print(f"{name:16}" + "".join(f"{rows[name][column]:>10}" for column in columns))
    seeds = sorted(result.seed for result in results)
    print(f"{len(results)} histories, of seeds {seeds[0]} to {seeds[-1]}, in {seconds:.0f} s")


def _print_failures(results: Sequence[Result], most: int, known: frozenset[str] = frozenset()) -> int:
    failed = [result for result in results if result.findings]
    for result in failed[:most]:
        print(f"\nseed {result.seed}: {result.about}")
        for finding in result.findings[:6]:
            print(f"  {finding.kind}: {finding.what}")
    if len(failed) > most:
        print(f"\n{len(failed) - most} more seeds failed: {' '.join(str(result.seed) for result in failed[most:])}")
    return 1 if any(finding.kind not in known for result in failed for finding in result.findings) else 0


if __name__ == "__main__":
    sys.exit(main())
