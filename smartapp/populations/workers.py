"""Files scored by several processes: each opens what it reads by itself, and this one only writes, in order.

No response and no score goes through a pipe: a worker puts what it made into memory that both see (a slot), and tells
how much that is. A slot that is full is written when its turn comes, after which the same worker goes on with it; so
memory stays the same whatever the input becomes. Whole lines only: a worker that is killed tears none.

Workers are forked, which costs a few milliseconds and shares what is loaded; a system without fork has one process.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from mappers.bulk import Refusal
from smartapp.populations.pieces import Piece, Pieces, Score, Show, WorkerLost, pieces_of
from smartapp.populations.ranges import SHORTER, SIZE, Part, Task, tasks_of
from smartapp.populations.reading import Source

SLOT: Final = 8 * 1024 * 1024
"""Bytes of a slot: the scores of a range, of which the shortest questionnaires make about four times as much."""
_SLOTS_EACH: Final = 4  # one that is filled, and some that wait for their turn: with one a worker stood still
_MANY_REFUSALS: Final = 10_000  # handed over at once, for these go through a pipe
_KEPT: Final = {-3: 4 * 1024 * 1024, -1: 16 * 1024 * 1024}
"""Bytes by the numbers that malloc.h gives them: M_MMAP_THRESHOLD and M_TRIM_THRESHOLD."""
_NO_FORK: Final = "cannot be shared among processes on this system"

Say = Callable[[Source, str], None]
"""Tell people that one process reads a source, and why."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a worker put into its slot next: a Piece of the part with this number, `size` bytes."""

    part: int
    size: int
    lines: int = 0
    refusals: tuple[Refusal, ...] = ()
    taken: int = 0


def several_processes(
    sources: Iterable[Source], score: Score, show: Show, *, jobs: int, say: Say, size: int = SIZE
) -> Pieces:
    """Score files in up to `jobs` processes; the pieces are those of `one_process`, cut elsewhere. Raises WorkerLost.

    Where a single task is all there is, it is done here.
    """
    tasks = tasks_of(sources, size)
    first = list(islice(tasks, 2))
    every = chain(first, tasks)
    if len(first) < 2 or not hasattr(signal, "pthread_sigmask"):
        for task in every:
            _say(task, say, "" if len(first) < 2 else _NO_FORK)
            for part in task.parts:
                yield from pieces_of(part, score, show)
        return
    with _pool(score, show, jobs) as pool:
        yield from each_once(_Run(pool, every, say).pieces())


def _say(task: Task, say: Say, otherwise: str = "") -> None:
    if task.why_one or otherwise:
        say(task.parts[0].source, task.why_one or otherwise)


def each_once(pieces: Iterable[Piece]) -> Pieces:
    """Say once of a file that it became shorter: each of its ranges that lost something finds that out."""
    shorter: Source | None = None
    for piece in pieces:
        if [refusal.reason for refusal in piece.refusals] == [SHORTER]:
            if piece.source is shorter:
                continue
            shorter = piece.source
        yield piece


# --- the process that writes ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection

    def send(self, message: object) -> None:
        with self._lost_if_gone():
            self.connection.send(message)

    def receive(self) -> tuple[list[_Told], bool]:
        with self._lost_if_gone():
            told: tuple[list[_Told], bool] = self.connection.recv()
            return told

    @contextmanager
    def _lost_if_gone(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError):  # the latter where it ended in the midst of a message
            self.process.join(1)
            raise WorkerLost(_how(self.process.exitcode)) from None


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        advice = "; if memory ran out, take fewer --jobs" if exitcode == -signal.SIGKILL else ""
        return f"a process that scored was ended by signal {-exitcode}{advice}"
    return "a process that scored ended by itself; what it wrote above says why"


@dataclass(slots=True)
class _Pool:
    """Workers, started when there is work for one more, and the slots that all of them see."""

    score: Score
    show: Show
    jobs: int
    slots: list[mmap.mmap] = field(default_factory=list)
    workers: list[_Worker] = field(default_factory=list)

    def one_more(self) -> _Worker:
        context: Any = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        # A worker must not hold the others' ends: it would keep them waiting when this process is gone.
        not_its = [ours, *(worker.connection for worker in self.workers)]
        process = context.Process(target=_work, args=(theirs, not_its, self.slots, self.score, self.show), daemon=True)
        sys.stdout.flush()  # what waits there would be written by the worker too
        # Ctrl-C reaches every process of the group; only this one heeds it. A process inherits what is held back.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
            self.workers.append(_Worker(process, ours))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        return self.workers[-1]


@contextmanager
def _pool(score: Score, show: Show, jobs: int) -> Iterator[_Pool]:
    pool = _Pool(score, show, jobs, [mmap.mmap(-1, SLOT) for _ in range(_SLOTS_EACH * jobs)])
    _keep_memory()
    gc.freeze()  # what is loaded stays shared: a collection would write into every page of it
    try:
        yield pool
    finally:
        gc.unfreeze()
        for worker in pool.workers:
            worker.connection.close()  # one that waits ends by itself
            worker.process.terminate()
        for worker in pool.workers:
            worker.process.join()


def _keep_memory() -> None:
    """Have workers keep the memory that each block's scores were in for those of the next.

    Else they give it back after each, and the system has to make it anew, page by page: a tenth of their time (HOOP).
    Only glibc has this setting.
    """
    with suppress(AttributeError, OSError, TypeError):
        for setting, size in _KEPT.items():
            ctypes.CDLL(None).mallopt(setting, size)


@dataclass(slots=True)
class _Run:
    """Tasks handed out as workers and slots come free, and what they gave, in the order of the tasks."""

    pool: _Pool
    tasks: Iterator[Task]
    say: Say
    handed: deque[tuple[Task, int]] = field(default_factory=deque)  # with their slots, the first to be written first
    told: dict[int, tuple[_Worker, list[_Told], bool]] = field(default_factory=dict)  # by slot
    idle: list[_Worker] = field(default_factory=list)
    busy: dict[Connection, tuple[_Worker, int]] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)

    def pieces(self) -> Pieces:
        self.free = list(range(len(self.pool.slots)))
        self._hand_out()
        while self.handed:
            task, slot = self.handed[0]
            if task.stream:
                for part in task.parts:
                    for piece in pieces_of(part, self.pool.score, self.pool.show):
                        yield piece
                        self._collect(0)
            else:
                yield from self._written(task, slot)
            self.handed.popleft()
            self.free.append(slot)
            self._hand_out()

    def _written(self, task: Task, slot: int) -> Pieces:
        more = True
        while more:
            while slot not in self.told:
                self._collect(None)
            worker, told, more = self.told.pop(slot)
            with memoryview(self.pool.slots[slot]) as memory:
                yield from _pieces(task.parts, told, memory)
            if more:
                worker.send(None)
                self.busy[worker.connection] = worker, slot

    def _hand_out(self) -> None:
        """Hand out as many tasks as there are slots and workers for; a stream waits in its place without a worker."""
        while self.free and (self.idle or len(self.pool.workers) < self.pool.jobs):
            task = next(self.tasks, None)
            if task is None:
                return
            _say(task, self.say)
            slot = self.free.pop()
            self.handed.append((task, slot))
            if not task.stream:
                worker = self.idle.pop() if self.idle else self.pool.one_more()
                worker.send((slot, task.parts))
                self.busy[worker.connection] = worker, slot

    def _collect(self, seconds: float | None) -> None:
        """Take what workers tell, and give those that are done their next task."""
        ready = wait(list(self.busy), seconds)
        for connection in [one for one in self.busy if one in ready]:
            worker, slot = self.busy.pop(connection)
            told, more = worker.receive()
            self.told[slot] = worker, told, more
            if not more:
                self.idle.append(worker)
        self._hand_out()


def _pieces(parts: tuple[Part, ...], told: list[_Told], memory: memoryview) -> Pieces:
    start = 0
    for one in told:
        with memory[start : start + one.size] as output:
            yield Piece(parts[one.part].source, output, one.lines, one.refusals, one.taken)
        start += one.size


# --- a worker ---------------------------------------------------------------------------------------------------


def _work(connection: Connection, not_its: list[Connection], slots: list[mmap.mmap], score: Score, show: Show) -> None:
    """Do tasks until nobody gives one."""
    for other in not_its:
        other.close()
    with suppress(EOFError, ConnectionError):  # the process that writes is gone, or has seen enough
        while True:
            slot, parts = connection.recv()
            filling = _Filling(connection, slots[slot])
            for number, part in enumerate(parts):
                for piece in pieces_of(part, score, show):
                    filling.add(number, piece)
            filling.hand_over(more=False)


@dataclass(slots=True)
class _Filling:
    """A slot while a worker fills it."""

    connection: Connection
    slot: mmap.mmap
    used: int = 0
    refusals: int = 0
    told: list[_Told] = field(default_factory=list)

    def add(self, part: int, piece: Piece) -> None:
        """Put a piece into the slot, and wait for it to be written wherever it is full."""
        rest = bytes(piece.output)
        while len(rest) > SLOT - self.used:
            end = rest.rfind(b"\n", 0, SLOT - self.used) + 1
            if not end and not self.used:  # a single line that is longer than a slot
                end = SLOT
            self._put(_Told(part, end), rest[:end])
            rest = rest[end:]
            self.hand_over(more=True)
        self._put(_Told(part, len(rest), piece.lines, piece.refusals, piece.taken), rest)
        if self.refusals > _MANY_REFUSALS:
            self.hand_over(more=True)

    def _put(self, told: _Told, output: bytes) -> None:
        self.slot[self.used : self.used + told.size] = output
        self.used += told.size
        self.refusals += len(told.refusals)
        self.told.append(told)

    def hand_over(self, *, more: bool) -> None:
        """Tell what is in the slot; with `more` to come, wait until that was written."""
        self.connection.send((self.told, more))
        self.used, self.refusals, self.told = 0, 0, []
        if more:
            self.connection.recv()
