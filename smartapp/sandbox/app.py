"""The sandbox put together: its API, its authorization server and its pages as one WSGI app."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from smartapp.fhir.store import Refused
from smartapp.i18n import COOKIE as LANGUAGE_COOKIE
from smartapp.sandbox.answers import refused
from smartapp.sandbox.api import blueprint as api
from smartapp.sandbox.authorization import blueprint as authorization
from smartapp.sandbox.discovery import blueprint as discovery
from smartapp.sandbox.pgo import ADDRESS as PGO
from smartapp.sandbox.pgo import blueprint as pgo
from smartapp.sandbox.portal import blueprint as portal
from smartapp.sandbox.portal import language
from smartapp.sandbox.server import KEY, PREFIX, Sandbox
from smartapp.sandbox.texts import TEXTS
from smartapp.sandbox.tokens import blueprint as tokens

# A request larger than this is refused before it is read. The largest thing the app sends is a plan of some 100 kB.
MAX_BODY_BYTES = 2 * 1024 * 1024
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'self'"
)


def init_sandbox(app: Flask, sandbox: Sandbox) -> None:
    """Put a sandbox at `/sandbox` of an app. It stays an app of its own: its errors, limits and cookies do not mix."""
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PREFIX: sandbox_app(sandbox)})  # type: ignore[method-assign]


def sandbox_app(sandbox: Sandbox) -> Flask:
    """Return the WSGI app of a sandbox; its addresses start after `/sandbox`."""
    app = Flask("smartapp.sandbox", static_folder=None, template_folder="templates")
    app.extensions[KEY] = sandbox
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_blueprint(api, url_prefix="/fhir")
    app.register_blueprint(pgo, url_prefix=PGO)
    for part in (discovery, authorization, tokens):
        app.register_blueprint(part, url_prefix="/auth")
    app.register_blueprint(portal)
    _answer_errors(app)
    app.after_request(_dress)
    return app


def _answer_errors(app: Flask) -> None:
    """Answer errors of the whole app as the caller expects: FHIR for the API, a page for people."""

    @app.errorhandler(HTTPException)
    def http_problem(error: HTTPException) -> Response | tuple[str, int]:
        status = error.code or 500
        said = HTTPStatus(status).phrase
        if request.path.startswith(("/fhir", f"{PGO}/")):
            failure = Refused(_SAID.get(status, f"{said}. See the CapabilityStatement at /metadata."), status=status)
            return refused(failure)
        text = TEXTS[language()]["our_fault" if status >= 500 else "nothing_here"]
        return render_template("problem.html", text=text), status


def _dress(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
    wish = request.args.get("lang")
    if wish in ("nl", "en") and wish != request.cookies.get(LANGUAGE_COOKIE):
        response.set_cookie(LANGUAGE_COOKIE, wish, path="/", samesite="Lax", max_age=31_536_000)
    return response


_SAID = {
    404: "There is nothing at this address.",
    405: "This method is not offered at this address.",
    413: "The body is larger than this server takes. Send it in smaller parts.",
    500: "Something went wrong on our side. It has been written to the log.",
}
