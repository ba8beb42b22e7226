"""How many rows of the log a stranger can write: a few as they are, and the rest of a minute as one row with counts.

Each row costs a flush of the disk and is kept for years, and anyone may send what we refuse.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter, defaultdict

MOST_OF_ONE = 10
MOST_OF_ALL = 100
"""Rows a minute, of one address and of all together, that say each what was refused."""

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
        owed = [(who, "several", _counts(reasons)) for who, reasons in self._counted.items()]
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
