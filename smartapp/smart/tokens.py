"""Tokens: code for token, one refresh at a time, revocation. Sealed at rest, and shown to the issuing server only.

Many servers rotate refresh tokens and take the second use of an old one for theft: they then end the whole sign-in. Two
requests of one page that both refresh would therefore sign their own user out. Hence one refresh at a time, by a lock
between threads and a lease between processes; those who wait find the new token in the database.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from mappers.tolerant import text_in, texts_in
from smartapp.errors import AppError, EhrTrouble, LaunchRefused
from smartapp.fhir.http import OutboundError, Reply, ask
from smartapp.fhir.store import Unauthorized, Unreachable
from smartapp.fhir.workplaces import elsewhere, holding
from smartapp.i18n import message
from smartapp.settings import Issuer, Settings
from smartapp.smart.authorization import Pending
from smartapp.smart.details import at
from smartapp.smart.discovery import Discovery, SmartConfiguration
from smartapp.smart.keys import ASSERTION_TYPE, SigningKeys
from smartapp.smart.proofs import Nonces, ProofKey, Prover
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault

log = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
_SECRET_AS = (
    "%s refuses our client secret, which has signs that not every server reads in the same way. "
    "Try another `secret_as` for this issuer in the issuers file."
)
LEEWAY_SECONDS = 30
"""A token this close to its end is refreshed before it is used: it must outlive the request it is sent with."""

WAIT_SECONDS = 0.1
MOST_WAITS = 50
LEASE_SECONDS = 70
"""How long one process may take for a refresh before another one tries; longer than any two requests of ours."""
_MOST_LOCKS = 10_000
"""More can only be of launches that ended long ago."""

TOKENS = sa.Table(
    "tokens",
    metadata,
    sa.Column("launch_id", sa.ForeignKey("launches.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("leased_until", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
_OF_LAUNCH = sa.select(TOKENS).where(TOKENS.c.launch_id == sa.bindparam("launch_id"))


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """What a token endpoint gave. `expires` is in seconds since 1970, None where the server does not say."""

    access: str
    refresh: str | None
    expires: int | None
    scope: str
    patient: str | None
    subject: str = ""
    """Whose they are, as the id_token of the sign-in says; "" in those that were kept before it was."""
    key: str = ""
    """The key that was proven where they were asked for; "" where none was. See `ProofKey`."""
    bound: bool = False
    """They are worth nothing without a proof of that key; a server may have taken it and still give others."""


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """The answer to a code: the tokens, the raw id_token, and the launch context as the EHR gave it."""

    tokens: Tokens
    id_token: str | None
    context: Mapping[str, Any]


class GrantRefused(LaunchRefused):
    """The token endpoint said no, or the one for pushed requests. `oauth_error` is its code, such as invalid_grant."""

    def __init__(self, oauth_error: str, endpoint: str = "token") -> None:
        super().__init__(code=f"{endpoint}-{oauth_error}")
        self.oauth_error = oauth_error


_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DONE: Final[Mapping[str, tuple[int, ...]]] = {"token": (200,), "par": (200, 201)}
"""What an endpoint answers when all is well. A pushed request is created (RFC 9126 2.2); some servers say 200."""
_REQUEST_URI = re.compile(r"[\x21-\x7e]{1,2000}")

_KNOWN_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "unsupported_response_type",
        "use_dpop_nonce",
        "invalid_dpop_proof",
    }
)
_OF_THE_PROOF = frozenset({"use_dpop_nonce", "invalid_dpop_proof"})
"""They say nothing of what was asked, only of how it was proven: by clocks that run apart, say."""

_BEARER = frozenset({"bearer"})
_BOUND = frozenset({"dpop"})


def read_tokens(document: Any, *, asked_scopes: str, now: float, kinds: frozenset[str] = _BEARER) -> Tokens:
    """Read a token response strictly; `kinds` are the types of token that will do, "bearer" and "dpop".

    Raises EhrTrouble whose code names what is wrong.
    """
    if not isinstance(document, Mapping):
        raise _trouble("token-not-an-object")
    access = text_in(document, "access_token")
    # It travels in a header: what can't stand there would break every request that carries it (RFC 6750 2.1).
    if not re.fullmatch(r"[\x21-\x7e]+", access):
        raise _trouble("token-no-access-token")
    kind = text_in(document, "token_type").lower()
    if kind not in kinds:
        raise _trouble("token-not-dpop" if kinds == _BOUND else "token-not-bearer")
    seconds = _seconds(document.get("expires_in"))
    scope = document.get("scope")
    if isinstance(scope, list):  # some servers send what they granted as a list
        scope = " ".join(texts_in(document, "scope"))
    # Some servers send the reference. What is not a FHIR id names no one: better no launch than a guessed person.
    patient_id = text_in(document, "patient").removeprefix("Patient/")
    return Tokens(
        access=access,
        refresh=text_in(document, "refresh_token") or None,
        expires=None if seconds is None else int(now) + seconds,
        # RFC 6749 5.1: left out means granted as asked.
        scope=scope if isinstance(scope, str) else asked_scopes,
        patient=patient_id if _ID.fullmatch(patient_id) else None,
        bound=kind in _BOUND,
    )


def _subject_in(id_token: str) -> str:
    """Return whom an id_token is about by its own word, "" where it says so in no way that we read.

    It must be who signed in (OpenID Connect Core 12.2). Nobody gets anything by it, so its signature is not asked for.
    """
    try:
        claims = json.loads(base64.urlsafe_b64decode(id_token.split(".")[1] + "=="))
    except (IndexError, ValueError, RecursionError):
        return ""
    return text_in(claims, "sub")


def _trouble(code: str) -> EhrTrouble:
    return EhrTrouble(message("The record system did not complete the sign-in."), code=code)


def _seconds(said: Any) -> int | None:
    """Return how long a token lasts; None where that is not said, or is not a number of at most nine digits."""
    # Some servers quote it.
    digits = str(said) if isinstance(said, int | str) and not isinstance(said, bool) else ""
    return int(digits) if re.fullmatch("[0-9]{1,9}", digits) else None


class TokenEndpoint:
    """Speaks with the token endpoints of the issuers, as the client each of them knows."""

    def __init__(self, settings: Settings, discovery: Discovery, keys: SigningKeys, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._discovery = discovery
        self._keys = keys
        self._clock = clock
        self._nonces = Nonces()

    def push(self, issuer: Issuer, endpoint: str, parameters: Mapping[str, str]) -> str:
        """Give an authorization request to the server (RFC 9126) and return its name there, for one use and a minute.

        Raises GrantRefused or EhrTrouble; a request that is refused here is not sent by the browser instead.
        """
        # Of a proof only the thumbprint is needed here, which is among the parameters.
        document = self._post(issuer, parameters, "", endpoint=endpoint, name="par")
        request_uri = text_in(document, "request_uri")
        if not _REQUEST_URI.fullmatch(request_uri):
            raise _trouble("par-no-request-uri")
        return request_uri

    def exchange(self, issuer: Issuer, code: str, pending: Pending) -> Granted:
        """Trade a code for tokens. Raises GrantRefused or EhrTrouble."""
        # Never tried again: a code works once, and a server that sees it twice may revoke what the first use gave.
        # Only one that wants a nonce has not looked at it yet.
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_uri,
            "code_verifier": pending.verifier,
        }
        document = at(self._post(issuer, form, pending.key), *issuer.bases)
        kinds = _BEARER if not pending.key else _BOUND if issuer.dpop == "required" else _BEARER | _BOUND
        tokens = read_tokens(document, asked_scopes=pending.scopes, now=self._clock(), kinds=kinds)
        tokens = replace(tokens, key=pending.key)
        return Granted(tokens, text_in(document, "id_token") or None, document)

    def refresh(self, issuer: Issuer, tokens: Tokens) -> Tokens:
        """Return new tokens; a refresh token that is not replaced stays good.

        No scope is asked for: a server may take that as a wish for less, and drop what it does not recognise. Nothing
        that is said here of the user is taken over. Tokens that were bound to a key are never replaced by others.
        Raises GrantRefused where they are somebody else now, EhrTrouble.
        """
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh or ""}
        document = at(self._post(issuer, form, tokens.key), *issuer.bases)
        kinds = _BOUND if tokens.bound else _BEARER
        fresh = read_tokens(document, asked_scopes=tokens.scope, now=self._clock(), kinds=kinds)
        # Said in a way that we cannot read is not the same as not said: it may be someone else.
        if document.get("patient") and fresh.patient != tokens.patient:
            raise _trouble("refresh-other-patient")
        if tokens.subject and _subject_in(text_in(document, "id_token")) not in ("", tokens.subject):
            raise GrantRefused("other-subject")
        return replace(
            fresh,
            refresh=fresh.refresh or tokens.refresh,
            patient=tokens.patient,
            subject=tokens.subject,
            key=tokens.key,
        )

    def revoke(self, issuer: Issuer, tokens: Tokens) -> bool:
        """Tell the server that we are done with these tokens; False where it cannot be told.

        A server need not end the access token with the refresh token (RFC 7009 2.1), so each that is still good is
        given back, both at once. Three seconds at most: signing out here must not depend on the EHR being there.
        """
        try:
            configuration = self._discovery.last(issuer) or self._discovery.of(issuer)
        except EhrTrouble:
            return False
        if configuration.revocation_endpoint is None:
            return False
        held = [("refresh_token", tokens.refresh)] if tokens.refresh else []
        if tokens.expires is None or self._clock() < tokens.expires:
            held.append(("access_token", tokens.access))
        with ThreadPoolExecutor(max_workers=2) as pool:
            return all(list(pool.map(lambda one: self._revoke(issuer, configuration, *one), held)))

    def _revoke(self, issuer: Issuer, configuration: SmartConfiguration, hint: str, token: str) -> bool:
        form, endpoint = {"token": token, "token_type_hint": hint}, configuration.revocation_endpoint or ""
        # An assertion for the token endpoint here too: Keycloak takes no other.
        headers = self._authenticate(issuer, configuration.token_endpoint, form)
        try:
            return ask("POST", endpoint, headers=headers, data=form, max_bytes=MAX_BYTES, read_seconds=3).status == 200
        except OutboundError:
            return False

    def _post(
        self, issuer: Issuer, form: Mapping[str, str], key: str, *, endpoint: str | None = None, name: str = "token"
    ) -> Any:
        """Return what an endpoint answers, the token endpoint where no other is given; `name` begins each code."""
        endpoint = endpoint or self._discovery.of(issuer).token_endpoint
        try:
            answer = self._send(issuer, endpoint, form, key)
            if self._nonces.hear(issuer.base, answer) and key and _error_code(answer) == "use_dpop_nonce":
                answer = self._send(issuer, endpoint, form, key)
                self._nonces.hear(issuer.base, answer)
            if answer.status in (400, 401, 403):
                raise self._refusal(issuer, _error_code(answer), name)
            if answer.status not in _DONE[name]:
                raise _trouble(f"{name}-{answer.status}")
            return answer.json()
        except OutboundError as error:
            raise _trouble(f"{name}-{error.code}") from error

    def _refusal(self, issuer: Issuer, code: str, name: str) -> AppError:
        """Return what a refusal with this code is; the log is told where another setting may help."""
        # Some call it an invalid request where they cannot even decode it.
        if code in ("invalid_client", "invalid_request") and _has_two_forms(issuer):
            log.warning(_SECRET_AS, issuer.base)
        return _trouble(f"{name}-{code}") if code in _OF_THE_PROOF else GrantRefused(code, name)

    def _send(self, issuer: Issuer, endpoint: str, form: Mapping[str, str], key: str) -> Reply:
        """Send a form as the client that the issuer knows, with a proof of this key where there is one.

        Each time is a new one: neither the proof nor an assertion may be seen twice.
        """
        filled = dict(form)
        # Assertions are for the token endpoint, wherever they are shown: SMART says so, and RFC 9126 2 allows it.
        headers = self._authenticate(issuer, self._discovery.of(issuer).token_endpoint, filled)
        if key:
            nonce = self._nonces.of(issuer.base)
            headers["DPoP"] = ProofKey.read(key).proof("POST", endpoint, self._clock(), nonce=nonce)
        return ask("POST", endpoint, headers=headers, data=filled, max_bytes=MAX_BYTES)

    def _authenticate(self, issuer: Issuer, endpoint: str, form: dict[str, str]) -> dict[str, str]:
        """Put into `form` who we are and return the headers that prove it."""
        headers = {"Accept": "application/json"}
        match issuer.auth:
            case "client_secret" if issuer.secret_as == "post":
                form |= {"client_id": issuer.client_id, "client_secret": issuer.client_secret or ""}
            case "client_secret":
                pair = (issuer.client_id, issuer.client_secret or "")
                if issuer.secret_as == "basic":
                    # RFC 6749 2.3.1: both halves are form-encoded before they are joined.
                    pair = (quote(pair[0], safe=""), quote(pair[1], safe=""))
                headers["Authorization"] = f"Basic {base64.b64encode(':'.join(pair).encode()).decode()}"
            case "private_key_jwt":
                form["client_assertion_type"] = ASSERTION_TYPE
                form["client_assertion"] = self._keys.assertion(issuer.client_id, endpoint, self._clock)
            case _:
                form["client_id"] = issuer.client_id
        return headers


def _has_two_forms(issuer: Issuer) -> bool:
    """Tell whether the pair of id and secret is another one in the header where it is not form-encoded first."""
    pair = f"{issuer.client_id}{issuer.client_secret or ''}"
    return issuer.auth == "client_secret" and issuer.secret_as != "post" and quote(pair, safe="") != pair


def _error_code(answer: Reply) -> str:
    """Return the OAuth error of a refusal, `other` where a gateway said it in its own way.

    Only known codes pass, because they go into the log and anyone between us and the server can write the others.
    """
    try:
        document = answer.json()
    except OutboundError:
        return "other"
    code = text_in(document, "error")
    return code if code in _KNOWN_ERRORS else "other"


class TokenStore:
    """The tokens of every launch. However many requests find a token expired, one of them refreshes it."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        endpoint: TokenEndpoint,
        clock: Callable[[], float],
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._endpoint = endpoint
        self._clock = clock
        self._wait = wait
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()
        self._nonces = Nonces()

    def keep(self, launch_id: str, tokens: Tokens) -> None:
        """Keep the tokens of a new launch."""
        sealed = self._vault.seal(asdict(tokens))
        with writing(self._engine, on=launch_id) as connection:
            connection.execute(TOKENS.insert().values(launch_id=launch_id, version=1, leased_until=0, sealed=sealed))

    def find(self, launch_id: str) -> Tokens | None:
        """Return the tokens of a launch as they are, or None."""
        found = self._find(launch_id)
        return found[1] if found else None

    def access(self, launch_id: str, issuer: Issuer, *, refused: str | None = None) -> str:
        """Return an access token that should work now, refreshed where needed, once however many ask.

        `refused` is a token the server just answered 401 to: it is refreshed unless another request already did.
        Raises Unauthorized when only a new sign-in helps, Unreachable when the token endpoint gives no answer.
        """
        found = self._find(launch_id)
        if found is None:
            raise Unauthorized("This launch has no token any more. Open the app again from the record system.")
        if self._usable(found[1], refused):
            return found[1].access
        # The lock makes threads of this process take turns; the lease in the database does so for other processes.
        with holding(self._lock(launch_id)):
            return self._refreshed(launch_id, issuer, refused)

    def source(self, launch_id: str, issuer: Issuer) -> tuple[Callable[[str | None], str], Prover | None]:
        """Return what gives access tokens for a launch, as `access` does, and what proves them, where they are bound.

        It looks once, now, while that token works.
        """
        known = self.find(launch_id)

        def token(refused: str | None) -> str:
            if known is not None and self._usable(known, refused):
                return known.access
            return self.access(launch_id, issuer, refused=refused)

        return token, self.prover(issuer, known)

    def prover(self, issuer: Issuer, tokens: Tokens | None) -> Prover | None:
        """Return what proves tokens at the FHIR server of an issuer, None where they are bound to no key."""
        if tokens is None or not tokens.bound:
            return None
        return Prover(issuer.base, tokens.key, self._nonces, self._clock)

    def _usable(self, tokens: Tokens, refused: str | None) -> bool:
        if refused is not None and tokens.access == refused:
            return False
        return tokens.expires is None or self._clock() < tokens.expires - LEEWAY_SECONDS

    def _refreshed(self, launch_id: str, issuer: Issuer, refused: str | None) -> str:
        for _ in range(MOST_WAITS):
            found = self._find(launch_id)
            if found is None:
                raise Unauthorized("This launch has no token any more. Open the app again from the record system.")
            version, tokens = found
            if self._usable(tokens, refused):
                return tokens.access
            if tokens.refresh is None:
                raise Unauthorized("The token has ended and cannot be refreshed. Open the app again.")
            if self._lease(launch_id, version):
                return self._refresh(launch_id, issuer, version, tokens)
            with elsewhere():
                self._wait(WAIT_SECONDS)
        # Whoever has the lease is slow, or died with it; then it ends by itself.
        raise Unreachable("The session is being renewed by another request. Try again in a moment.")

    def _refresh(self, launch_id: str, issuer: Issuer, version: int, tokens: Tokens) -> str:
        try:
            fresh = self._endpoint.refresh(issuer, tokens)
        except GrantRefused:
            # Refused for good: kept, the token would only make every later page ask in vain.
            with writing(self._engine, on=launch_id) as connection:
                connection.execute(TOKENS.delete().where(TOKENS.c.launch_id == launch_id))
            raise Unauthorized("The record system ended this session. Open the app again.") from None
        except EhrTrouble as error:
            # No answer says nothing about the token: it stays, and the next request may try at once.
            self._release(launch_id)
            raise Unreachable("The record system did not renew the session. Try again in a moment.") from error
        with writing(self._engine, on=launch_id) as connection:
            connection.execute(
                TOKENS.update()
                .where(TOKENS.c.launch_id == launch_id)
                .values(version=version + 1, leased_until=0, sealed=self._vault.seal(asdict(fresh)))
            )
        return fresh.access

    def _lease(self, launch_id: str, version: int) -> bool:
        # By version: a request that read the token before another process replaced it gets no lease, and looks again.
        now = int(self._clock())
        with writing(self._engine, on=launch_id) as connection:
            taken = connection.execute(
                TOKENS.update()
                .where(TOKENS.c.launch_id == launch_id, TOKENS.c.version == version, TOKENS.c.leased_until <= now)
                .values(leased_until=now + LEASE_SECONDS)
            )
        return taken.rowcount == 1

    def _release(self, launch_id: str) -> None:
        with writing(self._engine, on=launch_id) as connection:
            connection.execute(TOKENS.update().where(TOKENS.c.launch_id == launch_id).values(leased_until=0))

    def _find(self, launch_id: str) -> tuple[int, Tokens] | None:
        with reading(self._engine) as connection:
            row = connection.execute(_OF_LAUNCH, {"launch_id": launch_id}).one_or_none()
        # A token that does not open helps nobody: its user signs in again.
        [values] = self._vault.open_any([row.sealed if row else None])
        return (row.version, Tokens(**values)) if row and values else None

    def _lock(self, launch_id: str) -> threading.Lock:
        with self._locks_lock:
            if len(self._locks) >= _MOST_LOCKS:
                self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
            return self._locks.setdefault(launch_id, threading.Lock())
