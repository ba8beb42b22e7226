"""A questionnaire on another device: made by who works with the client, filled in there, and taken over by the client.

Three people meet these pages, each their own (`access.toml`): who makes a door and sees what became of it, whoever has
the device, and the client, who finds in their own place what they answered there and did not send.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.answers import IDENTIFIER_SYSTEM
from mappers.identity import values_in
from mappers.sharing.parts import answers_part
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.i18n import message
from smartapp.pages.door.opening import site_blueprint
from smartapp.pages.door.views import in_fours, initials, row_of, title_of
from smartapp.pages.links import qr
from smartapp.pages.questionnaire.drafting import about
from smartapp.pages.questionnaire.filling import OtherVersion, draft_of, filling_of
from smartapp.storage.doors import (
    FINISH_SECONDS,
    LOGGED_AS,
    MOST_DOORS,
    UNTOUCHED_SECONDS,
    Door,
    NewDoor,
    TooManyDoors,
)
from smartapp.web import current
from smartapp.web.device import door_here, left
from smartapp.web.language import gettext as _
from smartapp.web.language import language, place_zone
from smartapp.web.left_behind import left_behind

__all__ = ["blueprint", "site_blueprint"]

blueprint = Blueprint("door", __name__, url_prefix="/door", template_folder="templates")

MOST_SHOWN: Final = 20
WITHDRAWN: Final = message("It is withdrawn. Whatever was open on the other device is wiped there.")
IS_OVER: Final = message("This was over already.")
MADE_BEFORE: Final = message("This was made already. Its QR code is shown only once; make a new one if you need it.")
TOO_MANY: Final = message("There are %(most)s at once for this client. Withdraw one of them first.")
NEEDS_CHOICE: Final = message("Choose a questionnaire.")
TAKEN_OVER: Final = message("Your answers from the other device are here now. Only you can see them.")
OWN_FIRST: Final = message("You have answers of your own here. Send those in first, or begin again.")
PUT_AWAY: Final = message("The answers from the other device are thrown away.")


class OwnAnswers(Exception):
    """The client has answers of their own to this questionnaire, which nothing replaces."""


# ---- of who makes one ------------------------------------------------------------------------------------------


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show what I opened on other devices for this client, and ask what to open now."""
    return _index(chosen=request.args.get("questionnaire", ""))


@blueprint.post("/")
def make_one() -> ResponseReturnValue:
    """Make a door and show it, this once: its secret is kept nowhere, so no page can show it again.

    In another language it is shown from what its page sends along.
    """
    core, here = current.services(), current.launch()
    if request.form.get("link"):
        return _shown_again(request.form["link"], request.form.get("passcode", ""))
    chosen = request.form.get("questionnaire", "")
    if "look" in request.form:
        return _index(chosen=chosen)
    if chosen not in catalogue().asked:
        return _index(error=_(NEEDS_CHOICE)), 422
    try:
        new = core.doors.make(here, chosen, asked=request.form.get("key", ""))
    except TooManyDoors:
        flash(_(TOO_MANY, most=MOST_DOORS), "attention")
        return redirect(url_for("door.index"), 303)
    if new is None:
        flash(_(MADE_BEFORE), "attention")
        return redirect(url_for("door.index"), 303)
    core.audit.record(here, "create", [LOGGED_AS], parts=[answers_part(chosen)])
    return _shown(new, chosen)


@blueprint.post("/<id>/withdraw")
def withdraw(id: str) -> ResponseReturnValue:
    """Take a door of mine back; where it is open, the device is wiped. The record is not asked."""
    core, here = current.services(), current.launch()
    door = next((one for one in core.doors.made_by(here) if one.id == id), None) or abort(404)
    ended = core.end_door(door, "withdrawn")
    if ended:
        core.audit.record(here, "update", [LOGGED_AS], parts=[answers_part(door.instrument)])
    flash(_(WITHDRAWN if ended else IS_OVER))
    return redirect(url_for("door.index"), 303)


def _index(*, chosen: str = "", error: str = "") -> str:
    core, here = current.services(), current.launch()
    doors, now, waiting = core.doors.made_by(here)[:MOST_SHOWN], core.clock(), _on_their_way()
    return render_template(
        "door/index.html",
        rows=[row_of(one, catalogue(), now, waiting) for one in doors],
        choices=[{"value": one.id, "label": title_of(one.id, catalogue())} for one in catalogue().asked.values()],
        chosen=chosen,
        error=error,
        key=secrets.token_urlsafe(24),
    )


def _on_their_way() -> set[str]:
    """Return our identifiers of what this user still has to send: of the answers they gave the device for."""
    units = [unsent.unit for unsent in current.records().waiting()]
    parcels = [unit.parcels[number] for unit in units for number in unit.pending]
    return {name for one in parcels for name in values_in(one.write.resource, IDENTIFIER_SYSTEM)}


def _shown(new: NewDoor, instrument: str) -> str:
    address = f"{current.services().settings.public_url}/door/"
    title = title_of(instrument, catalogue())
    link = f"{address}#{new.secret}"
    return render_template(
        "door/made.html",
        title=title,
        picture=qr.on_page(link, _("QR code: %(title)s", title=title)),
        address=address,
        link=new.secret,
        code=in_fours(new.code),
        until=dt.datetime.fromtimestamp(new.until, place_zone()),
        minutes=FINISH_SECONDS // 60,
    )


def _shown_again(secret: str, code: str) -> ResponseReturnValue:
    """Show a door of mine once more, by what its own page sends along, while it is not opened."""
    core = current.services()
    door = core.doors.find(secret)
    mine = door is not None and door.giver.user.key == current.launch().user.key
    if door is None or not mine or door.state(core.clock()) != "made":
        return redirect(url_for("door.index"), 303)
    return _shown(NewDoor(secret, code.replace("-", ""), door.until), door.instrument)


# ---- of whoever has the device ---------------------------------------------------------------------------------


@blueprint.get("/begin")
def begin() -> ResponseReturnValue:
    """Say on the device what this is, who asks, and what becomes of the answers; ask whether it is for this person."""
    door = _door()
    instrument = catalogue().asked.get(door.instrument) or abort(404)
    filling = filling_of(instrument, _draft(), catalogue())
    resume = filling.resume()
    return render_template(
        "door/begin.html",
        instrument=instrument,
        filling=filling,
        resume=resume.link_id if resume else None,
        initials=initials(door.giver.patient.display),
        minutes=FINISH_SECONDS // 60,
        untouched=UNTOUCHED_SECONDS // 60,
    )


@blueprint.get("/stop")
def stop() -> ResponseReturnValue:
    """Ask what becomes of the answers so far, before the device is wiped."""
    return render_template("door/stop.html", begun=_draft() is not None)


@blueprint.post("/stop")
def leave() -> ResponseReturnValue:
    """End it on this device and wipe it. What was answered is kept for the client, unless they throw it away."""
    door, press = _door(), request.form.get("press", "")
    if press in ("throw-away", "not-me"):
        # Of who says that it is not theirs, the client must not find words among their own.
        current.records().drafts.delete(door.instrument)
    if press == "not-me":
        return left(door, "refused", "refused")
    if press == "untouched":
        return left(door, "over", "over")
    return left(door, "left", "thrown-away" if press == "throw-away" else "left")


def _door() -> Door:
    return door_here() or abort(404)


def _draft() -> Resource | None:
    draft = current.records().drafts.get(_door().instrument)
    return draft.resource if draft else None


# ---- of the client ---------------------------------------------------------------------------------------------


@blueprint.post("/<id>/take-over")
def take_over(id: str) -> ResponseReturnValue:
    """Go on here with what I answered on another device; my own unfinished answers are never replaced."""
    door = _left(id)
    instrument = catalogue().asked.get(door.instrument) or abort(404)
    theirs = current.services().door_drafts(door)
    draft = theirs.get(instrument.id) or abort(404)
    mine = current.records().drafts
    try:
        filling = filling_of(instrument, draft.resource, catalogue())
    except OtherVersion:  # the page of this questionnaire says so, and offers what still fits
        made = draft.resource
    else:
        made = draft_of(filling, about(current.launch(), current.now(), language()))

    def update(there: Resource | None) -> Resource:
        if there is not None:
            raise OwnAnswers
        return made

    try:
        mine.change(instrument.id, update)
    except OwnAnswers:
        flash(_(OWN_FIRST), "attention")
    else:
        theirs.delete(instrument.id)
        flash(_(TAKEN_OVER))
    return redirect(url_for("questionnaire.intro", instrument_id=instrument.id), 303)


@blueprint.post("/<id>/put-away")
def put_away(id: str) -> ResponseReturnValue:
    """Throw away what was answered on another device and not sent."""
    door = _left(id)
    current.services().door_drafts(door).delete(door.instrument)
    flash(_(PUT_AWAY))
    return redirect(url_for("questionnaire.intro", instrument_id=door.instrument), 303)


def _left(id: str) -> Door:
    return next((one.door for one in left_behind() if one.door.id == id), None) or abort(404)
