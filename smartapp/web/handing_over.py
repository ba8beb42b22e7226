"""Two screens: what a professional typed waits until the client says yes in their own launch.

It carries what the form held, with the digests of what that was based on: so it meets what changed meanwhile like any
other save. Who typed it stays its author; whose words it is was never a question.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import PersonRef
from smartapp.i18n import message
from smartapp.storage.handed_over import HandedOver, State
from smartapp.web import confirming, current, with_client
from smartapp.web.confirming import SHOW
from smartapp.web.fields import Link
from smartapp.web.forms import sketch_name
from smartapp.web.language import format_date, place_zone
from smartapp.web.language import gettext as _

HANDED: Final = "handed"
"""The field of a form that says which words the client answers: where they wait, and a mark of them."""
ANSWER: Final = "reply"
"""The field with which the client says something else than yes: one of CHANGE and REFUSE."""
CHANGE: Final = "change"
REFUSE: Final = "refuse"
HAND_OVER: Final = "hand-over"
"""The field with which a professional lets the client say yes on their own screen."""

_MARK: Final = "."

GONE: Final = message("These words do not wait here any more.")
CHANGED: Final = message("Other words wait here by now. Read these, and say whether they are right.")
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


def hand_over(form: str, title: str, fields: Mapping[str, str], words: Sequence[str]) -> str:
    """Let what a form (`Sketch.of`) holds wait for the client, and return the sentence that says so.

    `words` names the fields with words.
    """
    here = current.launch()
    who = with_client.author()
    made = HandedOver(
        id="",
        form=sketch_name(form),
        page=_page(),
        title=title,
        typist=who.reference,
        name=with_client.typist_name(),
        writer=_me(),
        made=0,
        fields=dict(fields),
        words=tuple(words),
    )
    waits = current.services().handed_over(here).hand_over(made)
    # It is in no record yet, and still the client's to know: somebody typed words of theirs.
    current.services().audit.record(here, "create", [request.endpoint or "", HANDED])
    values = {"name": with_client.client_called(), "day": _day(waits.until)}
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


def read(sent: str, form: str) -> HandedOver | None:
    """Return the words that a page showed, by what it `sent` of them; None where they do not wait any more."""
    id_, _mark, mark = sent.partition(_MARK)
    found = waiting(id_, form)
    return found if found is not None and found.mark == mark else None


def others_than(sent: str, form: str) -> HandedOver | None:
    """Return what waits in the place of words that a page showed, None where nothing does."""
    return waiting(sent.partition(_MARK)[0], form)


def sent_of(words: HandedOver) -> str:
    """Return what a page that shows these words sends of them."""
    return f"{words.id}{_MARK}{words.mark}"


def answer(words: HandedOver, state: State) -> None:
    """Say what the client answered to these words, and to no others that came in their place."""
    current.services().handed_over(current.launch()).answer(words.id, state, words.mark)


def typist(words: HandedOver) -> PersonRef:
    """Return who typed words that waited."""
    return PersonRef(words.typist, words.name)


def of_what_is_gone(back: str = "") -> ResponseReturnValue | None:
    """Return what a client is told whose words wait at this address, where there is nothing any more; else None.

    They waited for a row or a goal that was taken out since. The client reads them, and can throw them away; who lets
    them wait goes to `back`, or else to the start page.
    """
    here = current.launch_or_none()
    if here is None or here.user.role != "client":
        return None
    sent = request.form.get(HANDED, "") if request.method == "POST" else request.args.get(SHOW, "")
    words = current.services().handed_over(here).waiting(sent.partition(_MARK)[0])
    if words is None or words.page != _page():
        return None
    if request.form.get(ANSWER) == REFUSE and sent == sent_of(words):
        answer(words, "refused")
        flash(_(REFUSED), "message")
        return redirect(url_for("home.index"), 303)
    page = confirming.ConfirmPage(
        title=_("What these words belong to is not there any more"),
        lead=_("%(typist)s wrote this down with you. It can no longer be saved there.", typist=words.name),
        yes=_("Throw these words away"),
        no=Link(_("Let them wait"), back or url_for("home.index")),
        action=request.script_root + request.path,
        fields=((HANDED, sent_of(words)), (ANSWER, REFUSE)),
        kicker=words.title,
        changes=tuple(confirming.Change("", "", words.fields.get(name, ""), plain=False) for name in words.words),
    )
    return confirming.shown(page), 410


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
    name = with_client.client_called()
    values = {"name": name, "day": _day(one.until if one.state == "waiting" else one.answered)}
    sentences = {
        "waiting": _("Waits for %(name)s until %(day)s.", **values),
        "confirmed": _("%(name)s said yes on %(day)s.", **values),
        "changed": _("%(name)s says it in other words. Nothing was saved of these.", **values),
        "refused": _("%(name)s said no on %(day)s. Nothing was saved.", **values),
        "over": _("%(name)s did not answer before %(day)s. Nothing was saved.", **values),
    }
    return sentences[one.state]


def _page() -> str:
    """Return the address of this page in the record."""
    return "/".join(request.path.split("/")[3:])


def _day(moment: int) -> str:
    return format_date(dt.datetime.fromtimestamp(moment, place_zone()).date())


def _me() -> str:
    return current.services().vault.digest(f"handed over|{current.launch().user.key}")
