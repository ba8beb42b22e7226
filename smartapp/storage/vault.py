"""Encryption at rest: what a stolen database must not give away goes through here."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy.engine import Connection, Engine

from smartapp.storage.database import metadata, reading, writing

log = logging.getLogger(__name__)

# Keys that we made ourselves, sealed: so they outlive the rotation of the keys they are sealed with.
VAULT_KEYS = sa.Table(
    "vault_keys",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

# What a database from before there was a key holds as plain digests of things that can be guessed. Later columns are
# not here: they were keyed from their first row on.
PLAIN_BEFORE = (("drafts", "owner"), ("drafts", "questionnaire"), ("outbox", "owner"), ("audit", "person"))
_A_DIGEST = re.compile("[0-9a-f]{64}")


class SealBroken(ValueError):
    """A value in the database was not written with one of our keys."""


class Vault:
    """Seals JSON values with the first key and opens what any of the keys sealed, so that keys can be rotated.

    Whatever is about a person is sealed as one value. So no one has to judge which part of it could tell who it is.
    """

    def __init__(self, keys: Sequence[str], digest_key: bytes | None = None) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._digest_key = digest_key

    def seal(self, value: Any) -> bytes:
        """Return a JSON value, encrypted and authenticated."""
        return self.seal_bytes(orjson.dumps(value))

    def seal_without_time(self, value: Any) -> bytes:
        """Return a JSON value as `seal` does; a seal says readably when it was made, and this one says 1970."""
        return self._fernet.encrypt_at_time(orjson.dumps(value), current_time=0)

    def open(self, sealed: bytes) -> Any:
        """Return the JSON value of `seal`. Raises SealBroken."""
        return orjson.loads(self.open_bytes(sealed))

    def seal_bytes(self, content: bytes) -> bytes:
        """Return bytes, encrypted and authenticated."""
        return self._fernet.encrypt(content)

    def open_bytes(self, sealed: bytes) -> bytes:
        """Return the bytes of `seal_bytes`. Raises SealBroken."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealBroken(
                "A stored value does not open with the encryption keys in VERSTEL_ENCRYPTION_KEYS. "
                "Put the key it was written with back into the list."
            ) from error

    def open_any(self, sealed: Sequence[bytes | None]) -> list[Any | None]:
        """Return each JSON value; None for what is not there and what none of our keys opens, which the log counts.

        For rows of many people: one that does not open must not stop what is done for the others.
        """
        values: list[Any | None] = []
        for each in sealed:
            try:
                values.append(None if each is None else self.open(each))
            except SealBroken:
                values.append(None)
        unreadable = sum(each is not None and value is None for each, value in zip(sealed, values, strict=True))
        if unreadable:
            log.warning("%d stored values do not open with our keys; see verstel keys reencrypt", unreadable)
        return values

    def digest(self, text: str) -> str:
        """Return what finds a person's things again and names nobody: without our key, no guess can be tried on it.

        It is made from the plain digest, so that those of a database from before the key could be keyed where they
        stood. Needs the database's own key: see `open_vault`.
        """
        return self.keyed(digest(text))

    def keyed(self, plain: str) -> str:
        """Return the keyed digest that belongs to a plain one."""
        return hmac.digest(self._own_key(), plain.encode(), "sha256").hex()

    def link(self, content: bytes) -> str:
        """Return what proves that content was written by us: a keyed digest that `keyed` never returns."""
        return hmac.digest(self._chain_key, content, "sha256").hex()

    @cached_property
    def _chain_key(self) -> bytes:
        return hmac.digest(self._own_key(), b"links of the log", "sha256")

    def _own_key(self) -> bytes:
        if self._digest_key is None:
            raise RuntimeError("This vault was not opened with a database, so it has no key for digests.")
        return self._digest_key


def open_vault(engine: Engine, keys: Sequence[str]) -> Vault:
    """Return the vault of a database, with the key of its digests; that key is made when there is none yet.

    Raises SealBroken when none of `keys` opens it.
    """
    wanted = sa.select(VAULT_KEYS.c.sealed).where(VAULT_KEYS.c.name == "digest")
    sealing = Vault(keys)
    with reading(engine) as connection:
        sealed = connection.execute(wanted).scalar()
    if sealed is None:
        with writing(engine) as connection:
            sealed = connection.execute(wanted).scalar() or _make_digest_key(connection, keys)
    return Vault(keys, bytes.fromhex(sealing.open(sealed)))


def _make_digest_key(connection: Connection, keys: Sequence[str]) -> bytes:
    """Keep a new key, key the digests that stand there, and return the key, sealed."""
    made = secrets.token_bytes(32)
    vault = Vault(keys, made)
    sealed = vault.seal(made.hex())
    connection.execute(VAULT_KEYS.insert().values(name="digest", sealed=sealed))
    for table, column in PLAIN_BEFORE:
        _key_digests(connection, vault, sa.table(table, sa.column(column, sa.String)), column)
    return sealed


def _key_digests(connection: Connection, vault: Vault, table: sa.TableClause, name: str) -> None:
    column = table.c[name]
    there = connection.execute(sa.select(column).distinct()).scalars()
    # Other values are no digests: the name of a questionnaire, or "" for nobody.
    changes = [{"plain": each, "keyed": vault.keyed(each)} for each in there if _A_DIGEST.fullmatch(each)]
    if changes:
        update = sa.update(table).where(column == sa.bindparam("plain"))
        connection.execute(update.values({name: sa.bindparam("keyed")}), changes)


def fresh_secret() -> str:
    """Return a new unguessable value: 256 random bits in 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret: enough to find it again, useless to a reader of the database.

    A plain hash is enough for our own secrets: 256 random bits are in no dictionary. What can be guessed, such as an
    issuer and a patient id, goes through `Vault.digest`.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
