"""Several processes on one listening socket: started, started anew when one breaks, and ended together."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 30
"""So long what is under way may take once the end was asked for."""
_PAUSE_SECONDS: Final = 1.0
"""Before a process that broke is started anew: one that breaks at once must not do so a thousand times a second."""


def supervise(count: int, work: Callable[[int], None]) -> bool:
    """Run `work(number)` in so many processes until SIGTERM or Ctrl-C; tell whether all of them ended well.

    Forked, so that they inherit the listening socket; whoever calls this has no thread and no database open.
    """
    ending = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: ending.set())
    running = {number: _started(work, number) for number in range(count)}
    while not ending.is_set():
        wait([process.sentinel for process in running.values()], timeout=0.5)
        for number, process in running.items():
            if not process.is_alive() and not ending.is_set():
                log.error("process %d ended by itself with %s; starting it anew", number, process.exitcode)
                time.sleep(_PAUSE_SECONDS)
                running[number] = _started(work, number)
    return _ended(list(running.values()))


def _started(work: Callable[[int], None], number: int) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=_child, args=(work, number), name=f"verstel-{number}")
    process.start()
    return process


def _child(work: Callable[[int], None], number: int) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)  # until the server says otherwise: what has not begun may just end
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    work(number)


def _end_with_parent() -> None:
    """End with the process that started us: left alone we would hold its port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _ended(processes: list[ForkProcess]) -> bool:
    """Ask all to end, and wait for what they have under way."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + DRAIN_SECONDS + 10
    for process in processes:
        process.join(max(0, until - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
    return all(process.exitcode in (0, -signal.SIGTERM) for process in processes)
