"""The addresses of a sign-in: where an EHR sends the browser, where it comes back, and where it leaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mappers.tolerant import objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.errors import BadRequest, LaunchRefused, NotAllowed, UnknownIssuer
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import RecordError
from smartapp.i18n import message
from smartapp.services import Services
from smartapp.settings import Issuer, Settings
from smartapp.smart.authorization import login_cookie
from smartapp.smart.identity import Identity, role_of
from smartapp.smart.tokens import Granted
from smartapp.storage.launches import Launch, Person, User
from smartapp.storage.sessions import Session
from smartapp.web import current
from smartapp.web.error_pages import places
from smartapp.web.guard import FOR_GUESTS, cookie_name, present_session

site_blueprint = Blueprint("sign_in", __name__, template_folder="templates")
blueprint = Blueprint("session", __name__)

FOR_GUESTS |= {"session.logout"}
CLEAR = '"cache", "cookies", "storage"'
HOME = {"clinician": "overview/"}
"""The first page of a role; everybody else starts at the root of the launch."""


@site_blueprint.get("/")
def index() -> str:
    """Show where the app can be opened from."""
    return render_template("sign_in/index.html", places=places())


@site_blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    """Say whether the app and its database work."""
    with current.services().engine.connect() as connection:
        connection.exec_driver_sql("select 1")
    return jsonify(status="ok"), 200


@site_blueprint.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Publish the public halves of our signing keys."""
    response = jsonify(current.services().keys.public())
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@site_blueprint.get("/launch")
def launch() -> AnyResponse:
    """Begin a sign-in from an EHR, which names itself (`iss`) and the chart (`launch`, opaque to us)."""
    value = request.args.get("launch", "")
    if not value or len(value) > 4096:
        raise BadRequest(message("The record system did not say which record to open."), code="launch-missing")
    return _begin(value)


@site_blueprint.get("/start")
def start() -> AnyResponse:
    """Begin a sign-in from outside, for a person who opens the app from their portal."""
    return _begin(None)


@site_blueprint.get("/callback")
def callback() -> AnyResponse:
    """Finish a sign-in: the state burns, the code becomes a token, the token a launch."""
    parts = current.services()
    state, code = request.args.get("state", ""), request.args.get("code", "")
    if not state:
        raise LaunchRefused(code="state-missing")
    cookie = login_cookie(state, parts.settings)
    pending = parts.authorizations.burn(state, request.cookies.get(cookie))
    issuer = parts.settings.issuer(pending.issuer)
    if issuer is None:
        raise UnknownIssuer(code="issuer-removed")
    if "error" in request.args:
        # What the URL says is text of whoever wrote the URL: only a known code goes into the log, nothing on the page.
        raise LaunchRefused(_refusal(request.args["error"]), code=_known_error(request.args["error"]))
    configuration = parts.discovery.of(issuer)
    named = request.args.get("iss")
    if named is not None and named != configuration.issuer:
        raise LaunchRefused(code="callback-other-issuer")
    if named is None and configuration.names_itself:
        raise LaunchRefused(code="callback-issuer-missing")
    if not code:
        raise LaunchRefused(code="code-missing")
    granted = parts.token_endpoint.exchange(issuer, code, pending)
    identity = parts.identities.verify(granted.id_token, issuer, configuration, pending.nonce)
    if granted.tokens.patient is None:
        raise LaunchRefused(message("The record system did not say whose record this is."), code="patient-missing")
    new = _enter(parts, issuer, granted, granted.tokens.patient, identity)
    response = redirect(f"{request.script_root}/l/{new.id}/{HOME.get(new.user.role, '')}", 303)
    response.delete_cookie(
        cookie, path="/", secure=parts.settings.https, httponly=True, partitioned=parts.settings.https
    )
    return response


@blueprint.post("/logout")
def logout() -> AnyResponse:
    """End everything this browser has open here: tokens revoked, session wiped, browser storage cleared."""
    parts = current.services()
    parts.end_session(current.launch().session_id)
    parts.audit.record(current.launch(), "logout")
    response = make_response(redirect(url_for("sign_in.goodbye"), 303))
    response.delete_cookie(cookie_name(parts.settings), path="/", secure=parts.settings.https, httponly=True)
    response.headers["Clear-Site-Data"] = CLEAR
    g.session = None
    return response


@site_blueprint.get("/goodbye")
def goodbye() -> str:
    """Say that the session has ended."""
    return render_template("sign_in/goodbye.html", places=places())


@blueprint.post("/handoff")
def hand_off() -> AnyResponse:
    """Make an address, good once and for a minute, that opens a page of this launch in a tab without our cookie."""
    path = request.form.get("path", "")
    here = f"{request.script_root}/l/{current.launch().id}/"
    if not path.startswith(here) or urlsplit(path).netloc or "\\" in path or len(path) > 2000:
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
        raise NotAllowed(message("This address works once, for one minute, in the same browser."), code="handoff")
    session, path = taken
    g.session = g.new_session = session
    return redirect(path, 303)


def _begin(value: str | None) -> AnyResponse:
    parts = current.services()
    issuer = parts.settings.issuer(request.args.get("iss", ""))
    if issuer is None:
        parts.audit.refused("launch", "unknown-issuer")
        raise UnknownIssuer(code=_unknown(request.args.get("iss", ""), parts.settings))
    begun = parts.authorizations.begin(issuer, parts.discovery.of(issuer), value)
    response = redirect(begun.url, 303)
    response.set_cookie(
        begun.cookie,
        begun.secret,
        max_age=600,
        path="/",
        httponly=True,
        secure=parts.settings.https,
        samesite="None" if parts.settings.https else "Lax",
        partitioned=parts.settings.https,
    )
    return response


def _unknown(iss: str, settings: Settings) -> str:
    """Return why an `iss` is refused, for whoever registers the app: nearly right is told apart from unknown."""
    near = any(iss.rstrip("/") == issuer.base.rstrip("/") for issuer in settings.issuers)
    return "issuer-differs-by-a-slash" if near else "unknown-issuer"


def _enter(parts: Services, issuer: Issuer, granted: Granted, patient_id: str, identity: Identity) -> Launch:
    """Make the launch: names read from the EHR, a session under a new secret, the tokens sealed."""
    role = role_of(identity.reference, patient_id)
    patient, user = _names(issuer, granted.tokens.access, patient_id, identity, role)
    session = _session_for(parts, issuer, identity)
    encounter, banner = granted.context.get("encounter"), granted.context.get("need_patient_banner")
    new = parts.launches.add(
        Launch(
            id="",
            session_id=session.id,
            issuer=issuer.base,
            patient_id=patient_id,
            patient=Person(f"Patient/{patient_id}", patient),
            user=User(identity.reference, user, role, identity.issuer, identity.subject),
            scopes=granted.tokens.scope,
            language=identity.locale,
            encounter=encounter if isinstance(encounter, str) else None,
            need_patient_banner=banner is not False,
        )
    )
    parts.tokens.keep(new.id, granted.tokens)
    parts.audit.record(new, "launch")
    g.session = g.new_session = session
    return new


def _session_for(parts: Services, issuer: Issuer, identity: Identity) -> Session:
    """Return the session of this browser under a new secret; another user's session ends first."""
    present = present_session(parts)
    if present is not None and not parts.settings.several_users_per_browser:
        key = f"{issuer.base}|{identity.subject}"
        if any(launch.user.key != key for launch in parts.launches.of_session(present.id)):
            parts.end_session(present.id)
            present = None
    return parts.sessions.renew(present) if present else parts.sessions.start()


def _names(issuer: Issuer, token: str, patient_id: str, identity: Identity, role: str) -> tuple[str, str]:
    """Return the names of the person and of the user, empty where the EHR does not tell; both asked at once."""
    store = RemoteStore(issuer.base, lambda _refused: token)

    def name(reference: str) -> str:
        type_, _, id_ = reference.partition("/")
        try:
            return human_name(store.read(type_, id_).resource)
        except RecordError:
            return ""

    if role == "client":
        own = name(f"Patient/{patient_id}") or identity.name
        return own, own
    with ThreadPoolExecutor(max_workers=2) as pool:
        patient = pool.submit(name, f"Patient/{patient_id}")
        user = pool.submit(name, identity.reference) if identity.reference else None
        return patient.result(), (user.result() if user else "") or identity.name


def human_name(resource: Resource) -> str:
    """Return the name of a Patient, Practitioner or RelatedPerson as one line; a usual name before an official one."""
    order = {"usual": 0, "official": 1}
    for name in sorted(objects_in(resource, "name"), key=lambda name: order.get(str(name.get("use")), 2)):
        text = text_in(name, "text")
        if text.strip():
            return text.strip()
        parts = [name.get("prefix"), name.get("given"), name.get("family")]
        texts = [text for part in parts for text in (part if isinstance(part, list) else [part])]
        line = " ".join(text for text in texts if isinstance(text, str) and text)
        if line:
            return line
    return ""


_KNOWN_ERRORS = frozenset(
    {
        "access_denied",
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "login_required",
        "interaction_required",
        "consent_required",
    }
)


def _known_error(code: str) -> str:
    return f"callback-{code}" if code in _KNOWN_ERRORS else "callback-other"


def _refusal(code: str) -> str:
    if code == "access_denied":
        return message("You or the record system said no.")
    return message("The record system did not complete the sign-in.")
