"""When a message that something is ready may be sent: by day, and as often as the client chose. Pure: no clock.

Days are those of the place's own time zone. A client who opened the app since something was ready knows of it: about
that nothing is sent any more. *Once*: about each thing one message. *Weekly*: at most one message in seven days, for as
long as something is ready and the app was not opened; after a few about the same thing it is quiet too.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Often = Literal["once", "weekly"]

DAY_BEGINS: Final = 9
DAY_ENDS: Final = 20
"""Hours of the clock on the wall between which messages are sent."""
WEEK: Final = dt.timedelta(days=7)
MOST_OF_ONE: Final = 4
"""Messages about the same thing to who chose weekly: after a month without an answer, more of them would be nagging."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is ready at a moment (seconds since 1970), and in how many messages it was told."""

    id: str
    ready: int
    told: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often somebody wants a message; when they opened the app last, and when the last one was sent, if ever."""

    often: Often
    opened: int
    last: int | None = None

    def wants(self, thing: Thing) -> bool:
        """Tell whether a message about something is still wanted, now or when it is ready."""
        return thing.ready > self.opened and thing.told < (1 if self.often == "once" else MOST_OF_ONE)

    def now_about(self, things: Iterable[Thing], now: float) -> list[Thing]:
        """Return what a message that is sent now is about."""
        return [one for one in things if one.ready <= now and self.wants(one)]

    def next(self, things: Sequence[Thing], zone: dt.tzinfo) -> int | None:
        """Return when the next message may be sent, by what is known now; None for never."""
        first = min((one.ready for one in things if self.wants(one)), default=None)
        if first is None:
            return None
        if self.often == "weekly" and self.last is not None:
            first = max(first, a_week_after(self.last, zone))
        return by_day(first, zone)


def by_day(moment: float, zone: dt.tzinfo) -> int:
    """Return the first moment at or after another at which it is day."""
    there = dt.datetime.fromtimestamp(moment, zone)
    if DAY_BEGINS <= there.hour < DAY_ENDS:
        return math.ceil(moment)
    return _morning(there.date() + dt.timedelta(days=there.hour >= DAY_ENDS), zone)


def a_week_after(moment: float, zone: dt.tzinfo) -> int:
    """Return the morning of the same day a week later: by the calendar, so that summer time shifts nothing."""
    return _morning(dt.datetime.fromtimestamp(moment, zone).date() + WEEK, zone)


def _morning(day: dt.date, zone: dt.tzinfo) -> int:
    return int(dt.datetime.combine(day, dt.time(DAY_BEGINS), zone).timestamp())
