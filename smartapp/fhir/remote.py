"""A FHIR server somewhere else, behind the same seam as our own store.

The token goes to this server and nowhere else: no redirect, no `next` link, no Location and no reference is followed
off its base. What the server answers is judged, bounded, and never trusted to be FHIR.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import orjson

from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.bases import behind
from smartapp.fhir.answers import ID, Answer, version_tag, written, written_all
from smartapp.fhir.http import OutboundError, Reply, ask
from smartapp.fhir.newest import is_newest_first, newest
from smartapp.fhir.store import (
    MOST_RESULTS,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Query,
    RecordError,
    Refused,
    Stored,
    Unauthorized,
    Unreachable,
    Write,
)
from smartapp.settings import SearchMethod

log = logging.getLogger(__name__)

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
# Bounds, not expectations: one person's record is a few pages. A server that sends more is wrong or in a circle.
MOST_PAGES = 100
MOST_PAGES_OF_HISTORY = 5
VERSIONS_PER_PAGE = 100
MOST_WAITS = 5
LONGEST_WAIT_SECONDS = 120

_ERRORS: Mapping[int, type[RecordError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Unreachable,
    410: Gone,
    425: Unreachable,
    429: Unreachable,
}

_NO_ANSWER: Mapping[str, str] = {
    "redirect": "gave no usable answer ({}). Check its address.",
    "busy": "was not asked: too many are waiting for it ({}). Try again in a moment.",
    "paused": "was not asked: it gave no answer the last times ({}). It is tried again in a moment.",
    "over-budget": "sends more than one page can take, or too slowly ({}). Not all could be read.",
}

TokenSource = Callable[[str | None], str]
"""Returns an access token; gets the token that was just answered with 401, or None."""


class Prover(Protocol):
    """Shows a token that is bound to a key, with a proof that the key is ours (DPoP, RFC 9449)."""

    def headers(self, method: str, url: str, token: str, /) -> Mapping[str, str]:
        """Return the headers of one request, each time others."""

    def asks_again(self, answer: Reply, /) -> bool:
        """Take in an answer; tell whether it wants the same request with another proof, of which nothing was done."""


_PLAIN: set[tuple[str, str]] = set()
"""Servers, with a type of resource, that refused a search for its order, or for asking only a part of what there is; no
CapabilityStatement can say so."""
_EXTRAS = frozenset({"_sort", "_elements"})
"""What a search can do without: then more comes, or in another order."""

_PEOPLE = frozenset({"Patient", "Person", "RelatedPerson", "Practitioner", "PractitionerRole"})
_BY_ID = frozenset({"patient", "practitioner", "general-practitioner"})
_ANY_WORDS = frozenset({"_has", "_text", "_content", "_filter"})
# A server that does not know `_search` takes it for an id, or a POST on it for something else.
_NO_SEARCH_BY_POST = frozenset({404, 405, 415, 501})

_NOT_A_MATCH = frozenset({"", "OperationOutcome"})
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_IN_BUNDLE = {"If-Match": "ifMatch", "If-None-Match": "ifNoneMatch", "If-None-Exist": "ifNoneExist"}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: the resources of the type that was asked for, and how many there are in all, if said.

    `sorted` is False where the server is known to take no notice of the order that was asked for.
    """

    found: tuple[Stored, ...]
    total: int | None
    sorted: bool = True


class RemoteStore:
    """The FHIR server at `base`. Without a `token` source it is asked without a token.

    `wait` (seconds) is how a program waits where the server says `Retry-After`; without it nothing waits, as the one
    who waits would be a person. `search` is how it is asked: "get" with the parameters in the address, which caches and
    every server understand, or "post" with them in a form, which is in no log on the way. With a `prover` the token is
    bound to a key, and never shown without a proof. `headers` gives what each request carries besides, anew for each.

    By its `aliases` the server may name a next page, which is asked for at `base`.
    """

    def __init__(
        self,
        base: str,
        token: TokenSource | None = None,
        *,
        wait: Callable[[float], None] | None = None,
        search: SearchMethod = "get",
        aliases: Sequence[str] = (),
        prover: Prover | None = None,
        headers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.base = base.rstrip("/")
        self._token = token
        self._prover = prover
        self._wait = wait
        self._search_method = search
        self._aliases = tuple(aliases)
        self._headers = headers

    # ---- the seam

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement; it is public, so it is asked for without a token."""
        answer = self._send("GET", f"{self.base}/metadata", token=None)
        return self._resource(answer, "CapabilityStatement")

    def read(self, type: str, id: str, /) -> Stored:
        """Return one resource, or raise NotFound or Gone."""
        if not _TYPE.fullmatch(type) or not ID.fullmatch(id):
            raise NotFound(f"{type[:64]}/{id[:64]} is not a FHIR reference. Check where it comes from.")
        answer = self._ask("GET", f"{self.base}/{type}/{id}")
        resource = self._resource(answer, type)
        if text_in(resource, "id") != id:
            raise Unreachable(f"{self._host} answered another {type} than it was asked for. Tell its manager.")
        return _stored(resource, answer)

    def history(self, type: str, id: str, /) -> list[Stored]:
        """Return the versions of one resource, the newest first, from the first pages that the server gives."""
        if not _TYPE.fullmatch(type) or not ID.fullmatch(id):
            raise NotFound(f"{type[:64]}/{id[:64]} is not a FHIR reference. Check where it comes from.")
        # So many a page, where the server takes notice: its own number may be ten.
        answer = self._ask("GET", f"{self.base}/{type}/{id}/_history?_count={VERSIONS_PER_PAGE}")
        found: list[Stored] = []
        for _ in range(MOST_PAGES_OF_HISTORY):
            bundle = self._resource(answer, "Bundle")
            versions = [object_in(entry, "resource") for entry in objects_in(bundle, "entry")]
            # A version that was deleted has no resource; one of something else is nobody's business here.
            mine = [one for one in versions if (text_in(one, "resourceType"), text_in(one, "id")) == (type, id)]
            found += [_stored(one, None) for one in mine]
            following = self._next(bundle)
            if following is None:
                break
            answer = self._ask("GET", following)
        return found

    def search(self, query: Query, /) -> list[Stored]:
        """Return the matches and includes; pages are followed on this server only. See `RecordStore` for how many."""
        found: list[Stored] = []
        for bundle, is_last in self._pages(query):
            resources = [object_in(entry, "resource") for entry in objects_in(bundle, "entry")]
            # An OperationOutcome among the matches is the server's remark about the search, not a part of the record.
            found += [_stored(one, None) for one in resources if text_in(one, "resourceType") not in _NOT_A_MATCH]
            if query.most is None and len(found) > MOST_RESULTS:
                raise Refused(f"The search for {query.type} has more than {MOST_RESULTS} results. Narrow it.")
            # A server that takes no notice of the order is read on, or the newest might be on its last page.
            enough = len(found) >= (query.most or MOST_RESULTS) and is_newest_first(found, query)
            if query.most is not None and (enough or len(found) >= MOST_RESULTS):
                return newest(found, query, cut=not is_last)
        return newest(found, query, cut=False) if query.most is not None else found

    def pages(self, query: Query, /) -> Iterator[Page]:
        """Yield a search page by page, as many as there are: for a program that reads a whole server, not a person."""
        as_asked: bool | None = None
        for bundle, _is_last in self._pages(query, most=None):
            if as_asked is None:
                as_asked = (self.base, query.type) not in _PLAIN and _says_sorted(bundle)
            resources = [object_in(entry, "resource") for entry in objects_in(bundle, "entry")]
            found = tuple(_stored(one, None) for one in resources if text_in(one, "resourceType") == query.type)
            total = bundle.get("total")
            yield Page(found, total if type(total) is int else None, as_asked)

    def write(self, write: Write, /) -> Stored:
        """Write one resource. Raises Conflict with what is stored now, or Refused with the server's own words."""
        method, path, conditions = _request(write)
        headers = {"Content-Type": FHIR_JSON, "Prefer": "return=representation", **conditions}
        try:
            answer = self._ask(method, f"{self.base}/{path}", headers=headers, body=_body(write))
        except Conflict as error:
            raise self._with_current(error, write) from error
        return written(write, Answer.of(answer), host=self._host)

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        """Write all or nothing, as one transaction Bundle; only where the server says it has transactions."""
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [_transaction_entry(write) for write in writes],
        }
        headers = {"Content-Type": FHIR_JSON, "Prefer": "return=representation"}
        try:
            answer = self._ask("POST", self.base, headers=headers, body=bundle)
        except Conflict as error:
            guarded = [write for write in writes if write.if_match is not None]
            raise self._with_current(error, guarded[0]) if guarded else error from error
        return written_all(writes, self._resource(answer, "Bundle"), host=self._host)

    # ---- inside

    @property
    def _host(self) -> str:
        return urlsplit(self.base).hostname or ""

    def _ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Resource | bytes | None = None,
        params: list[tuple[str, str]] | None = None,
    ) -> Reply:
        """Ask with a token; after a 401 once more with a refreshed one. Raises RecordError for every status >= 400."""
        token = self._token(None) if self._token else None
        answer = self._send(method, url, token=token, headers=headers, body=body, params=params)
        # Once more and no further: a server that refuses a fresh token too will not be persuaded by a third one.
        if answer.status == 401 and self._token is not None:
            fresh = self._token(token)
            answer = self._send(method, url, token=fresh, headers=headers, body=body, params=params)
        if answer.status >= 400:
            raise self._error(answer)
        return answer

    def _send(
        self,
        method: str,
        url: str,
        *,
        token: str | None,
        headers: Mapping[str, str] | None = None,
        body: Resource | bytes | None = None,
        params: list[tuple[str, str]] | None = None,
    ) -> Reply:
        all_headers = {"Accept": FHIR_JSON, **self._headers(), **(headers or {})}
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)

        def sent() -> Reply:
            shown = {} if token is None else self._shown(method, url, token)
            return ask(method, url, headers={**all_headers, **shown}, data=data, params=params)

        try:
            answer = sent()
            if token is not None and self._prover is not None and self._prover.asks_again(answer):
                answer = sent()
                self._prover.asks_again(answer)  # for what it says; whoever asks twice would ask for ever
            for _ in range(MOST_WAITS):
                seconds = answer.retry_after()
                if self._wait is None or seconds is None or seconds > LONGEST_WAIT_SECONDS:
                    break
                self._wait(seconds)
                answer = sent()
        except OutboundError as error:
            said = _NO_ANSWER.get(error.code, "gave no usable answer ({}). Try again in a moment.").format(error.code)
            # As after the server's own 429: nothing was sent, so a write is not in doubt.
            status = 429 if error.code in ("busy", "paused") else None
            raise Unreachable(f"{self._host} {said}", status=status, retry_after=error.retry_after) from error
        return answer

    def _shown(self, method: str, url: str, token: str) -> Mapping[str, str]:
        """Return the headers that show the token, for one request."""
        return self._prover.headers(method, url, token) if self._prover else {"Authorization": f"Bearer {token}"}

    def _resource(self, answer: Reply, type_: str) -> Resource:
        if answer.status >= 400:
            raise self._error(answer)
        try:
            resource = answer.json()
        except OutboundError:
            resource = None
        if text_in(resource, "resourceType") != type_:
            raise Unreachable(f"{self._host} answered something that is not a {type_}. Tell its manager.")
        understood: Resource = resource
        return understood

    def _pages(self, query: Query, most: int | None = MOST_PAGES) -> Iterator[tuple[Resource, bool]]:
        """Yield the Bundles of a search, at most so many, and whether each is the last one."""
        if not _TYPE.fullmatch(query.type):
            raise Refused(f"{query.type[:64]!r} is not a FHIR resource type.", status=400)
        answer = self._first_page(query)
        seen: set[str] = set()
        for _ in range(most) if most is not None else count():
            bundle = self._resource(answer, "Bundle")
            following = self._next(bundle)
            yield bundle, following is None
            if following is None:
                return
            if following in seen:
                raise Unreachable(f"{self._host} sends its pages of {query.type} in a circle. Not all could be read.")
            seen.add(following)
            answer = self._ask("GET", following)
        raise Unreachable(f"{self._host} has more than {most} pages of {query.type}. Not all could be read.")

    def _first_page(self, query: Query) -> Reply:
        """Ask a search; a server that refuses to sort, or to leave out, is asked without, from then on at once."""
        plain = [pair for pair in query.params if pair[0] not in _EXTRAS]
        key = (self.base, query.type)
        if key not in _PLAIN:
            try:
                return self._matches(query.type, list(query.params))
            except Refused:
                if len(plain) == len(query.params):
                    raise
        answer = self._matches(query.type, plain)
        _PLAIN.add(key)
        return answer

    def _matches(self, type_: str, params: list[tuple[str, str]]) -> Reply:
        """Ask for what matches, in an address or in a form: what tells who somebody is never goes into an address."""
        if self._search_method == "get" and not tells_who(type_, params):
            return self._ask("GET", f"{self.base}/{type_}", params=params)
        url, form = f"{self.base}/{type_}/_search", urlencode(params).encode()
        try:
            return self._ask("POST", url, headers={"Content-Type": FORM}, body=form)
        except RecordError as error:
            if error.status not in _NO_SEARCH_BY_POST:
                raise
            said = f"{self._host} has no search by POST ({error.status}): see search in the issuers file."
            log.warning(said)
            # Not NotFound: whoever looks whether something arrived would hear that it did not, and send it again.
            raise Unreachable(said, outcome=error.outcome) from error

    def _next(self, bundle: Resource) -> str | None:
        """Return the address of the next page, or None on the last one. One on another host is Unreachable."""
        links = [text_in(link, "url") for link in objects_in(bundle, "link") if link.get("relation") == "next"]
        following = next(filter(None, links), None)
        if following is None:
            return None
        try:
            url = urljoin(f"{self.base}/", following)
            below = behind(url, *self._aliases)
            url = url if below is None else f"{self.base}/{below}"
            here = _origin(url) == _origin(self.base)
        except ValueError:  # not an address at all
            here = False
        if not here:
            raise Unreachable(f"{self._host} says the next page is on another server. Not all could be read.")
        return url

    def _error(self, answer: Reply) -> RecordError:
        outcome = _representation(answer, "OperationOutcome")
        said = outcome_text(outcome)
        text = f"{self._host} answered {answer.status}" + (f": {said}" if said else ".")
        if answer.status == 401:
            text = "The record system ended this session. Open the app again."
        if answer.status in (409, 412):
            return Conflict(text, None, status=answer.status, outcome=outcome, retry_after=answer.retry_after())
        kind = _ERRORS.get(answer.status, Unreachable if answer.status >= 500 else Refused)
        return kind(text, status=answer.status, outcome=outcome, retry_after=answer.retry_after())

    def _with_current(self, error: Conflict, write: Write) -> Conflict:
        """Return the conflict with what is stored now, where it can be read."""
        current = None
        named = write.resource["id"] if write.method == "update" else write.new_id
        if named is not None:
            try:
                current = self.read(write.resource["resourceType"], named)
            except RecordError:
                current = None
        return Conflict(
            error.message, current, status=error.status, outcome=error.outcome, retry_after=error.retry_after
        )


def tells_who(type_: str, params: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a search may hold what anybody could know a person by: a name, a number, words about them.

    The id that a server gave a person (`patient=7`) is none of that: it means nothing to who has no access there.
    """
    names = [name for name, _value in params]
    return any(
        (type_ in _PEOPLE and not name.startswith("_") and name not in _BY_ID)
        or "." in name
        or name.endswith(":identifier")
        or name.partition(":")[0] in _ANY_WORDS
        for name in names
    )


def outcome_text(outcome: Resource | None) -> str:
    """Return what an OperationOutcome says to people: at most three issues, 300 characters each."""
    said = (
        text_in(object_in(issue, "details"), "text") or text_in(issue, "diagnostics") or text_in(issue, "code")
        for issue in objects_in(outcome, "issue")
    )
    return "; ".join([" ".join(text.split())[:300] for text in said if text.strip()][:3])


def _representation(answer: Reply, type_: str) -> Resource | None:
    try:
        resource = answer.json() if answer.body.strip() else None
    except OutboundError:
        return None
    return resource if text_in(resource, "resourceType") == type_ else None


def _stored(resource: Resource, answer: Reply | None) -> Stored:
    etag = answer.headers.get("ETag") if answer is not None else None
    return Stored(resource, etag or version_tag(resource))


def _request(write: Write) -> tuple[str, str, dict[str, str]]:
    """Return the method of a write, the path below the base, and its conditions by the names of their headers."""
    type_, id_ = write.resource["resourceType"], write.new_id
    conditions: dict[str, str | None] = {"If-None-Exist": write.if_none_exist}
    if id_ is not None:
        conditions = {"If-None-Match": "*"}
    elif write.method == "update":
        id_, conditions = write.resource["id"], {"If-Match": write.if_match}
    said = {name: value for name, value in conditions.items() if value is not None}
    return ("POST", type_, said) if id_ is None else ("PUT", f"{type_}/{id_}", said)


def _body(write: Write) -> Resource:
    if write.method == "update":
        return write.resource
    body = {name: value for name, value in write.resource.items() if name != "id"}
    return body if write.new_id is None else {**body, "id": write.new_id}


def _transaction_entry(write: Write) -> dict[str, Any]:
    method, path, conditions = _request(write)
    said = {_IN_BUNDLE[name]: value for name, value in conditions.items()}
    entry: dict[str, Any] = {"resource": _body(write), "request": {"method": method, "url": path, **said}}
    return {"fullUrl": write.full_url, **entry} if write.full_url else entry


def _says_sorted(bundle: Resource) -> bool:
    """Tell whether the first page of a search does not say that it left the order out: `self` names what was used."""
    used = next((text_in(link, "url") for link in objects_in(bundle, "link") if link.get("relation") == "self"), "")
    names = {name for name, _value in parse_qsl(urlsplit(used).query, keep_blank_values=True)}
    # A server may also name a search that it keeps, and nothing of what was asked.
    return "_sort" in names or "status" not in names


def _origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address. Raises ValueError where it has none, or a user name beside it."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("a user name in an address")
    return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)
