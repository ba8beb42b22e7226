"""A file cut into ranges that several processes read at once, each by itself.

A line belongs to the range in which it begins, so no process needs to know where the lines of another end. What cannot
be cut (gzip, a document over several lines, a single line) is one part, and `Task.why_one` says why.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from mappers.bulk import LONGEST_LINE
from smartapp.populations.reading import BLOCK, STDIN, Damaged, Source, damage, is_document, is_gzip

SIZE: Final = 4 * 1024 * 1024
"""Bytes of a range: so many that handing it out costs little, and so few that its scores can wait in memory."""
SHORTER: Final = "the file became shorter while it was read; what it still had was scored"
_BEYOND: Final = 16 * 1024  # the least to read at once: after the end of a range only its last line is wanted


@dataclass(frozen=True, slots=True)
class Part:
    """What one process reads of a file at once: the lines that begin in [start, end), or all of it if `end` is None.

    `size`: the bytes that the file had when it was cut. What is added to it later is not read.
    """

    source: Source
    start: int = 0
    end: int | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """Parts that one process reads one after another; `why_one` says why no other could help with them.

    A `stream` is read by the process that writes: nobody can open it a second time, and its scores are wanted at once.
    """

    parts: tuple[Part, ...]
    why_one: str = ""
    stream: bool = False


def tasks_of(sources: Iterable[Source], size: int = SIZE) -> Iterator[Task]:
    """Cut files into tasks of about `size` bytes, in order: large ones into ranges, small ones several together."""
    small: list[Part] = []
    together = 0
    for source in sources:
        for task in _cut(source, size):
            (part, *_), length = task.parts, source.size
            if part.end is None and not task.why_one and together + length <= size:
                small.append(part)
                together += length
                continue
            if small:
                yield Task(tuple(small))
                small, together = [], 0
            yield task
    if small:
        yield Task(tuple(small))


def _cut(source: Source, size: int) -> Iterator[Task]:
    whole = (Part(source),)
    try:
        if source.name == STDIN or not stat.S_ISREG(source.path.stat().st_mode):
            yield Task(whole, "is no file on disk", stream=True)
            return
        with source.opened() as file:
            length = os.fstat(file.fileno()).st_size
            why_one = _why_one(file, length, size)
    except OSError:  # whoever reads it says so in its place
        yield Task(whole)
        return
    if why_one or length <= size:
        yield Task(whole, why_one)
        return
    for start in range(0, length, size):
        yield Task((Part(source, start, min(start + size, length), length),))


def _why_one(file: BinaryIO, length: int, size: int) -> str:
    """Say why a file cannot be cut; "" if it can, or is small enough to be one part anyway."""
    if is_gzip(file):
        return "is compressed"
    if length <= size:
        return ""
    first = file.read(BLOCK)
    if is_document(first):
        return "is one document"
    read = len(first)
    while b"\n" not in first:
        first = file.read(BLOCK)
        read += len(first)
        if not first:
            return "is one line"
        if read > LONGEST_LINE:  # that line will be refused, and others may follow
            break
    return ""


def blocks_of_range(part: Part) -> Iterator[bytes]:
    """Yield the lines of a range in blocks; the first is empty unless the range is the first of its file.

    (At the start of a first block a byte order mark is skipped, and only the file's own start is one.) Raises Damaged.
    """
    try:
        with part.source.opened() as file:
            if part.start:
                yield b""
            yield from lines_between(file, part.start, part.size if part.end is None else part.end, part.size)
    except OSError as error:
        raise damage(error) from error


def lines_between(file: BinaryIO, start: int, end: int, size: int) -> Iterator[bytes]:
    """Yield, in blocks, the lines of the first `size` bytes of a file that begin in [start, end).

    A file takes one pass in all, however long its lines: a range in which none begins reads hardly further than its own
    end. Raises Damaged when the file ends before `size`.
    """
    here = max(start - 1, 0)  # a line begins at `start` if a line feed is just before
    file.seek(here)
    begun = start == 0
    while here < size:
        block = file.read(min(BLOCK, max(end - here, _BEYOND), size - here))
        if not block:
            raise Damaged(SHORTER)
        first, here = here, here + len(block)
        if not begun:
            before = block.find(b"\n", 0, max(end - 1 - first, 0))
            if before < 0:
                if here >= end - 1:
                    return
                continue
            begun = True
            block = block[before + 1 :]
            first += before + 1
        # The first line feed from the last byte of the range on ends the last line that began in it.
        last = block.find(b"\n", max(end - 1 - first, 0))
        if last >= 0:
            yield block[: last + 1]
            return
        yield block
