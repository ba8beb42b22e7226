"""Whether the app lives (`/healthz`) and whether people should be sent to it (`/readyz`)."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app, jsonify
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from smartapp.services import Services
from smartapp.web import current
from smartapp.web.limits import UNCOUNTED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_WRITE: Final = sa.text("update alembic_version set version_num = version_num")
"""Writes the one row that every database of ours has, as it is: only a write tells whether the disk is full."""

KEEP_SECONDS: Final = 1.0
"""So long one check is everyone's answer: strangers may ask too, and must not make us write as often as they like."""
_PATIENCE_SECONDS: Final = 1
KEY: Final = "verstel-readiness"

_REASONS: Final = {
    "SQLITE_FULL": "database-full",
    "SQLITE_READONLY": "database-read-only",
    "SQLITE_BUSY": "database-locked",
    "SQLITE_LOCKED": "database-locked",
    "SQLITE_IOERR": "database-disk-fails",
    "53100": "database-full",  # from here on PostgreSQL's, see "Error Codes" in its manual
    "25006": "database-read-only",
    "55P03": "database-locked",
    "57014": "database-locked",
}


class Readiness:
    """Says why nobody should be sent here now; `draining` is asked first, then the database."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self.draining: Callable[[], bool] = lambda: False
        self._engine = _impatient(engine)
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, str] | None = None

    def reason(self) -> str:
        """Return why not, as a code; empty if all is well."""
        if self.draining():
            return "draining"
        with self._lock:
            now = self._clock()
            if self._known is None or now - self._known[0] >= KEEP_SECONDS:
                self._known = (now, self._write())
            return self._known[1]

    def _write(self) -> str:
        try:
            with self._engine.begin() as connection:
                connection.execute(_WRITE)
        except DBAPIError as error:
            return reason_of(error)
        return ""


def reason_of(error: DBAPIError) -> str:
    """Return the code of what a database could not do, without a word of its message."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # With more to it than the first two words, such as SQLITE_READONLY_DBMOVED.
        name = "_".join(getattr(cause, "sqlite_errorname", "").split("_")[:2])
    else:
        name = str(getattr(cause, "sqlstate", None) or "")
    return _REASONS.get(name, "database-unreachable")


def _impatient(engine: Engine) -> Engine:
    """Return the same database with connections of its own, which wait a second and no longer."""
    patience: dict[str, object] = {"timeout": _PATIENCE_SECONDS}
    if engine.dialect.name == "postgresql":
        wait = 1000 * _PATIENCE_SECONDS
        patience = {"connect_timeout": 2, "options": f"-c lock_timeout={wait} -c statement_timeout={2 * wait}"}
    return sa.create_engine(engine.url, poolclass=NullPool, connect_args=patience)


_blueprint = Blueprint("health", __name__)


def init_health(app: Flask, services: Services) -> None:
    """Add `/healthz` and `/readyz`."""
    app.extensions[KEY] = Readiness(services.engine)
    app.register_blueprint(_blueprint)


def probed_by_address(app: WSGIApplication, public_url: str) -> WSGIApplication:
    """Let a load balancer or a Kubernetes ask a process how it is by its address: it does not know our host's name.

    All else is answered under the public name only; what these two answer is the same for everybody.
    """
    host = urlsplit(public_url).netloc

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in UNCOUNTED:
            environ = {**environ, "HTTP_HOST": host}
        return app(environ, start_response)

    return served


def readiness(app: Flask) -> Readiness:
    """Return what tells whether the app is ready."""
    known: Readiness = app.extensions[KEY]
    return known


@_blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    """Say whether the app and its database work."""
    # A question that every database answers, and that needs no table.
    with current.services().engine.connect() as connection:
        connection.exec_driver_sql("select 1")
    return jsonify(status="ok"), 200


@_blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say whether people should be sent here: not while we end, or while the database takes no write."""
    reason = readiness(current_app).reason()
    return (jsonify(status="unready", reason=reason), 503) if reason else (jsonify(status="ready"), 200)
