"""Small files that say how far something has come: written whole or not at all, and on the disk when that is said.

They are for who runs it alone: an address of an exported file may be all that is needed to fetch it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replaced(path: Path, content: bytes) -> None:
    """Put this content in the place of a file. Whoever is ended while it is written leaves what was there before."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)  # of a run that was ended, perhaps with another mode
    beside.touch(0o600, exist_ok=False)
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    synced(path.parent)


def synced(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can tell."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Busy(Exception):
    """Another run is at work at the same path."""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only run at a file or folder that exists, until this ends or the process does. Raises Busy.

    A system or a disk that keeps no locks gives none.
    """
    handle = os.open(path, os.O_RDONLY) if os.name == "posix" else None
    try:
        if handle is not None:
            _lock(handle)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _lock(handle: int) -> None:
    import fcntl  # noqa: PLC0415 - Windows has none

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy from None
    except OSError:  # no locks here
        return
