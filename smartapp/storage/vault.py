"""Encryption at rest: what nobody may read in the database goes through here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealBroken(ValueError):
    """What stands in the database was not written with one of our keys."""


class Vault:
    """Seals JSON values with the first key and opens what any of the keys sealed."""

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
    """Return the SHA-256 of a secret: enough to find it again, useless to whoever reads the database."""
    return hashlib.sha256(secret.encode()).hexdigest()
