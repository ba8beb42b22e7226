"""Files scored by several processes: each opens what it reads by itself, and writes its scores when its turn comes.

A worker holds back the scores of a range until all before them are written, and goes on with another range meanwhile.
Where scores go to a file on disk it then writes them there itself: no response and no score passes through another
process. Elsewhere (a pipe, a terminal) it puts them into memory that both see, its slot, and this process writes them.
Either way there are whole lines only: a worker that is killed in the midst of one takes the beginning of it along.

Workers are forked, which costs a few milliseconds and shares what is loaded; a system without fork has one process.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import multiprocessing
import os
import select
import signal
import stat
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import IO, Any, Final, Literal, NamedTuple

from mappers.bulk import Refusal
from smartapp.populations.pieces import Piece, Pieces, Score, Show, WorkerLost, pieces_of
from smartapp.populations.ranges import SHORTER, SIZE, Part, Task, tasks_of
from smartapp.populations.reading import Source

HELD: Final = 16 * 1024 * 1024
"""Bytes of scores that a worker holds back at most, and of its slot; with more it stands still until its turn comes."""
_TELL: Final = 8 * 1024 * 1024  # bytes that a worker writes before it says so: each word wakes another process
_AHEAD: Final = 4  # tasks of each worker that are not written yet
_MANY_REFUSALS: Final = 10_000  # told at once, for these go through a pipe
_KEPT: Final = {-3: 4 * 1024 * 1024, -1: 16 * 1024 * 1024}
"""Bytes by the numbers that malloc.h gives them: M_MMAP_THRESHOLD and M_TRIM_THRESHOLD."""
_NO_FORK: Final = "cannot be shared among processes on this system"

Say = Callable[[Source, str], None]
"""Tell people that one process reads a source, and why."""


def file_behind(stream: IO[bytes]) -> int | None:
    """Return the descriptor of the file on disk that a stream writes; None where it is something else.

    Not that of a file that others may write to as well, or that has more further on, for what is torn there could not
    be taken away again.
    """
    try:
        file = stream.fileno()
        there = os.fstat(file)
        if os.name != "posix" or not stat.S_ISREG(there.st_mode) or os.lseek(file, 0, os.SEEK_CUR) < there.st_size:
            return None
        import fcntl  # noqa: PLC0415 - other systems have none

        shared = fcntl.fcntl(file, fcntl.F_GETFL) & os.O_APPEND or os.path.sameopenfile(file, 2)
    except (OSError, ValueError):  # closed, or no stream of the system
        return None
    return None if shared else file


def several_processes(
    sources: Iterable[Source],
    score: Score,
    show: Show,
    *,
    jobs: int,
    say: Say,
    out: int | None = None,
    size: int = SIZE,
) -> Pieces:
    """Score files in up to `jobs` processes; the pieces are those of `one_process`, cut elsewhere.

    `out` is the file (see `file_behind`) that the pieces are for: some of them are written there already, in their
    turn, and come without output. Whoever writes the others there must have done so when asking for the next piece.

    Where a single task is all there is, it is done here. Raises WorkerLost, and OSError where `out` cannot be written.
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
    with _pool(score, show, jobs, out) as pool:
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


# --- what processes tell each other (workers with tuples: there are many of these, and they are packed faster) ----


@dataclass(frozen=True, slots=True)
class _Do:
    """To a worker: score these parts; they are the task of this number."""

    number: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class _Turn:
    """To a worker: all before the task of this number is written."""

    number: int


@dataclass(frozen=True, slots=True)
class _Read:
    """To a worker: its slot is free again."""


class _Of(NamedTuple):
    """A Piece of the part with this number, in `size` bytes."""

    part: int
    size: int
    lines: int
    refusals: tuple[Refusal, ...]
    taken: int


class _Told(NamedTuple):
    """From a worker: these are written, in its slot, or follow; `last`: of this task; `idle`: it wants another one.

    `error` is the number of what the system said instead of writing.
    """

    number: int
    pieces: tuple[_Of, ...] = ()
    where: Literal["written", "slot", "follow"] = "written"
    last: bool = False
    idle: bool = False
    error: int = 0


# --- the process that is asked ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    slot: mmap.mmap | None

    def send(self, message: _Do | _Turn | _Read) -> None:
        with self._lost_if_gone():
            self.connection.send(message)

    def receive(self) -> tuple[_Told, list[bytes]]:
        """Return what it tells, and the outputs that follow."""
        with self._lost_if_gone():
            told: _Told = self.connection.recv()
            return told, [self.connection.recv_bytes() for _ in told.pieces if told.where == "follow"]

    def outputs(self, told: _Told, followed: list[bytes]) -> Iterator[bytes | memoryview]:
        """Yield the output of each piece; one in the slot until the next is asked for."""
        if told.where != "slot" or self.slot is None:
            yield from followed or repeat(b"", len(told.pieces))
            return
        start = 0
        with memoryview(self.slot) as memory:
            for one in told.pieces:
                with memory[start : start + one.size] as output:
                    yield output
                start += one.size
        self.send(_Read())

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
    """Workers, started when there is work for one more. `whole`: where whole lines end while one of them writes."""

    score: Score
    show: Show
    jobs: int
    out: int | None
    workers: list[_Worker] = field(default_factory=list)
    whole: int | None = None

    def one_more(self) -> _Worker:
        context: Any = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        # A worker must not hold the others' ends: it would keep them waiting when this process is gone.
        not_its = [ours, *(worker.connection for worker in self.workers)]
        slot = mmap.mmap(-1, HELD) if self.out is None else None
        arguments = (_Scores(theirs, self.out, slot), not_its, self.score, self.show)
        process = context.Process(target=_work, args=arguments, daemon=True)
        sys.stdout.flush()  # what waits there would be written by the worker too
        with _not_ended():  # which a process inherits
            process.start()
            self.workers.append(_Worker(process, ours, slot))
        theirs.close()
        return self.workers[-1]

    def end(self) -> None:
        """End all of them, and take away what one was in the midst of writing, also where Ctrl-C comes twice."""
        with _not_ended():
            for worker in self.workers:
                worker.connection.close()  # one that waits ends by itself
                worker.process.kill()
            for worker in self.workers:
                worker.process.join()
            if self.out is not None and self.whole is not None:
                os.ftruncate(self.out, self.whole)
                os.lseek(self.out, self.whole, os.SEEK_SET)


@contextmanager
def _not_ended() -> Iterator[None]:
    """Hold back what asks a process to end, such as Ctrl-C.

    That reaches every process of a group, and only the one that was asked heeds it: a worker would stop within a line.
    When that one is gone its workers end by themselves.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _pool(score: Score, show: Show, jobs: int, out: int | None) -> Iterator[_Pool]:
    pool = _Pool(score, show, jobs, out)
    _keep_memory()
    gc.freeze()  # what is loaded stays shared: a collection would write into every page of it
    try:
        yield pool
    finally:
        gc.unfreeze()
        pool.end()


def _keep_memory() -> None:
    """Have workers keep the memory that each block's scores were in for those of the next.

    Else they give it back after each, and the system has to make it anew, page by page: a tenth of their time (HOOP).
    Only glibc has this setting.
    """
    with suppress(AttributeError, OSError, TypeError):
        for setting, size in _KEPT.items():
            ctypes.CDLL(None).mallopt(setting, size)


@dataclass(frozen=True, slots=True)
class _Handed:
    """A task that is handed out; a stream has no worker."""

    number: int
    task: Task
    worker: _Worker | None


@dataclass(slots=True)
class _Run:
    """Tasks handed out as workers come free, and what they gave, in the order of the tasks."""

    pool: _Pool
    tasks: Iterator[Task]
    say: Say
    number: int = 0  # of the next task
    handed: deque[_Handed] = field(default_factory=deque)  # the first to be written first
    idle: list[_Worker] = field(default_factory=list)
    writing: _Worker | None = None  # whose turn it is
    told: deque[tuple[_Told, list[bytes]]] = field(default_factory=deque)  # by that one

    def pieces(self) -> Pieces:
        self._hand_out()
        while self.handed:
            first = self.handed[0]
            if first.worker is None:
                for part in first.task.parts:
                    for piece in pieces_of(part, self.pool.score, self.pool.show):
                        yield piece
                        self._collect(0)
            else:
                yield from self._written(first.number, first.task.parts, first.worker)
            self.handed.popleft()
            self._hand_out()

    def _written(self, number: int, parts: tuple[Part, ...], worker: _Worker) -> Pieces:
        if self.pool.out is not None:
            self.pool.whole = os.lseek(self.pool.out, 0, os.SEEK_CUR)
        self.writing = worker
        worker.send(_Turn(number))
        last = False
        while not last:
            while not self.told:
                self._collect(None)
            told, followed = self.told.popleft()
            if told.error:
                raise OSError(told.error, os.strerror(told.error))
            last = told.last
            if self.pool.whole is not None:
                self.pool.whole += sum(one.size for one in told.pieces)
            for one, output in zip(told.pieces, worker.outputs(told, followed), strict=True):
                yield Piece(parts[one.part].source, output, one.lines, one.refusals, one.taken)
        self.writing = self.pool.whole = None

    def _hand_out(self) -> None:
        """Hand out as many tasks as workers are free for; a stream waits in its place without a worker.

        One that writes hears nothing until it has told what: two that tell each other much would both wait for ever.
        """
        while len(self.handed) < _AHEAD * self.pool.jobs:
            free = [worker for worker in self.idle if worker is not self.writing]
            if not free and len(self.pool.workers) == self.pool.jobs:
                return
            task = next(self.tasks, None)
            if task is None:
                return
            _say(task, self.say)
            worker = None if task.stream else free[0] if free else self.pool.one_more()
            self.handed.append(_Handed(self.number, task, worker))
            if worker is not None:
                if free:
                    self.idle.remove(worker)
                worker.send(_Do(self.number, task.parts))
            self.number += 1

    def _collect(self, seconds: float | None) -> None:
        """Take what workers tell, and give those that are done their next task."""
        ready = wait([worker.connection for worker in self.pool.workers], seconds)
        for worker in self.pool.workers:
            if worker.connection in ready:
                told, followed = worker.receive()
                if told.pieces or told.last or told.error:
                    self.told.append((told, followed))
                if told.idle:
                    self.idle.append(worker)
        self._hand_out()


# --- a worker ---------------------------------------------------------------------------------------------------


def _work(scores: _Scores, not_its: list[Connection], score: Score, show: Show) -> None:
    """Do tasks until nobody gives one."""
    for other in not_its:
        other.close()
    with suppress(EOFError, ConnectionError):  # the process that asked is gone, or has seen enough
        while True:
            task = scores.next_task()
            for number, part in enumerate(task.parts):
                for piece in pieces_of(part, score, show):
                    scores.add(number, piece)
            scores.end()


@dataclass(slots=True)
class _Held:
    """Scores of a task that wait for its turn, or for being told."""

    pieces: list[_Of] = field(default_factory=list)
    outputs: list[bytes | memoryview] = field(default_factory=list)
    size: int = 0
    """Bytes of its pieces; counted as they come, for tiny files make thousands of pieces."""
    refusals: int = 0

    def add(self, part: int, piece: Piece) -> None:
        self.pieces.append(_Of(part, len(piece.output), piece.lines, piece.refusals, piece.taken))
        self.outputs.append(piece.output)
        self.size += len(piece.output)
        self.refusals += len(piece.refusals)

    def clear(self) -> None:
        self.pieces.clear()
        self.outputs.clear()
        self.size = self.refusals = 0


@dataclass(slots=True)
class _Scores:
    """What a worker makes, held back until its turn comes."""

    connection: Connection
    out: int | None
    slot: mmap.mmap | None
    in_slot: bool = False
    """Something is there that nobody has read yet."""
    task: int = -1
    """The task that it is at; others that wait for their turn are done."""
    turn: int = -1
    held: dict[int, _Held] = field(default_factory=dict)  # by task

    def next_task(self) -> _Do:
        """Return what is to be done next, as soon as somebody says so."""
        while True:
            match self.connection.recv():
                case _Do() as do:
                    self.task = do.number
                    self.held[do.number] = _Held()
                    return do
                case other:
                    self._heed(other)

    def add(self, part: int, piece: Piece) -> None:
        """Write a piece of the task that it is at, or hold it back."""
        held = self.held[self.task]
        held.add(part, piece)
        while self.turn != self.task and (self._holds_much() or self._is_told_something()):
            self._heed(self.connection.recv())
        if self.turn == self.task:
            self._write(held)
            if _is_much([held], _TELL):
                self._tell(held)

    def end(self) -> None:
        """Be done with a task."""
        number, self.task = self.task, -1
        if self.turn == number:
            self._tell(self.held.pop(number), last=True, idle=True)
        else:
            self.connection.send(_Told(number, idle=True))

    def _holds_much(self) -> bool:
        return _is_much(self.held.values(), HELD)

    def _is_told_something(self) -> bool:
        """Tell whether something waits to be read."""
        # `Connection.poll` says the same, and takes ten times as long.
        return bool(select.select([self.connection.fileno()], (), (), 0)[0])

    def _heed(self, message: _Turn | _Read) -> None:
        if isinstance(message, _Read):
            self.in_slot = False
            return
        self.turn = message.number
        held = self.held[self.turn]
        self._write(held)
        if self.turn != self.task:
            del self.held[self.turn]
            self._tell(held, last=True)

    def _write(self, held: _Held) -> None:
        if self.out is None:
            return
        try:
            _write_all(self.out, held.outputs)
        except OSError as error:
            self.connection.send(_Told(self.turn, error=error.errno or 0))
            raise EOFError from error  # nobody will ask for more
        held.outputs.clear()

    def _tell(self, held: _Held, *, last: bool = False, idle: bool = False) -> None:
        """Say what was written, or hand it over to be written."""
        told = _Told(self.turn, tuple(held.pieces), last=last, idle=idle)
        if self.slot is None:
            self.connection.send(told)
        elif held.size <= len(self.slot):
            while self.in_slot:
                self._heed(self.connection.recv())
            self.slot.seek(0)
            for output in held.outputs:
                self.slot.write(output)
            self.in_slot = True
            self.connection.send(told._replace(where="slot"))
        else:
            self.connection.send(told._replace(where="follow"))
            for output in held.outputs:
                self.connection.send_bytes(output)
        held.clear()


def _is_much(held: Collection[_Held], size: int) -> bool:
    return sum(one.size for one in held) > size or sum(one.refusals for one in held) > _MANY_REFUSALS


def _write_all(file: int, outputs: Iterable[bytes | memoryview]) -> None:
    for output in outputs:
        rest = memoryview(output)
        while rest:
            rest = rest[os.write(file, rest) :]
