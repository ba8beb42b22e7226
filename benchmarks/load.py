"""How the app does under load and what a page costs: calls to the EHR one after the other, and times of a crowd.

    python -m benchmarks.load [--people 200] [--seconds 45] [--delay 0.2] [--workers 2 --database postgresql+psycopg://…]

First one person at an EHR that counts: how many calls a page makes, and how many of them in a row, each after the
answer of another. Then a crowd that signs in over thirty seconds and
fills in the HOOP with four seconds between answers: times in ms, with those of the EHR in them, and whether all got in.
The app, the EHR and the crowd share this machine with whatever else runs: the CPU of a request says more than its time.
Exit code 1 if somebody did not get in, anything failed, or a page makes more calls in a row than promised.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.people import Measured, Person, crowd, percentile
from benchmarks.running import Program, cpu_seconds, ehr, free_port, issuer, program, settings

STEP = 0.1
"""Seconds of the counting EHR for each answer: what is asked at the same time arrives before the first is answered."""
THINK = 4.0
RAMP = 30.0
SEQUENTIAL = {"submit": 3, "save goal": 3}
"""Promised: at most so many calls one after the other where the EHR has no transactions; 2 for any other page."""
READS, WRITES = ("question",), ("autosave", "next")


@contextmanager
def app(hospital: Program, database: str | None = None, *options: str) -> Iterator[Program]:
    """Run `verstel serve` with an EHR."""
    port = free_port()
    command = [sys.executable, "-m", "smartapp", "serve", "--listen", f"127.0.0.1:{port}", *options]
    with settings(port, hospital, database) as environment, program(command, port, "/healthz", environment) as running:
        yield running


# --- what a page costs --------------------------------------------------------------------------------------------


def calls(hospital: Program) -> tuple[int, int]:
    """Return how many calls came since this was asked last, and how many of them one after the other."""
    with urllib.request.urlopen(f"http://127.0.0.1:{hospital.port}/calls", timeout=5) as answer:
        counted = json.loads(answer.read())
        return counted["calls"], counted["in_a_row"]


class Counting(Person):
    """A person whose every request is counted at the EHR."""

    def __init__(self, port: int, hospital: Program, measured: Measured) -> None:
        super().__init__(1, port, issuer(hospital), measured)
        self.hospital = hospital
        self.seen: dict[str, tuple[int, int]] = {}

    async def ask(self, route: str, method: str, path: str, form: dict[str, str] | None = None) -> str:
        """Ask for a page and count the calls that it made."""
        calls(self.hospital)
        answer = await super().ask(route, method, path, form)
        self.seen[route] = calls(self.hospital)
        return answer


def counted(*, transactions: bool) -> dict[str, tuple[int, int]]:
    """Return the calls of each page of a sign-in, a questionnaire and a goal, the second time each is asked for."""
    measured = Measured()
    with ehr(STEP, transactions=transactions) as hospital, app(hospital) as running:
        person = Counting(running.port, hospital, measured)

        async def once() -> None:
            here = await person.sign_in()
            await person.fill_in(here, 0)
            await person.set_goal(here)

        async def twice() -> None:
            await once()
            person.seen.clear()
            await once()
            person.connection.close()

        asyncio.run(twice())
    return person.seen


def calls_table() -> tuple[list[str], bool]:
    """Return the table of calls as lines of Markdown, and whether the promise was kept."""
    with_them, without = counted(transactions=True), counted(transactions=False)
    lines = ["| page | calls | in a row | calls, EHR without transactions | in a row |"]
    lines.append("|---|---:|---:|---:|---:|")
    kept = True
    for route, with_ in with_them.items():
        lines.append(f"| {route} | {' | '.join(str(number) for number in (*with_, *without[route]))} |")
        kept = kept and without[route][1] <= SEQUENTIAL.get(route, 2)
    return lines, kept


# --- a crowd ------------------------------------------------------------------------------------------------------


def load_table(measured: Measured) -> list[str]:
    """Return the times of a crowd as lines of Markdown."""
    lines = ["| page | requests | p50 | p95 | p99 | longest |", "|---|---:|---:|---:|---:|---:|"]
    for route in [*measured.times, ""]:
        times = measured.of(route) if route else measured.of(*measured.times)
        cells = " | ".join(f"{percentile(times, part):.0f}" for part in (0.5, 0.95, 0.99, 1))
        lines.append(f"| {route or '**all**'} | {len(times)} | {cells} |")
    return lines


def summary(measured: Measured, people: int, cpu: float) -> list[str]:
    """Say in words what the table does not."""
    requests = len(measured.of(*measured.times))
    write, read = (percentile(measured.of(*routes), 0.99) for routes in (WRITES, READS))
    return [
        f"{measured.signed_in} of {people} people got in, {len(measured.errors)} errors, {requests} requests;",
        f"{1000 * cpu / requests:.1f} ms CPU of the server each; a write's p99 is {write / read:.1f} times a read's.",
    ]


def main() -> int:
    """Measure, print, and return the exit code."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--people", type=int, default=200)
    options.add_argument("--seconds", type=float, default=40)
    options.add_argument("--delay", type=float, default=0.0, help="seconds that every answer of the EHR takes")
    options.add_argument("--workers", default="1")
    options.add_argument("--database", help="PostgreSQL, instead of an SQLite file")
    options.add_argument("--no-calls", action="store_true", help="the crowd only")
    chosen = options.parse_args()
    kept = True
    if not chosen.no_calls:
        lines, kept = calls_table()
        print("\n".join([*lines, ""]), flush=True)
    with ehr(chosen.delay) as hospital, app(hospital, chosen.database, "--workers", chosen.workers) as running:
        at, before = issuer(hospital), cpu_seconds(running.pid)
        going = crowd(running.port, at, people=chosen.people, think=THINK, ramp=RAMP, seconds=chosen.seconds)
        measured = asyncio.run(going)
        cpu = cpu_seconds(running.pid) - before
    print("\n".join([*load_table(measured), "", *summary(measured, chosen.people, cpu)]))
    for error in sorted(set(measured.errors)):
        print(f"{measured.errors.count(error)} x {error}", file=sys.stderr)
    return 0 if kept and not measured.errors and measured.signed_in >= chosen.people else 1


if __name__ == "__main__":
    sys.exit(main())
