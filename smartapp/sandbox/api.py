"""The sandbox's FHIR R4 API over our own store: it asks every call for a token, a scope and the right record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Blueprint, Response, g, request

from questionnaires.fhir import Resource
from smartapp.fhir.own.index import patients_of, relative
from smartapp.fhir.own.search import Definition, Search, definition, understand
from smartapp.fhir.own.writes import Outcome
from smartapp.fhir.store import (
    Conflict,
    Forbidden,
    NotFound,
    Query,
    RecordError,
    Refused,
    Stored,
    Unauthorized,
    Write,
    operation_outcome,
)
from smartapp.sandbox.authorization import smart_configuration
from smartapp.sandbox.checking import check, parsed
from smartapp.sandbox.kinds import INTERACTIONS, capability_statement
from smartapp.sandbox.scopes import Access, Caller, access, parse
from smartapp.sandbox.server import Sandbox, sandbox

blueprint = Blueprint("api", __name__)

PAGE = 200
LARGEST_PAGE = 500
MOST_ENTRIES = 500

_ISSUE_CODES = {
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
_JSON = ("application/fhir+json", "application/json")


# ---- before and after each call


@blueprint.before_request
def prepare() -> Response | None:
    """Let a fault happen, and refuse answers in a form this server does not speak."""
    parts = request.path.removeprefix("/fhir").strip("/").split("/")
    action = sandbox().faults.take(request.method, parts[0] or "Bundle")
    g.drop = action == "drop"
    if isinstance(action, int):
        text = f"Made-up fault of the test: {action}. Nothing was done."
        response = answer(operation_outcome(_ISSUE_CODES.get(action, "exception"), text), action)
        if action == 429:
            response.headers["Retry-After"] = "1"
        return response
    if action == "timeout":
        sandbox().faults.hang()
        return answer(operation_outcome("timeout", "Made-up fault of the test: too late."), 504)
    if action == "drop-before":
        break_connection()
        return answer(operation_outcome("exception", "Made-up fault of the test: broken."), 500)
    wanted = request.args.get("_format", "json")
    if wanted not in ("json", *_JSON):
        raise Refused(f"_format {wanted[:40]!r} is not spoken here. Use application/fhir+json.", status=406)
    if not any(request.accept_mimetypes[mime] for mime in _JSON) and request.accept_mimetypes:
        raise Refused("This server answers in application/fhir+json only. Say so in Accept.", status=406)
    return None


@blueprint.after_request
def finish(response: Response) -> Response:
    """Keep answers about people out of every cache, and break the connection where a fault asks for it."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if g.get("drop"):
        break_connection()
    return response


def break_connection() -> None:
    """Close the connection under the answer, where the test's server gave us hold of it."""
    channel = request.environ.get("verstel.channel")
    if channel is not None:
        channel.break_off()


def refused(error: RecordError) -> Response:
    """Answer an error as an OperationOutcome that says what to do."""
    response = answer(outcome_of(error), error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="sandbox"'
    if isinstance(error, Conflict) and error.current is not None and error.current.etag is not None:
        response.headers["ETag"] = error.current.etag
    return response


def outcome_of(error: RecordError, where: str = "") -> Resource:
    """Return the OperationOutcome of an error; `where` is an expression such as `Bundle.entry[2]`."""
    outcome = operation_outcome(_ISSUE_CODES.get(error.status, "exception"), error.message)
    if where:
        outcome["issue"][0]["expression"] = [where]
    return outcome


def answer(body: Resource | None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a FHIR answer."""
    content = b"" if body is None else orjson.dumps(body)
    return Response(content, status, headers, content_type="application/fhir+json; charset=utf-8")


blueprint.register_error_handler(RecordError, refused)


# ---- who calls, and what may they


def caller() -> Caller | None:
    """Return whoever holds the token of this call, or None where it carries none. Raises Unauthorized."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    found = sandbox().tickets.known(token.strip(), "access") if scheme.lower() == "bearer" else None
    if found is None:
        raise Unauthorized("The access token is not good: unknown, ended or revoked. Refresh it or launch again.")
    texts = found.scope.split()
    scopes = tuple(scope for scope in map(parse, texts) if scope is not None)
    return Caller(found.user, found.patient, scopes, frozenset(texts), found.client)


def offered(type_: str, letter: str) -> Definition:
    """Return what is known of a type, or raise Refused (404, 405) where this EHR does not offer the interaction."""
    known = definition(type_)
    box = sandbox()
    if not box.kind.offers(type_, letter):
        has = [INTERACTIONS[one] for one in "crus" if box.kind.offers(type_, one)]
        raise Refused(
            f"This server ({box.kind.name}) does not offer {INTERACTIONS[letter]} on {type_}. "
            f"It offers: {', '.join(has) or 'nothing on this type'}. See the CapabilityStatement at /metadata.",
            status=405,
        )
    return known


def allowed(type_: str, letter: str, id_: str | None = None) -> Access:
    """Return what this call may reach with one interaction on one type. Raises Refused, Unauthorized, Forbidden."""
    known = offered(type_, letter)
    who = caller()
    if known.public and letter in "rs":
        return Access(None)
    if who is None:
        raise Unauthorized("This call carries no access token. Launch the app and send 'Authorization: Bearer …'.")
    found = access(who, type_, letter)
    if found is None:
        if letter == "r" and who.user == f"{type_}/{id_}" and {"fhirUser", "profile"} & who.plain:
            return Access(None)
        raise Forbidden(
            f"The granted scopes do not cover {INTERACTIONS[letter]} on {type_}. "
            f"Ask for {'patient' if who.patient else 'user'}/{type_}.{letter} when launching."
        )
    return found


def reachable(stored: Stored, reach: Access) -> bool:
    """Say whether a stored resource lies within what a call may reach."""
    type_, id_ = stored.resource["resourceType"], stored.resource["id"]
    store = sandbox().store
    bounded = reach.compartment is not None and not definition(type_).shared
    if bounded and not store.belongs_to(type_, id_, reach.compartment or ""):
        return False
    if reach.query:
        search = understand(Query(type_, (("_id", id_), *reach.query)))
        return store.find(search, count=1).total == 1
    return True


_ELSEWHERE = "It is outside the patient record (or the part of it) that this token is for."


# ---- about the server


@blueprint.get("/metadata")
def metadata() -> Response:
    """Give the CapabilityStatement."""
    box = sandbox()
    return answer(capability_statement(box.kind, box.store.capabilities(), base=box.base, auth=box.endpoints))


@blueprint.get("/.well-known/smart-configuration")
def well_known() -> Response:
    """Give the SMART configuration."""
    return Response(orjson.dumps(smart_configuration(sandbox())), content_type="application/json")


# ---- reading


@blueprint.get("/<type_>/<id_>")
def read(type_: str, id_: str) -> Response:
    """Give one resource."""
    if id_ == "_search":
        raise Refused("_search takes POST. For GET, put the parameters after the type.", status=405)
    stored = read_stored(type_, id_)
    if stored.etag in request.headers.get("If-None-Match", "").split(", "):
        return Response(status=304, headers={"ETag": stored.etag or ""})
    return answer(stored.resource, headers=version_headers(stored))


def read_stored(type_: str, id_: str) -> Stored:
    """Return one resource that this call may read."""
    reach = allowed(type_, "r", id_)
    stored = sandbox().store.read(type_, id_)
    if not reachable(stored, reach):
        raise Forbidden(f"This {type_} cannot be read. {_ELSEWHERE}")
    return stored


@blueprint.get("/<type_>/<id_>/_history/<version>")
def read_version(type_: str, id_: str, version: str) -> Response:
    """Give one version of a resource."""
    read_stored(type_, id_)
    stored = sandbox().store.read_version(type_, id_, version)
    return answer(stored.resource, headers=version_headers(stored))


@blueprint.get("/<type_>/<id_>/_history")
def history(type_: str, id_: str) -> Response:
    """Give all versions of a resource, newest first."""
    read_stored(type_, id_)
    versions = sandbox().store.history(type_, id_)
    base = sandbox().base
    return answer(
        {
            "resourceType": "Bundle",
            "type": "history",
            "total": len(versions),
            "link": [{"relation": "self", "url": f"{base}/{type_}/{id_}/_history"}],
            "entry": [
                {
                    "fullUrl": f"{base}/{type_}/{id_}",
                    "resource": version.resource,
                    "request": {"method": "PUT", "url": f"{type_}/{id_}"},
                    "response": {
                        "status": "200 OK",
                        "etag": version.etag,
                        "lastModified": version.resource["meta"]["lastUpdated"],
                    },
                }
                for version in versions
            ],
        }
    )


@blueprint.get("/<type_>")
def search_get(type_: str) -> Response:
    """Search with the parameters in the address."""
    return answer(search_bundle(type_, tuple(request.args.items(multi=True))))


@blueprint.post("/<type_>/_search")
def search_post(type_: str) -> Response:
    """Search with the parameters in a form, so that they stand in no log."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise Refused("_search takes application/x-www-form-urlencoded.", status=415)
    both = (*request.args.items(multi=True), *request.form.items(multi=True))
    return answer(search_bundle(type_, both))


def search_bundle(type_: str, params: tuple[tuple[str, str], ...]) -> Resource:
    """Return the searchset of what this call may see, with total, self and next."""
    reach = allowed(type_, "s")
    params = tuple((name, value) for name, value in params if name not in ("_format", "_pretty"))
    offset = _offset(params)
    asked = tuple((name, value) for name, value in params if name != "_offset")
    search = understand(Query(type_, asked))
    _same_person(search, reach)
    if reach.query:
        search = replace(search, criteria=(*search.criteria, *understand(Query(type_, reach.query)).criteria))
    count = min(PAGE if search.count is None else search.count, LARGEST_PAGE)
    box = sandbox()
    found = box.store.find(search, count=count, offset=offset, patient=reach.compartment)
    included = [one for one in found.included if _may_include(one)]
    links = [{"relation": "self", "url": _address(box, type_, params)}]
    if count and offset + count < found.total:
        following = (*asked, ("_offset", str(offset + count)))
        links.append({"relation": "next", "url": _address(box, type_, following)})
    entries = [(one, "match") for one in found.matches] + [(one, "include") for one in included]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": links}
    if entries:
        bundle["entry"] = [
            {"fullUrl": f"{box.base}/{one.reference}", "resource": one.resource, "search": {"mode": mode}}
            for one, mode in entries
        ]
    return bundle


def _offset(params: tuple[tuple[str, str], ...]) -> int:
    given = dict(params).get("_offset", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 7):
        raise Refused("_offset is not a number. Follow the Bundle's next link as it is.", status=400)
    return int(given)


def _address(box: Sandbox, type_: str, params: tuple[tuple[str, str], ...]) -> str:
    return f"{box.base}/{type_}" + (f"?{urlencode(params)}" if params else "")


def _same_person(search: Search, reach: Access) -> None:
    """Refuse a question about somebody else outright: an empty answer would look as if that person had nothing."""
    if reach.compartment is None or definition(search.type).shared:
        return
    for criterion in search.criteria:
        if criterion.parameter.kind != "reference" or criterion.modifier:
            continue
        for value in criterion.values:
            reference = relative(value, sandbox().base)
            person = f"Patient/{reference}" if criterion.parameter.target == "Patient" else reference
            person = reference if "/" in reference else person
            if person.startswith("Patient/") and person != reach.compartment:
                raise Forbidden(f"{search.type} of this patient cannot be searched. {_ELSEWHERE}")
    if search.type == "Patient" and any(set(ids) - {reach.compartment.partition("/")[2]} for ids in search.ids):
        raise Forbidden(f"This Patient cannot be searched. {_ELSEWHERE}")


def _may_include(stored: Stored) -> bool:
    try:
        return reachable(stored, allowed(stored.resource["resourceType"], "r", stored.resource["id"]))
    except RecordError:
        return False


# ---- writing


@dataclass(frozen=True, slots=True)
class Item:
    """One write that has been checked, and what it may reach."""

    write: Write
    reach: Access


def create_item(type_: str, resource: Resource, if_none_exist: str | None, where: str = "") -> Item:
    """Check a create and return it. Raises RecordError."""
    reach = allowed(type_, "c")
    if if_none_exist is not None and not sandbox().kind.conditional_create:
        raise Refused("This server does not do conditional create. Search first, then create.", status=412)
    _check_content(type_, resource, where)
    return Item(Write("create", resource, if_none_exist=if_none_exist), reach)


def update_item(type_: str, id_: str, resource: Resource, if_match: str | None, where: str = "") -> Item:
    """Check an update and return it. Raises RecordError."""
    reach = allowed(type_, "u")
    if resource.get("id") != id_:
        raise Refused(
            f"The address says {type_}/{id_[:64]}, the body another id (or none). Make them equal.", status=400
        )
    _check_content(type_, resource, where)
    if not sandbox().kind.update_create:
        try:
            sandbox().store.read(type_, id_)
        except NotFound:
            raise NotFound(f"There is no {type_}/{id_[:64]}, and an update does not create here. Use POST.") from None
    return Item(Write("update", resource, if_match=if_match), reach)


def _check_content(type_: str, resource: Resource, where: str) -> None:
    if resource.get("resourceType") != type_:
        raise Refused(
            f"The address says {type_}, the body {str(resource.get('resourceType'))[:64]!r}. Make them equal.",
            status=400,
        )
    check(resource, where)
    _check_rules(resource)


def _check_rules(resource: Resource) -> None:
    box, who = sandbox(), caller()
    for rule in box.kind.rules:
        if rule.type != resource["resourceType"]:
            continue
        if rule.only_users and who is not None and who.persona not in rule.only_users:
            raise Forbidden(
                f"This server ({box.kind.name}) takes {rule.type} only from {' and '.join(rule.only_users)} users."
            )
        if rule.only_categories:
            categories = {
                coding.get("code") for category in resource.get("category", []) for coding in category.get("coding", [])
            }
            if not categories & set(rule.only_categories):
                raise Refused(
                    f"This server ({box.kind.name}) takes {rule.type} only of category "
                    f"{' or '.join(rule.only_categories)}.",
                    status=422,
                )
        if rule.only_known_questionnaires:
            url = str(resource.get("questionnaire", "")).partition("|")[0]
            if not url or not box.store.search(Query.of("Questionnaire", url=url)):
                raise Refused(
                    f"This server ({box.kind.name}) does not know the questionnaire of this response. "
                    "It takes responses to its own questionnaires only.",
                    status=422,
                )


def store_items(items: list[Item]) -> list[Outcome]:
    """Store what was checked, all or nothing, and refuse what would land in (or leave) a record out of reach."""
    narrow = {item.write.resource["resourceType"]: item.reach for item in items if item.reach.compartment is not None}

    def permit(resource: Resource, current: Stored | None, patients: frozenset[str]) -> None:
        reach = narrow.get(resource["resourceType"])
        if reach is None:
            return
        before = patients_of(current.resource, sandbox().base) if current is not None else patients
        if definition(resource["resourceType"]).shared or patients != {reach.compartment} or before != patients:
            raise Forbidden(f"This {resource['resourceType']} cannot be written. {_ELSEWHERE}")

    return sandbox().store.put_all([item.write for item in items], permit)


def body() -> Resource:
    """Return the resource in the body. Raises Refused (400, 413, 415)."""
    if request.mimetype not in _JSON:
        raise Refused("The body must be application/fhir+json. Say so in Content-Type.", status=415)
    return parsed(request.get_data())


@blueprint.post("/<type_>")
def create(type_: str) -> Response:
    """Create a resource (once, with If-None-Exist)."""
    allowed(type_, "c")
    return written(store_items([create_item(type_, body(), request.headers.get("If-None-Exist"))])[0])


@blueprint.put("/<type_>/<id_>")
def update(type_: str, id_: str) -> Response:
    """Update a resource (only the version you know, with If-Match)."""
    allowed(type_, "u")
    return written(store_items([update_item(type_, id_, body(), request.headers.get("If-Match"))])[0])


@blueprint.route("/<type_>/<id_>", methods=["DELETE", "PATCH", "POST"])
@blueprint.route("/<type_>", methods=["PUT", "DELETE", "PATCH"])
def not_offered(type_: str, id_: str = "") -> Response:
    """Refuse what this server does for no type."""
    definition(type_)
    raise Refused(
        f"{request.method} is not offered on {type_}{'/id' if id_ else ''}: nothing is deleted or patched here. "
        "Create with POST on the type, update with PUT on the resource.",
        status=405,
    )


def written(outcome: Outcome) -> Response:
    """Answer a write: 201 or 200, where it lives now, its version, and what Prefer asks for."""
    stored = outcome.stored
    headers = version_headers(stored)
    if outcome.created:
        headers["Location"] = location(stored)
    prefer = request.headers.get("Prefer", "")
    content: Resource | None = stored.resource
    if "return=minimal" in prefer:
        content = None
    elif "return=OperationOutcome" in prefer:
        done = "Created" if outcome.created else "Updated"
        content = operation_outcome("informational", f"{done}: {stored.reference}.", severity="information")
    return answer(content, 201 if outcome.created else 200, headers)


def location(stored: Stored) -> str:
    """Return the address of this version of a resource."""
    return f"{sandbox().base}/{stored.reference}/_history/{stored.resource['meta']['versionId']}"


def version_headers(stored: Stored) -> dict[str, str]:
    """Return ETag and Last-Modified of a resource."""
    moment = datetime.fromisoformat(stored.resource["meta"]["lastUpdated"])
    return {"ETag": stored.etag or "", "Last-Modified": format_datetime(moment, usegmt=True)}


# ---- several at once


@blueprint.post("/", strict_slashes=False)
def bundle() -> Response:
    """Take a transaction (all or nothing) or a batch (each on its own)."""
    box = sandbox()
    if caller() is None:
        raise Unauthorized("This call carries no access token. Launch the app and send 'Authorization: Bearer …'.")
    given = body()
    kind = given.get("type")
    if given["resourceType"] != "Bundle" or kind not in ("transaction", "batch"):
        raise Refused("The base takes a Bundle of type transaction or batch.", status=400)
    if not (box.kind.transaction if kind == "transaction" else box.kind.batch):
        raise Refused(f"This server ({box.kind.name}) does not do {kind}. Send the resources one by one.", status=405)
    entries = given.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refused("Bundle.entry is not a list of entries.", status=400)
    if len(entries) > MOST_ENTRIES:
        raise Refused(f"The Bundle has {len(entries)} entries; at most {MOST_ENTRIES} are taken.", status=413)
    answers = (
        _transaction(entries) if kind == "transaction" else [_batched(entry, i) for i, entry in enumerate(entries)]
    )
    return answer({"resourceType": "Bundle", "type": f"{kind}-response", "entry": answers})


@dataclass(frozen=True, slots=True)
class Asked:
    """The request of one Bundle entry, taken apart."""

    method: str
    type: str
    id: str
    params: tuple[tuple[str, str], ...]
    resource: Resource
    if_match: str | None
    if_none_exist: str | None
    full_url: str | None


def _asked(entry: Mapping[str, Any], where: str) -> Asked:
    spoken = entry.get("request")
    if not isinstance(spoken, dict) or not isinstance(spoken.get("url"), str):
        raise Refused(f"{where}.request.url is missing. Say what to do with the entry.", status=400)
    path, _, query = relative(spoken["url"], sandbox().base).partition("?")
    type_, _, id_ = path.strip("/").partition("/")
    method = spoken.get("method")
    resource = entry.get("resource")
    if method in ("POST", "PUT") and not (isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)):
        raise Refused(f"{where}.resource is missing or has no resourceType.", status=400)
    if method not in ("GET", "POST", "PUT"):
        raise Refused(f"{where}.request.method {str(method)[:10]!r} is not offered: use GET, POST or PUT.", status=405)
    if method == "PUT" and (query or not id_):
        raise Refused(f"{where}: an update needs Type/id in request.url; it cannot search.", status=400)
    if "/" in id_ or (method == "POST" and (id_ or query)):
        raise Refused(f"{where}.request.url {path[:80]!r} is not understood for {method}.", status=400)
    for name in ("ifMatch", "ifNoneExist"):
        if not isinstance(spoken.get(name, ""), str):
            raise Refused(f"{where}.request.{name} is not text.", status=400)
    full_url = entry.get("fullUrl")
    return Asked(
        method=method,
        type=type_,
        id=id_,
        params=tuple(parse_qsl(query, keep_blank_values=True)),
        resource=resource if isinstance(resource, dict) else {},
        if_match=spoken.get("ifMatch"),
        if_none_exist=spoken.get("ifNoneExist"),
        full_url=full_url if isinstance(full_url, str) and full_url.startswith("urn:") else None,
    )


def _item(asked: Asked, where: str) -> Item:
    inside = f"{where}.resource: "
    if asked.method == "POST":
        item = create_item(asked.type, asked.resource, asked.if_none_exist, inside)
    else:
        item = update_item(asked.type, asked.id, asked.resource, asked.if_match, inside)
    return replace(item, write=replace(item.write, full_url=asked.full_url))


def _transaction(entries: list[dict[str, Any]]) -> list[Resource]:
    requests: list[Asked] = []
    items: dict[int, Item] = {}
    for number, entry in enumerate(entries):
        where = f"Bundle.entry[{number}]"
        try:
            requests.append(_asked(entry, where))
            if requests[number].method != "GET":
                items[number] = _item(requests[number], where)
        except RecordError as error:
            raise _placed(error, where) from None
    numbers = list(items)
    try:
        outcomes = dict(zip(numbers, store_items(list(items.values())), strict=True))
    except RecordError as error:
        raise (
            error if error.unit_index is None else _placed(error, f"Bundle.entry[{numbers[error.unit_index]}]")
        ) from None
    return [
        _written_entry(outcomes[number]) if number in outcomes else _read_entry(asked)
        for number, asked in enumerate(requests)
    ]


def _placed(error: RecordError, where: str) -> RecordError:
    if where not in error.message:
        error.message = f"{where}: {error.message} Nothing of this transaction was stored."
    return error


def _batched(entry: dict[str, Any], number: int) -> Resource:
    where = f"Bundle.entry[{number}]"
    try:
        asked = _asked(entry, where)
        if asked.method == "GET":
            return _read_entry(asked)
        return _written_entry(store_items([_item(asked, where)])[0])
    except RecordError as error:
        return {"response": {"status": _status(error.status), "outcome": outcome_of(error, where)}}


def _read_entry(asked: Asked) -> Resource:
    if not asked.id:
        return {"resource": search_bundle(asked.type, asked.params), "response": {"status": _status(200)}}
    stored = read_stored(asked.type, asked.id)
    return {"resource": stored.resource, "response": {"status": _status(200), "etag": stored.etag}}


def _written_entry(outcome: Outcome) -> Resource:
    stored = outcome.stored
    entry: Resource = {
        "fullUrl": f"{sandbox().base}/{stored.reference}",
        "response": {
            "status": _status(201 if outcome.created else 200),
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
