"""Addresses that tell us, and nobody else, which issuer they belong to.

A page that says "this session has ended" has no session left to look in, and still must know in whose frame it may be
shown. So the id of a launch and the state of a sign-in carry a mark of their issuer, which only our key can make: no
row has to outlive what it was about, and no stranger can write an address that another EHR may frame.
"""

from __future__ import annotations

import hmac

from smartapp.settings import Issuer, Settings
from smartapp.storage.vault import fresh_secret

_LENGTH = 16  # hex digits, 64 bits: with the secret the whole still fits in a column of 64


class Marks:
    """Makes unguessable values with the mark of an issuer, and tells the issuer of such a value."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def fresh(self, issuer: str) -> str:
        """Return a new unguessable value, marked with the issuer at this base."""
        secret = fresh_secret()
        return f"{secret}{self._marks(secret, self._settings.issuer_key(issuer))[0]}"

    def issuer(self, value: str) -> Issuer | None:
        """Return the issuer whose mark a value carries; None for a value that we did not make, and a removed issuer."""
        secret, mark = value[:-_LENGTH], value[-_LENGTH:].encode()
        marked = ((one, made) for one in self._settings.issuers for made in self._marks(secret, one.key))
        return next((one for one, made in marked if hmac.compare_digest(made.encode(), mark)), None)

    def _marks(self, secret: str, issuer_key: str) -> tuple[str, ...]:
        return tuple(one.hex()[:_LENGTH] for one in self._settings.signatures(f"mark|{secret}|{issuer_key}"))
