"""Where another engine is, and that it can stop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class EngineError(Exception):
    """An engine is not there, or stopped; the message says what to do, or what it said last."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Spark or Sail is (None: here), the wheel to send to its workers, and the folder that they write to.

    With a folder only counts and refusals come back.
    """

    master: str | None = None
    package: Path | None = None
    folder: Path | None = None

    @property
    def is_here(self) -> bool:
        """Tell whether it is a session on this machine, which ends with us."""
        return self.master is None or self.master.startswith("local")
