"""What `/readyz` says of a database in trouble, on each sort of database; the page is in tests/smartapp/web."""

from __future__ import annotations

import itertools

import sqlalchemy as sa

from smartapp.storage.database import open_database, writing
from smartapp.web.health import Readiness


def test_a_database_that_is_locked_read_only_or_gone_is_told_apart(url):
    engine = open_database(url)
    seconds = itertools.count()
    ready = Readiness(engine, lambda: float(next(seconds)))
    assert ready.reason() == ""
    with writing(engine) as other:
        if engine.dialect.name == "postgresql":  # there a writer locks rows, and not the whole
            other.exec_driver_sql("LOCK TABLE alembic_version IN EXCLUSIVE MODE")
        assert ready.reason() == "database-locked"
    if engine.dialect.name == "postgresql":
        with engine.begin() as other:
            name = other.execute(sa.text("select current_database()")).scalar_one()
            other.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        assert ready.reason() == "database-read-only"
        gone = Readiness(sa.create_engine(engine.url.set(port=9)), lambda: 0.0)
        assert gone.reason() == "database-unreachable"
    engine.dispose()
