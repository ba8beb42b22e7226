"""`/readyz` writes: only that tells whether the disk is full, or the database read-only or locked."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from smartapp.storage.database import open_database
from smartapp.web.health import Readiness, readiness, reason_of
from tests.smartapp.helpers import make_app


def asked(app: Flask) -> tuple[int, object]:
    answer = app.test_client().get("/readyz")
    return answer.status_code, answer.json


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return make_app(database_url=f"sqlite:///{tmp_path / 'app.db'}")


def test_an_app_whose_database_takes_a_write_is_ready(app):
    assert asked(app) == (200, {"status": "ready"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_process_is_asked_how_it_is_by_its_own_address_and_for_nothing_else(app, path):
    client = app.test_client()
    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
    assert client.get("/", headers={"Host": "10.1.2.3:8000"}).status_code == 400


def test_a_locked_database_is_told_and_liveness_stays(app, tmp_path):
    with sqlite3.connect(tmp_path / "app.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert asked(app) == (503, {"status": "unready", "reason": "database-locked"})
        assert app.test_client().get("/healthz").status_code == 200
        other.execute("ROLLBACK")
    other.close()


def test_a_read_only_database_is_told(tmp_path):
    open_database(f"sqlite:///{tmp_path / 'app.db'}").dispose()
    engine = sa.create_engine(f"sqlite:///file:{tmp_path / 'app.db'}?mode=ro&uri=true")
    assert Readiness(engine).reason() == "database-read-only"


def test_a_full_disk_is_told_without_a_word_of_the_message(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'small.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("create table big (text)")
        connection.exec_driver_sql("PRAGMA max_page_count = 2")
        with pytest.raises(DBAPIError) as full:
            connection.exec_driver_sql("insert into big values (zeroblob(100000))")
    engine.dispose()
    assert reason_of(full.value) == "database-full"


def test_a_database_that_is_gone_is_told(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    assert Readiness(engine).reason() == "database-unreachable"


def test_who_asks_often_gets_the_answer_of_this_second(tmp_path):
    now = [0.0]
    open_database(f"sqlite:///{tmp_path / 'app.db'}").dispose()
    ready = Readiness(sa.create_engine(f"sqlite:///{tmp_path / 'app.db'}"), lambda: now[0])

    with contextlib.closing(sqlite3.connect(tmp_path / "app.db")) as looking:

        def commits() -> int:
            return int(looking.execute("pragma data_version").fetchone()[0])  # counts what others commit

        ready.reason()
        first = commits()
        assert (ready.reason(), commits()) == ("", first)
        now[0] += 1
        assert (ready.reason(), commits() > first) == ("", True)


def test_an_app_that_ends_takes_nobody_in(app):
    readiness(app).draining = lambda: True
    assert asked(app) == (503, {"status": "unready", "reason": "draining"})
