"""Starting the app again and again: what comes out the same at each start is made once.

A history starts three or four processes of the app. Each gets an app, services, engine and connections of its own, so
none remembers what another knew. Shared is what follows from the code alone: SQL and templates that were compiled,
addresses that were read, and the database with nothing in it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any
from unittest.mock import patch

import jinja2
from flask import Flask
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.util import LRUCache

from smartapp import create_app
from smartapp.settings import Settings
from smartapp.storage.database import open_database
from tests.compiled import RuleCompiledOnce


def start(settings: Settings, clock: Callable[[], float]) -> Flask:
    """Make an app as `create_app` does, without compiling what an earlier one compiled."""
    engine = open_database(settings.database_url)
    _share_compiled(engine)
    with patch.object(Flask, "url_rule_class", RuleCompiledOnce):
        app = create_app(settings, engine=engine, clock=clock)
    app.jinja_env.bytecode_cache = TEMPLATES
    return app


# ---- the database


@cache
def new_database() -> bytes:
    """Return a SQLite database of today's version with nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.db"
        open_database(f"sqlite:///{file}").dispose()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.read_bytes()


_STATEMENTS: LRUCache[Any, Any] = LRUCache(2000)
_dialects: dict[str, Dialect] = {}


def _share_compiled(engine: Engine) -> None:
    """Let an engine use the SQL that was compiled for earlier ones, which goes by the dialect."""
    engine.dialect = _dialects.setdefault(engine.dialect.name, engine.dialect)
    engine.update_execution_options(compiled_cache=_STATEMENTS)


# ---- templates


class _Templates(jinja2.BytecodeCache):
    """Templates that were compiled, by their content."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        bucket.code = self.codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self.codes[bucket.key, bucket.checksum] = bucket.code


TEMPLATES = _Templates()
