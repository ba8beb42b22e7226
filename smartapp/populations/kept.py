"""Small files that say how far something has come: written whole or not at all, and on the disk when that is said."""

from __future__ import annotations

import os
from pathlib import Path


def replaced(path: Path, content: bytes) -> None:
    """Put this content in the place of a file. Whoever is ended while it is written leaves what was there before."""
    beside = path.with_name(f"{path.name}.new")
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
