"""What can become of one write on its way to a place: the states, the events, and which event leads where.

This table is the whole of it; docs/delivery.md shows it and says who may cause which event. Nothing else in the app
changes the state of a parcel than `after`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

State = Literal["ready", "sent", "arrived", "conflict", "refused"]
Event = Literal[
    "sending",
    "confirmed",
    "unanswered",
    "absent",
    "older",
    "not welcome",
    "kept here",
    "overtaken",
    "not taken",
    "try again",
]

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    # Noted before it leaves: a process that dies while it waits for the answer can note nothing any more.
    ("ready", "sending"): "sent",
    # Our own list of what arrived says that it is there, and says the same.
    ("ready", "confirmed"): "arrived",
    # Its author shares it with nobody who would read it there, so it stays with us: it has not left yet.
    ("ready", "kept here"): "ready",
    # The lock of a move was overtaken, and what would have followed it with it; or a score's response was.
    ("ready", "overtaken"): "conflict",
    # A server proved that it has it: by its answer, or by what it gives back when we look.
    ("sent", "confirmed"): "arrived",
    # No answer, or none that proves anything: it may have arrived, so we look before it is sent again.
    ("sent", "unanswered"): "sent",
    # We looked and it is not there, or the server said that it did not do it.
    ("sent", "absent"): "ready",
    # What is there is an earlier content of the same author: it is amended, guarded by the version that was found.
    ("sent", "older"): "ready",
    # Refused here, and there is a place further down the ladder.
    ("sent", "not welcome"): "ready",
    ("sent", "overtaken"): "conflict",
    ("sent", "not taken"): "refused",
    # Its author, or the operator, asks for it: we look first, as for all that may have been sent.
    ("conflict", "try again"): "sent",
    ("refused", "try again"): "sent",
}

OPEN: Final[frozenset[State]] = frozenset({"ready", "sent"})
"""There is still something that we can do by ourselves."""

STOPPED: Final[frozenset[State]] = frozenset({"conflict", "refused"})
"""It stays, with its words, until its author decides."""


class ImpossibleEvent(RuntimeError):
    """An event that cannot happen in this state: a mistake of ours, and never a reason to forget what was written."""


def after(state: State, event: Event) -> State:
    """Return the state that follows. Raises ImpossibleEvent."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleEvent(f"{event!r} cannot happen to what is {state!r}.") from None
