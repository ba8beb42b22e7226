"""How many rows of the log a refusal can make: a few as they are, and the rest of a minute as one row with counts.

Each row costs a flush of the disk and is kept for years. Anyone may send what we refuse, and so may who is signed in.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smartapp.storage.launches import Launch

MOST_OF_ONE = 10
MOST_OF_ALL = 100
"""Rows a minute, of one address and of all together, that say each what was refused."""

SEVERAL = "several"
"""What was refused, in the one row that counts."""

Row = tuple[str, str, str]
"""The address, what was refused there, and why."""


class Strangers:
    """Decides which rows are written now. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._minute = 0
        self._written: Counter[str] = Counter()
        self._counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._lock = threading.Lock()

    def rows(self, address: str, what: str, reason: str, now: float) -> list[Row]:
        """Return the rows to write because this was refused: those owed for the minute before, and perhaps its own."""
        who = _network(address)
        with self._lock:
            rows = self._owed(int(now // 60))
            if self._written[who] < MOST_OF_ONE and self._written.total() < MOST_OF_ALL:
                self._written[who] += 1
                return [*rows, (address, what, reason)]
            # An address of which no row is written is counted with all others like it: there may be millions.
            self._counted[who if self._written[who] else ""][reason] += 1
            return rows

    def _owed(self, minute: int) -> list[Row]:
        if minute == self._minute:
            return []
        owed = [(who, SEVERAL, _counts(reasons)) for who, reasons in self._counted.items()]
        self._minute = minute
        self._written.clear()
        self._counted.clear()
        return owed


class Attempts:
    """Decides the same for people we know: each launch has its own ten rows a minute, whatever the others do."""

    def __init__(self) -> None:
        self._minute = 0
        self._written: Counter[str] = Counter()
        self._counted: dict[str, tuple[Launch, Counter[str]]] = {}
        self._lock = threading.Lock()

    def rows(self, launch: Launch, what: str, reason: str, now: float) -> list[tuple[Launch, str, str]]:
        """Return the rows to write because this was refused: the launch, what it was refused, and why."""
        with self._lock:
            rows = self._owed(int(now // 60))
            if self._written[launch.id] < MOST_OF_ONE:
                self._written[launch.id] += 1
                return [*rows, (launch, what, reason)]
            self._counted.setdefault(launch.id, (launch, Counter()))[1][reason] += 1
            return rows

    def _owed(self, minute: int) -> list[tuple[Launch, str, str]]:
        if minute == self._minute:
            return []
        owed = [(launch, SEVERAL, _counts(reasons)) for launch, reasons in self._counted.values()]
        self._minute = minute
        self._written.clear()
        self._counted.clear()
        return owed


def _counts(reasons: Counter[str]) -> str:
    each = ", ".join(f"{reason} {number}" for reason, number in reasons.most_common())
    return f"{reasons.total()} more in a minute: {each}"


def _network(address: str) -> str:
    """Return what one subscriber has: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
