"""Two screens: what a professional typed waits until the client says yes in their own launch.

It carries what the form held, with the digests of what that was based on: so it meets what changed meanwhile like any
other save. Who typed it stays its author; whose words it is was never a question.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import request

from mappers.plan import PersonRef
from smartapp.i18n import message
from smartapp.storage.handed_over import HandedOver, State
from smartapp.web import current, with_client
from smartapp.web.confirming import SHOW
from smartapp.web.forms import sketch_name
from smartapp.web.language import format_date, place_zone
from smartapp.web.language import gettext as _

HANDED: Final = "handed"
"""The field of a form that says which words the client answers."""
ANSWER: Final = "reply"
"""The field with which the client says something else than yes: one of CHANGE and REFUSE."""
CHANGE: Final = "change"
REFUSE: Final = "refuse"
HAND_OVER: Final = "hand-over"
"""The field with which a professional lets the client say yes on their own screen."""

GONE: Final = message("These words do not wait here any more.")
REFUSED: Final = message("The words are thrown away. Nothing of them is saved.")


@dataclass(frozen=True, slots=True)
class HandedView:
    """Words that wait, as a page names them: their form, who typed them, where they are, and what became of them."""

    id: str
    title: str
    name: str
    href: str
    says: str
    waits: bool


def hand_over(form: str, title: str, fields: Mapping[str, str]) -> str:
    """Let what a form (`Sketch.of`) holds wait for the client, and return the sentence that says so."""
    here = current.launch()
    who = with_client.author()
    made = HandedOver(
        id="",
        form=sketch_name(form),
        page="/".join(request.path.split("/")[3:]),
        title=title,
        typist=who.reference,
        name=with_client.typist_name(),
        writer=_me(),
        made=0,
        fields=dict(fields),
    )
    words = current.services().handed_over(here).hand_over(made)
    # It is in no record yet, and still the client's to know: somebody typed words of theirs.
    current.services().audit.record(here, "create", [request.endpoint or "", HANDED])
    values = {"name": with_client.first_name(with_client.client_name()), "day": _day(words.until)}
    return _("These words wait for %(name)s until %(day)s, on their own start page.", **values)


def withdraw(form: str) -> None:
    """Let what this user handed over of a form wait no longer."""
    current.services().handed_over(current.launch()).withdraw(_me(), sketch_name(form))


def take_back(id_: str) -> None:
    """Let what this user handed over under an id wait no longer; that of somebody else stays."""
    there = current.services().handed_over(current.launch())
    for one in there.all():
        if one.id == id_ and one.writer == _me():
            there.withdraw(one.writer, one.form)


def waiting(id_: str, form: str) -> HandedOver | None:
    """Return what waits under an id, where it is of this form and this person; None where nothing does."""
    found = current.services().handed_over(current.launch()).waiting(id_)
    return found if found is not None and found.form == sketch_name(form) else None


def answer(id_: str, state: State) -> None:
    """Say what the client answered."""
    current.services().handed_over(current.launch()).answer(id_, state)


def typist(words: HandedOver) -> PersonRef:
    """Return who typed words that waited."""
    return PersonRef(words.typist, words.name)


# --- as pages name it -----------------------------------------------------------------------------------------------


def for_me() -> tuple[HandedView, ...]:
    """Return what waits for the client of this launch; nothing for any other reader."""
    here = current.launch()
    if here.user.role != "client":
        return ()
    found = current.services().handed_over(here).all()
    return tuple(_view(one, _("You can say so until %(day)s.", day=_day(one.until))) for one in found if _waits(one))


def by_me() -> tuple[HandedView, ...]:
    """Return what the professional of this launch handed over, and what became of it."""
    found = current.services().handed_over(current.launch()).all()
    return tuple(_view(one, _said(one)) for one in found if one.writer == _me())


def _waits(one: HandedOver) -> bool:
    return one.state == "waiting"


def _view(one: HandedOver, says: str) -> HandedView:
    here = current.launch()
    address = f"{request.script_root}/l/{here.id}/{one.page}"
    href = f"{address}?{SHOW}={one.id}" if here.user.role == "client" else address
    return HandedView(one.id, one.title, one.name, href, says, _waits(one))


def _said(one: HandedOver) -> str:
    name = with_client.first_name(with_client.client_name())
    values = {"name": name, "day": _day(one.until if one.state == "waiting" else one.answered)}
    sentences = {
        "waiting": _("Waits for %(name)s until %(day)s.", **values),
        "confirmed": _("%(name)s said yes on %(day)s.", **values),
        "changed": _("%(name)s says it in other words. Nothing was saved of these.", **values),
        "refused": _("%(name)s said no on %(day)s. Nothing was saved.", **values),
        "over": _("%(name)s did not answer before %(day)s. Nothing was saved.", **values),
    }
    return sentences[one.state]


def _day(moment: int) -> str:
    return format_date(dt.datetime.fromtimestamp(moment, place_zone()).date())


def _me() -> str:
    return current.services().vault.digest(f"handed over|{current.launch().user.key}")
