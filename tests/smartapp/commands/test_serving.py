"""`verstel serve` as a real process: bounded in what it takes, and ended without breaking off what is under way."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from smartapp.commands.serve import command
from smartapp.web.listening import MAX_BODY_BYTES, MAX_HEADER_BYTES
from tests.conftest import port_of_ours
from tests.smartapp.helpers import PATIENCE, until


class SlowEhr(ThreadingHTTPServer):
    """An EHR that answers when the test says so."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()
        ehr = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                ehr.asked.set()
                ehr.go.wait(PATIENCE)
                body = json.dumps(ehr.configuration()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_port}/fhir"

    def configuration(self) -> dict[str, str]:
        names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        return {name: f"{self.base}/{name}" for name in names}


@pytest.fixture
def ehr() -> Iterator[SlowEhr]:
    with SlowEhr() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.go.set()
        server.shutdown()
        thread.join()


def environment(folder: Path, port: int, base: str) -> dict[str, str]:
    (folder / "issuers.toml").write_text(f'[[issuer]]\nbase = "{base}"\nname = "Test"\nclient_id = "verstel"\n')
    return {
        "VERSTEL_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "VERSTEL_SECRET_KEY": "a-secret-that-only-tests-know-of-32-characters",
        "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "VERSTEL_ISSUERS_FILE": str(folder / "issuers.toml"),
        "VERSTEL_DATABASE_URL": f"sqlite:///{folder / 'verstel.db'}",
    }


class Served:
    """A running `verstel serve`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def answers_to(self, sent: bytes) -> list[bytes]:
        """Return the status of each answer to bytes as they are, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(sent)
            return re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", connection.makefile("rb").read())

    def said_to(self, sent: bytes) -> bytes:
        """Return the first line of the answer to bytes as they are; the sender does not say that it is done."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(sent)
            return connection.makefile("rb").readline().strip()


@contextlib.contextmanager
def serving(folder: Path, base: str, *options: str) -> Iterator[Served]:
    with port_of_ours() as port:
        process = subprocess.Popen(
            [sys.executable, "-m", "smartapp", "serve", "--listen", f"127.0.0.1:{port}", *options],
            env={**os.environ, **environment(folder, port, base)},
            stderr=subprocess.PIPE,
        )
        served = Served(process, port)
        try:
            until(lambda: process.poll() is not None or served.listens())
            yield served
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), "http://127.0.0.1:9/fhir") as running:
        yield running


class TestWhatIsTaken:
    def test_a_body_that_is_too_large_is_refused_before_it_is_sent(self, served):
        head = f"POST /callback HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {150 * 2**20}\r\n\r\n"
        assert served.said_to(head.encode()) == b"HTTP/1.1 413 Request Entity Too Large"

    def test_a_body_in_chunks_is_refused_as_soon_as_so_much_came(self, served):
        head = b"POST /callback HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        sent = head + chunk * (MAX_BODY_BYTES // 0x10000 + 1)  # and never the end
        assert served.said_to(sent) == b"HTTP/1.1 413 Request Entity Too Large"

    def test_headers_without_end_are_refused(self, served):
        sent = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * MAX_HEADER_BYTES
        assert served.said_to(sent) == b"HTTP/1.0 431 Request Header Fields Too Large"

    @pytest.mark.parametrize(
        ("version", "head", "body"),
        [
            (b"1.1", b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
            (b"1.1", b"Transfer-Encoding: chunked\r\nContent-Length: 500", b"0\r\n\r\n"),
            (b"1.0", b"Connection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
            (b"1.1", b"Content-Length: 0\r\nContent-Length: 50", b""),
            (b"1.1", b"Content-Length: 0, 50", b""),
            (b"1.1", b"Content-Length: +5", b"hello"),
            (b"1.1", b"Transfer-Encoding: xchunked\r\nContent-Length: 5", b"hello"),
            (b"1.1", b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n"),
            (b"1.1", b"Transfer-Encoding : chunked", b"0\r\n\r\n"),
            (b"1.1", b"Transfer-Encoding:\x0bchunked\r\nContent-Length: 5", b"hello"),
            (b"1.1", b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5", b"hello"),
            (b"1.1", b"Transfer-Encoding: chunked", b"0x5\r\nhello\r\n0\r\n\r\n"),
            (b"1.1", b"Transfer-Encoding: chunked", b"+5\r\nhello\r\n0\r\n\r\n"),
            (b"1.1", b"Transfer-Encoding: chunked", b"5;a=\n\r\nhello\r\n0\r\n\r\n"),
        ],
    )
    def test_a_request_whose_end_is_doubtful_is_refused_and_nothing_after_it_is_heard(
        self, served, version, head, body
    ):
        """A proxy may see its end elsewhere, and take what follows for another person's request."""
        sent = b"POST /callback HTTP/" + version + b"\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n" + body
        [status] = served.answers_to(sent + b"GET /goodbye HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert status in (b"400", b"501")

    def test_half_requests_and_idle_browsers_keep_nobody_waiting(self, served):
        half_head = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
        half_form = b"POST /callback HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n"
        half_form += b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=b"
        with contextlib.ExitStack() as opened:
            for number in range(410):
                connection = socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE)
                opened.enter_context(connection)
                if number < 110:
                    connection.sendall(half_head if number % 2 else half_form)
            assert served.get("/healthz")[0] == 200

    def test_who_asks_and_does_not_read_keeps_nobody_waiting(self, served):
        """More of them than there are threads, each asking for more than any buffer between us holds."""
        asked = b"GET /assets/app.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 400
        with contextlib.ExitStack() as opened:
            for _ in range(40):
                connection = opened.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.settimeout(PATIENCE)
                connection.connect(("127.0.0.1", served.port))
                connection.sendall(asked)
            assert served.get("/healthz")[0] == 200


def test_a_database_of_other_keys_is_told_and_not_served(tmp_path):
    settings = environment(tmp_path, 8000, "http://127.0.0.1:9/fhir")
    assert CliRunner().invoke(command, ["--check"], env=settings).exit_code == 0
    others = {**settings, "VERSTEL_ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    said = CliRunner().invoke(command, ["--check"], env=others)
    assert said.exit_code == 2
    assert "does not open with the encryption keys in VERSTEL_ENCRYPTION_KEYS" in " ".join(said.output.split())


class TestTheEnd:
    def test_what_is_under_way_is_finished_and_nothing_new_begun(self, tmp_path, ehr):
        with serving(tmp_path, ehr.base, "--log-format", "json") as running:
            answers: list[tuple[int, bytes]] = []
            sign_in = threading.Thread(target=lambda: answers.append(running.get(f"/start?iss={ehr.base}")))
            sign_in.start()
            assert ehr.asked.wait(PATIENCE)
            running.process.send_signal(signal.SIGTERM)
            until(lambda: not running.listens())
            assert running.process.poll() is None  # it waits for the one that is signing in
            ehr.go.set()
            sign_in.join(PATIENCE)
            assert [status for status, _body in answers] == [303]
            assert running.process.wait(PATIENCE) == 0
            assert running.process.stderr is not None
            events = [json.loads(line) for line in running.process.stderr]  # every line is one
        [request] = [event for event in events if event["event"] == "request"]
        assert (request["route"], request["status"]) == ("/start", 303)

    def test_an_end_that_is_announced_says_so_to_who_asks(self, tmp_path):
        with serving(tmp_path, "http://127.0.0.1:9/fhir", "--announce", "300") as running:
            assert running.get("/readyz") == (200, b'{"status":"ready"}\n')
            running.process.send_signal(signal.SIGTERM)
            status, body = until(lambda: (answer := running.get("/readyz"))[0] == 503 and answer)
            assert (status, json.loads(body)["reason"]) == (503, "draining")
            assert running.get("/healthz")[0] == 200
            running.process.send_signal(signal.SIGTERM)  # asked again: without waiting
            assert running.process.wait(PATIENCE) == 0


class TestSeveralProcesses:
    SCRIPT = """
import os, sys, time
from smartapp.web.workers import supervise
def work(number):
    print(number, os.getpid(), flush=True)
    time.sleep(600)
sys.exit(0 if supervise(2, work) else 1)
"""

    def test_one_that_breaks_is_started_anew_and_all_end_together(self):
        with subprocess.Popen([sys.executable, "-c", self.SCRIPT], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            begun = dict(parent.stdout.readline().split() for _ in range(2))
            assert sorted(begun) == ["0", "1"]
            os.kill(int(begun["1"]), signal.SIGKILL)
            number, again = parent.stdout.readline().split()
            assert (number, again != begun["1"]) == ("1", True)
            parent.send_signal(signal.SIGTERM)
            assert parent.wait(PATIENCE) == 0
        for process in (begun["0"], again):
            with pytest.raises(ProcessLookupError):
                os.kill(int(process), 0)

    def test_they_do_not_outlive_the_one_that_started_them(self):
        with subprocess.Popen([sys.executable, "-c", self.SCRIPT], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            assert [parent.stdout.readline() != "" for _ in range(2)] == [True, True]
            parent.kill()
            assert parent.stdout.read() == ""  # which comes to its end when the last of them has ended

    def test_sqlite_is_for_one_process(self, tmp_path):
        said = CliRunner().invoke(command, ["--workers", "2"], env=environment(tmp_path, 8000, "http://127.0.0.1:9/f"))
        assert said.exit_code == 2
        assert "SQLite is for one process" in said.output
