"""Who signed in: the id_token, checked to the last claim. What they are towards the person says `relation`."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from mappers.tolerant import text_in
from smartapp.bases import behind
from smartapp.errors import LaunchRefused
from smartapp.fhir.http import OutboundError, ask
from smartapp.i18n import message
from smartapp.settings import Issuer
from smartapp.smart.discovery import SmartConfiguration
from smartapp.smart.kept import Kept

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512")
"""Signatures with a key pair only: no `none`, and no shared secret that could be a public key in disguise."""

# The clocks of two organisations run apart; a minute forgives that and still keeps an old token out.
LEEWAY_SECONDS = 60
KEEP_SECONDS = 3600
# Who waits here has a code that works once; so they wait as long as the request may take.
PATIENCE_SECONDS = 30
MAX_BYTES = 256 * 1024
LEAST_RSA_BITS = 2048
"""RFC 7518 3.3 allows no fewer. SMART's own algorithm for RSA says no more, so an EHR may have just these."""

_FHIR_USER = re.compile(r"(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[A-Za-z0-9\-.]{1,64})")
_AT_A_SERVER = re.compile(rf"https?://(?P<host>[^/?#@\s]{{1,100}})/(?:[^?#\s]*/)?{_FHIR_USER.pattern}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in. `reference` is their fhirUser relative to the base, empty where it is not of this base.

    Then `why` says what is the matter with it, and `elsewhere` on which host it lies where it is of another server.
    """

    issuer: str
    subject: str
    reference: str
    name: str
    locale: str | None
    why: str = ""
    elsewhere: str = ""


def _refused(code: str) -> LaunchRefused:
    return LaunchRefused(message("We could not make sure who you are."), code=code)


def _nonce(nonce: str, issuer: Issuer) -> dict[str, Any]:
    """Return the rule for the nonce of an id_token: it is ours, unless this is a domain that does not send it back.

    There PKCE, a state that is bound to the browser, and our key at the token endpoint bind the code to this sign-in.
    """
    if issuer.koppeltaal is not None and issuer.koppeltaal.nonce == "any":
        return {}
    return {"nonce": {"essential": True, "value": nonce}}


def relative_user(fhir_user: str, *bases: str) -> str:
    """Return `Type/id` of a fhirUser that is relative or below one of these bases, else the empty string.

    A foreign absolute URL is no one we know, and it is never fetched.
    """
    match = _FHIR_USER.fullmatch(fhir_user if "://" not in fhir_user else behind(fhir_user, *bases) or "")
    return f"{match['type']}/{match['id']}" if match else ""


def why_nobody(fhir_user: Any, *bases: str) -> tuple[str, str]:
    """Return why a fhirUser that is nobody here is that, as a code, and the host where it is of another server."""
    if fhir_user in (None, ""):
        return "fhir-user-missing", ""
    # Only of what reads like a person at a server it can be said that this is another one.
    at = _AT_A_SERVER.fullmatch(fhir_user) if isinstance(fhir_user, str) else None
    if at is None or behind(fhir_user, *bases) is not None:
        return "fhir-user-unreadable", ""
    return "fhir-user-elsewhere", at["host"]


class Identities:
    """Checks id_tokens against the keys their issuers publish, kept for an hour. `clock`: seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept = Kept[KeySet](clock, fresh=KEEP_SECONDS, patience=PATIENCE_SECONDS)

    def verify(self, id_token: str | None, issuer: Issuer, configuration: SmartConfiguration, nonce: str) -> Identity:
        """Return who an id_token is about. Raises LaunchRefused whose code says what is wrong."""
        if not id_token:
            raise _refused("id-token-missing")
        claims = self._claims(id_token, configuration)
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": configuration.issuer},
            aud={"essential": True, "value": issuer.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            **_nonce(nonce, issuer),
        )
        try:
            registry.validate(dict(claims))
        except JoseError as error:
            raise _refused(f"id-token-{error.error}") from None
        audience = claims["aud"]
        # Meant for several apps: then it must say that we are the one it was issued to, or another app passes for us.
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != issuer.client_id:
            raise _refused("id-token-azp")
        self._strong_enough(claims, issuer)
        # `profile` is what SMART called it before 2.0; read only where the new name is absent: one token, one user.
        fhir_user = claims.get("fhirUser" if "fhirUser" in claims else "profile")
        if issuer.koppeltaal is not None and not fhir_user:
            fhir_user = claims["sub"]  # the reference itself, as Koppeltaal's own authorization service has it
        reference = relative_user(fhir_user, *issuer.bases) if isinstance(fhir_user, str) else ""
        why, elsewhere = ("", "") if reference else why_nobody(fhir_user, *issuer.bases)
        return Identity(
            issuer=issuer.base,
            subject=claims["sub"],
            reference=reference,
            name=text_in(claims, "name"),
            locale=text_in(claims, "locale") or None,
            why=why,
            elsewhere=elsewhere,
        )

    def _strong_enough(self, claims: Mapping[str, Any], issuer: Issuer) -> None:
        """Check how and when people signed in: what we asked for is a wish until the token says it was done."""
        if issuer.acr and text_in(claims, "acr") not in issuer.acr:
            raise _refused("id-token-acr")
        if issuer.max_age is not None:
            when = claims.get("auth_time")
            if not isinstance(when, int) or self._clock() > when + issuer.max_age + LEEWAY_SECONDS:
                raise _refused("id-token-auth_time")

    def _claims(self, id_token: str, configuration: SmartConfiguration) -> Mapping[str, Any]:
        keys = self.keys(configuration)
        try:
            return self._decode(id_token, keys)
        except InvalidKeyIdError:
            # The issuer may have changed its keys since we last looked: look once more, and only once.
            keys = self.keys(configuration, other_than=keys)
        try:
            return self._decode(id_token, keys)
        except InvalidKeyIdError:
            raise _refused("id-token-unknown-key") from None

    def _decode(self, id_token: str, keys: KeySet) -> Mapping[str, Any]:
        try:
            return jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
        except InvalidKeyIdError:
            raise
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise _refused(f"id-token-{getattr(error, 'error', 'malformed')}") from None

    def keys(self, configuration: SmartConfiguration, *, other_than: KeySet | None = None) -> KeySet:
        """Return the keys that an issuer publishes; `other_than` are some that did not do. Raises LaunchRefused."""
        url = configuration.jwks_uri
        return self._kept.get(url, lambda: fetch_keys(url), other_than=other_than)


def fetch_keys(url: str) -> KeySet:
    """Return the keys at an address that our settings, or whom they name, say. Raises LaunchRefused."""
    try:
        answer = ask("GET", url, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES)
        if answer.status != 200:
            raise _refused(f"jwks-{answer.status}")
        return usable_keys(answer.json())
    except OutboundError as error:
        raise _refused(f"jwks-{error.code}") from error
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise _refused("jwks-malformed") from None


def usable_keys(document: Any) -> KeySet:
    """Return the keys that we can read and that are strong enough; the others are ignored (RFC 7517 5).

    Raises ValueError when none is left.
    """
    keys = []
    for each in document["keys"]:
        with contextlib.suppress(JoseError, ValueError, KeyError, TypeError, AttributeError):
            if each["kty"] != "RSA" or _rsa_bits(each) >= LEAST_RSA_BITS:
                keys += KeySet.import_key_set({"keys": [each]}).keys
    if not keys:
        raise ValueError("no key")
    return KeySet(keys)


def _rsa_bits(key: Mapping[str, Any]) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(key["n"] + "==")).bit_length()
