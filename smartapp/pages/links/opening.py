"""What whoever has a link asks of us, without an account: the viewer, the manifest, and a document by its address.

These follow HL7's SMART Health Links (docs/integrators.md). A link that is not known, has ended or is over gets one
answer, letter for letter; each request is a row in the log of access of the person whose link it is.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, current_app, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from mappers.fhir_text import typed
from mappers.health_link import manifest_of
from smartapp.errors import BadRequest, TooManyRequests
from smartapp.pages.links.service import manifest_url, normal
from smartapp.storage.health_links import WrongPasscode
from smartapp.web import current
from smartapp.web.guard import FOR_PROGRAMS
from smartapp.web.language import place_zone
from smartapp.web.limits import Buckets

site_blueprint = Blueprint("shared", __name__, template_folder="templates")
FOR_PROGRAMS.add("shared.manifest")

PER_MINUTE: Final = 30
"""How often one link may be asked for: more than people need, and no more rows of the log than they can read."""
_LONGEST_BODY: Final = 8 * 1024
_LONGEST_RECIPIENT: Final = 200
_UNSEEN: Final = frozenset({"Cf", "Cs", "Co"})
_BUCKETS: Final = "verstel-health-links"
_OPEN_TO_ALL: Final = frozenset({"shared.manifest", "shared.file"})


@site_blueprint.record
def count_requests(state: BlueprintSetupState) -> None:
    """Have each app count for itself how often a link is asked for."""
    state.app.extensions[_BUCKETS] = Buckets(PER_MINUTE)


@site_blueprint.after_request
def let_viewers_read(response: Response) -> Response:
    """Let viewers on other sites read the manifest and the document: no cookie goes along, and both are encrypted."""
    if request.endpoint in _OPEN_TO_ALL:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@site_blueprint.get("/view")
def viewer() -> ResponseReturnValue:
    """Show the page that opens a link in the browser. What follows the `#` of its address never comes here."""
    return render_template("links/viewer.html", manifests=manifest_url(""))


@site_blueprint.post("/shl/<secret>")
def manifest(secret: str) -> ResponseReturnValue:
    """Answer who asks for the manifest of a link, as the specification says."""
    _take_turn(secret)
    asked = _asked()
    recipient = _recipient(asked)
    longest, passcode = _longest(asked), asked.get("passcode")
    found = current.services().health_links.knock(
        secret,
        normal(passcode) if isinstance(passcode, str) else None,
        recipient=recipient,
        fits=lambda content: longest is None or len(content) <= longest,
    )
    if found is None:
        return _over()
    if isinstance(found, WrongPasscode):
        return _json({"remainingAttempts": found.remaining}, 401)
    file = {"embedded": found.content} if found.content else {"location": _address(found.token)}
    made = dt.datetime.fromtimestamp(found.made, place_zone()).isoformat()
    return _json(manifest_of(file, made=made))


@site_blueprint.get("/shl/file/<token>")
def file(token: str) -> ResponseReturnValue:
    """Give a document that a manifest gave the address of, once."""
    content = current.services().health_links.fetch(token)
    return _over() if content is None else Response(content, mimetype="application/jose")


def _take_turn(secret: str) -> None:
    buckets: Buckets = current_app.extensions[_BUCKETS]
    if wait := buckets.take(secret):
        raise TooManyRequests(wait)


def _asked() -> Mapping[str, Any]:
    request.max_content_length = _LONGEST_BODY
    try:
        asked = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:  # also what is nested deeper than anybody means
        raise BadRequest(code="no-json") from error
    if not isinstance(asked, dict):
        raise BadRequest(code="no-json-object")
    return asked


def _recipient(asked: Mapping[str, Any]) -> str:
    said = asked.get("recipient")
    words = typed(said) if isinstance(said, str) else ""
    # Without what is not seen itself and turns what stands after it round: the client reads this among others.
    recipient = " ".join("".join(sign for sign in words if unicodedata.category(sign) not in _UNSEEN).split())
    if not recipient:
        raise BadRequest(code="no-recipient")
    return recipient[:_LONGEST_RECIPIENT]


def _longest(asked: Mapping[str, Any]) -> int | None:
    longest = asked.get("embeddedLengthMax")
    if longest is None:
        return None
    if not isinstance(longest, int) or isinstance(longest, bool) or longest < 0:
        raise BadRequest(code="embedded-length")
    return longest


def _address(token: str) -> str:
    return f"{current.services().settings.public_url}/shl/file/{token}"


def _over() -> Response:
    return _json({"error": "This link cannot be opened (any more)."}, 404)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
