"""How the sandbox answers: FHIR JSON, and an OperationOutcome that says what to do for each refusal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

import orjson
from flask import Response

from questionnaires.fhir import Resource
from smartapp.fhir.store import Conflict, RecordError, Stored, operation_outcome
from smartapp.sandbox.server import current_sandbox

JSON_TYPES = ("application/fhir+json", "application/json")

ISSUE_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
}


def answer(body: Resource | None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a FHIR answer."""
    content = b"" if body is None else orjson.dumps(body)
    return Response(content, status, headers, content_type="application/fhir+json; charset=utf-8")


def refused(error: RecordError) -> Response:
    """Return the answer to a call that failed; a conflict also says which version is stored."""
    response = answer(outcome_of(error), error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="sandbox"'
    if isinstance(error, Conflict) and error.current is not None and error.current.etag is not None:
        response.headers["ETag"] = error.current.etag
    return response


def outcome_of(error: RecordError, where: str = "") -> Resource:
    """Return the OperationOutcome of an error; `where` is an expression such as `Bundle.entry[2]`."""
    # "exception" for a status that no one foresaw: FHIR demands some code.
    outcome = operation_outcome(ISSUE_CODES.get(error.status, "exception"), error.message)
    if where:
        outcome["issue"][0]["expression"] = [where]
    return outcome


def location(stored: Stored) -> str:
    """Return the address of this version of a resource."""
    return f"{current_sandbox().base}/{stored.reference}/_history/{stored.resource['meta']['versionId']}"


def version_headers(stored: Stored) -> dict[str, str]:
    """Return ETag and Last-Modified of a resource."""
    moment = datetime.fromisoformat(stored.resource["meta"]["lastUpdated"])
    return {"ETag": stored.etag or "", "Last-Modified": format_datetime(moment, usegmt=True)}
