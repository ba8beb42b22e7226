"""One SQL database for everything the app keeps: SQLite inside the process by default, PostgreSQL by URL."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import ssl
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from smartapp.storage.files import InUse, hold, keep_private
from smartapp.storage.migrations import NewerDatabase, newest, revision_of, upgrade

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}

# Every module that keeps something adds its tables here; a test holds this equal to what the revisions make.
metadata = sa.MetaData(naming_convention=NAMING)

PAUSE_SECONDS = 1.0
"""A connection that nobody used for so long may have lost its server."""

BUSY_SECONDS = 15
"""How long a transaction waits for the one before it."""

_TURN = "verstel_turn"
"""Execution option of an engine: the lock for which its writers wait in line."""

_WRITES = "verstel_writes"
"""Execution option of a connection whose transactions may write: the name of what they look at."""


class DatabaseError(ValueError):
    """The database address cannot be used; the message says why and gives an example."""


def open_database(url: str, *, alone: bool = False) -> Engine:
    """Open the database and bring it to the newest revision.

    `url` is an SQLAlchemy address: `sqlite:////var/lib/verstel/verstel.db` or `postgresql+psycopg://…`. `sqlite://`
    (no file) means a temporary file that goes away with the engine: threads can share it, which they cannot share
    a database in memory. Raises DatabaseError, also for a database of a newer version of Verstel.

    `alone` is for a process that serves people or sends what waits: SQLite is for one of those at a time, so the file
    is held as long as the engine lives. Those that only read, or change little, need no more than SQLite's own locks.
    """
    with _explained():
        engine = _opened(make_url(url))
        try:
            if engine.dialect.name == "sqlite":
                _keep_private(engine)
            if alone:
                _hold(engine)
            _migrate(engine, alone=alone)
        except BaseException:
            engine.dispose()
            raise
    return engine


def open_existing(url: str, table: sa.Table) -> Engine:
    """Open a database that must already have a table, to read it: nothing is made, in the database or on the disk.

    `url` is as for `open_database`, and so is the DatabaseError.
    """
    with _explained():
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            engine = sa.create_engine(_only_if_there(address))
        else:
            _show_authorities(address)
            engine = sa.create_engine(address, pool_pre_ping=True)
        has_table = sa.inspect(engine).has_table(table.name)
    if has_table:
        return engine
    engine.dispose()
    raise DatabaseError(
        f"The database has no table {table.name!r}: Verstel never ran with it. Check VERSTEL_DATABASE_URL."
    )


def _only_if_there(address: URL) -> URL:
    """Return an address of SQLite as one that fails where there is no file; SQLite itself would make one."""
    if "uri" in address.query:
        return address.update_query_dict({"mode": "rw"})
    if not address.database or address.database == ":memory:":
        raise DatabaseError("The database is a temporary one, so nothing was kept. Check VERSTEL_DATABASE_URL.")
    return address.set(database=f"file:{quote(address.database)}", query={**address.query, "uri": "true", "mode": "rw"})


@contextmanager
def _explained() -> Iterator[None]:
    """Raise DatabaseError, with the reason, for what goes wrong in the `with`."""
    try:
        yield
    except sa.exc.NoSuchModuleError:  # before ArgumentError, which it is one of
        raise DatabaseError(
            "The database address names a database or driver that we do not know. Use sqlite:/// or postgresql+psycopg://"
        ) from None
    except ArgumentError:
        # The address may hold a password: it is not repeated.
        raise DatabaseError(
            "The database address is not a valid URL. Give one such as sqlite:////var/lib/verstel/verstel.db"
        ) from None
    except ImportError as error:
        raise DatabaseError(
            f"The database driver {error.name} is not installed. For PostgreSQL: pip install 'verstel[postgresql]'."
        ) from None
    except NewerDatabase as error:
        raise DatabaseError(
            f"The database is at revision {error}, which this version of Verstel does not know: a newer version "
            "wrote it. Install that version again, or put back the backup that was made before it."
        ) from None
    except (sa.exc.DBAPIError, OSError) as error:
        reason = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error.strerror).partition("\n")[0]
        raise DatabaseError(f"The database cannot be opened: {reason}. Check VERSTEL_DATABASE_URL.") from None


def _show_authorities(address: URL) -> None:
    """Let `sslrootcert=system` mean the authorities that this machine trusts.

    The wheel of psycopg brings an OpenSSL of its own, which looks for them in a folder that no machine has: every
    certificate would be refused. Python knows where they are; what the environment says already goes before.
    """
    if address.query.get("sslrootcert") == "system":
        known = ssl.get_default_verify_paths()
        for name, place in (("SSL_CERT_FILE", known.cafile), ("SSL_CERT_DIR", known.capath)):
            if place:
                os.environ.setdefault(name, place)


def _opened(address: URL) -> Engine:
    if address.get_backend_name() != "sqlite":
        _show_authorities(address)
        engine = sa.create_engine(address)
        ask_after_a_pause(engine)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    folder: tempfile.TemporaryDirectory[str] | None = None
    if not address.database or address.database == ":memory:":
        folder = tempfile.TemporaryDirectory(prefix="verstel-")
        address = address.set(database=str(Path(folder.name) / "temporary.db"))
    file = _file(address)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    engine = sa.create_engine(address, pool_size=8, max_overflow=32, execution_options={_TURN: threading.Lock()})
    event.listen(engine, "connect", _prepare_sqlite if folder is None else _prepare_temporary)
    event.listen(engine, "begin", _begin_sqlite)
    if folder is not None:
        weakref.finalize(engine, folder.cleanup)
    return engine


def ask_after_a_pause(engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
    """Ask a connection whether it still works before it is used, where nobody used it for a second.

    Asked each time, as SQLAlchemy would, that was a third of what a page waited for PostgreSQL. A server that was
    restarted was away for longer.
    """

    @event.listens_for(engine, "checkin")
    def leave(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["left"] = clock()

    @event.listens_for(engine, "checkout")
    def take(connection: DBAPIConnection, record: ConnectionPoolEntry, _fairy: object) -> None:
        now = clock()
        if now - record.info.get("left", now) < PAUSE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:  # so are those beside it; each is made anew
            raise sa.exc.InvalidatePoolError from gone


def _file(address: URL) -> Path:
    """Return the file of an SQLite database."""
    named = address.database or ""
    return Path(unquote(urlsplit(named).path)) if "uri" in address.query else Path(named)


def _keep_private(engine: Engine) -> None:
    engine.connect().close()  # a file that is no database is nothing of ours
    file = _file(engine.url)
    try:
        keep_private(file)
    except PermissionError:
        raise DatabaseError(
            f"The database {file} is not ours, and others can read it. Give the file to the user that Verstel runs as, "
            "or let Verstel make a new one."
        ) from None


def _hold(engine: Engine) -> None:
    """Keep an SQLite database for this process until the engine is disposed of, or gone."""
    held = ExitStack()
    held.enter_context(_held(engine))
    event.listen(engine, "engine_disposed", lambda _engine: held.close())
    weakref.finalize(engine, held.close)


def _held(engine: Engine) -> AbstractContextManager[object]:
    """Hold an SQLite database for the time of a `with`. Raises DatabaseError when another process holds it."""
    if engine.dialect.name != "sqlite":
        return nullcontext()
    file = _file(engine.url)
    try:
        return hold(file.with_name(f"{file.name}.lock"))
    except InUse:
        raise DatabaseError(
            f"Another process of Verstel is running on {file}. Stop that one first; to run several, use PostgreSQL."
        ) from None


def _migrate(engine: Engine, *, alone: bool) -> None:
    """Bring a database to the newest revision; of several processes that start at once, one does it.

    Not under a process of an older version: its tables would change while it works with them.
    """
    with reading(engine) as connection:
        if revision_of(connection) == newest():
            return
        is_new = not sa.inspect(connection).has_table("sessions")
    with nullcontext() if alone or is_new else _held(engine):
        _upgrade(engine)


def _upgrade(engine: Engine) -> None:
    connecting = engine.execution_options(**{_WRITES: "revisions"}).connect()
    with connecting as connection, _without_cascades(connection), connection.begin():
        upgrade(connection, metadata)


@contextmanager
def _without_cascades(connection: Connection) -> Iterator[None]:
    """Let a revision rebuild a table, which SQLite does by dropping the old one: its children must not go with it."""
    driver = connection.connection
    if connection.dialect.name != "sqlite":
        yield
        return
    driver.cursor().execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.cursor().execute("PRAGMA foreign_keys = ON")


@contextmanager
def writing(engine: Engine, *, on: str = "") -> Iterator[Connection]:
    """Begin a transaction that may write: committed at the end of the `with`, undone when an error leaves it.

    One at a time, from its first statement on: whatever it reads cannot change until it ends, so "look, decide, write"
    needs no further care. SQLite knows no other way. On PostgreSQL that holds among all that name the same thing with
    `on`, such as one person's drafts, in all processes; what names another thing goes on beside it.

    Within another one of the same thread it is a part of that: both happen, or neither does.
    """
    outer = _here.writes.get(id(engine))
    if outer is not None:
        _lock_on(outer, on)
        yield outer
        return
    with _turn(engine), engine.connect() as connection:
        connection.execution_options(**{_WRITES: on})
        with connection.begin(), _here.within(engine, connection):
            yield connection


class _Here(threading.local):
    """The transactions that this thread is in, by engine."""

    def __init__(self) -> None:
        self.writes: dict[int, Connection] = {}
        self.reads: dict[int, Connection] = {}

    @contextmanager
    def within(self, engine: Engine, connection: Connection, *, to_read: bool = False) -> Iterator[Connection]:
        present = self.reads if to_read else self.writes
        present[id(engine)] = connection
        try:
            yield connection
        finally:
            del present[id(engine)]


_here = _Here()


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait in line for the one transaction that may write to an SQLite database.

    SQLite itself lets everybody look again after a while, a longer one each time, so that some are passed over for
    seconds; it still does so for the threads of other processes, and after 15 seconds here.
    """
    lock: threading.Lock | None = engine.get_execution_options().get(_TURN)
    taken = lock is not None and lock.acquire(timeout=BUSY_SECONDS)
    try:
        yield
    finally:
        if lock is not None and taken:
            lock.release()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that only reads: it sees one moment of the database, and writers do not wait for it.

    Within another one of the same thread, to read or to write, it is a part of that: it sees the same moment.
    """
    outer = _here.writes.get(id(engine)) or _here.reads.get(id(engine))
    if outer is not None:
        yield outer
        return
    beginning = engine
    if engine.dialect.name == "postgresql":
        beginning = engine.execution_options(isolation_level="REPEATABLE READ")
    with beginning.begin() as connection, _here.within(engine, connection, to_read=True):
        yield connection


def change_any(engine: Engine, table: sa.Table, which: sa.ColumnElement[bool], **values: str) -> None:
    """Change the rows of a table that meet a condition; where none does, nothing is written."""
    with reading(engine) as connection:
        if connection.execute(sa.select(sa.literal(1)).select_from(table).where(which).limit(1)).first() is None:
            return
    with writing(engine) as connection:
        connection.execute(table.update().where(which).values(**values))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own idea of when a transaction starts is switched off: `_begin_sqlite` says it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    _keep_a_log_ahead(cursor)
    # FULL: what was answered with "kept" is on the disk, also when the power fails the next moment.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is deleted is gone from the file too; not every build of SQLite does that by itself.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _keep_a_log_ahead(cursor: sqlite3.Cursor) -> None:
    """Let readers and a writer go on beside each other (WAL).

    A new file changes to that once. SQLite does not let that wait for another process that does the same at this
    moment, as it lets a transaction wait: it refuses at once.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _prepare_temporary(connection: Any, record: object) -> None:
    _prepare_sqlite(connection, record)
    # Nothing outlives the process, so nothing needs to wait for the disk.
    connection.execute("PRAGMA synchronous = OFF")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if _WRITES not in connection.get_execution_options() else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    on = connection.get_execution_options().get(_WRITES)
    if on is not None:
        _lock_on(connection, on)


def _lock_on(connection: Connection, on: str) -> None:
    if connection.dialect.name == "postgresql":
        # PostgreSQL locks numbers. Two things with one number would only wait for each other.
        number = int.from_bytes(hashlib.sha256(f"verstel|{on}".encode()).digest()[:8], signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
