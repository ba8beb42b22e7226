"""A command in a process of its own, which a test may kill at any moment.

Loading takes a second, and these processes are started anew again and again: each is forked from one that has loaded
it all. What is killed, and how, is the same.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from smartapp.cli import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        __name__,
        "smartapp.commands.bulk",
        "smartapp.deploy.signing_in",
        "smartapp.fhir.remote",
        "smartapp.populations.bulk_export",
        "smartapp.populations.write_back",
    ]
)
_PATIENCE = 60.0  # s; only a failure takes this long


def ended(arguments: Sequence[str], said: Path, born: Callable[[int], None]) -> int | None:
    """Run `verstel` with these arguments until it ends, and return its exit code, below zero for a signal.

    What it says is in the file `said`. `born` is told its process id before it begins.
    """
    begin, waits = _FORKS.Pipe()
    process = _FORKS.Process(target=_run, args=(list(arguments), said, waits))
    process.start()
    born(process.pid)
    begin.send(None)
    process.join(_PATIENCE)
    assert process.exitcode is not None, "it did not end"
    return process.exitcode


def _run(arguments: list[str], said: Path, waits: Connection) -> None:
    with said.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    waits.recv()
    main(arguments)
