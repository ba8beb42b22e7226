"""A real HTTP server for tests: the app and its sandbox on a free port of this machine."""

from __future__ import annotations

import contextlib
import gc
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
import waitress.server
from cryptography.fernet import Fernet
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.engine import URL, Engine, make_url
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from smartapp import create_app
from smartapp.commands.demo import keep_draft
from smartapp.fhir.bulkheads import HOSTS
from smartapp.sandbox import Client, Sandbox, init_sandbox, make_sandbox
from smartapp.sandbox.seeding import seed
from smartapp.services import KEY
from smartapp.settings import CASELOAD_SCOPES, DEFAULT_SCOPES, Issuer, Settings
from smartapp.storage import database
from smartapp.web.components.routes import init_examples
from tests.compiled import RuleCompiledOnce
from tests.examples import at_most

# A busy machine is not a fault of the code: what an example may cost is measured elsewhere (`make bench`).
settings.register_profile(
    "verstel", max_examples=at_most(100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("verstel")


# A shell lets what it runs in the background ignore Ctrl-C, and so would every command that the tests start and end.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class CompiledOnce(BytecodeCache):
    """Compiles a template once for all apps of a run: most tests make one, and compiling its pages took longest."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._compiled.get((bucket.key, bucket.checksum))
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        # The sandbox compiles without the app's extensions.
        key = f"{filename or name}|{sorted(environment.extensions)}"
        bucket = Bucket(environment, key, self.get_source_checksum(source))
        self.load_bytecode(bucket)
        return bucket


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledOnce()}


Flask.url_rule_class = RuleCompiledOnce


REALLY_OPENED = database._opened


@cache
def new_database() -> bytes:
    """Return an empty database as the revisions make it: making one by them took nine tenths of making an app."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.db"
        engine = REALLY_OPENED(make_url(f"sqlite:///{file}"))
        database._migrate(engine, alone=False)
        engine.dispose()
        return file.read_bytes()


@cache
def first_engine() -> Engine:
    """Return an engine that lends its memory of compiled statements to all others; one of its own is empty."""
    engine = REALLY_OPENED(make_url("sqlite://"))
    engine.connect().close()  # a dialect learns at its first connection what the database can do
    engine.dispose()
    return engine


def opened(address: URL) -> Engine:
    """Open a database; where there is none it begins as a copy; see the fixture `by_revisions`."""
    engine = REALLY_OPENED(address)
    if engine.dialect.name == "sqlite":
        engine.dialect, engine._compiled_cache = first_engine().dialect, first_engine()._compiled_cache
        if not database._file(engine.url).stat().st_size:
            database._file(engine.url).write_bytes(new_database())
    return engine


database._opened = opened


class Task(WSGITask):
    """Gives the app hold of its connection, so that a fault can break it before the answer."""

    def get_environment(self) -> dict[str, Any]:
        environment = super().get_environment()
        environment["verstel.channel"] = self.channel
        return environment


class Channel(HTTPChannel):
    task_class = Task

    def break_off(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)


class Running:
    """A WSGI app served by waitress in a thread, on a port that is known before the app is made."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def start(self, app: WSGIApplication, threads: int = 8) -> None:
        self._server = waitress.server.create_server(
            app, sockets=[self.socket], threads=threads, clear_untrusted_proxy_headers=True
        )
        self._server.channel_class = Channel
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        # In the server's own thread, so that nothing is closed under its hands.
        # A worker that ends at this moment wakes it too; then it has closed before we pull.
        with contextlib.suppress(OSError):
            self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._server._map))
        self._thread.join(10)
        self._server.task_dispatcher.shutdown()


@contextlib.contextmanager
def port_of_ours() -> Iterator[int]:
    """Keep a port free for a process that is started on it, ended, and started on it again.

    Bound and never listened on, it is given to no one who asks for any port, while who asks for this one can have it;
    Linux does that. Elsewhere it is free when the block begins, and we hope.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        if sys.platform != "linux":
            held.close()
        yield port


@dataclass(frozen=True)
class Server:
    """A running app with its sandbox: `url` of the app, `base` of the FHIR API, `sandbox` for faults and its store."""

    url: str
    app: Flask
    sandbox: Sandbox

    @property
    def base(self) -> str:
        return self.sandbox.base


def _sandbox(url: str, scopes: str) -> Issuer:
    return Issuer(
        base=f"{url}/sandbox/fhir",
        name="Sandbox",
        client_id="verstel",
        scopes=scopes,
        caseload_scopes=CASELOAD_SCOPES,
        chart_url=f"{url}/sandbox/launch?role=clinician&patient={{patient}}&user=me",
    )


def serve(ehr: str = "full", *, scopes: str = DEFAULT_SCOPES, threads: int = 8, **changes: Any) -> Iterator[Server]:
    """Serve the app and a sandbox of kind `ehr`, with a temporary database; `changes` are settings.

    `scopes` are those that the app asks of the sandbox about one person; about nobody it asks those of the demo.
    """
    running = Running()
    app = create_app(
        Settings(
            **{
                "public_url": running.url,
                "secret_keys": ("a secret that only tests know, 32 characters",),
                "encryption_keys": (Fernet.generate_key().decode(),),
                "database_url": "sqlite://",
                "issuers": (_sandbox(running.url, scopes),),
                **changes,
            }
        )
    )
    engine = app.extensions[KEY].engine
    sandbox = make_sandbox(engine, running.url, clients=(Client("verstel", (f"{running.url}/callback",)),), ehr=ehr)
    init_sandbox(app, sandbox)
    init_examples(app)
    running.start(app, threads)
    try:
        yield Server(running.url, app, sandbox)
    finally:  # also where the caller's own block raises, or leaves the generator lying
        sandbox.faults.clear()
        running.stop()
        engine.dispose()


@pytest.fixture(autouse=True)
def no_host_in_disgrace() -> None:
    """Let each test meet every host for the first time: what one learned of `ehr.example` is nothing to the next."""
    HOSTS.forget()


@pytest.fixture
def by_revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each database of a test by the revisions, as the app does: for tests of how that happens."""
    monkeypatch.setattr(database, "_opened", REALLY_OPENED)


@pytest.fixture
def fresh_server() -> Iterator[Server]:
    """The app and an empty sandbox, for one test."""
    yield from serve()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The app and the sandbox with its made-up people, shared: for tests that only read."""
    for running in serve():
        core = running.app.extensions[KEY]
        seed(running.sandbox, datetime.now(UTC), keep_draft=keep_draft(core, running.base))
        yield running


SLOWEST = ("browser", "faults", "smartapp/commands", "smartapp/records")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest, so that no worker has one of those left when the others are done."""
    tests = Path(__file__).parent
    later = {
        path: not any(path.is_relative_to(tests / folder) for folder in SLOWEST) for path in {i.path for i in items}
    }
    items.sort(key=lambda item: later[item.path])


def pytest_collection_finish() -> None:
    """Leave what was imported out of each garbage collection: FHIR's models alone are half a million objects."""
    gc.collect()
    gc.freeze()
