"""A FHIR server in memory, strict where real ones are: versions, conditions, atomic transactions, no empty strings.

It answers HTTP requests and knows nothing of faults: those happen to the requests on their way (`network`). Everything
that it ever stored is kept, so that a checker can ask what was there at any moment.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from tests.faults.kinds import Kind

Resource = dict[str, Any]

_OF_PEOPLE = re.compile(r"Patient/([A-Za-z0-9\-.]{1,64})$")
_HELD = re.compile(r"(QuestionnaireResponse|Observation|CarePlan|Goal|Task|DocumentReference)/([A-Za-z0-9\-.]{1,64})$")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """One version of one resource, and when it was stored."""

    at: float
    by: str
    resource: Resource
    number: int

    @property
    def reference(self) -> str:
        """Return `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"

    @property
    def etag(self) -> str:
        """Return the tag of this version."""
        return f'W/"{self.number}"'


class Rejected(Exception):
    """The server does not do what was asked."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass(frozen=True)
class Caller:
    """Whose token a request carried: a user, and the one person whose record it opens (None: everybody's)."""

    user: str
    patient: str | None


class ModelEhr:
    """The server at `base`. `caller_of` tells whose a token is; `lag` is how many seconds its index runs behind."""

    def __init__(
        self,
        base: str,
        kind: Kind,
        clock: Callable[[], float],
        caller_of: Callable[[str], Caller | None],
        *,
        lag: float = 0,
    ) -> None:
        self.base, self.kind, self.lag = base, kind, lag
        self._clock, self._caller_of = clock, caller_of
        self._versions: dict[str, list[Kept]] = {}
        self._numbers = 0
        self.log: list[Kept] = []
        self._lock = threading.RLock()  # several threads may ask

    # ---- for the simulator

    def put(self, resource: Resource, by: str = "setup") -> Kept:
        """Store a resource as another program beside ours would: by its id, without asking anyone."""
        with self._lock:
            return self._store(copy.deepcopy(resource), by)

    def current(self) -> list[Kept]:
        """Return every resource as it is now."""
        with self._lock:
            return [versions[-1] for versions in self._versions.values()]

    # ---- HTTP

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Answer one request."""
        try:
            with self._lock:
                return self._answer(method, url, headers, body)
        except Rejected as error:
            issue = {"severity": "error", "code": "processing", "diagnostics": error.why}
            return _json(error.status, {"resourceType": "OperationOutcome", "issue": [issue]})

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self.base).path).strip("/").split("/")
        if path == ["metadata"]:
            return _json(200, self.kind.statement())
        caller = self._caller_of(headers.get("Authorization", "").removeprefix("Bearer "))
        if caller is None:
            raise Rejected(401, "the token is not known, or over")
        match method, path:
            case "POST", [""]:
                return self._bundle(_read(body), caller)
            case "POST", [type_, "_search"]:
                return self._search(type_, parse_qsl((body or b"").decode()) + parse_qsl(parts.query), caller)
            case "GET", [type_]:
                return self._search(type_, parse_qsl(parts.query), caller)
            case "GET", _:
                return self._representation(200, self._visible("/".join(path[:2]), caller))
        return self._write(method, path, headers, _read(body), caller)

    def _write(
        self, method: str, path: Sequence[str], headers: Mapping[str, str], resource: Resource, caller: Caller
    ) -> Answer:
        if method == "POST" and len(path) == 1:
            made, kept = self._create(path[0], resource, headers.get("If-None-Exist"), caller)
            status = 201 if made else 200
        elif method == "PUT" and len(path) == 2:
            made, kept = self._update("/".join(path), resource, headers, caller)
            status = 201 if made else 200
        else:
            raise Rejected(405, f"{method} is not known here")
        if self.kind.representation and "representation" in headers.get("Prefer", ""):
            return self._representation(status, kept)
        return Answer(status, b"", self._where(kept))

    def _representation(self, status: int, kept: Kept) -> Answer:
        return _json(status, kept.resource, self._where(kept))

    def _where(self, kept: Kept) -> dict[str, str]:
        return {"ETag": kept.etag, "Location": f"{self.base}/{kept.reference}/_history/{kept.number}"}

    # ---- reading

    def _visible(self, reference: str, caller: Caller) -> Kept:
        versions = self._versions.get(reference)
        if not versions or not self.kind.offers(reference.partition("/")[0], "r"):
            raise Rejected(404, f"{reference} is not here")
        if caller.patient is not None and _people(versions[-1].resource) - {caller.patient}:
            raise Rejected(404, f"{reference} is not here for you")
        return versions[-1]

    def _search(self, type_: str, params: Sequence[tuple[str, str]], caller: Caller) -> Answer:
        if not self.kind.offers(type_, "s"):
            raise Rejected(403, f"{type_} cannot be searched")
        found = [kept for kept in self._matches(type_, params) if self._may_see(kept, caller)]
        entries = [
            {"fullUrl": f"{self.base}/{kept.reference}", "resource": kept.resource, "search": {"mode": "match"}}
            for kept in found
        ]
        return _json(200, {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})

    def _may_see(self, kept: Kept, caller: Caller) -> bool:
        return caller.patient is None or not (_people(kept.resource) - {caller.patient})

    def _matches(self, type_: str, params: Sequence[tuple[str, str]]) -> Iterator[Kept]:
        for name, _value in params:
            if name.partition(":")[0] not in self.kind.searched_by() and not name.startswith("_"):
                raise Rejected(400, f"{name} is no search parameter of {type_} here")
        for versions in self._versions.values():
            # An index that runs behind knows each resource as it was a moment ago, and the newest not at all.
            seen = [kept for kept in versions if not self.lag or kept.at + self.lag <= self._clock()]
            if seen and seen[-1].resource["resourceType"] == type_ and _is_match(versions[-1].resource, params):
                yield versions[-1]

    # ---- writing

    def _create(self, type_: str, resource: Resource, condition: str | None, caller: Caller) -> tuple[bool, Kept]:
        self._allowed(type_, "c", resource, caller)
        if condition and self.kind.conditional:
            # Conditions are decided on what is stored, not on what the index knows.
            found = [one for one in self._stored_matches(type_, parse_qsl(condition)) if self._may_see(one, caller)]
            if len(found) > 1:
                raise Rejected(412, "more than one resource matches If-None-Exist")
            if found:
                return False, found[0]
        self._numbers += 1
        return True, self._store({**resource, "id": f"n{self._numbers}"}, caller.user)

    def _stored_matches(self, type_: str, params: Sequence[tuple[str, str]]) -> Iterator[Kept]:
        for versions in self._versions.values():
            if versions[-1].resource["resourceType"] == type_ and _is_match(versions[-1].resource, params):
                yield versions[-1]

    def _update(
        self, reference: str, resource: Resource, headers: Mapping[str, str], caller: Caller
    ) -> tuple[bool, Kept]:
        type_, _, id_ = reference.partition("/")
        if resource.get("id") != id_:
            raise Rejected(400, "the id in the address is not that of the resource")
        versions = self._versions.get(reference)
        if versions is None:
            if not self.kind.client_ids:
                raise Rejected(405, f"{reference} is not here, and its id is not yours to choose")
            if headers.get("If-Match"):
                raise Rejected(412, f"{reference} is not here")
            self._allowed(type_, "c", resource, caller)
            return True, self._store(resource, caller.user)
        self._visible(reference, caller)
        if headers.get("If-None-Match") == "*":
            raise Rejected(412, f"{reference} is here already")
        self._allowed(type_, "u", resource, caller)
        if (tag := headers.get("If-Match")) is not None and tag.removeprefix("W/") != f'"{versions[-1].number}"':
            raise Rejected(412, f"{reference} is no longer at {tag}")
        return False, self._store(resource, caller.user)

    def _allowed(self, type_: str, letter: str, resource: Resource, caller: Caller) -> None:
        if not self.kind.offers(type_, letter):
            raise Rejected(403, f"{type_} is not taken here")
        if type_ in self.kind.refuses:
            raise Rejected(422, f"{type_} is refused here")
        if resource.get("resourceType") != type_:
            raise Rejected(400, f"the address says {type_}, the content {resource.get('resourceType')}")
        if empty := next(_empty(resource, type_), None):
            raise Rejected(422, f"{empty} is empty, and FHIR has no empty elements")
        if caller.patient is not None and _people(resource) - {caller.patient}:
            raise Rejected(403, "this is about another person than the token")
        for name in _references(resource):
            if (match := _HELD.match(name)) and match[0] not in self._versions:
                raise Rejected(422, f"{match[0]} is referred to, and is not here")
            if name.startswith("urn:"):
                raise Rejected(422, f"{name} is referred to, and nothing here is called that")

    def _store(self, resource: Resource, by: str) -> Kept:
        reference = f"{resource['resourceType']}/{resource['id']}"
        versions = self._versions.setdefault(reference, [])
        number, now = len(versions) + 1, self._clock()
        moment = dt.datetime.fromtimestamp(now, dt.UTC).isoformat(timespec="milliseconds")
        meta = {**resource.get("meta", {}), "versionId": str(number), "lastUpdated": moment}
        kept = Kept(now, by, {**resource, "meta": meta}, number)
        versions.append(kept)
        self.log.append(kept)
        return kept

    # ---- bundles

    def _bundle(self, bundle: Resource, caller: Caller) -> Answer:
        kind = bundle.get("type")
        if bundle.get("resourceType") != "Bundle" or not getattr(self.kind, str(kind), False):
            raise Rejected(400, f"a Bundle of type {kind} is not taken here")
        if kind == "batch":
            return self._answers("batch-response", [self._one(entry, caller) for entry in bundle["entry"]])
        before = {reference: list(versions) for reference, versions in self._versions.items()}, len(self.log)
        try:
            return self._answers("transaction-response", self._together(bundle["entry"], caller))
        except Rejected:
            self._versions, _ = before
            del self.log[before[1] :]
            raise

    def _together(self, entries: Sequence[Resource], caller: Caller) -> list[Resource]:
        """Do all entries: creates first get their ids, so that the references between them can be made real."""
        names: dict[str, str] = {}
        done: dict[int, Resource] = {}
        waiting = dict(enumerate(entries))
        while waiting:
            ready = [
                number
                for number, entry in waiting.items()
                if not {name for name in _references(entry["resource"]) if name.startswith("urn:")}
                & {other.get("fullUrl") for at, other in waiting.items() if at != number}
            ]
            for number in ready or list(waiting)[:1]:
                entry = waiting.pop(number)
                done[number] = self._entry({**entry, "resource": _renamed(entry["resource"], names)}, caller)
                if entry.get("fullUrl"):
                    names[entry["fullUrl"]] = "/".join(done[number]["response"]["location"].split("/")[-4:-2])
        return [done[number] for number in range(len(entries))]

    def _one(self, entry: Resource, caller: Caller) -> Resource:
        before = len(self.log)
        try:
            return self._entry(entry, caller)
        except Rejected as error:
            del self.log[before:]
            issue = {"severity": "error", "code": "processing", "diagnostics": error.why}
            outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
            return {"response": {"status": str(error.status), "outcome": outcome}}

    def _entry(self, entry: Resource, caller: Caller) -> Resource:
        request = entry["request"]
        names = {"If-Match": "ifMatch", "If-None-Exist": "ifNoneExist", "If-None-Match": "ifNoneMatch"}
        headers = {header: request[name] for header, name in names.items() if name in request}
        answer = self._write(
            request["method"], request["url"].split("/"), {**headers, "Prefer": "representation"},
            entry["resource"], caller,
        )  # fmt: skip
        response = {
            "status": str(answer.status),
            "location": answer.headers["Location"],
            "etag": answer.headers["ETag"],
        }
        return {"response": response, **({"resource": orjson.loads(answer.body)} if answer.body else {})}

    def _answers(self, kind: str, entries: list[Resource]) -> Answer:
        return _json(200, {"resourceType": "Bundle", "type": kind, "entry": entries})


# ---- resources


def _read(body: bytes | None) -> Resource:
    try:
        resource = orjson.loads(body or b"")
    except orjson.JSONDecodeError as error:
        raise Rejected(400, "the body is not JSON") from error
    if not isinstance(resource, dict):
        raise Rejected(400, "the body is not a resource")
    return resource


def _json(status: int, content: Resource, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, orjson.dumps(content), {"Content-Type": "application/fhir+json", **(headers or {})})


def _empty(node: Any, path: str) -> Iterator[str]:
    """Yield where a resource has an empty string, list or object, or null: FHIR knows none of them."""
    if node is None or node in ("", [], {}):
        yield path
    for name, value in node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else []):
        yield from _empty(value, f"{path}.{name}")


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            name: names.get(value, value) if name == "reference" and isinstance(value, str) else _renamed(value, names)
            for name, value in node.items()
        }
    return [_renamed(value, names) for value in node] if isinstance(node, list) else node


def _people(resource: Resource) -> set[str]:
    """Return the ids of the people a resource is about."""
    if resource["resourceType"] == "Patient":
        return {resource["id"]}
    whose = [resource.get(name, {}).get("reference", "") for name in ("subject", "for", "patient")]
    return {match[1] for name in whose if (match := _OF_PEOPLE.search(name))}


def _is_match(resource: Resource, params: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a resource has a value of each parameter; FHIR has several values of one between commas."""
    asked = ((name.partition(":")[0], values.split(",")) for name, values in params if not name.startswith("_"))
    return all(any(_has(resource, name, value) for value in values) for name, values in asked)


def _has(resource: Resource, name: str, value: str) -> bool:
    if name in ("patient", "subject"):
        return value.rpartition("/")[2] in _people(resource)
    if name == "status":
        return resource.get("status", resource.get("lifecycleStatus")) in value.split(",")
    system, bar, code = value.rpartition("|")
    if name == "identifier":
        given = resource.get("identifier", [])
        return any(
            one.get("value") == code and (not bar or one.get("system") == system)
            for one in ([given] if isinstance(given, dict) else given)
        )
    concepts = resource.get(name, [])
    codings = [
        coding
        for concept in ([concepts] if isinstance(concepts, dict) else concepts)
        for coding in concept.get("coding", [])
    ]
    return any(one.get("code") == code and (not bar or one.get("system") == system) for one in codings)
