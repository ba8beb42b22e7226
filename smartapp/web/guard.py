"""What every request must prove and every response must say, whatever page it is for."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import g, has_request_context, request
from flask.sessions import SessionInterface, SessionMixin
from markupsafe import Markup

from mappers.sharing.parts import answers_part
from smartapp.errors import BadRequest, DoorClosed, LaunchEnded, NotFoundPage, StaleForm, WrongPerson
from smartapp.settings import LOOPBACK, Settings
from smartapp.storage.doors import CLOSED
from smartapp.web import current
from smartapp.web.framing import frame_ancestors
from smartapp.web.kept import PROOF, forget_what_is_saved, proof_of
from smartapp.web.looked_at import parts_seen
from smartapp.web.masking import masked, unmasked
from smartapp.web.roles import let_device_in, let_in, may

if TYPE_CHECKING:
    from flask import Flask, Request, Response

    from mappers.audit import Event
    from smartapp.access import Method
    from smartapp.records import Records
    from smartapp.services import Services
    from smartapp.storage.launches import Handed, Launch
    from smartapp.storage.sessions import Session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_FORM_BYTES = 512 * 1024
MAX_FILE_BYTES = 6 * 1024 * 1024
"""Of the one form that takes a file; its page asks for it, for who is let in."""
MAX_FORM_PARTS = 500


def cookie_name(settings: Settings) -> str:
    """Return the name of the session cookie; `__Host-` binds it to this host and to https."""
    return "__Host-verstel" if settings.https else "verstel"


def content_security_policy(frame_ancestors: tuple[str, ...] = (), *, forms_leave: bool = False) -> str:
    """Return the policy of a page: everything from ourselves, nothing inline, framed only by these origins.

    With `forms_leave` its forms may go elsewhere: some browsers hold every redirect that follows on a form against the
    policy of its page, and by which addresses a sign-in goes only the EHR knows.
    """
    own = ("style-src", "script-src", "img-src", "font-src", "connect-src", *(() if forms_leave else ("form-action",)))
    rules = ["default-src 'none'", *(f"{what} 'self'" for what in own), "base-uri 'none'"]
    framed_by = " ".join(frame_ancestors) or "'none'"
    return "; ".join([*rules, f"frame-ancestors {framed_by}"])


def form_token(settings: Settings, session_id: str, launch_id: str) -> str:
    """Return the token that a form of this launch in this session must send back; it looks different each time."""
    return masked(_form_proofs(settings, session_id, launch_id)[0])


def is_form_token(sent: str, settings: Settings, session_id: str, launch_id: str) -> bool:
    """Tell whether `form_token` made this for the same launch in the same session."""
    given = unmasked(sent)
    return any(hmac.compare_digest(given, proof) for proof in _form_proofs(settings, session_id, launch_id))


def _form_proofs(settings: Settings, session_id: str, launch_id: str) -> tuple[bytes, ...]:
    return settings.signatures(f"form|{session_id}|{launch_id}")


def caller_address() -> str:
    """Return the network address a request came from, or "" outside one: the courier works without requests."""
    return (request.remote_addr or "") if has_request_context() else ""


@current.once_a_request
def csrf_field() -> Markup:
    """Return the hidden fields of every form: the token of this launch, whom it is about, and whose words it holds."""
    launch = current.launch()
    token = form_token(current.services().settings, launch.session_id, launch.id)
    # Where nobody signed in there is nobody to keep words for: they would be found by no one.
    proof = {} if launch.handed else {PROOF: proof_of(launch)}
    values = {"_csrf": token, "_for": launch.patient_id, **proof}
    field = Markup('<input type="hidden" name="{}" value="{}">')
    return Markup("").join(field.format(name, value) for name, value in values.items())


def init_security(app: Flask, services: Services) -> None:
    """Guard every request and dress every response of the app."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS
    app.config["TRUSTED_HOSTS"] = _trusted_hosts(services.settings)
    app.jinja_env.globals |= {"csrf_field": csrf_field, "may": may}

    @app.url_value_preprocessor
    def take_launch_id(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.launch_id = values.pop("launch_id", None) if values else None

    @app.url_defaults
    def give_launch_id(endpoint: str, values: dict[str, Any]) -> None:
        if "launch_id" not in values and app.url_map.is_endpoint_expecting(endpoint, "launch_id"):
            values["launch_id"] = current.launch().id

    app.before_request(lambda: guard(services))

    @app.after_request
    def dress(response: Response) -> Response:
        log_reading(services, response)
        forget_what_is_saved(response)
        dress_response(response, services.settings)
        return response


def guard(services: Services) -> None:
    """Open the launch of the address and check the form, before any view runs."""
    if request.routing_exception is not None:  # an address that does not exist says so itself
        return
    if "\0" in request.path:  # no name of ours has it, and PostgreSQL takes no text with it
        raise NotFoundPage(code="nul-in-address")
    if g.launch_id is not None:
        open_launch(services, g.launch_id)
    if request.method not in SAFE_METHODS and request.endpoint not in FOR_PROGRAMS:
        check_form(services.settings)


def open_launch(services: Services, launch_id: str) -> None:
    """Put the launch of the address and its records into `g`, and let its user in. Raises LaunchEnded, NotAllowed.

    This is the one place where rights are checked: a page that `access.toml` does not name is nobody's. A launch about
    nobody has no records.
    """
    with services.outbox.at_one_moment():
        session = present_session(services)
        launch = services.launches.find(launch_id, session.id) if session else None
        if launch is not None:
            g.read = []
            current.open_launch(launch, None if launch.about_nobody else _records(services, launch))
    if launch is None:
        services.end_sessions_that_are_over()
        if (door := services.doors.of_launch(launch_id)) is not None:
            services.doors.knocked(door, CLOSED)
            raise DoorClosed(code=CLOSED)
        raise LaunchEnded(code="no-such-launch")
    method: Method = "GET" if request.method in SAFE_METHODS else "POST"
    if launch.handed:
        _let_device_in(services, launch.handed, method)
    else:
        let_in(launch, request.endpoint or "", method)


def _let_device_in(services: Services, handed: Handed, method: Method) -> None:
    """Let a device in that somebody was handed, as long as it is open there. Raises DoorClosed, NotAllowed."""
    if not services.doors.is_filled_in(handed.door):
        services.end_doors_that_are_over()
        raise DoorClosed(code=CLOSED)
    let_device_in(handed, request.endpoint or "", method, request.view_args or {})


def _records(services: Services, launch: Launch) -> Records:
    return services.records(launch, lambda event, objects: note(services, launch, event, objects))


def note(services: Services, launch: Launch, event: Event, objects: Sequence[str]) -> None:
    """Log a write at once; collect what this page reads, which becomes one line when the page is done."""
    if event in ("read", "search"):
        g.read.extend(objects)
    else:
        parts = (answers_part(launch.handed.instrument),) if launch.handed else parts_seen(objects)
        services.audit.record(launch, event, objects, parts=parts)


def log_reading(services: Services, response: Response) -> None:
    """Write the line about what somebody saw of another's record: the page that they opened, and what it read.

    Also of a page with nothing on it yet: that is something to know too. What clients see of their own is the line of
    their sign-in, so that their pages wait for no writing.
    """
    launch = current.launch_or_none()
    # A device that was handed to somebody reads nothing of the record: what was done on it has rows of its own.
    # Who was turned away saw nothing of what was read for them to find that out; that is a line of its own.
    if launch is None or launch.user.role == "client" or launch.handed or g.get("denied"):
        return
    # A page about a team shows nothing of the person of this launch, whose log it would be.
    if current.is_about_team():
        return
    page = [request.endpoint or "", *([g.shown] if "shown" in g else [])]
    opened = page if request.method == "GET" and response.status_code == 200 else []
    if opened or g.get("read"):
        read = g.get("read", [])
        parts = parts_seen([g.shown] if "shown" in g else read)
        services.audit.record(launch, "read", [*opened, *read], parts=parts)


def check_form(settings: Settings) -> None:
    """Accept a request that changes something only from a form of this launch, about this person.

    Raises StaleForm, BadRequest or WrongPerson.
    """
    if not _came_from_us(settings):
        raise StaleForm(code="foreign-origin")
    launch = current.launch_or_none()
    if launch is None and request.endpoint in WITHOUT_LAUNCH:
        return
    if launch is None:
        raise BadRequest(code="post-without-launch")
    sent = request.form.get("_csrf") or request.headers.get("X-CSRF-Token", "")
    if not is_form_token(sent, settings, launch.session_id, launch.id):
        raise StaleForm(code="form-token")
    person = request.form.get("_for") or request.headers.get("X-Person", "")
    if person != launch.patient_id:
        raise WrongPerson(code="other-person")


_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def dress_response(response: Response, settings: Settings) -> None:
    """Add the security headers, and the session cookie where this request made or renewed one."""
    response.headers.setdefault("Content-Security-Policy", content_security_policy(frame_ancestors()))
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not (request.endpoint or "").endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
    if settings.https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    new: Session | None = g.get("new_session")
    if new is not None:
        set_session_cookie(response, settings, new.secret)


def present_session(services: Services) -> Session | None:
    """Return the live session of this browser, or None; looked up once per request."""
    if "session" not in g:
        secret = request.cookies.get(cookie_name(services.settings))
        g.session = services.sessions.find(secret, touch=request.endpoint not in BY_ITSELF)
    session: Session | None = g.session
    return session


BY_ITSELF = frozenset({"caseload.fresh"})
"""What a page asks without its reader: a screen that somebody left must not stay open by it."""

FOR_PROGRAMS: set[str] = set()
"""Endpoints outside any launch that other programs post to, as a specification says. They read no session."""


WITHOUT_LAUNCH: set[str] = set()
"""Endpoints outside any launch with a form of ours: who sends it proves with a secret what they may, and the browser
that it was sent from our own page."""


class ServerSideSession(SessionMixin):
    """Flask's `session`: what one page tells the next, such as "saved". It stays on the server.

    It is read when it is first looked into: most requests never do.
    """

    modified = False

    def __init__(self, read: Callable[[], dict[str, Any]]) -> None:
        self._read = functools.cache(read)

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._read()[name] = value
        self.modified = True

    def __delitem__(self, name: str) -> None:
        del self._read()[name]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class ServerSideSessions(SessionInterface):
    """Keeps Flask's `session` sealed in the database: a cookie payload would be readable and could outgrow 4,096."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def open_session(self, app: Flask, request: Request) -> ServerSideSession:  # noqa: ARG002
        """Return what the page before left, empty for a browser without a session."""
        if "/assets/" in request.path or not request.cookies.get(cookie_name(self._services.settings)):
            return ServerSideSession(dict)
        return ServerSideSession(self._left)

    def _left(self) -> dict[str, Any]:
        session = present_session(self._services)
        [values] = self._services.vault.open_any([session.data if session else None])
        return values or {}

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002
        """Keep what this page left, where it left something new."""
        present = g.get("session")
        if present is not None and session.modified:
            self._services.sessions.keep_data(present.id, self._services.vault.seal(dict(session)) if session else None)


def set_session_cookie(response: Response, settings: Settings, secret: str) -> None:
    """Set the session cookie so that it also arrives inside an EHR's iframe, and nowhere else.

    Partitioned gives each EHR site its own cookie; SameSite=None lets it travel in a frame. Plain http (loopback
    only) knows neither, so there it is an ordinary Lax cookie.
    """
    response.set_cookie(
        cookie_name(settings),
        secret,
        path="/",
        httponly=True,
        secure=settings.https,
        samesite="None" if settings.https else "Lax",
        partitioned=settings.https,
    )


def _trusted_hosts(settings: Settings) -> list[str]:
    host = urlsplit(settings.public_url).hostname or ""
    # Flask compares without the port; on loopback people type any of the names.
    return [*sorted(LOOPBACK - {"::1"}), "[::1]"] if host in LOOPBACK else [host]


def _came_from_us(settings: Settings) -> bool:
    """Judge Sec-Fetch-Site and Origin of a request that changes something.

    Our pages send no referrer, and then browsers send `Origin: null` with a form, also with our own. Such an origin
    says nothing: Sec-Fetch-Site decides, and the form token does where an old browser does not send that either.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        return True
    return origin in {_origin(settings.public_url), _origin(request.host_url) if not settings.https else ""}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
