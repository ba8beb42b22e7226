"""What the pages around a door show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from questionnaires.catalogue import Catalogue
from smartapp.i18n import message
from smartapp.storage.doors import Door, State
from smartapp.web.language import format_datetime, place_zone, text_of
from smartapp.web.language import gettext as _

SAYS: Final[dict[State, str]] = {
    "made": message("Not opened yet. It can be opened until %(until)s."),
    "opened": message("Opened on %(opened)s. It is being filled in now."),
    "sent": message("Filled in and sent on %(ended)s."),
    "left": message("Stopped without sending. What was answered is kept for the client alone."),
    "refused": message("Whoever had the device said: this is not for me."),
    "over": message("The time was over before it was sent. What was answered is kept for the client alone."),
    "withdrawn": message("Withdrawn."),
}
NOT_OPENED: Final = message("Nobody opened it in time.")
ON_ITS_WAY: Final = message("Filled in on %(ended)s. The answers are kept here and have not arrived in the record yet.")


@dataclass(frozen=True, slots=True)
class DoorRow:
    """One door in the list of who made it; `open` while it can be opened or filled in, and so withdrawn."""

    id: str
    title: str
    made: dt.datetime
    says: str
    open: bool


def row_of(door: Door, known: Catalogue, now: float, on_their_way: Collection[str]) -> DoorRow:
    """Return how a door stands; `on_their_way` are our identifiers of responses that have not arrived."""
    state = door.state(now)
    says = SAYS[state]
    if state == "over" and door.opened is None:
        says = NOT_OPENED
    if state == "sent" and door.response in on_their_way:
        says = ON_ITS_WAY
    told = {"until": _moment(door.until), "opened": _moment(door.opened), "ended": _moment(door.ended)}
    return DoorRow(
        id=door.id,
        title=title_of(door.instrument, known),
        made=dt.datetime.fromtimestamp(door.made, place_zone()),
        says=_(says, **{name: when for name, when in told.items() if f"%({name})s" in says}),
        open=state in ("made", "opened"),
    )


def title_of(instrument: str, known: Catalogue) -> str:
    """Return what a questionnaire is called; its id where it is not there any more."""
    found = known.instruments.get(instrument)
    return text_of(found.title) if found else instrument


def initials(name: str) -> str:
    """Return the first letters of the words of a name: enough to see that it is not yours, and no name."""
    return " ".join(f"{word[0]}." for word in name.replace("-", " ").split() if word[0].isalpha())


def in_fours(code: str) -> str:
    """Return a code as it is read out: four signs, and four more."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _moment(seconds: int | None) -> str:
    return "" if seconds is None else format_datetime(dt.datetime.fromtimestamp(seconds, place_zone()))
