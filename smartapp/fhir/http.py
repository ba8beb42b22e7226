"""Every request that leaves the app: bounded in time and size, never redirected, never with another user's cookies.

The callers decide which address may be asked; this module makes sure that the answer cannot hurt.
"""

from __future__ import annotations

import functools
import logging
import math
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

import orjson
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from smartapp.fhir.bulkheads import HOSTS, Host, Stopped, present_budget
from smartapp.fhir.connections import UNTIL, InTimeAdapter
from smartapp.fhir.workplaces import elsewhere
from smartapp.settings import is_loopback

log = logging.getLogger(__name__)

# At DEBUG it writes every address with its query, and at WARNING too where an answer breaks off in its headers; those
# name people. What went wrong reaches us as an exception anyway.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

# Someone waits for a page while we ask. The whole is bounded too, for servers that send a byte at a time.
CONNECT_SECONDS = 3
READ_SECONDS = 10
WHOLE_SECONDS = 30
# Far more than a page of one person's record; what is larger is a mistake or an attack on our memory.
MAX_BYTES = 8 * 1024 * 1024
# Beyond that we ask by ourselves: a mistaken header must not keep what someone wrote from its reader for a day.
LONGEST_RETRY_SECONDS = 3600

# FHIR with questions within answers, ten deep, in a Bundle has some 50. Whoever walks through it calls itself at each
# level, several times for some libraries, and Python's own end of that (1,000) would come in the middle of a page.
MOST_LEVELS = 64

Rest = ParamSpec("Rest")
_SECONDS = re.compile(r"[0-9]{1,9}")


class OutboundError(Exception):
    """No usable answer.

    `code`: insecure, unsendable, timeout, unreachable, tls, redirect, too-large, encoding, not-json, or of a request
    that was not made: busy, paused, over-budget. `retry_after`: in how many seconds it is worth a try, where that is
    known.
    """

    def __init__(self, code: str, url: str, retry_after: int | None = None) -> None:
        # Host only: a path or query can name a person.
        super().__init__(f"{code} at {_host(url)}")
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Reply:
    """A bounded answer. `body` is its bytes; header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON. Raises OutboundError; nesting beyond MOST_LEVELS and NaN count as not JSON."""
        try:
            return json_in(self.body)
        except ValueError as error:
            raise OutboundError("not-json", "") from error

    def retry_after(self) -> int | None:
        """Return after how many seconds a server that is busy wants to be asked again; None where it does not say."""
        return self.wait_said() if self.status in (409, 429, 503) else None

    def wait_said(self) -> int | None:
        """Return the seconds of `Retry-After`, whatever the status: what is not ready yet says so with a 202."""
        said = self.headers.get("Retry-After", "").strip()
        seconds = int(said) if _SECONDS.fullmatch(said) else self._seconds_until(said)
        return min(seconds, LONGEST_RETRY_SECONDS) if seconds else None

    def seconds_left(self) -> int | None:
        """Return for how many seconds more what is answered is there, by `Expires`; None where it does not say so.

        A moment that is over already, or `0`, says only that nobody may keep a copy of the answer.
        """
        return self._seconds_until(self.headers.get("Expires", "").strip()) or None

    def _seconds_until(self, said: str) -> int | None:
        moment = _moment(said)
        if moment is None:
            return None
        # By the clock of the server that said so, where it shows: ours may differ by more than it asks for.
        now = _moment(self.headers.get("Date", "")) or datetime.now(UTC)
        return max(0, round((moment - now).total_seconds()))


def json_in(body: bytes) -> Any:
    """Return what a body says as JSON. Raises ValueError; nesting beyond MOST_LEVELS and NaN count as not JSON."""
    # RFC 8259 8.1: a byte order mark does not belong there, and may be ignored.
    value = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    if _deeper_than(MOST_LEVELS, value):
        raise ValueError(f"nested deeper than {MOST_LEVELS} levels")
    return value


def _deeper_than(most: int, value: Any) -> bool:
    """Tell whether lists and objects are nested deeper; level by level, as whatever went down would not come back."""
    level: list[Any] = [[value]]
    for _ in range(most + 1):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _moment(http_date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _session(*, trust_env: bool) -> requests.Session:
    session = requests.Session()
    # The organisation's proxy may be the only way out, and is the wrong way to this machine itself.
    session.trust_env = trust_env
    session.headers["Accept-Encoding"] = "gzip"  # what _unpacker knows, whatever else is installed
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = InTimeAdapter(pool_connections=16, pool_maxsize=32)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


_WORLD = _session(trust_env=True)
_LOOPBACK = _session(trust_env=False)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # not an address at all
        return ""


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep the headers as they are: without an `auth` of ours, requests would look for passwords in ~/.netrc."""
    return request


WATCHERS: list[Callable[[str, str, float], None]] = []
"""Are told of each request: its host, the status or the code of the error, and the seconds it took."""


def _watched(asking: Callable[Concatenate[str, str, Rest], Reply]) -> Callable[Concatenate[str, str, Rest], Reply]:
    @functools.wraps(asking)
    def watched(method: str, url: str, /, *rest: Rest.args, **more: Rest.kwargs) -> Reply:
        began, outcome = time.monotonic(), "broken"
        try:
            reply = asking(method, url, *rest, **more)
            outcome = str(reply.status)
        except OutboundError as error:
            outcome = error.code
            raise
        else:
            return reply
        finally:
            for tell in WATCHERS:
                tell(_host(url), outcome, time.monotonic() - began)

    return watched


@_watched
def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | bytes | None = None,
    params: list[tuple[str, str]] | None = None,
    max_bytes: int = MAX_BYTES,
    read_seconds: float | None = None,
) -> Reply:
    """Send one request and return its answer, whatever the status; a redirect is an error. Raises OutboundError."""
    host = _checked_host(url)
    try:
        with elsewhere(), host.visit(present_budget() or object(), _has_answered):
            return _asked(
                method,
                url,
                headers=dict(headers or {}),
                data=data,
                params=params,
                timeout=(CONNECT_SECONDS, read_seconds or READ_SECONDS),
                max_bytes=max_bytes,
            )
    except Stopped as error:
        raise OutboundError(error.code, url, error.retry_after) from None


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer of any length, while it comes in: `chunks` are its bytes as they were sent, packed where they were."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


@contextmanager
def opened(url: str, *, headers: Mapping[str, str]) -> Iterator[Incoming]:
    """Send one GET for a file that may be larger than memory; a redirect is an error. Raises OutboundError.

    Bounded is only how long it may be silent: this is for programs that keep what came, and not for pages. That it
    came whole is for the caller to see; a connection that breaks is an OutboundError where HTTP can tell.
    """
    _checked_host(url)
    what = {"headers": dict(headers), "timeout": (CONNECT_SECONDS, READ_SECONDS)}
    with elsewhere(), _sent("GET", url, math.inf, **what) as response:
        yield Incoming(response.status_code, response.headers, _as_sent(response, url))


def _checked_host(url: str) -> Host:
    """Return the host of an address, as everyone here sees it. Raises OutboundError for plain http to elsewhere."""
    scheme = url.partition("://")[0].lower()
    if not _host(url) or (scheme != "https" and not (scheme == "http" and is_loopback(url))):
        raise OutboundError("insecure", url)
    return HOSTS.of(url.partition("://")[0] + "://" + urlsplit(url).netloc)


def _has_answered(error: Exception) -> bool | None:
    """Tell what an error says about the host: nothing, where it was never asked or the page ran out of time."""
    page = present_budget()
    if not isinstance(error, OutboundError) or error.code == "unsendable" or (page is not None and page.over):
        return None
    return error.code not in ("timeout", "unreachable", "tls")


def _asked(method: str, url: str, *, max_bytes: int, **what: Any) -> Reply:
    until = time.monotonic() + WHOLE_SECONDS
    page = present_budget()
    if page is not None:
        page.spend(0)
        until = min(until, page.until)
    with _sent(method, url, until, **what) as response:
        return Reply(response.status_code, response.headers, _bounded(response, url, max_bytes, until))


@contextmanager
def _sent(method: str, url: str, until: float, **what: Any) -> Iterator[requests.Response]:
    session = _LOOPBACK if is_loopback(url) else _WORLD
    UNTIL.set(until)
    # `from None`: the exceptions of the HTTP library quote the address, and whoever logs ours would log that too.
    try:
        with session.request(method, url, auth=_no_netrc, allow_redirects=False, stream=True, **what) as response:
            if 300 <= response.status_code < 400 and response.status_code != 304:
                raise OutboundError("redirect", url)
            yield response
    except requests.Timeout:
        raise OutboundError("timeout", url) from None
    except requests.exceptions.SSLError:
        log.warning("%s has no certificate that we trust, or TLS that we don't speak: it was not asked", _host(url))
        raise OutboundError("tls", url) from None
    except (requests.RequestException, HTTPError):
        raise OutboundError("unreachable", url) from None
    except ValueError:  # such as a header with characters that no header can have
        raise OutboundError("unsendable", url) from None


def _as_sent(response: requests.Response, url: str) -> Iterator[bytes]:
    try:
        while chunk := response.raw.read1(65536, decode_content=False):
            yield chunk
    except ReadTimeoutError:
        raise OutboundError("timeout", url) from None
    except HTTPError:
        raise OutboundError("unreachable", url) from None


def _bounded(response: requests.Response, url: str, max_bytes: int, until: float) -> bytes:
    body = bytearray()
    page = present_budget()
    unpack = _unpacker(response.headers.get("Content-Encoding", ""), url)
    try:
        # What is there, not what was asked for: waiting for a full block, a body that drips would hold us for hours.
        # As it came: urllib3 unpacks until there is text, and would drip along.
        while chunk := response.raw.read1(65536, decode_content=False):
            unpacked = unpack(chunk, max_bytes + 1 - len(body))
            body += unpacked
            if page is not None:
                page.spend(len(unpacked))
            if len(body) > max_bytes:
                raise OutboundError("too-large", url)
            if time.monotonic() > until:
                raise OutboundError("timeout", url)
    except ReadTimeoutError:
        raise OutboundError("timeout", url) from None
    except (HTTPError, zlib.error):
        raise OutboundError("unreachable", url) from None
    return bytes(body)


def _unpacker(encoding: str, url: str) -> Callable[[bytes, int], bytes]:
    """Return what makes bytes as they came into the body's own, at most so many; what is beyond them is not kept."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda chunk, _most: chunk
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
        case _:
            raise OutboundError("encoding", url)
