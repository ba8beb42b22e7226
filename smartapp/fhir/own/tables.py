"""The tables of our own store: which resources there are, every version of each, and what they are found by."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from smartapp.storage.database import metadata

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# `indexed` says by which key and which definitions the terms of a tenant were made; see `renewing`.
resource_tenants = sa.Table(
    "resource_tenants",
    metadata,
    sa.Column("key", _number, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("indexed", sa.BigInteger, nullable=False),
    sa.Column("renewing", sa.BigInteger, nullable=False),
    sa.Column("renewed", sa.BigInteger, nullable=False),
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("key", _number, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.ForeignKey(resource_tenants.c.key), nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("tenant", "type", "id"),
)

# Every version there has been, the current one included: what someone wrote is never overwritten.
resource_versions = sa.Table(
    "resource_versions",
    metadata,
    sa.Column("resource", sa.ForeignKey(resources.c.key, ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

# What a resource is found by, as numbers that tell nothing (`Tenant.term`); in the order in which a search asks.
resource_terms = sa.Table(
    "resource_terms",
    metadata,
    sa.Column("term", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("resource", sa.ForeignKey(resources.c.key, ondelete="CASCADE"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

# The moments in a resource, in microseconds since 1970: `low` the first and `high` the last that each can mean.
resource_dates = sa.Table(
    "resource_dates",
    metadata,
    sa.Column("resource", sa.ForeignKey(resources.c.key, ondelete="CASCADE"), primary_key=True),
    sa.Column("param", sa.String(32), primary_key=True),
    sa.Column("low", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("high", sa.BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)


def kept_by(tenant: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """Return what is true of the resources of one tenant."""
    key = sa.select(resource_tenants.c.key).where(resource_tenants.c.name == tenant).scalar_subquery()
    return resources.c.tenant == key


def named(
    tenant: str | sa.BindParameter[str], type_: str | sa.BindParameter[str], id_: str | sa.BindParameter[str]
) -> sa.ColumnElement[bool]:
    """Return the condition that picks one resource of one tenant."""
    return sa.and_(kept_by(tenant), resources.c.type == type_, resources.c.id == id_)


# The key and the content of resources as they are now.
CURRENT = sa.select(resources.c.key, resource_versions.c.content).join(
    resource_versions,
    sa.and_(resource_versions.c.resource == resources.c.key, resource_versions.c.version == resources.c.version),
)


_ONE = CURRENT.where(named(*(sa.bindparam(name) for name in ("tenant", "type", "id"))))


def row_of(connection: Connection, tenant: str, type_: str, id_: str) -> sa.Row[int, bytes] | None:
    """Return the key and the content of one resource as it is now, or None."""
    return connection.execute(_ONE, {"tenant": tenant, "type": type_, "id": id_}).first()
