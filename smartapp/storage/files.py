"""The files of an SQLite database: nobody else may read them, and one app process at a time works with them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO


class InUse(RuntimeError):
    """Another process holds the file."""


def keep_private(database: Path) -> None:
    """Make the file of a database, and those that SQLite keeps beside it, readable for us alone.

    SQLite gives a new file beside it the same rights. Raises PermissionError where an existing one is not ours.
    """
    for file in (database, *(database.with_name(database.name + suffix) for suffix in ("-wal", "-shm"))):
        if os.name == "posix" and file.exists() and file.stat().st_mode & 0o077:
            file.chmod(0o600)


def hold(lock: Path) -> IO[bytes]:
    """Hold a file until what is returned is closed, or this process ends. Raises InUse.

    A file of its own and not the database: SQLite has locks of its own on that one.
    """
    held = os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        _lock(held)
    except OSError as error:
        held.close()
        raise InUse(lock) from error
    return held


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
