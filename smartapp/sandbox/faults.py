"""Faults on demand, for tests of what the app does when an EHR answers badly. No one can set one over the network."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

# A status: that answer instead of the real one, and nothing is done. `timeout`: no answer until `release` (or 60 s).
# `drop`: it is done, but the connection breaks before the answer. `drop-before`: it breaks and nothing is done.
FaultAction = int | Literal["timeout", "drop", "drop-before"]


@dataclass
class Fault:
    """One fault: the next `times` calls of `method` on `type`.

    `*` is any; the type `Bundle` is the base, `token` the token endpoint.
    """

    method: str
    type: str
    action: FaultAction
    times: int = 1


@dataclass
class Faults:
    """The faults that wait to happen, in order, and how many have happened."""

    waiting: list[Fault] = field(default_factory=list)
    happened: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _released: threading.Event = field(default_factory=threading.Event)

    def add(self, method: str, type_: str, action: FaultAction, times: int = 1) -> None:
        """Let the next `times` calls of `method` on `type_` go wrong."""
        with self._lock:
            self._released.clear()
            self.waiting.append(Fault(method, type_, action, times))

    def clear(self) -> None:
        """Forget all faults and let go of the calls that hang."""
        with self._lock:
            self.waiting.clear()
            self.happened = 0
            self._released.set()

    def take(self, method: str, type_: str) -> FaultAction | None:
        """Return what must go wrong with this call, or None."""
        # Locked: the server of the tests answers in several threads.
        with self._lock:
            for fault in self.waiting:
                if fault.method in ("*", method) and fault.type in ("*", type_):
                    fault.times -= 1
                    if fault.times == 0:
                        self.waiting.remove(fault)
                    self.happened += 1
                    return fault.action
        return None

    def hang(self) -> None:
        """Wait until released, at most a minute."""
        self._released.wait(60)
