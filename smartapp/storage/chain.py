"""The rows of the log as one chain, which nobody without our keys can change, cut or add to unseen.

Each row holds a link: a keyed digest of its number, its content and the link before it. Numbers have no gaps. Where the
chain ends, and up to where it was pruned, is kept sealed in another table. All processes write one chain, one row after
the other: so there is one order of what happened, and one place where it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from smartapp.storage.database import metadata
from smartapp.storage.vault import SealBroken, Vault

log = logging.getLogger(__name__)

AUDIT = sa.Table(
    "audit",
    metadata,
    # Given by the chain, and not by the database: what is undone there leaves a gap.
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("recorded", sa.Integer, nullable=False, index=True),
    sa.Column("event", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(2), nullable=False),
    # Keyed digest of issuer and patient: finds one person's rows without saying who it is. Empty: about no person.
    sa.Column("person", sa.String(64), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    # 1: the client did it themselves. 0: somebody else, or a row of before there was this column.
    sa.Column("own", sa.SmallInteger, nullable=False, server_default="0"),
    # NULL: a row of before the chain.
    sa.Column("link", sa.String(64)),
    sa.Index(None, "person", "number"),
)
_BY_OTHERS = AUDIT.c.own == 0
sa.Index("ix_audit_others", AUDIT.c.person, AUDIT.c.number, sqlite_where=_BY_OTHERS, postgresql_where=_BY_OTHERS)

MARKS = sa.Table(
    "audit_marks",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

Name = Literal["head", "pruned"]

_ADD = AUDIT.insert()
_ADD_MARK = MARKS.insert()
_MARK = sa.select(MARKS.c.sealed).where(MARKS.c.name == sa.bindparam("mark"))
_MOVE_MARK = MARKS.update().where(MARKS.c.name == sa.bindparam("mark"))


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the chain: the last row (`head`), or the last one that was removed by rule (`pruned`)."""

    number: int
    link: str
    begins: int
    """The last row that was there before the chain."""

    def __str__(self) -> str:
        return f"{self.number}:{self.link}"


def append(connection: Connection, vault: Vault, values: dict[str, Any], content: Any) -> int:
    """Write a row behind the last one, in a transaction that no other writer of the log is in; return its number.

    `values` are its plain columns, `content` is what is sealed. Only the end of the chain is read.
    """
    end = _end(connection, vault)
    number, plain = end.number + 1, orjson.dumps(content)
    link = link_of(vault, end.link, number, values, plain)
    row = {**values, "number": number, "link": link, "sealed": vault.seal_bytes(plain)}
    connection.execute(_ADD, row)
    keep(connection, vault, "head", replace(end, number=number, link=link))
    return number


def link_of(vault: Vault, before: str, number: int, values: Mapping[str, Any], plain: bytes) -> str:
    """Return the link of a row. Over what was sealed, not its seal: that changes with the keys.

    Not over `person`, which follows the key of an issuer; `verify` compares that with the content.
    """
    columns = [before, number, *(values[name] for name in ("recorded", "event", "outcome", "own"))]
    return vault.link(orjson.dumps(columns) + plain)


def mark(connection: Connection, vault: Vault, name: Name) -> Mark | None:
    """Return a mark, or None where there is none. Raises SealBroken, also for one that stands in another's place."""
    sealed = connection.execute(_MARK, {"mark": name}).scalar()
    if sealed is None:
        return None
    values: Any = vault.open(sealed)
    if not isinstance(values, dict) or values.pop("mark", None) != name:
        raise SealBroken(f"The mark {name!r} of the log was not sealed as that.")
    return Mark(**values)


def keep(connection: Connection, vault: Vault, name: Name, place: Mark) -> None:
    """Keep a mark in the place of the one before it."""
    sealed = vault.seal({"mark": name, **asdict(place)})
    changed = connection.execute(_MOVE_MARK, {"mark": name, "sealed": sealed})
    if not changed.rowcount:
        connection.execute(_ADD_MARK, {"name": name, "sealed": sealed})


def _end(connection: Connection, vault: Vault) -> Mark:
    """Return where the chain ends. One whose end is gone begins anew, so that work goes on; `verify` finds that."""
    try:
        end = mark(connection, vault, "head")
    except SealBroken:
        log.error("the head of the log does not open: run verstel audit verify")  # noqa: TRY400  (says all there is)
        end = None
    if end is not None:
        return end
    last = connection.execute(sa.select(sa.func.max(AUDIT.c.number))).scalar() or 0
    return Mark(last, "", last)
