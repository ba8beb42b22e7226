"""Who asks our CDS Hooks services: the JWT of the EHR's CDS client, checked to the last claim.

CDS Hooks 2.0.1, "Trusting CDS Clients": signed with a key pair, for this one address, used once. Who may ask and where
their keys are says our settings; the address of keys in a token (`jku`) is compared with that and never followed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from mappers.tolerant import text_in
from smartapp.errors import AppError
from smartapp.settings import Hooks, Issuer, Settings
from smartapp.smart.identity import KEEP_SECONDS, LEEWAY_SECONDS, fetch_keys, usable_keys
from smartapp.smart.kept import Kept
from smartapp.storage.hook_calls import HookCalls

ALGORITHMS: Final = ("ES384", "RS384")
"""Those that the specification recommends, and SMART has for key pairs too."""
LONGEST_SECONDS: Final = 3600
"""How long a token may last: as long its id is remembered."""
PATIENCE_SECONDS: Final = 10
_LONGEST_TOKEN: Final = 8 * 1024
_LONGEST_ID: Final = 500


class NotTrusted(Exception):
    """A call that proves nothing. `code` is for the log; who called is told no reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """A CDS client that proved itself, and the issuers whose people it may ask about."""

    iss: str
    issuers: tuple[Issuer, ...]

    def issuer(self, base: str) -> Issuer | None:
        """Return the issuer whose FHIR server this is, letter for letter, where it is one of this client's.

        Its aliases count: a CDS client may name the address that it reaches the server at.
        """
        return next((one for one in self.issuers if base in one.bases), None)


class Callers:
    """Checks who calls. `clock` returns seconds since 1970; keys at an address are kept for an hour."""

    def __init__(self, settings: Settings, calls: HookCalls, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._calls = calls
        self._clock = clock
        self._kept = Kept[KeySet](clock, fresh=KEEP_SECONDS, patience=PATIENCE_SECONDS)

    def verify(self, authorization: str, audience: str) -> Caller:
        """Return who calls, given the Authorization header and the address of the service. Raises NotTrusted."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
            raise NotTrusted("token-missing")
        header, claims = (_unproven(token, number) for number in (0, 1))
        caller = Caller(text_in(claims, "iss"), self._issuers(text_in(claims, "iss")))
        if not caller.issuers:
            raise NotTrusted("iss-unknown")
        # The same at each of them: the settings see to that.
        hooks = caller.issuers[0].hooks
        assert hooks is not None  # noqa: S101  (of those that have one)
        _check_header(header, hooks)
        self._check_claims(self._claims(token, hooks), caller.iss, audience)
        return caller

    def _issuers(self, iss: str) -> tuple[Issuer, ...]:
        return tuple(one for one in self._settings.issuers if one.hooks is not None and iss and one.hooks.iss == iss)

    def _claims(self, token: str, hooks: Hooks) -> Mapping[str, Any]:
        keys = self._keys(hooks)
        try:
            return _decoded(token, keys)
        except InvalidKeyIdError:
            # The client may have changed its keys since we last looked: look once more, and only once.
            keys = self._keys(hooks, other_than=keys)
        try:
            return _decoded(token, keys)
        except InvalidKeyIdError:
            raise NotTrusted("key-unknown") from None

    def _keys(self, hooks: Hooks, *, other_than: KeySet | None = None) -> KeySet:
        url = hooks.jku
        try:
            if url is None:
                return usable_keys(hooks.keys)
            return self._kept.get(url, lambda: fetch_keys(url), other_than=other_than)
        except AppError as error:
            raise NotTrusted(error.code) from None
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise NotTrusted("jwks-malformed") from None

    def _check_claims(self, claims: Mapping[str, Any], iss: str, audience: str) -> None:
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": iss},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except JoseError as error:
            raise NotTrusted(f"token-{error.error}") from None
        # One that is meant for others too could be used here by one of them.
        if claims["aud"] not in (audience, [audience]):
            raise NotTrusted("token-aud")
        token_id, until = claims["jti"], claims["exp"]
        if not isinstance(token_id, str) or not token_id or len(token_id) > _LONGEST_ID:
            raise NotTrusted("token-jti")
        if until > self._clock() + LONGEST_SECONDS + LEEWAY_SECONDS:
            raise NotTrusted("token-too-long")
        # Last, as it is remembered: nobody but who holds the key can make us remember anything.
        if not self._calls.first_use(iss, token_id, int(until) + LEEWAY_SECONDS):
            raise NotTrusted("token-again")


def _check_header(header: Mapping[str, Any], hooks: Hooks) -> None:
    if header.get("typ") != "JWT":
        raise NotTrusted("token-typ")
    if header.get("alg") not in ALGORITHMS:
        raise NotTrusted("token-alg")
    if not text_in(header, "kid"):
        raise NotTrusted("token-kid")
    if "jku" in header and header["jku"] != hooks.jku:
        raise NotTrusted("token-jku")


def _unproven(token: str, number: int) -> Mapping[str, Any]:
    """Return what a part of a token says, before anything of it is proven: to know whose keys to prove it with."""
    try:
        part = token.split(".")[number]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        raise NotTrusted("token-malformed") from None
    if not isinstance(found, dict):
        raise NotTrusted("token-malformed")
    return found


def _decoded(token: str, keys: KeySet) -> Mapping[str, Any]:
    try:
        return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except InvalidKeyIdError:
        raise
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotTrusted(f"token-{getattr(error, 'error', 'malformed')}") from None
