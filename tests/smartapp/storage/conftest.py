"""Empty databases of both sorts, for facts that must hold on each."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from smartapp.storage import database
from tests.conftest import REALLY_OPENED

# A PostgreSQL server where databases may be made, such as postgresql+psycopg://postgres@localhost/postgres
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL")
SORTS = ["sqlite", *(["postgresql"] if POSTGRESQL else [])]


@contextmanager
def empty_database(sort: str, folder: Path, *, like: str = "template1") -> Iterator[str]:
    """Yield the address of a database: a file in the folder, or one on the server that is dropped again.

    A file is empty; one on the server is a copy of `like`, of PostgreSQL's own empty one by default.
    """
    if sort == "sqlite":
        yield f"sqlite:///{folder / 'verstel.db'}"
        return
    assert POSTGRESQL is not None
    name = f"verstel_{secrets.token_hex(6)}"
    server = sa.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {like}")
    try:
        yield sa.engine.make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()


@pytest.fixture(scope="session")
def made_by_revisions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database on the server as the revisions make it, once per run; see `new_database`."""
    with empty_database("postgresql", tmp_path_factory.getbasetemp()) as address:
        engine = REALLY_OPENED(sa.engine.make_url(address))
        database._migrate(engine, alone=False)
        engine.dispose()
        yield str(engine.url.database)


@pytest.fixture(params=SORTS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a new database; with the fixture `by_revisions` it has no table yet."""
    copied = request.param == "postgresql" and "by_revisions" not in request.fixturenames
    like = request.getfixturevalue("made_by_revisions") if copied else "template1"
    with empty_database(request.param, tmp_path, like=like) as made:
        yield made
