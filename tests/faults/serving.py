"""Real processes and real sockets: `verstel serve`, killed with -9 and started anew, and EHRs that answer over HTTP."""

from __future__ import annotations

import faulthandler
import http.client
import multiprocessing
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import requests
from werkzeug import Response

from smartapp.cli import main
from tests.faults.browser import Browser
from tests.faults.model_ehr import Answer
from tests.faults.network import Server, Way

START_SECONDS: Final = 60
PAGE_SECONDS: Final = 60
END_SECONDS: Final = 40

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.preloaded"])
_ONE_AT_A_TIME: Final = threading.Lock()
"""Starting a process asks after all others too, and of how one ended there is one message: for one thread."""


class Lane(ThreadingHTTPServer):
    """A port of this machine at which servers answer: `routes` has them by their addresses, with the way there."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.routes: dict[str, tuple[Server, Way]] = {}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: who asked was killed while it waited, which is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Lane

    def _answer(self) -> None:
        url = f"{self.server.base}{self.path}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = requests.Request(self.command, url, headers=dict(self.headers), data=body or None).prepare()
        base = max((base for base in self.server.routes if url.startswith(base)), key=len, default="")
        server, way = self.server.routes.get(base, (lambda *_given: Answer(404), lambda _request, _server: Answer(404)))
        try:
            answer = way(request, server)
        except requests.RequestException:
            self.close_connection = True  # the answer is that there is none
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(answer)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  (what http.server calls)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name of http.server)
        """Say nothing: the history is told by the world."""


def _serve(port: int, environ: Mapping[str, str], log: Path) -> None:
    """Be a process of the app: `verstel serve`, with these settings and this file for what it says."""
    with log.open("ab") as file, Path(os.devnull).open("wb") as nothing:
        os.dup2(file.fileno(), 2)
        os.dup2(nothing.fileno(), 1)
    faulthandler.enable()  # a process that dies by itself says where
    os.environ.update(environ)
    main(["serve", "--listen", f"127.0.0.1:{port}"], prog_name="verstel")


class Served:
    """One process of `verstel serve` at a port of its own."""

    def __init__(self, name: str, environ: Mapping[str, str], log: Path) -> None:
        self.name, self._environ, self._log = name, environ, log
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with _ONE_AT_A_TIME:
            self._process = _FORKS.Process(target=_serve, args=(self.port, self._environ, self._log), daemon=True)
            self._process.start()
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.code() not in (None, -signal.SIGKILL) or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not start: {self.last_words()}")
            if self.code() is not None:  # killed again, before it answered at all
                return
            time.sleep(0.01)

    def code(self) -> int | None:
        """Return with what it ended, below 0 for the signal; None while it runs, or before it was started."""
        with _ONE_AT_A_TIME:
            return self._process.exitcode if self._process is not None else None

    @property
    def is_up(self) -> bool:
        """Tell whether it runs and answers."""
        return self._process is not None and self.code() is None and self._answers()

    def kill(self) -> bool:
        """Kill it with -9 and wait until it is dead; tell whether it ran until then."""
        with _ONE_AT_A_TIME:
            if self._process is None or self._process.exitcode is not None:
                return False
            self._process.kill()
            self._process.join()
            return True

    def end(self) -> None:
        """Ask it to end, and kill it where it does not."""
        if self._process is not None and self.code() is None:
            with _ONE_AT_A_TIME:
                self._process.terminate()
                self._process.join(END_SECONDS)
            self.kill()

    def last_words(self) -> str:
        """Return the end of its log; where the interpreter itself broke, from there, as the thread comes first."""
        log = self._log.read_text(errors="replace")
        _, broke, dump = log.rpartition("Fatal Python error")
        return f"{broke}{dump}"[:4000] if broke else log[-1500:]

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/healthz", {}, None).status_code == 200
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method: str, path: str, headers: Mapping[str, str], data: Mapping[str, str] | None) -> Response:
        """Send it a request. Raises OSError or HTTPException where no answer comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PAGE_SECONDS)
        form = {} if data is None else {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            body = None if data is None else urlencode(data)
            connection.request(method, path, body, {"Host": "localhost", **headers, **form})
            answer = connection.getresponse()
            return Response(answer.read(), answer.status, answer.getheaders())
        finally:
            connection.close()


class Fleet:
    """The processes of the app. Whoever is killed is started anew; in a storm one is killed every now and then."""

    def __init__(self, servers: Sequence[Served], chance: random.Random) -> None:
        self.servers, self._chance = tuple(servers), chance
        self.kills = 0
        self.broken: list[str] = []
        self._storm = (0.0, 0.0)
        self._next = 0.0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start all processes."""
        for server in self.servers:
            server.start()
        self._keeper.start()

    def storm(self, shortest: float, longest: float) -> None:
        """Kill one process after another from now on, with so many seconds between them; (0, 0) ends that."""
        self._storm = (shortest, longest)
        self._next = time.monotonic() + self._chance.uniform(shortest, longest)

    def kill(self, server: Served | None = None) -> None:
        """Kill a process with -9, any where none is given, and wait until it is dead."""
        with self._lock:
            server = server or self._chance.choice(self.servers)
            self.kills += server.kill()

    def calm(self) -> None:
        """End the storm, kill all, so that nothing is left of what they remembered, and wait until they are back."""
        self.storm(0, 0)
        for server in self.servers:
            self.kill(server)
        until = time.monotonic() + START_SECONDS
        while not all(server.is_up for server in self.servers) and time.monotonic() < until:
            time.sleep(0.05)

    def end(self) -> None:
        """End all processes."""
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for server in self.servers:
            server.end()

    def _keep(self) -> None:
        while not self._ended.wait(0.02):
            if self._storm[1] and time.monotonic() > self._next:
                self.kill()
                self._revive()
                self.storm(*self._storm)  # counted from when they are back: starting takes a second or more
            self._revive()

    def _revive(self) -> None:
        for server in self.servers:
            code = server.code()
            if code is None:
                continue
            if code != -signal.SIGKILL:
                self.broken.append(f"{server.name} ended by itself with {code}: {server.last_words()}")
            try:
                server.start()
            except RuntimeError as error:
                self.broken.append(str(error))


class RealBrowser(Browser):
    """A browser whose requests travel over sockets to a process that may be killed at any moment."""

    def _answered(self, process: Any, method: str, path: str, data: Mapping[str, str] | None) -> Response:
        answer: Response = process.served.ask(method, path, self._headers(), data)
        return answer

    def _send(self, process: Any, method: str, path: str, data: Mapping[str, str] | None) -> Response | None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            # Nothing is sent where nobody listens yet: the balancer goes to the next one, and comes back.
            for one in (process, *self.world.processes):
                try:
                    return self._answered(one, method, path, data)
                except ConnectionRefusedError:
                    continue
                except (OSError, http.client.HTTPException):
                    return None
            time.sleep(0.05)
        return None
