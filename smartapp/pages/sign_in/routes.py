"""The addresses of a sign-in: where an EHR sends the browser, where it comes back, and where it leaves."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from smartapp.access import CASELOAD, table
from smartapp.errors import AppError, BadRequest, LaunchRefused, NotAllowed
from smartapp.i18n import message
from smartapp.pages.sign_in.entering import begin, enter, signed_in
from smartapp.pages.sign_in.from_domain import opening_of, tell_failure
from smartapp.pages.sign_in.names import LaterNames, missing_names
from smartapp.pages.sign_in.opening import Opening, opening
from smartapp.smart.authorization import STATE_SECONDS, Begun, login_cookie
from smartapp.storage.sessions import LONGEST_PATH
from smartapp.web import copies, current
from smartapp.web.error_pages import places
from smartapp.web.framing import frame_ancestors
from smartapp.web.guard import FOR_PROGRAMS, content_security_policy, present_session
from smartapp.web.kept import waiting
from smartapp.web.leaving import wiped

site_blueprint = Blueprint("sign_in", __name__, template_folder="templates")
blueprint = Blueprint("session", __name__)

_WHICH_RECORD = message("The record system did not say which record to open.")
NAMES = "verstel-names"
FOR_PROGRAMS.add("sign_in.launch_posted")  # the page of a portal posts it


@site_blueprint.before_app_request
def look_for_missing_names() -> None:
    """Ask for names that the sign-in did not get, beside whatever this request does; it runs after the guard."""
    launch = current.launch_or_none()
    if launch is not None and missing_names(launch):
        later: LaterNames = current_app.extensions.setdefault(NAMES, LaterNames(current.services()))
        later.look(launch)


@site_blueprint.get("/")
def index() -> str:
    """Show where the app can be opened from."""
    return render_template("sign_in/index.html", places=places(), copies_here=copies.are_here())


@site_blueprint.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Publish the public halves of our signing keys."""
    response = jsonify(current.services().keys.public())
    # EHRs may fetch this at every sign-in, and keys rarely change.
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@site_blueprint.get("/launch")
def launch() -> AnyResponse:
    """Begin a sign-in from an EHR, which names itself (`iss`) and the chart (`launch`, opaque to us)."""
    value = request.args.get("launch", "")
    if not value:
        raise BadRequest(_WHICH_RECORD, code="launch-missing")
    if _is_domain(request.args.get("iss", "")):  # its token belongs in no address, where logs would keep it
        raise BadRequest(code="koppeltaal-get")
    return _begin(request.args.get("iss", ""), _bounded(value))


@site_blueprint.post("/launch")
def launch_posted() -> AnyResponse:
    """Begin a sign-in from a portal of a Koppeltaal domain, whose form has its HTI token as `launch` (TOP-KT-007)."""
    given = {name: request.form.getlist(name) for name in ("iss", "launch")}
    if any(len(values) != 1 or not values[0] for values in given.values()):
        raise BadRequest(_WHICH_RECORD, code="launch-missing")
    iss, value = given["iss"][0], _bounded(given["launch"][0])
    if current.services().settings.launched_from(iss) is not None and not _is_domain(iss):
        raise BadRequest(code="launch-by-post")
    return _begin(iss, value)


def _is_domain(iss: str) -> bool:
    issuer = current.services().settings.launched_from(iss)
    return issuer is not None and issuer.koppeltaal is not None


@site_blueprint.get("/start")
def start() -> AnyResponse:
    """Begin a sign-in from outside, for a person who opens the app from their portal."""
    return _begin(request.args.get("iss", ""), None)


@site_blueprint.get("/caseload")
def caseload() -> AnyResponse:
    """Begin the sign-in of a professional to the list of their own clients: from an EHR, or from outside."""
    value = request.args.get("launch", "")
    return _begin(request.args.get("iss", ""), _bounded(value) if value else None, caseload=True)


@site_blueprint.get("/callback")
def callback() -> AnyResponse:
    """Finish a sign-in: the state is redeemed, the code becomes a token, the token a launch."""
    parts = current.services()
    state = request.args.get("state", "")
    cookie = login_cookie(state, parts.settings)
    pending = None
    try:
        if not state:
            raise LaunchRefused(code="state-missing")
        pending = parts.authorizations.redeem(state, request.cookies.get(cookie))
        who = signed_in(parts, request.args, pending)
        launch, session = enter(parts, who, present_session(parts))
    except AppError as error:
        parts.audit.refused("callback", error.code)
        tell_failure(parts, pending, error)
        raise
    g.session = g.new_session = session
    if launch.about_nobody:
        first = Opening(CASELOAD, {})
    elif table().may(launch.user.role, "kept.index") and waiting(launch):
        first = Opening("kept.index", {})  # words of a session that ended come before the first page
    elif who.arrival is not None:
        first = opening_of(parts, launch, who.arrival)
    else:
        first = opening(parts, launch, who.granted.context)
    response = redirect(url_for(first.endpoint, launch_id=launch.id, **first.values), 303)
    https = parts.settings.https
    response.delete_cookie(
        cookie, path="/", secure=https, httponly=True, samesite="None" if https else "Lax", partitioned=https
    )
    return response


@blueprint.post("/logout")
def logout() -> AnyResponse:
    """End everything this browser has open here: tokens revoked, session wiped, browser storage cleared."""
    return signed_out()


def signed_out(reason: str = "") -> AnyResponse:
    """End everything this browser has open here, for a reason that the log tells, and lead to the page that says so."""
    parts = current.services()
    parts.end_session(current.launch().session_id)
    parts.audit.record(current.launch(), "logout", reason=reason)
    return wiped(make_response(redirect(url_for("sign_in.goodbye"), 303)))


@site_blueprint.get("/goodbye")
def goodbye() -> str:
    """Say that the session has ended."""
    return render_template("sign_in/goodbye.html", places=places(), copies_here=copies.are_here())


@blueprint.post("/handoff")
def hand_off() -> AnyResponse:
    """Make an address that opens a page of this launch in a tab without our cookie; it works once, for a minute."""
    path = request.form.get("path", "")
    here = f"{request.script_root}/l/{current.launch().id}/"
    # A browser reads a backslash as a slash and drops line ends, so no judgement about such a path holds for what it
    # would open.
    if not path.startswith(here) or "\\" in path or not path.isprintable() or len(path) > LONGEST_PATH:
        path = here
    session = present_session(current.services())
    assert session is not None  # noqa: S101  (open_launch found the launch through it)
    code = current.services().sessions.hand_off(session, path)
    return make_response(render_template("sign_in/handoff.html", href=url_for("sign_in.take_over", code=code)))


@site_blueprint.get("/handoff")
def take_over() -> AnyResponse:
    """Open in this tab what was handed off in another one."""
    parts = current.services()
    taken = parts.sessions.take_over(request.args.get("code", ""), present_session(parts))
    if taken is None:
        raise NotAllowed(message("This link works once, for one minute, in the same browser."), code="handoff")
    session, path = taken
    g.session = g.new_session = session
    return redirect(path, 303)


def _bounded(value: str) -> str:
    if len(value) > 4096:
        raise BadRequest(_WHICH_RECORD, code="launch-missing")
    return value


def _onward(begun: Begun) -> AnyResponse:
    """Return the page whose form goes to the EHR; a script sends it, and where there is none a press does."""
    response = make_response(render_template("sign_in/onward.html", url=begun.url, fields=begun.fields))
    response.headers["Content-Security-Policy"] = content_security_policy(frame_ancestors(), forms_leave=True)
    return response


def _begin(iss: str, value: str | None, *, caseload: bool = False) -> AnyResponse:
    parts = current.services()
    begun = begin(parts, iss, value, caseload=caseload)
    response = _onward(begun) if begun.fields else redirect(begun.url, 303)
    response.set_cookie(
        begun.cookie,
        begun.secret,
        max_age=STATE_SECONDS,
        path="/",
        httponly=True,
        secure=parts.settings.https,
        samesite="None" if parts.settings.https else "Lax",
        partitioned=parts.settings.https,
    )
    return response
