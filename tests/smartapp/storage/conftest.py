"""Empty databases of both sorts, for facts that must hold on each."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

# A PostgreSQL server where databases may be made, such as postgresql+psycopg://postgres@localhost/postgres
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL")
SORTS = ["sqlite", *(["postgresql"] if POSTGRESQL else [])]


@contextmanager
def empty_database(sort: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty database: a file in the folder, or one on the server that is dropped again."""
    if sort == "sqlite":
        yield f"sqlite:///{folder / 'verstel.db'}"
        return
    assert POSTGRESQL is not None
    name = f"verstel_{secrets.token_hex(6)}"
    server = sa.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield sa.engine.make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()


@pytest.fixture(params=SORTS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with empty_database(request.param, tmp_path) as made:
        yield made
