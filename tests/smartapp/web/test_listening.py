"""Requests are worked on one at a time, apart from those that wait; one that takes long keeps nobody waiting for long.

The rest of how the app listens is tried with the real command, in `commands/test_serving.py`.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator

import pytest

from smartapp.fhir.workplaces import elsewhere
from smartapp.web import listening
from smartapp.web.listening import Bounds, Listening, bound_socket
from tests.smartapp.helpers import PATIENCE, until


class Slow:
    """An app of which `/work` and `/wait` go on only when they may; `begun` says who began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.begins = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.begun.append(path)
        self.begins.set()
        if path == "/work":
            self.may_go_on.wait(PATIENCE)
        if path == "/wait":
            with elsewhere():
                self.may_go_on.wait(PATIENCE)
        start_response("200 OK", [("Content-Length", "0")])
        return []


class Asking:
    """A running server, and requests that wait for their answer in threads of their own."""

    def __init__(self) -> None:
        self.app = Slow()
        self._socket = bound_socket("127.0.0.1", 0)
        self.server = Listening(self.app, self._socket, Bounds(threads=4, connections=20), behind_proxy=False)
        self._loop = threading.Thread(target=self._run)
        self._threads: list[threading.Thread] = []
        self._loop.start()

    def _run(self) -> None:
        while not self.server.draining.is_set():
            self.server._turn(0.05)
        self.server._drain()

    def ask(self, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._socket.getsockname()[1], timeout=PATIENCE)

        def get() -> None:
            connection.request("GET", path)
            connection.getresponse().read()
            connection.close()

        self._threads.append(threading.Thread(target=get))
        self._threads[-1].start()

    def waiting(self) -> int:
        return len(self.server._server.task_dispatcher.queue)

    def end(self) -> None:
        self.app.may_go_on.set()
        for one in self._threads:
            one.join(PATIENCE)
        self.server.draining.set()
        self._loop.join(PATIENCE)


@pytest.fixture
def asking() -> Iterator[Asking]:
    made = Asking()
    yield made
    made.end()


@pytest.fixture
def patient(monkeypatch):
    """Let nobody begin out of impatience."""
    monkeypatch.setattr(listening, "PATIENCE_SECONDS", 1000.0)


def test_a_request_begins_when_the_one_before_it_is_done(patient, asking):
    asking.ask("/work")
    until(lambda: asking.app.begun == ["/work"])
    asking.ask("/next")
    until(lambda: asking.waiting() == 1)
    time.sleep(0.05)
    assert (asking.app.begun, asking.waiting()) == (["/work"], 1)
    asking.app.may_go_on.set()
    until(lambda: asking.app.begun == ["/work", "/next"])


def test_or_when_that_one_waits_for_somebody(patient, asking):
    asking.ask("/wait")
    until(lambda: asking.app.begun == ["/wait"])
    asking.ask("/next")
    until(lambda: asking.app.begun == ["/wait", "/next"])
    assert not asking.app.may_go_on.is_set()


def test_one_that_takes_long_keeps_nobody_waiting_for_long(asking):
    asking.ask("/work")
    until(lambda: asking.app.begun == ["/work"])
    for path in ("/second", "/third"):
        asking.ask(path)
    until(lambda: sorted(asking.app.begun) == ["/second", "/third", "/work"])
    assert not asking.app.may_go_on.is_set()


def test_an_error_gives_the_place_back(patient, asking, monkeypatch):
    dispatcher = asking.server._server.task_dispatcher

    class Broken:
        def service(self) -> None:
            raise SystemExit

    monkeypatch.setattr(dispatcher.logger, "disabled", True)
    dispatcher.add_task(Broken())
    asking.ask("/next")
    until(lambda: asking.app.begun == ["/next"])
