"""The addresses of the sandbox's FHIR R4 API: every call needs a token, a scope and the right record."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, g, request

from questionnaires.fhir import Resource
from smartapp.fhir.own.search import definition
from smartapp.fhir.store import RecordError, Refused, Unauthorized, operation_outcome
from smartapp.sandbox.answers import ISSUE_CODES, JSON_TYPES, answer, refused, version_headers
from smartapp.sandbox.bundles import answers_to
from smartapp.sandbox.checking import parsed
from smartapp.sandbox.discovery import smart_configuration
from smartapp.sandbox.kinds import capability_statement
from smartapp.sandbox.permissions import allowed, caller
from smartapp.sandbox.reading import history_bundle, read_stored, search_bundle
from smartapp.sandbox.server import current_sandbox
from smartapp.sandbox.writing import checked_create, checked_update, store_all, written

blueprint = Blueprint("api", __name__)
blueprint.register_error_handler(RecordError, refused)


@blueprint.before_request
def prepare() -> Response | None:
    """Let a fault happen, and refuse to answer in a format that this server does not have."""
    fault = _fault()
    if fault is not None:
        return fault
    wanted = request.args.get("_format", "json")
    if wanted not in ("json", *JSON_TYPES):
        raise Refused(f"_format {wanted[:40]!r} is not supported. Use application/fhir+json.", status=406)
    if not any(request.accept_mimetypes[mime] for mime in JSON_TYPES) and request.accept_mimetypes:
        raise Refused("This server answers in application/fhir+json only. Say so in Accept.", status=406)
    return None


def _fault() -> Response | None:
    """Return the answer of the fault that a test asked for here, or None; with a fault nothing is done.

    Only `drop` comes too late for that: everything is done, and then the connection breaks (see `finish`).
    """
    parts = request.path.removeprefix("/fhir").strip("/").split("/")
    action = current_sandbox().faults.take(request.method, parts[0] or "Bundle")
    g.drop = action == "drop"
    if action == "timeout":
        current_sandbox().faults.hang()
        return answer(operation_outcome("timeout", "Made-up fault of the test: too late."), 504)
    if action == "drop-before":
        break_connection()
        return answer(operation_outcome("exception", "Made-up fault of the test: broken."), 500)
    if not isinstance(action, int):
        return None
    text = f"Made-up fault of the test: {action}. Nothing was done."
    response = answer(operation_outcome(ISSUE_CODES.get(action, "exception"), text), action)
    if action == 429:
        response.headers["Retry-After"] = "1"
    return response


@blueprint.after_request
def finish(response: Response) -> Response:
    """Keep answers about people out of every cache, and break the connection where a fault asks for it."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if g.get("drop"):
        break_connection()
    return response


def break_connection() -> None:
    """Close the connection under the answer, if the server of the tests lets us."""
    channel = request.environ.get("verstel.channel")
    if channel is not None:
        channel.break_off()


@blueprint.get("/metadata")
def metadata() -> Response:
    """Give the CapabilityStatement."""
    sandbox = current_sandbox()
    return answer(
        capability_statement(sandbox.kind, sandbox.store.capabilities(), base=sandbox.base, auth=sandbox.endpoints)
    )


@blueprint.get("/.well-known/smart-configuration")
def well_known() -> Response:
    """Give the SMART configuration."""
    return Response(orjson.dumps(smart_configuration(current_sandbox())), content_type="application/json")


@blueprint.get("/<type_>/<id_>")
def read(type_: str, id_: str) -> Response:
    """Give one resource."""
    # GET on `Type/_search` has the form of a read.
    if id_ == "_search":
        raise Refused("_search takes POST. For GET, put the parameters after the type.", status=405)
    stored = read_stored(type_, id_)
    if stored.etag in request.headers.get("If-None-Match", "").split(", "):
        return Response(status=304, headers={"ETag": stored.etag or ""})
    return answer(stored.resource, headers=version_headers(stored))


@blueprint.get("/<type_>/<id_>/_history/<version>")
def read_version(type_: str, id_: str, version: str) -> Response:
    """Give one version of a resource."""
    # What the caller may read is judged by the current version: older ones are no way around that.
    read_stored(type_, id_)
    stored = current_sandbox().store.read_version(type_, id_, version)
    return answer(stored.resource, headers=version_headers(stored))


@blueprint.get("/<type_>/<id_>/_history")
def history(type_: str, id_: str) -> Response:
    """Give all versions of a resource, newest first."""
    return answer(history_bundle(type_, id_))


@blueprint.get("/<type_>")
def search_get(type_: str) -> Response:
    """Search with the parameters in the address."""
    return answer(search_bundle(type_, tuple(request.args.items(multi=True))))


@blueprint.post("/<type_>/_search")
def search_post(type_: str) -> Response:
    """Search with the parameters in a form, so that they are in no log."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise Refused("_search takes application/x-www-form-urlencoded.", status=415)
    both = (*request.args.items(multi=True), *request.form.items(multi=True))
    return answer(search_bundle(type_, both))


@blueprint.post("/<type_>")
def create(type_: str) -> Response:
    """Create a resource (once, with If-None-Exist)."""
    allowed(type_, "c")
    return written(store_all([checked_create(type_, body(), request.headers.get("If-None-Exist"))])[0])


@blueprint.put("/<type_>/<id_>")
def update(type_: str, id_: str) -> Response:
    """Update a resource: only the version you know with If-Match, only a new one with If-None-Match: *."""
    allowed(type_, "u")
    guards = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    return written(store_all([checked_update(type_, id_, body(), guards)])[0])


@blueprint.route("/<type_>/<id_>", methods=["DELETE", "PATCH", "POST"])
@blueprint.route("/<type_>", methods=["PUT", "DELETE", "PATCH"])
def not_offered(type_: str, id_: str = "") -> Response:
    """Refuse what this server does not do for any type."""
    # A type that does not exist is a 404, before its methods matter.
    definition(type_)
    raise Refused(
        f"{request.method} is not offered on {type_}{'/id' if id_ else ''}: nothing is deleted or patched here. "
        "Create with POST on the type, update with PUT on the resource.",
        status=405,
    )


def body() -> Resource:
    """Return the resource in the body. Raises Refused (400, 413, 415)."""
    if request.mimetype not in JSON_TYPES:
        raise Refused("The body must be application/fhir+json. Say so in Content-Type.", status=415)
    return parsed(request.get_data())


@blueprint.post("/", strict_slashes=False)
def bundle() -> Response:
    """Take a transaction (all or nothing) or a batch (each on its own)."""
    if caller() is None:
        raise Unauthorized("This call carries no access token. Launch the app and send 'Authorization: Bearer …'.")
    return answer(answers_to(body()))
