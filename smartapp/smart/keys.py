"""Our own signing keys: client assertions (private_key_jwt) and the public halves the EHR checks them with."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from smartapp.settings import ConfigError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_SECONDS = 240
"""SMART allows at most 300; the difference is for clocks that run apart."""

LEAST_RSA_BITS = 3072
"""As hard to break as 128 bits are to guess (NIST SP 800-57, part 1); P-384 is more."""

_ALGORITHMS = {"RSA": "RS384", "EC": "ES384"}


class SigningKeys:
    """A set of private keys of which the first one signs; the others are for rotation. A kid is made where none is."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    @classmethod
    def read(cls, path: Path | None) -> SigningKeys:
        """Read a JSON Web Key Set; None gives a set without keys. Raises ConfigError that never quotes a key."""
        if path is None:
            return cls(KeySet([]))
        try:
            keys = KeySet.import_key_set(orjson.loads(path.read_bytes()))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
        except (orjson.JSONDecodeError, JoseError, ValueError, KeyError, TypeError):
            raise ConfigError(f"{path}: is not a JSON Web Key Set.") from None
        for number, key in enumerate(keys.keys, start=1):
            if not isinstance(key, RSAKey | ECKey) or not key.is_private:
                raise ConfigError(f"{path}: key {number} is not a private RSA or EC key.")
            if isinstance(key, ECKey) and key.curve_name != "P-384":
                raise ConfigError(f"{path}: key {number} uses {key.curve_name}; ES384 needs the curve P-384.")
            if isinstance(key, RSAKey) and key.raw_value.key_size < LEAST_RSA_BITS:
                raise ConfigError(
                    f"{path}: key {number} has fewer than {LEAST_RSA_BITS} bits. `verstel keys new signing` makes a "
                    "stronger one."
                )
        return cls(keys)

    def public(self) -> dict[str, Any]:
        """Return the public key set for `/.well-known/jwks.json`."""
        return {
            "keys": [
                {**key.as_dict(private=False), "use": "sig", "alg": _ALGORITHMS[key.key_type], "kid": key.kid}
                for key in self._keys.keys
            ]
        }

    def assertion(self, client_id: str, token_endpoint: str, clock: Callable[[], float]) -> str:
        """Return a fresh client assertion for one token request: short-lived, for this endpoint, never used twice."""
        key = self._keys.keys[0]
        now = int(clock())
        header = {"alg": _ALGORITHMS[key.key_type], "typ": "JWT", "kid": key.kid}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": token_endpoint,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(header, claims, key, algorithms=list(_ALGORITHMS.values()))
