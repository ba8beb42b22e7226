"""The addresses of our CDS Hooks services: `/cds-services`, and one below it for each.

These follow CDS Hooks 2.0.1 (docs/integrators.md). A call that proves nothing gets one answer, whatever is wrong with
it; each call is a row in the log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from questionnaires.model import Language
from smartapp.fhir.http import json_in
from smartapp.hooks.answering import LOGGED_AS, NotKnownWhoAsks, Reader, answer
from smartapp.hooks.calls import Call, NotACall, call_of
from smartapp.hooks.services import SERVICES, Service
from smartapp.i18n import DEFAULT, LANGUAGES, known_language
from smartapp.settings import Hooks, Issuer
from smartapp.smart.callers import Caller, NotTrusted
from smartapp.web import current
from smartapp.web.guard import FOR_PROGRAMS
from smartapp.web.language import moment_of

log = logging.getLogger(__name__)

site_blueprint = Blueprint("hooks", __name__, url_prefix="/cds-services")
FOR_PROGRAMS.add("hooks.call")

LONGEST_BODY: Final = 4 * 1024 * 1024
"""What is sent along may be some dozens of filled-in questionnaires; it is read of who proved themselves."""


class _Turned(Exception):
    """A call that gets no cards: the status says how, `code` is for the log."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@site_blueprint.after_request
def let_their_pages_ask(response: Response) -> Response:
    """Let the pages of an EHR ask from a browser, where the settings name their origin. No cookie goes along."""
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin and any(origin in hooks.origins for hooks in _all_hooks()):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@site_blueprint.get("")
def discovery() -> ResponseReturnValue:
    """Say which services there are: none, where no issuer asks them."""
    language = _asked_for()
    found = [service.described(language) for service in SERVICES.values()] if _all_hooks() else []
    return _json({"services": found})


@site_blueprint.post("/<service_id>")
def call(service_id: str) -> ResponseReturnValue:
    """Answer a call of a service with its cards."""
    try:
        service, caller = _trusted(service_id)
        return _json({"cards": _cards(service, caller)})
    except _Turned as turned:
        log.info("%s hooks %s", turned.status, turned.code)
        return _turned_away(turned)


def _trusted(service_id: str) -> tuple[Service, Caller]:
    """Return which service is called, and by whom. Raises _Turned."""
    service = SERVICES.get(service_id)
    if service is None or not _all_hooks():
        raise _Turned(404, "no-such-service")
    parts = current.services()
    address = f"{parts.settings.public_url}{site_blueprint.url_prefix}/{service.id}"
    try:
        return service, parts.callers.verify(request.headers.get("Authorization", ""), address)
    except NotTrusted as error:
        parts.audit.refused(f"{LOGGED_AS}.{service.id}", error.code)
        raise _Turned(401, error.code) from None


def _cards(service: Service, caller: Caller) -> list[dict[str, Any]]:
    """Return the cards for who proved themselves. Raises _Turned."""
    parts = current.services()
    try:
        asked = call_of(_body(), service)
    except NotACall as error:
        parts.audit.refused(f"{LOGGED_AS}.{service.id}", str(error))
        raise _Turned(413 if str(error) == "too-large" else 400, str(error)) from None
    issuer = _issuer(caller, asked)
    if issuer is None:
        parts.audit.refused(f"{LOGGED_AS}.{service.id}", "other-fhir-server")
        raise _Turned(403, "other-fhir-server")
    try:
        reader = Reader(current.now(), moment_of, _language(issuer))
        return answer(parts, issuer, service, asked, reader)
    except NotKnownWhoAsks:
        raise _Turned(412, "prefetch-missing") from None


def _issuer(caller: Caller, asked: Call) -> Issuer | None:
    # Whose patient `1` is says the server alone: one that is not named is not guessed, also where there is only one.
    return caller.issuer(asked.fhir_server)


def _body() -> Any:
    request.max_content_length = LONGEST_BODY
    try:
        return json_in(request.get_data())
    except RequestEntityTooLarge:
        raise NotACall("too-large") from None
    except ValueError:
        raise NotACall("no-json") from None


def _all_hooks() -> list[Hooks]:
    return [issuer.hooks for issuer in current.services().settings.issuers if issuer.hooks is not None]


def _language(issuer: Issuer) -> Language:
    return (issuer.hooks.language if issuer.hooks else None) or _asked_for()


def _asked_for() -> Language:
    """Return the language that the request asks for; Dutch where it asks for none that we have."""
    best = request.accept_languages.best_match([*LANGUAGES, "nl-NL", "en-GB", "en-US"], DEFAULT)
    return known_language(best) or DEFAULT


def _turned_away(turned: _Turned) -> Response:
    response = _json({"error": _SAID[turned.status]}, turned.status)
    if turned.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/json")


_SAID: Final = {
    400: "This is not a call of this service.",
    401: "This call does not prove whose it is.",
    403: "This is not for the FHIR server of this call.",
    404: "There is no such service.",
    412: "The prefetch of who asks (user, roles, teams) was not sent along.",
    413: "This call is larger than 4 MB.",
}
