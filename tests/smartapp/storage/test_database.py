"""One database for the app: for us alone on the disk, and its writers in line behind each other."""

from __future__ import annotations

import os
import sqlite3
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
import sqlalchemy as sa

from smartapp.storage import migrations
from smartapp.storage.database import (
    DatabaseError,
    ask_after_a_pause,
    metadata,
    open_database,
    reading,
    writing,
)
from smartapp.storage.files import hold, keep_private
from tests.smartapp.storage.conftest import POSTGRESQL, empty_database

pytestmark = pytest.mark.usefixtures("by_revisions")

T = TypeVar("T")


def rights(folder) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_no_file_of_a_new_database_can_be_read_by_others(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'verstel.db'}", alone=True)
    with writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO sessions (id, started, seen) VALUES ('s', 1, 1)")
        names = {"verstel.db", "verstel.db-wal", "verstel.db-shm", "verstel.db.lock"}
        assert rights(tmp_path) == dict.fromkeys(names, 0o600)
    engine.dispose()


def test_a_new_file_that_another_process_is_changing_is_waited_for(tmp_path):
    file = tmp_path / "verstel.db"
    # As a process that starts at the same moment holds it; SQLite's own waiting does not cover the change to WAL.
    other = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE theirs (x)")
    leaving = threading.Timer(0.3, other.execute, ["COMMIT"])
    leaving.start()
    engine = open_database(f"sqlite:///{file}")
    with reading(engine) as connection:
        assert sa.inspect(connection).has_table("theirs")
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    leaving.join()
    other.close()
    engine.dispose()


def test_a_file_that_stays_locked_is_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr("smartapp.storage.database.BUSY_SECONDS", 0.05)
    file = tmp_path / "verstel.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="cannot be opened: database is locked"):
        open_database(f"sqlite:///{file}")
    other.close()


def test_files_that_others_can_read_are_closed_to_them(tmp_path):
    older = sqlite3.connect(tmp_path / "verstel.db")
    older.execute("PRAGMA journal_mode = WAL")
    older.execute("CREATE TABLE kept (x)")
    assert rights(tmp_path).keys() == {"verstel.db", "verstel.db-wal", "verstel.db-shm"}
    for file in tmp_path.iterdir():
        file.chmod(0o644)
    engine = open_database(f"sqlite:///{tmp_path / 'verstel.db'}")
    assert set(rights(tmp_path).values()) == {0o600}
    older.close()
    engine.dispose()


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path):
    (tmp_path / "notes").write_text("Not a database, and long enough to be seen as none. " * 20)
    (tmp_path / "notes").chmod(0o644)
    with pytest.raises(DatabaseError, match="file is not a database"):
        open_database(f"sqlite:///{tmp_path / 'notes'}")
    assert rights(tmp_path) == {"notes": 0o644}


def test_a_file_of_somebody_else_that_others_can_read_is_refused(tmp_path, monkeypatch):
    def not_ours(_file):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("smartapp.storage.database.keep_private", not_ours)
    with pytest.raises(DatabaseError, match=r"verstel\.db is not ours, and others can read it"):
        open_database(f"sqlite:///{tmp_path / 'verstel.db'}")


def test_a_name_with_signs_of_an_address_is_kept_private_too(tmp_path):
    engine = open_database(f"sqlite:///file:{tmp_path}/of%20100.db?uri=true")
    assert rights(tmp_path)["of 100.db"] == 0o600
    engine.dispose()


def test_closing_a_file_to_others_leaves_what_is_closed_already(tmp_path):
    (tmp_path / "verstel.db").touch(mode=0o400)
    keep_private(tmp_path / "verstel.db")
    assert rights(tmp_path) == {"verstel.db": 0o400}


class TestASecondProcess:
    OTHER = (
        "import sys; from smartapp.storage.database import *; open_database(sys.argv[1], alone=sys.argv[2] == 'alone')"
    )

    def opened_by_another(self, url: str, how: str) -> str:
        ran = subprocess.run([sys.executable, "-c", self.OTHER, url, how], capture_output=True, text=True, check=False)
        return ran.stderr

    def test_that_serves_the_same_file_is_refused(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'verstel.db'}"
        engine = open_database(url, alone=True)
        assert "Another process of Verstel is running on" in self.opened_by_another(url, "alone")
        assert self.opened_by_another(url, "for a moment") == ""
        engine.dispose()

    def test_of_a_newer_version_does_not_change_the_tables_under_the_first(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'verstel.db'}"
        older = sa.create_engine(url)
        with older.begin() as connection:
            migrations.upgrade(connection, metadata, to="0001")
        older.dispose()
        with hold(tmp_path / "verstel.db.lock"), pytest.raises(DatabaseError, match="Another process of Verstel"):
            open_database(url)
        open_database(url).dispose()

    def test_may_begin_when_the_first_has_ended_however_it_ended(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'verstel.db'}"
        killed = f"{self.OTHER}; import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
        assert subprocess.run([sys.executable, "-c", killed, url, "alone"], check=False).returncode == -9
        open_database(url, alone=True).dispose()

    @pytest.mark.skipif(POSTGRESQL is None, reason="needs TEST_POSTGRESQL_URL")
    def test_on_postgresql_is_welcome(self, tmp_path):
        with empty_database("postgresql", tmp_path) as url:
            engine = open_database(url, alone=True)
            assert self.opened_by_another(url, "alone") == ""
            engine.dispose()


def count(engine: sa.Engine) -> int:
    with reading(engine) as connection:
        return connection.exec_driver_sql("SELECT seen FROM sessions").scalar()


@pytest.fixture
def counter(url):
    """A database with a counter that stands at 0."""
    engine = open_database(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO sessions (id, started, seen) VALUES ('s', 1, 0)")
    yield engine
    engine.dispose()


def test_who_looks_and_then_writes_is_alone_with_what_they_look_at(counter):
    def add() -> None:
        for _ in range(10):
            with writing(counter, on="counter") as connection:
                seen = connection.exec_driver_sql("SELECT seen FROM sessions").scalar()
                connection.execute(sa.text("UPDATE sessions SET seen = :next"), {"next": seen + 1})

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(counter) == 80


def test_a_transaction_that_fails_lets_the_next_one_in(counter):
    with pytest.raises(sa.exc.DBAPIError), writing(counter) as connection:  # noqa: PT012
        connection.exec_driver_sql("UPDATE sessions SET seen = 1")
        connection.exec_driver_sql("UPDATE nothing SET seen = 1")
    with writing(counter) as connection:
        connection.exec_driver_sql("UPDATE sessions SET seen = seen + 5")
    assert count(counter) == 5


def elsewhere(job: Callable[[], T]) -> T:
    """Return what another thread gets meanwhile: one thread's transactions within each other are one."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(job).result()


def test_who_reads_waits_for_nobody(counter):
    with writing(counter) as connection:
        connection.exec_driver_sql("UPDATE sessions SET seen = 1")
        assert elsewhere(lambda: count(counter)) == 0


@pytest.mark.skipif(POSTGRESQL is None, reason="needs TEST_POSTGRESQL_URL")
def test_on_postgresql_who_looks_at_something_else_does_not_wait(tmp_path):
    with empty_database("postgresql", tmp_path) as url:
        engine = open_database(url)

        def of_bram() -> int:
            with writing(engine, on="bram") as connection:
                locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                return connection.exec_driver_sql(locks).scalar_one()

        with writing(engine, on="anna"):
            assert elsewhere(of_bram) == 2
        engine.dispose()


class TestAConnectionThatMayHaveLostItsServer:
    @pytest.fixture
    def clock(self) -> list[float]:
        return [100.0]

    @pytest.fixture
    def engine(self, tmp_path, clock):
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'any.db'}")
        ask_after_a_pause(engine, lambda: clock[0])
        yield engine
        engine.dispose()

    @pytest.fixture
    def asked(self, engine, monkeypatch) -> list[object]:
        """The connections that were asked whether they still work."""
        found: list[object] = []
        monkeypatch.setattr(engine.dialect, "do_ping", lambda connection: found.append(connection) or True)
        return found

    def use(self, engine) -> sqlite3.Connection:
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT 1")) == 1
            return connection.connection.dbapi_connection

    def test_is_asked_after_a_pause_and_not_while_it_is_in_use(self, engine, asked, clock):
        first = self.use(engine)
        clock[0] += 0.9
        self.use(engine)
        assert asked == []
        clock[0] += 1.0
        assert self.use(engine) is first
        assert asked == [first]

    def test_is_made_anew_where_it_did(self, engine, clock):
        first = self.use(engine)
        clock[0] += 1.0
        first.close()
        assert self.use(engine) is not first


@pytest.mark.parametrize("asked", [True, False])
def test_the_authorities_of_this_machine_are_shown_to_a_driver_that_looks_elsewhere(tmp_path, monkeypatch, asked):
    # The OpenSSL in the wheel of psycopg looks in a folder that no machine has: "system" would refuse every server.
    known = ssl.get_default_verify_paths()._replace(cafile=str(tmp_path / "all.pem"), capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: known)
    monkeypatch.setenv("SSL_CERT_FILE", "chosen.pem")
    monkeypatch.setenv("SSL_CERT_DIR", "")
    monkeypatch.delenv("SSL_CERT_DIR")
    address = "postgresql+psycopg://verstel:x@127.0.0.1:1/verstel?sslmode=verify-full&sslrootcert="
    with pytest.raises(DatabaseError):
        open_database(address + ("system" if asked else "mine.pem"))
    assert os.environ["SSL_CERT_FILE"] == "chosen.pem"
    assert os.environ.get("SSL_CERT_DIR") == (str(tmp_path) if asked else None)
