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


@contextmanager
def database_on(server: str) -> Iterator[str]:
    """Make a database on a PostgreSQL server, and drop it again."""
    name = f"verstel_{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield sa.engine.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRESQL else [])])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'verstel.db'}"
        return
    assert POSTGRESQL is not None
    with database_on(POSTGRESQL) as made:
        yield made
