"""What the pages of links show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from smartapp.i18n import message
from smartapp.pages.links.content import Shareable
from smartapp.pages.links.service import LASTING
from smartapp.storage.health_links import HealthLink
from smartapp.web.language import format_list, place_zone
from smartapp.web.language import gettext as _

ENDED_BY: Final = {
    "person": message("You stopped this link."),
    "time": message("The time of this link is over."),
    "tries": message("This link stopped after too many wrong codes."),
}


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link in the list of its person. Times are in the zone of the place; `last` is None where nobody opened it."""

    id: str
    title: str
    made: dt.datetime
    until: dt.datetime
    is_open: bool
    asks_passcode: bool
    opened: int
    last: dt.datetime | None
    refused: int
    ended_by: str
    ended: dt.datetime | None


def link_view(link: HealthLink, now: float) -> LinkView:
    """Return a link as the list shows it."""
    is_open = link.is_open(now)
    return LinkView(
        id=link.id,
        title=link.about.title,
        made=_moment(link.made),
        until=_moment(link.until),
        is_open=is_open,
        asks_passcode=link.about.asks_passcode,
        opened=link.opened,
        last=_moment(link.last_opened) if link.last_opened else None,
        refused=link.refused,
        ended_by="" if is_open else _(ENDED_BY[link.ended_by]),
        ended=None if is_open else _moment(min(link.ended or link.until, link.until)),
    )


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, place_zone())


@dataclass(frozen=True, slots=True)
class LinkForm:
    """The form that makes a link, with what was chosen. `key` is of this form: sent twice, it makes one link.

    `errors` are {field, text}; `may_open` says of what can be shared whether it may open without a passcode.
    """

    options: Sequence[Shareable]
    what: str
    days: str
    passcode: str
    without: bool
    key: str
    errors: Sequence[dict[str, str]] = ()
    only_mine: Mapping[str, list[str]] = field(default_factory=dict)
    """By what can be shared: what its parts are called that nobody but the client reads."""

    @property
    def whats(self) -> list[dict[str, Any]]:
        """Return what can be shared, as choices."""
        helps = {
            "card": _("The most important things, for who has to help you at once."),
            "form": _("All that is written in this form."),
            "plan": _("All that is in your plan: what you wrote, your goals and your steps."),
        }
        return [
            {"value": one.what, "label": one.title, "help": f"{helps[one.kind]} {self._mine(one)}".strip()}
            for one in self.options
        ]

    def _mine(self, one: Shareable) -> str:
        parts = self.only_mine.get(one.what)
        return _("Until now you alone read: %(parts)s.", parts=format_list(parts)) if parts else ""

    @property
    def lasting(self) -> list[dict[str, Any]]:
        """Return how long a link can be opened, as choices."""
        return [{"value": days, "label": _(sentence)} for days, sentence in LASTING.items()]

    @property
    def card(self) -> str:
        """Return what the card is called that may open without a passcode, "" where there is none."""
        return next((one.title for one in self.options if one.for_strangers), "")

    def error(self, field: str) -> str:
        """Return what is to be mended in a field, "" for nothing."""
        return next((one["text"] for one in self.errors if one["field"] == field), "")
