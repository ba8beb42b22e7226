"""Where an issuer's authorization server is: `.well-known/smart-configuration`, of issuers in the settings only.

An `iss` comes in by an address that anyone can write. Fetching whatever it names would let strangers aim our requests,
and send our users to sign in at a server of theirs; so only the settings say whom we ask.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mappers.tolerant import text_in
from smartapp.errors import EhrTrouble
from smartapp.fhir.http import OutboundError, ask
from smartapp.i18n import message
from smartapp.settings import ConfigError, Issuer, checked_base

# Endpoints hardly ever move, and a sign-in should not wait for a page that was read a minute ago.
KEEP_SECONDS = 3600
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """What we use of a smart-configuration. `issuer` is the authorization server, which need not be the FHIR base."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str | None = None
    names_itself: bool = False
    """The server promises `iss` on the callback (RFC 9207)."""


def _trouble(code: str) -> EhrTrouble:
    return EhrTrouble(message("The record system does not say clearly how to sign in."), code=code)


def read_configuration(document: Any, issuer: Issuer) -> SmartConfiguration:
    """Read a smart-configuration strictly: a guess here would send people, or their code, to the wrong server.

    Raises EhrTrouble whose code names the member that is missing or wrong.
    """
    if not isinstance(document, Mapping):
        raise _trouble("discovery-not-an-object")
    named = text_in(document, "issuer") if "issuer" in document else issuer.openid_issuer
    if not named:
        raise _trouble("discovery-issuer")
    if issuer.openid_issuer is not None and named != issuer.openid_issuer:
        raise _trouble("discovery-other-issuer")
    # A server that does not list methods may still do S256; one that lists others does not.
    methods = document.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise _trouble("discovery-no-s256")
    return SmartConfiguration(
        issuer=named,
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=_endpoint(document, "jwks_uri"),
        revocation_endpoint=_endpoint(document, "revocation_endpoint") if document.get("revocation_endpoint") else None,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, Any], name: str) -> str:
    value = text_in(document, name)
    try:
        # Some authorization servers carry a tenant in the query of an endpoint; user names never belong there.
        checked_base(value.partition("?")[0], name)
    except (ConfigError, ValueError) as error:
        raise _trouble(f"discovery-{name}") from error
    return value


class Discovery:
    """Fetches smart-configurations and keeps each for an hour. `clock` returns seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, SmartConfiguration]] = {}
        self._lock = threading.Lock()

    def of(self, issuer: Issuer) -> SmartConfiguration:
        """Return the configuration of an issuer. Raises EhrTrouble."""
        with self._lock:
            kept = self._kept.get(issuer.base)
        if kept and self._clock() < kept[0] + KEEP_SECONDS:
            return kept[1]
        # Outside the lock: one EHR that is slow must not hold up sign-ins at the others.
        configuration = read_configuration(_fetch(issuer), issuer)
        with self._lock:
            self._kept[issuer.base] = (self._clock(), configuration)
        return configuration


def _fetch(issuer: Issuer) -> Any:
    url = f"{issuer.base.rstrip('/')}/.well-known/smart-configuration"
    try:
        answer = ask("GET", url, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES)
        if answer.status != 200:
            raise _trouble(f"discovery-{answer.status}")
        return answer.json()
    except OutboundError as error:
        raise _trouble(f"discovery-{error.code}") from error
