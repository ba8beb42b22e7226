"""The tables of our own store: resources as they are now, every version there has been, and the index searches use."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from smartapp.fhir.store import Stored
from smartapp.storage.database import metadata

_key = sa.BigInteger().with_variant(sa.Integer, "sqlite")

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("key", _key, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated", sa.String(40), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("tenant", "type", "id"),
)

# Every version there has been, the current one included: what someone wrote is never overwritten.
resource_versions = sa.Table(
    "resource_versions",
    metadata,
    sa.Column("resource", sa.ForeignKey(resources.c.key), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("updated", sa.String(40), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

resource_index = sa.Table(
    "resource_index",
    metadata,
    sa.Column("resource", sa.ForeignKey(resources.c.key), nullable=False, index=True),
    sa.Column("param", sa.String(80), nullable=False),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("low", sa.String(27)),
    sa.Column("high", sa.String(27)),
    sa.Index("ix_resource_index_value", "param", "value", "resource"),
)


def named(tenant: str, type_: str, id_: str) -> sa.ColumnElement[bool]:
    """Return the condition that picks one resource of one record keeper."""
    return sa.and_(resources.c.tenant == tenant, resources.c.type == type_, resources.c.id == id_)


def row_of(connection: Connection, tenant: str, type_: str, id_: str) -> sa.Row[Any] | None:
    """Return the row of one resource as it is now, or None."""
    return connection.execute(sa.select(resources).where(named(tenant, type_, id_))).first()


def stored(content: bytes) -> Stored:
    """Return a version from its bytes in the table."""
    resource = orjson.loads(content)
    return Stored(resource, f'W/"{resource["meta"]["versionId"]}"')
