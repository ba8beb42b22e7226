"""Several requests at once: a transaction (all or nothing) or a batch (each on its own)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl

from flask import request

from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.own.index import relative
from smartapp.fhir.store import RecordError, Refused, Stored
from smartapp.sandbox.answers import location, outcome_of
from smartapp.sandbox.reading import read_stored, search_bundle
from smartapp.sandbox.server import current_sandbox
from smartapp.sandbox.writing import CheckedWrite, checked_create, checked_update, store_all

MOST_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """The request of one Bundle entry, taken apart."""

    method: str
    type: str
    id: str
    params: tuple[tuple[str, str], ...]
    resource: Resource
    guards: tuple[str | None, str | None]
    if_none_exist: str | None
    full_url: str | None


def answers_to(given: Resource) -> Resource:
    """Do what a Bundle asks and return the Bundle of answers. Raises RecordError, for a batch only as a whole."""
    kind = given.get("type")
    if given["resourceType"] != "Bundle" or kind not in ("transaction", "batch"):
        raise Refused("The base takes a Bundle of type transaction or batch.", status=400)
    ehr = current_sandbox().kind
    if not (ehr.transaction if kind == "transaction" else ehr.batch):
        raise Refused(f"This server ({ehr.name}) does not do {kind}. Send the resources one by one.", status=405)
    entries = given.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refused("Bundle.entry is not a list of entries.", status=400)
    if len(entries) > MOST_ENTRIES:
        raise Refused(f"The Bundle has {len(entries)} entries; at most {MOST_ENTRIES} are taken.", status=413)
    answers = (
        _transaction(entries) if kind == "transaction" else [_batched(entry, i) for i, entry in enumerate(entries)]
    )
    return {"resourceType": "Bundle", "type": f"{kind}-response", "entry": answers}


def _request_of(entry: Resource, where: str) -> EntryRequest:
    said = object_in(entry, "request")
    url, method = text_in(said, "url"), said.get("method")
    if not url:
        raise Refused(f"{where}.request.url is missing. Say what to do with the entry.", status=400)
    for name in ("ifMatch", "ifNoneMatch", "ifNoneExist"):
        if not isinstance(said.get(name, ""), str):
            raise Refused(f"{where}.request.{name} is not text.", status=400)
    path, _, query = relative(url, current_sandbox().base).partition("?")
    type_, _, id_ = path.strip("/").partition("/")
    resource = object_in(entry, "resource")
    if method in ("POST", "PUT") and not text_in(resource, "resourceType"):
        raise Refused(f"{where}.resource is missing or has no resourceType.", status=400)
    _check_address(method, path, id_, query, where)
    full_url = text_in(entry, "fullUrl")
    return EntryRequest(
        method=str(method),
        type=type_,
        id=id_,
        params=tuple(parse_qsl(query, keep_blank_values=True)),
        resource=resource,
        guards=(said.get("ifMatch"), said.get("ifNoneMatch")),
        if_none_exist=said.get("ifNoneExist"),
        # Only a made-up name is a name within the Bundle; an address is where the resource came from.
        full_url=full_url if full_url.startswith("urn:") else None,
    )


def _check_address(method: object, path: str, id_: str, query: str, where: str) -> None:
    if method not in ("GET", "POST", "PUT"):
        raise Refused(f"{where}.request.method {str(method)[:10]!r} is not offered: use GET, POST or PUT.", status=405)
    if method == "PUT" and (query or not id_):
        raise Refused(f"{where}: an update needs Type/id in request.url; it cannot search.", status=400)
    if "/" in id_ or (method == "POST" and (id_ or query)):
        raise Refused(f"{where}.request.url {path[:80]!r} is not understood for {method}.", status=400)


def _checked(asked: EntryRequest, where: str) -> CheckedWrite:
    inside = f"{where}.resource: "
    if asked.method == "POST":
        checked = checked_create(asked.type, asked.resource, asked.if_none_exist, inside)
    else:
        checked = checked_update(asked.type, asked.id, asked.resource, asked.guards, inside)
    return replace(checked, write=replace(checked.write, full_url=asked.full_url))


def _transaction(entries: list[Resource]) -> list[Resource]:
    requests: list[EntryRequest] = []
    writes: dict[int, CheckedWrite] = {}
    for number, entry in enumerate(entries):
        where = f"Bundle.entry[{number}]"
        try:
            requests.append(_request_of(entry, where))
            if requests[number].method != "GET":
                writes[number] = _checked(requests[number], where)
        except RecordError as error:
            raise _placed(error, where) from None
    # Everything was checked before anything is stored.
    written = _stored(writes)
    # Reads come last, as FHIR wants it: they see what this transaction has written.
    return [
        _written_entry(written[number]) if number in written else _read_entry(asked)
        for number, asked in enumerate(requests)
    ]


def _stored(writes: Mapping[int, CheckedWrite]) -> dict[int, Stored]:
    """Store the writes of a transaction, by the number of their entry; an error says which entry it is about."""
    numbers = list(writes)
    try:
        return dict(zip(numbers, store_all(list(writes.values())), strict=True))
    except RecordError as error:
        if error.unit_index is None:
            raise
        raise _placed(error, f"Bundle.entry[{numbers[error.unit_index]}]") from None


def _placed(error: RecordError, where: str) -> RecordError:
    # Most checks have named the entry already.
    if where not in error.message:
        error.message = f"{where}: {error.message} Nothing of this transaction was stored."
    return error


def _batched(entry: Resource, number: int) -> Resource:
    where = f"Bundle.entry[{number}]"
    try:
        asked = _request_of(entry, where)
        if asked.method == "GET":
            return _read_entry(asked)
        return _written_entry(store_all([_checked(asked, where)])[0])
    except RecordError as error:
        return {"response": {"status": _status(error.status), "outcome": outcome_of(error, where)}}


def _read_entry(asked: EntryRequest) -> Resource:
    if not asked.id:
        return {"resource": search_bundle(asked.type, asked.params), "response": {"status": _status(200)}}
    stored = read_stored(asked.type, asked.id)
    return {"resource": stored.resource, "response": {"status": _status(200), "etag": stored.etag}}


def _written_entry(stored: Stored) -> Resource:
    entry: Resource = {
        "fullUrl": f"{current_sandbox().base}/{stored.reference}",
        "response": {
            "status": _status(201 if stored.created else 200),
            "location": location(stored),
            "etag": stored.etag,
            "lastModified": stored.resource["meta"]["lastUpdated"],
        },
    }
    if "return=minimal" not in request.headers.get("Prefer", ""):
        entry["resource"] = stored.resource
    return entry


def _status(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
