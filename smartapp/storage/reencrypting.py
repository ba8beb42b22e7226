"""Sealing anew, with the first key, whatever an older one sealed: after that the older keys can go.

Every column of bytes of every table is looked at, so that no list of columns can be incomplete; what is no sealed value
(such as a key of the sandbox) stays as it is. Each row says by itself whether it is done: a run that was broken off
goes on where it was when it is run again, and it can run while people work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy.engine import Connection, Engine

from smartapp.storage.database import reading, writing

ROWS_AT_ONCE = 500
_BEGINS = b"gAAAA"  # the version of a Fernet token and the first bytes of its time, until the year 2242


@dataclass(slots=True)
class Tally:
    """How many sealed values there were, and what they needed."""

    current: int = 0
    sealed_anew: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    """By table: values that none of the keys opens."""


def columns(engine: Engine) -> list[sa.Column[Any]]:
    """Return the columns that may hold sealed values, as they are in this database."""
    found = sa.MetaData()
    found.reflect(engine)
    return [
        column
        for table in found.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary) and table.primary_key.columns
    ]


def values_in(engine: Engine) -> int:
    """Return how many values `reencrypt` will look at."""
    with reading(engine) as connection:
        return sum(connection.execute(sa.select(sa.func.count(column))).scalar_one() for column in columns(engine))


def reencrypt(engine: Engine, keys: Sequence[str], tally: Tally) -> Iterator[int]:
    """Seal anew what the first of `keys` did not seal; yield how many values were looked at, block by block."""
    for column in columns(engine):
        for rows in _blocks(engine, column):
            _reencrypt(engine, column, rows, keys, tally)
            yield len(rows)


def _blocks(engine: Engine, column: sa.Column[Any]) -> Iterator[Sequence[Any]]:
    """Yield the rows where a column has a value, in the order of their keys, so that nobody is held up for long."""
    key = list(column.table.primary_key.columns)
    chosen = sa.select(*key, column.label("sealed_value")).where(column.is_not(None)).order_by(*key).limit(ROWS_AT_ONCE)
    after: tuple[Any, ...] | None = None
    while True:
        page = chosen if after is None else chosen.where(sa.tuple_(*key) > sa.tuple_(*map(sa.literal, after)))
        with reading(engine) as connection:
            rows = connection.execute(page).all()
        if not rows:
            return
        yield rows
        after = tuple(rows[-1])[: len(key)]


def _reencrypt(engine: Engine, column: sa.Column[Any], rows: Sequence[Any], keys: Sequence[str], tally: Tally) -> None:
    newest, all_keys = Fernet(keys[0]), MultiFernet([Fernet(key) for key in keys])
    anew: list[tuple[Any, bytes]] = []
    for row in rows:
        value = bytes(row.sealed_value)
        if not value.startswith(_BEGINS):
            continue
        if _opens(newest, value):
            tally.current += 1
            continue
        try:
            anew.append((row, all_keys.rotate(value)))
        except InvalidToken:
            tally.unreadable[column.table.name] = tally.unreadable.get(column.table.name, 0) + 1
    if anew:
        with writing(engine, on="reencrypt") as connection:
            tally.sealed_anew += sum(_replace(connection, column, row, sealed) for row, sealed in anew)


def _opens(key: Fernet, value: bytes) -> bool:
    try:
        key.decrypt(value)
    except InvalidToken:
        return False
    return True


def _replace(connection: Connection, column: sa.Column[Any], row: Any, sealed: bytes) -> int:
    """Replace a value, unless somebody wrote another in the meantime: that one is newer, and theirs."""
    same = [each == value for each, value in zip(column.table.primary_key.columns, row, strict=False)]
    changed = sa.update(column.table).where(*same, column == row.sealed_value).values({column.name: sealed})
    return connection.execute(changed).rowcount
