"""How the app listens: bounded in connections, bytes and time, and ended without breaking off what is under way.

Waitress holds what was only half sent without a thread: who sends slowly keeps no one waiting (`benchmarks.servers`
compares it with others). Its loop is run here, since its own ends by breaking off.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import waitress.server  # type: ignore[import-untyped]
from waitress import wasyncore
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

from smartapp.fhir.workplaces import Workplaces
from smartapp.web.guard import MAX_FILE_BYTES, MAX_FORM_BYTES
from smartapp.web.workers import DRAIN_SECONDS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = MAX_FILE_BYTES + MAX_FORM_BYTES
"""Refused by its Content-Length, or as soon as so much came in chunks. Up to here the page of the app explains it."""
MAX_HEADER_BYTES: Final = 32 * 1024
IDLE_SECONDS: Final = 75
"""Without a byte for so long, a connection is closed; longer than the usual proxy keeps its own."""
_BACKLOG: Final = 1024
PATIENCE_SECONDS: Final = 0.1
"""So long who waits for a place has to see nobody begin, before they begin without one: some pages just take long."""
_OTHER_FILES: Final = 200
"""File descriptors that are no connection of a browser: the database, EHRs, logs."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much at once: requests in work (`threads`), and open `connections`, most of which are idle."""

    threads: int = 16
    connections: int = 2000


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises OSError."""
    host = "0.0.0.0" if host == "*" else host.strip("[]")  # noqa: S104  (only if the operator writes so)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def connections_within(wanted: int) -> int:
    """Allow this process the files that so many connections need; return for how many it may have them."""
    try:
        import resource  # noqa: PLC0415  (Windows has none, and no such limit)
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted + _OTHER_FILES:
        soft = wanted + _OTHER_FILES if hard == resource.RLIM_INFINITY else min(hard, wanted + _OTHER_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - _OTHER_FILES))


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses a request that says in two ways where it ends.

    Waitress goes by one and leaves the connection open. A proxy that goes by the other would take what follows for
    somebody else's request (RFC 9112 6.1).
    """

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if "CONTENT_LENGTH" in self.headers and (self.chunked or "TRANSFER_ENCODING" in self.headers):
            raise ParsingError("Content-Length and Transfer-Encoding")


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser


class _Dispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Begins a request only where there is a place to work at, or nobody began for a while; see `fhir.workplaces`."""

    def __init__(self) -> None:
        super().__init__()
        self._places = Workplaces(1, self._one_more)
        self._begun = 0.0

    def handler_thread(self, thread_no: int) -> None:
        """Work on one request after another until told to stop; as in waitress, but for the places."""
        while True:
            with self.lock:
                while not self.stop_count and not self._may_begin():
                    self.active_count -= 1
                    self.queue_cv.wait(PATIENCE_SECONDS if self.queue else None)
                    self.active_count += 1
                if self.stop_count:
                    self.active_count -= 1
                    self.stop_count -= 1
                    self.threads.discard(thread_no)
                    self.thread_exit_cv.notify()
                    return
                task = self.queue.popleft()
                self._begun = time.monotonic()
                self._places.take()
            try:
                task.service()
            except BaseException:
                self.logger.exception("Exception when servicing %r", task)
            finally:
                self._places.leave()

    def _may_begin(self) -> bool:
        return bool(self.queue) and (self._places.free or time.monotonic() - self._begun > PATIENCE_SECONDS)

    def _one_more(self) -> None:
        with self.lock:
            if self.queue:
                self.queue_cv.notify()


class Listening:
    """A server on a socket. `draining` is set from the moment it was asked to end: no one should be sent here then."""

    def __init__(self, app: WSGIApplication, listening: socket.socket, bounds: Bounds, *, behind_proxy: bool) -> None:
        self.draining = threading.Event()
        self._hurried = threading.Event()
        dispatcher = _Dispatcher()
        dispatcher.set_thread_count(bounds.threads)
        self._server: Any = waitress.server.create_server(
            app,
            _dispatcher=dispatcher,  # the one way to bring one's own
            sockets=[listening],
            connection_limit=connections_within(bounds.connections),
            backlog=_BACKLOG,
            channel_timeout=IDLE_SECONDS,
            max_request_body_size=MAX_BODY_BYTES,
            max_request_header_size=MAX_HEADER_BYTES,
            asyncore_use_poll=True,  # select() knows no more than 1,024 files
            # Forwarded headers are believed only if the settings say that a proxy of ours sets them.
            clear_untrusted_proxy_headers=not behind_proxy,
            ident=None,
        )
        self._server.channel_class = _Channel

    def run(self, announce: float = 0) -> None:
        """Serve until SIGTERM or Ctrl-C, go on for `announce` seconds with `draining` set, then end what is begun.

        Asked a second time to end, it announces no longer.
        """
        with self._asked_to_end():
            while not self.draining.is_set():
                self._turn(0.5)
            until = time.monotonic() + announce
            while time.monotonic() < until and not self._hurried.is_set():
                self._turn(0.1)
            self._drain()

    @contextlib.contextmanager
    def _asked_to_end(self) -> Iterator[None]:
        def end(_number: int, _frame: FrameType | None) -> None:
            (self._hurried if self.draining.is_set() else self.draining).set()

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._server._map, count=1)

    def _drain(self) -> None:
        """Take no new connection, let what is under way finish, and close what is idle; at most `DRAIN_SECONDS`."""
        until = time.monotonic() + DRAIN_SECONDS
        wasyncore.dispatcher.close(self._server)
        while self._server.active_channels and time.monotonic() < until:
            for channel in list(self._server.active_channels.values()):
                if not channel.requests and not channel.total_outbufs_len:
                    channel.will_close = True
            self._turn(0.1)
        if self._server.active_channels:
            log.warning("%d requests were still under way after %d s", len(self._server.active_channels), DRAIN_SECONDS)
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._server._map)
