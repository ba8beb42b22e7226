"""What a reader of the database sees of our own store: sealed content, and digests of what it is found by."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import Protocol

import orjson

from questionnaires.fhir import Resource
from smartapp.fhir.store import Stored


class Sealing(Protocol):
    """What keeps bytes from a reader of the database, and values too: `Vault` does."""

    def seal_bytes(self, content: bytes) -> bytes:
        """Return the content sealed."""

    def open_bytes(self, sealed: bytes) -> bytes:
        """Return what was sealed."""

    def digest(self, text: str) -> str:
        """Return at least 16 hexadecimal digits that are always the same for a text."""


class Unsealed:
    """No secret at all, for made-up people."""

    def seal_bytes(self, content: bytes) -> bytes:
        """Return the content as it is."""
        return content

    def open_bytes(self, sealed: bytes) -> bytes:
        """Return the content as it is."""
        return sealed

    def digest(self, text: str) -> str:
        """Return the SHA-256 of a text."""
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Tenant:
    """One record that is kept beside others: its name, the address its references may start with, and its seal."""

    name: str
    base: str
    sealing: Sealing

    def term(self, type_: str, param: str, value: str, system: str = "") -> int:
        """Return the number by which resources of one type with this value are found, and nothing else can be.

        64 bits of the digest: ten million terms share one with a chance of one in half a million.
        """
        # No value of a resource or a search can hold the separator.
        digest = self.sealing.digest(f"{self.name}\0{type_}\0{param}\0{system}\0{value}")
        return int.from_bytes(bytes.fromhex(digest[:16]), "big", signed=True)

    def packed(self, content: bytes) -> bytes:
        """Return the JSON of a resource as it is kept. It is compressed first: what is sealed does not shrink."""
        return self.sealing.seal_bytes(zlib.compress(content))

    def unpacked(self, kept: bytes) -> bytes:
        """Return the JSON of a resource from what is kept of it."""
        return zlib.decompress(self.sealing.open_bytes(kept))

    def stored(self, kept: bytes) -> Stored:
        """Return a version from what is kept of it."""
        resource: Resource = orjson.loads(self.unpacked(kept))
        return Stored(resource, f'W/"{resource["meta"]["versionId"]}"')
