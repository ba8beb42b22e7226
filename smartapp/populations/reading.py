"""Files of responses, read in blocks: plain or gzip, NDJSON or one document over several lines, a folder, a pipe.

Whatever goes wrong while a file is read is `Damaged`: what came before it counts, and other files are still read.
"""

from __future__ import annotations

import errno
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from mappers.bulk import BOM, LONGEST_LINE

BLOCK: Final = 256 * 1024  # small enough for the processor's cache
STDIN: Final = "-"
STATE: Final = "bulk-export.json"
"""What `verstel bulk fetch` keeps in its folder about how far it came."""
EXPORTED: Final = ("*QuestionnaireResponse*.ndjson", "*QuestionnaireResponse*.ndjson.gz")
_GZIP: Final = b"\x1f\x8b"


class Damaged(Exception):
    """The rest of a file cannot be read; the message says why, to follow the number of the line."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file to read; "-" is standard input. A file that is named twice is two sources."""

    name: str

    @property
    def path(self) -> Path:
        """Where the file is; of standard input there is none."""
        return Path(self.name)

    @property
    def shown(self) -> str:
        """Its name as text that every file of text takes: bytes that are no UTF-8 are spelled out."""
        return self.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

    @property
    def size(self) -> int:
        """Its bytes on disk; 0 for what has no end yet, such as a pipe, and for what cannot be asked."""
        try:
            return self.path.stat().st_size if self.name != STDIN and self.path.is_file() else 0
        except OSError:
            return 0

    def is_file(self, name: str) -> bool:
        """Tell whether a path, which need not exist, is this very file, however it is spelt."""
        return self.name != STDIN and Path(name).exists() and self.path.exists() and self.path.samefile(name)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open it only while it is read: an export may have more files than a process may hold open."""
        if self.name == STDIN:
            if sys.stdin is None:
                raise OSError(errno.EBADF, "standard input is closed")
            yield sys.stdin.buffer
            return
        with self.path.open("rb") as file:
            yield file


class Unfinished(Exception):
    """A folder holds an export that is not whole yet: files are missing, and what was deleted may be in the others."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder}: verstel bulk fetch is not done with this folder. Run it again until it is complete, or name"
            " the files in it that are to be read as they are."
        )


def exported(folder: Path) -> list[Source]:
    """Return the responses of a bulk export, in the order of their names; empty if the folder has none.

    Raises Unfinished.
    """
    state = folder / STATE
    if state.exists() and b'"done":true' not in state.read_bytes().replace(b" ", b""):
        raise Unfinished(folder)
    return [Source(str(path)) for path in sorted(path for pattern in EXPORTED for path in folder.glob(pattern))]


def pieces_of(file: BinaryIO, longest: int = LONGEST_LINE) -> Iterator[tuple[int, bytes, bool]]:
    """Yield each line with its number (from 1), its end, and True; a line longer than `longest` in pieces with False.

    So whoever needs whole lines never holds more of one than `verstel score` would take.
    """
    number, inside = 1, False
    while piece := file.readline(longest + 1):  # with the line feed, which does not count
        ends = piece.endswith(b"\n")
        yield number, piece, not inside and (ends or len(piece) <= longest)
        number, inside = number + ends, not ends


def is_gzip(file: BinaryIO) -> bool:
    """Tell by the first bytes, and leave them to be read: standard input has no name to tell by."""
    peek = getattr(file, "peek", None)
    return peek is not None and bytes(peek(2)[:2]) == _GZIP


def is_document(first: bytes) -> bool:
    """Tell by its first block whether a file is one JSON document over several lines, and no NDJSON.

    The first line that is not blank tells the two apart: only in a document does it hold nothing but an opening brace.
    """
    return first.removeprefix(BOM).lstrip().split(b"\n", 1)[0].strip() in (b"{", b"[")


def blocks_of(source: Source, read: Callable[[int], None]) -> Iterator[bytes]:
    """Yield a whole file in blocks, unpacked, a document on one line; `read` is told the bytes of the file each took.

    Raises Damaged.
    """
    try:
        with source.opened() as file:
            yield from _on_one_line(_blocks(file, read))
    except (OSError, EOFError, zlib.error) as error:
        raise damage(error) from error


def damage(error: Exception) -> Damaged:
    """Return what an error of reading is called in a list of refusals."""
    if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
        return Damaged(f"the file cannot be read from here: {error.strerror or error}")
    return Damaged(f"the gzip file is damaged from here: {error}")


def _blocks(file: BinaryIO, read: Callable[[int], None]) -> Iterator[bytes]:
    taken = 0
    # read1 returns what has been decompressed so far; read would discard it if damage came before the block was full.
    more = gzip.GzipFile(fileobj=file).read1 if is_gzip(file) else file.read
    while block := more(BLOCK):
        if file.seekable():
            here = file.tell()
            read(here - taken)
            taken = here
        yield block


def _on_one_line(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Put a document on one line: a line feed between JSON tokens is white space, so it may become a space."""
    first = next(blocks, b"")
    every = chain([first], blocks)
    return (block.replace(b"\n", b" ") for block in every) if is_document(first) else every
