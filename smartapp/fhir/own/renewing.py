"""Bringing what is kept to what this version and this key read: sealed anew, found by new terms, a few at a time.

It happens after an update from a version that kept resources readable, after a change of the key, and after a change of
what can be searched by. Stopped half way it goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from smartapp.fhir.own.indexing import Indexer
from smartapp.fhir.own.sealing import Tenant
from smartapp.fhir.own.search import definitions
from smartapp.fhir.own.tables import CURRENT, resource_tenants, resource_versions, resources
from smartapp.storage.database import change_any, reading, writing

BATCH = 200
# To be raised when the code makes other terms or dates of the same resources and definitions.
_FORM = 1
# What this process knows to be up to date: the tenants of a database with their fingerprints.
_known: WeakKeyDictionary[Engine, set[tuple[str, int]]] = WeakKeyDictionary()


def renew(engine: Engine, tenant: Tenant) -> int:
    """Renew what is kept of a tenant if that is needed, and return how many resources were renewed."""
    fingerprint = fingerprint_of(tenant)
    known = _known.setdefault(engine, set())
    if (tenant.name, fingerprint) in known:
        return 0
    total = 0
    while batch := _renew_some(engine, tenant, fingerprint):
        total += batch
    if _is_old(engine, tenant, fingerprint):
        _compact(engine)
        _finish(engine, tenant, fingerprint)
    known.add((tenant.name, fingerprint))
    return total


def fingerprint_of(tenant: Tenant) -> int:
    """Return a number that is another one after a change of the key or of what can be searched by."""
    return tenant.term("", "#form", _form())


@cache
def _form() -> str:
    return hashlib.sha256(f"{_FORM} {sorted(definitions().items())!r}".encode()).hexdigest()


def tenant_key(connection: Connection, tenant: Tenant) -> int:
    """Return the key of a tenant; one that is new gets its row."""
    key = connection.execute(
        sa.select(resource_tenants.c.key).where(resource_tenants.c.name == tenant.name)
    ).scalar_one_or_none()
    if key is not None:
        return int(key)
    made = {"name": tenant.name, "indexed": fingerprint_of(tenant), "renewing": 0, "renewed": 0}
    inserted = connection.execute(sa.insert(resource_tenants).values(made)).inserted_primary_key
    return int(inserted[0])  # type: ignore[index]  # SQLAlchemy: None only for statements without a row


def rename(engine: Engine, former: str, name: str) -> None:
    """Let a tenant have another name, where no other has that; its terms are made with it, so `renew` follows."""
    other = resource_tenants.alias()
    taken = sa.exists().where(other.c.name == name)
    change_any(engine, resource_tenants, (resource_tenants.c.name == former) & ~taken, name=name)


def tenants(engine: Engine) -> list[str]:
    """Return the names of all tenants in a database."""
    with reading(engine) as connection:
        return list(connection.execute(sa.select(resource_tenants.c.name)).scalars())


def _renew_some(engine: Engine, tenant: Tenant, fingerprint: int) -> int:
    """Renew the next few resources in a transaction of their own, and return how many those were."""
    if not _is_old(engine, tenant, fingerprint):
        return 0  # as most of the time, and then nobody needs to wait for a transaction that writes
    with writing(engine, on=tenant.name) as connection:
        row = _row(connection, tenant)
        if row is None or row.indexed == fingerprint:
            return 0
        after = row.renewed if row.renewing == fingerprint else 0
        wanted = sa.and_(resources.c.tenant == row.key, resources.c.key > after)
        batch = sa.select(resources.c.key).where(wanted).order_by(resources.c.key).limit(BATCH)
        keys = list(connection.execute(batch).scalars())
        if keys:
            _renew_all(connection, tenant, keys)
            progress = {"renewing": fingerprint, "renewed": keys[-1]}
            connection.execute(sa.update(resource_tenants).where(resource_tenants.c.key == row.key).values(progress))
    return len(keys)


def _is_old(engine: Engine, tenant: Tenant, fingerprint: int) -> bool:
    with reading(engine) as connection:
        row = _row(connection, tenant)
    return row is not None and row.indexed != fingerprint


def _finish(engine: Engine, tenant: Tenant, fingerprint: int) -> None:
    done = {"indexed": fingerprint, "renewing": 0, "renewed": 0}
    with writing(engine, on=tenant.name) as connection:
        connection.execute(sa.update(resource_tenants).where(resource_tenants.c.name == tenant.name).values(done))


def _row(connection: Connection, tenant: Tenant) -> sa.Row[Any] | None:
    return connection.execute(sa.select(resource_tenants).where(resource_tenants.c.name == tenant.name)).first()


def _renew_all(connection: Connection, tenant: Tenant, keys: Sequence[int]) -> None:
    versions = connection.execute(sa.select(resource_versions).where(resource_versions.c.resource.in_(keys))).all()
    for one in versions:
        content = _readable(tenant, one.content)
        same = resource_versions.c.resource == one.resource, resource_versions.c.version == one.version
        connection.execute(sa.update(resource_versions).where(*same).values(content=tenant.packed(content)))
    current = connection.execute(CURRENT.where(resources.c.key.in_(keys)))
    Indexer(connection, tenant).index({row.key: tenant.stored(row.content).resource for row in current})


def _readable(tenant: Tenant, kept: bytes) -> bytes:
    """Return the JSON of a version, which was readable before there were seals."""
    return kept if kept.startswith(b"{") else tenant.unpacked(kept)


def _compact(engine: Engine) -> None:
    """Have the database give up the room of what was replaced: there it would still be readable."""
    if engine.dialect.name == "postgresql":
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            # Also of the resources: of a column that a revision dropped, only the name is gone until then.
            connection.exec_driver_sql("VACUUM FULL resources, resource_versions")
        return
    with closing(engine.raw_connection()) as driver:  # SQLAlchemy would begin a transaction, and this wants none
        cursor = driver.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
