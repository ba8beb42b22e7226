"""Which WSGI server serves our pages best: waitress, gunicorn and granian, in one run, with the same people.

    python -m benchmarks.servers

Installs the others into .cache/benchmarks. Per server: the capacity at twenty people who never think; two hundred
people who arrive within twelve seconds and think four seconds between answers; and `/healthz` beside 300 idle browsers
and beside 110 requests of which only the half was sent. The EHR answers at once. Everything shares this machine, so
compare the rows with each other only, the CPU of a request first.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Iterator

from benchmarks.people import Measured, crowd, percentile
from benchmarks.running import (
    PEERS,
    ROOT,
    Program,
    cpu_seconds,
    ehr,
    free_port,
    install_peers,
    issuer,
    memory,
    program,
    settings,
)
from benchmarks.wire import Connection

THREADS = 16
_PEOPLE = 200
_SETTLED = 12.0  # seconds in which they arrive
_SECONDS = 12.0  # that are measured
_APP = "benchmarks.wsgi:app"
_PYTHON = [sys.executable, "-m"]


def commands(port: int) -> dict[str, list[str]]:
    """Return how each candidate is started."""
    listen = f"127.0.0.1:{port}"
    gunicorn = [*_PYTHON, "gunicorn", "-b", listen, "-k", "gthread", "--threads", str(THREADS), "--keep-alive", "75"]
    granian = [*_PYTHON, "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    granian += ["--blocking-threads", str(THREADS), "--no-ws", _APP]
    waitress = [*_PYTHON, "waitress", f"--listen={listen}", f"--threads={THREADS}"]
    return {
        "waitress, as it comes": [*waitress, _APP],
        "waitress, tuned": [*waitress, "--connection-limit=4000", "--asyncore-use-poll", "--backlog=2048", _APP],
        "gunicorn, 1 worker": [*gunicorn, "-w", "1", _APP],
        "gunicorn, 2 workers": [*gunicorn, "-w", "2", _APP],
        "granian, 1 worker": [*granian, "--workers", "1"],
        "granian, 2 workers": [*granian, "--workers", "2"],
    }


async def healthz(port: int, seconds: float = 5.0) -> str:
    """Return how long `/healthz` takes on a connection of its own, the longest of five, in ms."""
    worst = 0.0
    for _ in range(5):
        browser = Connection(port)
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                head, _text = await browser.ask("GET", "/healthz")
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            return f"none: {type(error).__name__}"
        finally:
            browser.close()
        if head.status != 200:
            return f"status {head.status}"
        worst = max(worst, (time.monotonic() - began) * 1000)
    return f"{worst:.0f}"


async def beside_idle(port: int, count: int) -> str:
    """Return how `/healthz` does while `count` browsers hold a connection that they used once."""
    browsers = [Connection(port) for _ in range(count)]
    try:
        for browser in browsers:
            async with asyncio.timeout(5):
                await browser.ask("GET", "/healthz")
        return await healthz(port)
    except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        return f"none: {type(error).__name__}"
    finally:
        for browser in browsers:
            browser.close()


async def beside_half(port: int, half: bytes, count: int) -> str:
    """Return how `/healthz` does while `count` connections sent `half` of a request and then nothing."""
    opened = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(count)]
    try:
        for writer in opened:
            writer.write(half)
        await asyncio.sleep(0.5)
        return await healthz(port)
    finally:
        for writer in opened:
            writer.close()


def row(name: str, alone: Measured, together: Measured, cpu: float, beside: list[str]) -> str:
    """Return the line of one server; `cpu` is what `alone` cost it, in seconds."""
    busy, calm = alone.of(*alone.times), together.of(*together.times, since=_SETTLED)
    cells = [name, f"{1000 * cpu / max(1, len(busy)):.1f}", f"{len(busy) / _SECONDS:.0f}"]
    cells += [f"{percentile(busy, 0.95):.0f}", f"{together.signed_in} of {_PEOPLE}"]
    cells += [" / ".join(f"{percentile(calm, part):.0f}" for part in (0.5, 0.95, 0.99))]
    cells += [str(len(alone.errors) + len(together.errors)), *beside]
    return f"| {' | '.join(cells)} |"


@contextlib.contextmanager
def candidate(name: str) -> Iterator[tuple[Program, str]]:
    """Run one server with the app and an EHR; yield it and the issuer."""
    port, with_peers = free_port(), {"PYTHONPATH": f"{ROOT}{os.pathsep}{PEERS}"}
    with (
        ehr() as hospital,
        settings(port, hospital) as environment,
        program(commands(port)[name], port, "/healthz", environment | with_peers) as running,
    ):
        yield running, issuer(hospital)


def measure(name: str) -> str:
    """Measure one server and return its line."""
    # Head and body: what stops in the middle of the one may be handled elsewhere than what stops in the other.
    head = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
    # What waits for the rest of a form is the app, where the server does not.
    body = b"POST /callback HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n"
    body += b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=b"
    with candidate(name) as (server, iss):
        port, before = server.port, cpu_seconds(server.pid)
        alone = asyncio.run(crowd(port, iss, people=20, think=0, ramp=1, seconds=_SECONDS))
        used = cpu_seconds(server.pid) - before
        together = asyncio.run(crowd(port, iss, people=_PEOPLE, think=4, ramp=_SETTLED, seconds=_SETTLED + _SECONDS))
        beside = [asyncio.run(beside_idle(port, 300))]
        beside += [asyncio.run(beside_half(port, half, 110)) for half in (head, body)]
        beside += [f"{memory(server.pid):.0f}"]
    return row(name, alone, together, used, beside)


def main() -> None:
    """Measure every candidate and print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--only", default="", help="part of the name of a server")
    chosen = options.parse_args()
    install_peers()
    print(
        "| server | CPU ms per request | req/s, 20 without a pause | p95 then | got in | p50 / p95 / p99 | errors ",
        end="",
    )
    print("| healthz beside 300 idle | beside 110 half heads | beside 110 half bodies | MB |")
    print(f"|---|{'---:|' * 10}")
    for name in commands(0):
        if chosen.only in name:
            print(measure(name), flush=True)


if __name__ == "__main__":
    main()
