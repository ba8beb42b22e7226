"""Encryption at rest: what a stolen database must not give away goes through here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealBroken(ValueError):
    """A value in the database was not written with one of our keys."""


class Vault:
    """Seals JSON values with the first key and opens what any of the keys sealed, so that keys can be rotated.

    Whatever is about a person is sealed as one value. So no one has to judge which part of it could tell who it is.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, value: Any) -> bytes:
        """Return a JSON value, encrypted and authenticated."""
        return self._fernet.encrypt(orjson.dumps(value))

    def open(self, sealed: bytes) -> Any:
        """Return the JSON value of `seal`. Raises SealBroken."""
        try:
            return orjson.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise SealBroken(
                "A stored value does not open with the encryption keys in VERSTEL_ENCRYPTION_KEYS. "
                "Put the key it was written with back into the list."
            ) from error


def fresh_secret() -> str:
    """Return a new unguessable value: 256 random bits in 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret: enough to find it again, useless to a reader of the database.

    A plain hash is enough for our own secrets: 256 random bits are in no dictionary. A digest of what can be guessed,
    such as an issuer and a patient id, keeps names out of a table; it does not stop someone who asks about one person.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
