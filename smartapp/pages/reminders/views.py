"""What the page of reminders shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from smartapp.settings import mailbox
from smartapp.storage.reminders import Chosen, Problem, State
from smartapp.web.language import gettext as _
from smartapp.web.language import place_zone

OFF: Final = "off"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a choice is; `last` is when the last message went, in the zone of the place."""

    state: State
    address: str
    problem: Problem
    last: dt.datetime | None


def standing_of(chosen: Chosen | None) -> Standing | None:
    """Return how far a choice is; None where nothing is chosen."""
    if chosen is None:
        return None
    last = dt.datetime.fromtimestamp(chosen.last, place_zone()) if chosen.last else None
    return Standing(chosen.state, chosen.choice.address, chosen.choice.problem, last)


@dataclass(frozen=True, slots=True)
class ReminderForm:
    """The form, with what was chosen and typed. `ways` are the ways that there are here: mail, portal."""

    ways: Sequence[str]
    often: str
    how: str
    address: str

    @property
    def how_often(self) -> list[dict[str, Any]]:
        """Return how often a message can come, as choices."""
        return [
            {"value": OFF, "label": _("No messages")},
            {
                "value": "once",
                "label": _("Once for each thing"),
                "help": _("One message when something is ready for you. About the same thing no more."),
            },
            {
                "value": "weekly",
                "label": _("At most once a week"),
                "help": _("As long as something is ready for you. About the same thing at most four times."),
            },
        ]

    @property
    def hows(self) -> list[dict[str, Any]]:
        """Return the ways, as choices."""
        labels = {"mail": _("By mail"), "portal": _("In the portal of your care provider")}
        return [{"value": way, "label": labels[way]} for way in self.ways]

    def errors(self) -> list[dict[str, str]]:
        """Return what is to be mended, as {field, text}."""
        found = []
        if self.often not in ("once", "weekly"):
            found.append({"field": "choice-often", "text": _("Choose how often you want a message.")})
        if self.how not in self.ways:
            found.append({"field": "choice-how", "text": _("Choose where you want the message.")})
        elif self.how == "mail" and not _is_mailbox(self.address):
            found.append({"field": "address", "text": _("Type an e-mail address, such as name@example.org.")})
        return found


def _is_mailbox(text: str) -> bool:
    try:
        mailbox(text)
    except ValueError:
        return False
    return True
