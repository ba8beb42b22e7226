"""How much one network address may ask: a bucket of tokens per address, filled at a steady rate, in this process.

Sign-ins need no session, and each writes a row and may ask an EHR; so they are few. Pages are many, because a whole
hospital may come from one address. What is refused is counted too, and who is refused too often is not heard until the
bucket fills, except by a session that is signed in.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import request

from smartapp.errors import TooManyRequests
from smartapp.web.guard import caller_address, present_session

if TYPE_CHECKING:
    from flask import Flask, Response

    from smartapp.services import Services

BURST_MINUTES: Final = 2
"""A full bucket holds what this many minutes give: people come all at once when a class begins."""
MOST_ADDRESSES: Final = 20_000
SIGN_IN: Final = frozenset({"/launch", "/start", "/caseload", "/callback"})
UNCOUNTED: Final = frozenset({"/healthz", "/readyz"})
ORDINARY: Final = frozenset({409, 413, 422, 429})
"""Refusals that are part of filling in a form, and our own."""


def network(address: str) -> str | None:
    """Return what is counted as one: an IPv4 address, the /64 of an IPv6 one; None for this machine itself.

    What comes from this machine is a proxy that the settings do not name: everyone behind it would be counted as one.
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    known = getattr(known, "ipv4_mapped", None) or known
    if known.is_loopback:
        return None
    return str(known) if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))


@dataclass(slots=True)
class _Level:
    tokens: float
    seen: float


class Buckets:
    """A bucket per address, filled with `per_minute` tokens; 0 means without a limit. `clock` returns seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._most = float(per_minute * BURST_MINUTES)
        self._clock = clock
        self._levels: dict[str, _Level] = {}
        self._lock = threading.Lock()

    def take(self, key: str | None, tokens: float = 1) -> int:
        """Take from the bucket of an address; return 0, or after how many seconds there is enough. 0 tokens: look only.

        What was not there is not taken: who keeps asking does not wait longer for it.
        """
        if key is None or not self._rate:
            return 0
        with self._lock:
            level = self._filled(key)
            if level.tokens >= max(1, tokens):
                level.tokens -= tokens
                return 0
            return math.ceil((1 - level.tokens) / self._rate)

    def _filled(self, key: str) -> _Level:
        now = self._clock()
        if key not in self._levels and len(self._levels) >= MOST_ADDRESSES:
            self._forget(now)
        level = self._levels.setdefault(key, _Level(self._most, now))
        level.tokens = min(self._most, level.tokens + (now - level.seen) * self._rate)
        level.seen = now
        return level

    def _forget(self, now: float) -> None:
        """Forget the addresses whose buckets are full again, and when none is, those that were silent longest."""
        full = BURST_MINUTES * 60
        self._levels = {key: level for key, level in self._levels.items() if now - level.seen < full}
        if len(self._levels) >= MOST_ADDRESSES:
            by_age = sorted(self._levels, key=lambda key: self._levels[key].seen)
            for key in by_age[: MOST_ADDRESSES // 2]:
                del self._levels[key]


def init_limits(app: Flask, services: Services) -> None:
    """Count the requests of each address, before anything else is done for them."""
    settings = services.settings
    pages, sign_ins = Buckets(settings.pages_per_minute), Buckets(settings.sign_ins_per_minute)
    refusals = Buckets(settings.refusals_per_minute)

    @app.before_request
    def count() -> None:
        if request.path in UNCOUNTED:
            return
        who = network(caller_address())
        wait = (sign_ins if request.path in SIGN_IN else pages).take(who)
        if not wait and (wait := refusals.take(who, 0)) and present_session(services) is not None:
            wait = 0
        if wait:
            raise TooManyRequests(wait)

    @app.after_request
    def count_refusal(response: Response) -> Response:
        if 400 <= response.status_code < 500 and response.status_code not in ORDINARY:
            refusals.take(network(caller_address()))
        return response
