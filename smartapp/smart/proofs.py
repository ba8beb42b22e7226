"""Proof of possession (DPoP, RFC 9449): a token that is worth nothing to who does not hold the key of its sign-in.

Each sign-in has a key of its own, which is sealed with its tokens and ends with them. A server may ask for a nonce in
each proof, and give a new one with any answer; those of the authorization server and of the FHIR server never mix.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Final, Self

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from smartapp.fhir.http import Reply

ALGORITHM: Final = "ES256"
"""Every server that we know of takes it."""
_PUBLIC: Final = ("kty", "crv", "x", "y")
_MOST_NONCES: Final = 1000
"""More servers than any installation has; a nonce that is forgotten costs one request more."""
_NONCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,1024}")  # RFC 9449 8.1
_SCHEME = re.compile(r"(?:^|,)\s*DPoP(?:\s|,|$)", re.IGNORECASE)
_WANTS_NONCE = re.compile(r"\berror\s*=\s*\"?use_dpop_nonce\b")


class ProofKey:
    """The key pair of one sign-in. `text` is its private half too: to be sealed, and shown to nobody."""

    def __init__(self, key: ECKey) -> None:
        self._key = key
        known = key.as_dict(private=False)
        self._public = {name: known[name] for name in _PUBLIC}

    @classmethod
    def new(cls) -> Self:
        """Make a key for a new sign-in."""
        return cls(ECKey.generate_key("P-256"))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` gave."""
        return cls(ECKey.import_key(orjson.loads(text)))

    @property
    def text(self) -> str:
        """Return the key as a JSON Web Key, the private half included."""
        return orjson.dumps(self._key.as_dict(private=True)).decode()

    @property
    def thumbprint(self) -> str:
        """Return the SHA-256 thumbprint of the key (RFC 7638), by which a server ties a code to it (`dpop_jkt`)."""
        return self._key.thumbprint()

    def proof(self, method: str, url: str, now: float, *, token: str = "", nonce: str = "") -> str:
        """Return a proof for one request, never to be sent twice; with `token` where it goes with an access token."""
        claims = {
            "jti": str(uuid.uuid4()),
            "htm": method,
            "htu": re.split(r"[?#]", url, maxsplit=1)[0],
            "iat": int(now),
        }
        if token:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if nonce:
            claims["nonce"] = nonce
        header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": self._public}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


class Nonces:
    """The newest nonce that each server gave, by a name for the server; in memory only, as it is soon worth nothing."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}
        self._lock = threading.Lock()

    def of(self, server: str) -> str:
        """Return the nonce for the next proof, "" where the server gave none."""
        return self._newest.get(server, "")

    def hear(self, server: str, answer: Reply) -> bool:
        """Keep the nonce that came with an answer, whatever its status; tell whether one came."""
        nonce = answer.headers.get("DPoP-Nonce", "")
        if not _NONCE.fullmatch(nonce):
            return False
        with self._lock:
            if server not in self._newest and len(self._newest) >= _MOST_NONCES:
                self._newest.clear()
            self._newest[server] = nonce
        return True


class Prover:
    """Proves requests to one FHIR server, `base`, with the key of one sign-in."""

    def __init__(self, base: str, key: str, nonces: Nonces, clock: Callable[[], float]) -> None:
        self._base = base
        self._key = key
        self._nonces = nonces
        self._clock = clock
        self._taken = False
        self._refused = False

    def headers(self, method: str, url: str, token: str, /) -> Mapping[str, str]:
        """Return the headers that show a token and prove that it is ours; each is for one request."""
        proof = ProofKey.read(self._key).proof(
            method, url, self._clock(), token=token, nonce=self._nonces.of(self._base)
        )
        return {"Authorization": f"DPoP {token}", "DPoP": proof}

    def asks_again(self, answer: Reply, /) -> bool:
        """Take in what an answer says of proofs; tell whether it wants the same request with the nonce that it gave."""
        came = self._nonces.hear(self._base, answer)
        self._taken = self._taken or answer.status < 400
        if answer.status != 401:
            return False
        challenge = answer.headers.get("WWW-Authenticate", "")
        self._refused = self._refused or not _SCHEME.search(challenge)
        return came and _WANTS_NONCE.search(challenge) is not None

    @property
    def not_taken(self) -> bool:
        """Tell whether the server refused the token as one does that knows no proofs, and took it not once."""
        return self._refused and not self._taken
