"""The records of domains, asked with our own key (SMART backend services): a launch there gives no access by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

from smartapp.errors import EhrTrouble
from smartapp.fhir.remote import RemoteStore
from smartapp.fhir.store import Unreachable
from smartapp.settings import Issuer
from smartapp.smart.backend import BackendToken
from smartapp.smart.discovery import Discovery
from smartapp.smart.keys import SigningKeys
from smartapp.smart.tracing import Tracing


class Domains:
    """Gives the store of a domain; its token is kept in memory, one for all threads. `clock`: seconds since 1970.

    This token sees everybody of the domain. So its store is for a sign-in and the courier, and never for a page.
    """

    def __init__(self, discovery: Discovery, keys: SigningKeys, clock: Callable[[], float]) -> None:
        self._discovery = discovery
        self._keys = keys
        self._clock = clock
        self._tokens: dict[str, BackendToken] = {}
        self._lock = threading.Lock()

    def store(self, issuer: Issuer, tracing: Tracing) -> RemoteStore:
        """Return the store of a domain; each request carries the headers of this chain."""
        return RemoteStore(
            issuer.base, lambda refused: self._token(issuer, refused), search=issuer.search, headers=tracing.headers
        )

    def _token(self, issuer: Issuer, refused: str | None) -> str:
        with self._lock:  # whoever waits gets the token that the first one asked for
            known = self._tokens.get(issuer.key)
            if known is None:
                scope = issuer.koppeltaal.backend_scope if issuer.koppeltaal else ""
                known = BackendToken(
                    issuer.base, issuer.client_id, self._keys, scope, self._clock, lambda: self._endpoint(issuer)
                )
                self._tokens[issuer.key] = known
            return known(refused)

    def _endpoint(self, issuer: Issuer) -> str:
        try:
            # On the hosts of this issuer only, as at every sign-in.
            return self._discovery.of(issuer).token_endpoint
        except EhrTrouble as error:
            raise Unreachable(f"The domain's smart-configuration can't be used ({error.code}).") from error
