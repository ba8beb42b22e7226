"""What stands before a door, without an account: the page where it is opened, and the one that says it is over.

The address in the QR code has its secret behind a `#`, which no server gets and no log of one holds; a script puts it
into the form. Without a script the short code is typed. A door that is not known, was used, has ended or is over gets
one answer, letter for letter. Short codes can be guessed at, so wrong ones are counted: of one network, and of all.
"""

from __future__ import annotations

from typing import Final, Literal

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from smartapp.errors import TooManyRequests
from smartapp.i18n import message
from smartapp.storage.doors import Door
from smartapp.storage.launches import Launch
from smartapp.storage.sessions import Session
from smartapp.web import current
from smartapp.web.guard import WITHOUT_LAUNCH, caller_address, present_session
from smartapp.web.language import gettext as _
from smartapp.web.limits import Buckets, network

site_blueprint = Blueprint("doors", __name__, url_prefix="/door", template_folder="templates")
WITHOUT_LAUNCH.add("doors.open_one")

WRONG_OF_ONE: Final = 10
WRONG_OF_ALL: Final = 60
"""Wrong codes a minute, of one network and of all together. In the ten minutes of a door that is some hundred tries at
some hundred thousand million codes; who has the QR code is not held up by what others typed."""
_LONGEST: Final = 100
_BUCKETS: Final = "verstel-doors"
_ALL: Final = "all"

NOT_OPENED: Final = message("This did not open. It may have been used already, or its time is over.")

OVER: Final = ("sent", "on-its-way", "left", "thrown-away", "refused", "over")


@site_blueprint.record
def count_wrong_codes(state: BlueprintSetupState) -> None:
    """Have each app count for itself how many wrong codes were typed."""
    state.app.extensions[_BUCKETS] = (Buckets(WRONG_OF_ONE), Buckets(WRONG_OF_ALL))


@site_blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the page that opens a door. Nothing is opened by looking: some programs look at all addresses."""
    return render_template("door/knock.html", taken=_taken())


@site_blueprint.post("/")
def open_one() -> ResponseReturnValue:
    """Open a door on this device, once, and show its first page."""
    if taken := _taken():
        return render_template("door/knock.html", taken=taken), 409
    secret, code = (request.form.get(name, "")[:_LONGEST] for name in ("link", "passcode"))
    if not secret:
        _take_turn(0)
    opened = _opened(secret or code)
    if opened is None:
        if not secret:
            _take_turn(1)
        return render_template("door/knock.html", taken="", problem=_(NOT_OPENED)), 422
    g.session = g.new_session = opened[1]
    return redirect(url_for("door.begin", launch_id=opened[0].id), 303)


@site_blueprint.get("/over")
def over() -> ResponseReturnValue:
    """Say on the device how it ended. It knows nobody, and says what its address says: that can be of nobody else."""
    said = request.args.get("said", "")
    return make_response(render_template("door/over.html", said=said if said in OVER else "over"))


def _opened(given: str) -> tuple[Launch, Session] | None:
    """Open the door that a secret or a code names; None, and a row in the log, where it does not open."""
    core = current.services()
    door = core.doors.find(given) if given else None
    if door is None:
        core.audit.refused("door", "unknown")
        return None
    if reason := _why_not(door):
        core.doors.knocked(door, reason)
        return None
    opened = core.open_door(door)
    if opened is None:  # another device was faster
        core.doors.knocked(door, "door-used")
    return opened


def _why_not(door: Door) -> str:
    """Return why a door can't be opened, as the log has it; "" where it can."""
    core = current.services()
    state = door.state(core.clock())
    if state == "made":
        # Who made it is not there any more: nobody knows who opens it.
        return "" if core.launches.get(door.giver.id) is not None else "door-over"
    return {"over": "door-over", "withdrawn": "door-withdrawn"}.get(state, "door-used")


def _taken() -> Literal["", "signed-in", "door"]:
    """Return by what this browser is taken: somebody is signed in, or another door is open here; "" where it is free.

    A device that is handed on must not lead back into a record, and one browser has one session.
    """
    core = current.services()
    session = present_session(core)
    if session is None:
        return ""
    if not any(one.handed for one in core.launches.of_session(session.id)):
        return "signed-in"
    core.end_doors_that_are_over()  # one that was left lying here keeps nobody out
    return "door" if any(one.handed for one in core.launches.of_session(session.id)) else ""


def _take_turn(tokens: float) -> None:
    of_one, of_all = current_app.extensions[_BUCKETS]
    for buckets, key in ((of_one, network(caller_address())), (of_all, _ALL)):
        if wait := buckets.take(key, tokens):
            raise TooManyRequests(wait)
