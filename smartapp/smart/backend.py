"""SMART backend services: a program of ours signs in as itself (client credentials with a signed assertion)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mappers.tolerant import text_in
from smartapp.fhir.http import OutboundError, ask
from smartapp.fhir.store import Unauthorized, Unreachable
from smartapp.settings import ConfigError, checked_base, is_inside, is_loopback
from smartapp.smart.keys import ASSERTION_TYPE, SigningKeys

MAX_BYTES = 256 * 1024


class NoTokenError(Unauthorized):
    """The token endpoint gave us no token; the message is for the operator of the program."""


@dataclass(slots=True)
class BackendToken:
    """A token source for `RemoteStore`: asks for an access token when there is none, or when the last was refused.

    `base` is the FHIR server whose smart-configuration names the token endpoint; `keys` sign what asks for `scope`.
    """

    base: str
    client_id: str
    keys: SigningKeys
    scope: str
    clock: Callable[[], float] = time.time
    endpoint: Callable[[], str] | None = None
    """Where the token endpoint is known already; "" for `scope` then asks for what the server gives by itself."""
    _token: str | None = field(default=None, repr=False)

    def __call__(self, refused: str | None) -> str:
        """Return an access token; `refused` is one that the server just answered with 401."""
        # When the server says that the last one is over, not by the clock: one run of `publish` outlives many tokens.
        if self._token is None or self._token == refused:
            self._token = self._ask((self.endpoint or self._token_endpoint)())
        return self._token

    def _token_endpoint(self) -> str:
        try:
            answer = ask("GET", f"{self.base.rstrip('/')}/.well-known/smart-configuration", max_bytes=MAX_BYTES)
            document = answer.json() if answer.status == 200 else None
        except OutboundError as error:
            raise Unreachable(f"The server's smart-configuration can't be read ({error.code}).") from error
        endpoint = text_in(document, "token_endpoint")
        if not endpoint:
            raise NoTokenError("The server's smart-configuration names no token_endpoint; use a bearer token instead.")
        try:
            checked_base(endpoint, "token_endpoint")
        except ConfigError as error:
            raise NoTokenError(f"The server's smart-configuration can't be used: {error}") from error
        host, own = urlsplit(endpoint).hostname or "", urlsplit(self.base).hostname
        if is_inside(host) and host != own and not is_loopback(self.base):
            raise NoTokenError(f"The server's token_endpoint is on {host}, which is inside this network; not asked.")
        return endpoint

    def _ask(self, endpoint: str) -> str:
        form = {
            "grant_type": "client_credentials",
            **({"scope": self.scope} if self.scope else {}),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.keys.assertion(self.client_id, endpoint, self.clock),
        }
        try:
            answer = ask("POST", endpoint, data=form, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES)
            document = answer.json()
        except OutboundError as error:
            raise Unreachable(f"The token endpoint gave no usable answer ({error.code}).") from error
        token = text_in(document, "access_token")
        if answer.status != 200 or not token:
            reason = text_in(document, "error") or "no reason given"
            raise NoTokenError(
                f"The token endpoint refused our key ({reason[:60]}). Check client id, key and scope there."
            )
        return token
