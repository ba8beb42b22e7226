"""FHIR servers that strangers wrote, started on this machine and ended again."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from smartapp.fhir import bulkheads, http
from tests.conformance.java_tools import BuildError, java

START_SECONDS = 300
LONG_SECONDS = 90
"""How long the app in this process waits for such a server: less than a browser on the journeys waits for the app."""


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Have the app wait long for a server: how fast one on a busy machine answers is not judged here.

    What it does when a server is slow is told by other tests.
    """
    http_waits = {"CONNECT_SECONDS": 30, "READ_SECONDS": LONG_SECONDS, "WHOLE_SECONDS": LONG_SECONDS}
    page_waits = {"PAGE_SECONDS": LONG_SECONDS, "WAIT_SECONDS": LONG_SECONDS, "STILL_SECONDS": LONG_SECONDS}
    with mock.patch.multiple(http, **http_waits), mock.patch.multiple(bulkheads, **page_waits):
        yield


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[str]:
    """Start a server that prints `ready BASE`, yield the base, and end it by closing its standard input."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        # A server that never gets ready is ended, and reading its output then ends too.
        watch = threading.Timer(START_SECONDS, process.kill)
        watch.start()
        try:
            line = process.stdout.readline()
            watch.cancel()
            if not line.startswith("ready "):
                raise BuildError(f"{command[0]} did not start; its last words:\n{log.read_text()[-2000:]}")
            yield line.split()[1]
        finally:
            watch.cancel()
            process.stdin.close()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def hapi(*, bulk: bool = False) -> list[str]:
    """Return the command that starts HAPI FHIR JPA (built by Maven when needed), perhaps with $export and $import."""
    return [*java("server", "nl.verstel.conformance.Server", "-Xmx2g"), *(["bulk"] if bulk else [])]
