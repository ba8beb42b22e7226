"""Where an issuer's authorization server is: `.well-known/smart-configuration`, of issuers in the settings only.

An `iss` comes in by an address that anyone can write. Fetching whatever it names would let strangers aim our requests,
and send our users to sign in at a server of theirs; so only the settings say whom we ask. What an issuer then names
gets our users, their codes and our secret: it must lie on the hosts that the settings give this issuer. Names are not
resolved here: every endpoint is https, so an address in our network that poses as such a host has no certificate for
it, and the EHR of a hospital may well have an address in our network.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from mappers.tolerant import text_in, texts_in
from smartapp.errors import EhrTrouble
from smartapp.fhir.http import OutboundError, ask
from smartapp.i18n import message
from smartapp.settings import ConfigError, Issuer, checked_base
from smartapp.smart.kept import Kept

log = logging.getLogger(__name__)

# Endpoints hardly ever move, and a sign-in should not wait for a page that was read a minute ago. While the page cannot
# be read, those of yesterday are better than a session that cannot be renewed.
KEEP_SECONDS = 3600
STALE_SECONDS = 24 * 3600
# Anyone may begin a sign-in, so few threads may wait for an EHR that is silent.
PATIENCE_SECONDS = 2
MAX_BYTES = 256 * 1024
PAR_ENDPOINT: Final = "pushed_authorization_request_endpoint"


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
    scopes_supported: str = ""
    """The scopes that the server says it has, between spaces; it may have others too."""
    dpop_algorithms: tuple[str, ...] = ()
    """With which it takes proofs of possession (RFC 9449); none where it does not say that it does."""
    par_endpoint: str | None = None
    """Where it takes what is asked from us and not from the browser (RFC 9126); None where it is not to be asked so."""
    par_required: bool = False
    """It takes it in no other way."""


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
    if issuer.openid_issuer is None:
        # Otherwise whoever can change the document could name a server of theirs, and vouch for everyone.
        _pinned(named, "issuer", issuer)
    elif named != issuer.openid_issuer:
        raise _trouble("discovery-other-issuer")
    # A server that does not list methods may still do S256; one that lists others does not.
    methods = document.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise _trouble("discovery-no-s256")
    return SmartConfiguration(
        issuer=named,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(document, "token_endpoint", issuer),
        jwks_uri=_endpoint(document, "jwks_uri", issuer),
        revocation_endpoint=(
            _endpoint(document, "revocation_endpoint", issuer) if document.get("revocation_endpoint") else None
        ),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        scopes_supported=" ".join(texts_in(document, "scopes_supported")),
        dpop_algorithms=tuple(texts_in(document, "dpop_signing_alg_values_supported")),
        par_endpoint=_endpoint(document, PAR_ENDPOINT, issuer) if issuer.par != "off" and pushes(document) else None,
        par_required=document.get("require_pushed_authorization_requests") is True,
    )


def pushes(document: Mapping[str, Any]) -> bool:
    """Tell whether a smart-configuration names where an authorization request can be pushed to."""
    return bool(document.get(PAR_ENDPOINT))


def _endpoint(document: Mapping[str, Any], name: str, issuer: Issuer) -> str:
    value = text_in(document, name)
    try:
        # Some authorization servers carry a tenant in the query of an endpoint; user names never belong there.
        checked_base(value.partition("?")[0], name)
    except (ConfigError, ValueError) as error:
        raise _trouble(f"discovery-{name}") from error
    return _pinned(value, name, issuer)


def _pinned(url: str, name: str, issuer: Issuer) -> str:
    """Return a URL that this issuer may name. Raises EhrTrouble, and tells the log which host and which setting."""
    try:
        trusted = issuer.trusts(url)
    except ValueError:  # an unmatched bracket: no host can be read from it
        raise _trouble(f"discovery-{name}") from None
    if not trusted:
        log.warning(
            "The smart-configuration of %s names %r as its %s, which is not https on a host of this issuer. "
            "If it belongs there, add the host to `hosts` of this issuer in the issuers file.",
            issuer.base,
            (urlsplit(url).hostname or url)[:100],
            name,
        )
        raise _trouble(f"discovery-{name}-host")
    return url


def other_hosts(document: Any, base: str) -> tuple[str, ...]:
    """Return the hosts beside that of `base` that a smart-configuration names, as the issuers file has to list them."""
    members = (
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        PAR_ENDPOINT,
    )
    found = set()
    for name in members:
        with contextlib.suppress(ValueError):
            found.add(urlsplit(text_in(document, name)).hostname or "")
    return tuple(sorted(found - {"", urlsplit(base).hostname}))


class Discovery:
    """Fetches smart-configurations and keeps each for an hour. `clock` returns seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._kept = Kept[SmartConfiguration](clock, fresh=KEEP_SECONDS, stale=STALE_SECONDS, patience=PATIENCE_SECONDS)

    def of(self, issuer: Issuer) -> SmartConfiguration:
        """Return the configuration of an issuer. Raises EhrTrouble."""
        return self._kept.get(issuer.base, lambda: read_configuration(_fetch(issuer), issuer))

    def last(self, issuer: Issuer) -> SmartConfiguration | None:
        """Return what an issuer said within a day, for what must not wait for it; None where it said nothing."""
        return self._kept.last(issuer.base)


def _fetch(issuer: Issuer) -> Any:
    url = f"{issuer.base.rstrip('/')}/.well-known/smart-configuration"
    try:
        answer = ask("GET", url, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES)
        if answer.status != 200:
            raise _trouble(f"discovery-{answer.status}")
        return answer.json()
    except OutboundError as error:
        raise _trouble(f"discovery-{error.code}") from error
