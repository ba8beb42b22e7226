"""The first half of a sign-in: the address the browser is sent to, and the state that must come back, once.

Every sign-in under way has its own cookie in the browser that began it. So two charts that open at the same moment do
not disturb each other, and a callback in another browser is worth nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.errors import LaunchRefused
from smartapp.fhir.scopes import asked
from smartapp.i18n import message
from smartapp.settings import DEFAULT_SCOPES, KOPPELTAAL_LAUNCH, KOPPELTAAL_STANDALONE, Issuer, Settings
from smartapp.smart.discovery import SmartConfiguration
from smartapp.smart.proofs import ALGORITHM, ProofKey
from smartapp.smart.tracing import trace_of
from smartapp.storage.database import metadata, writing
from smartapp.storage.marks import Marks
from smartapp.storage.vault import Vault, digest, fresh_secret

# Time to find a second factor, and no more: an old address in a browser's history should be worth nothing.
STATE_SECONDS = 600
_NO_COOKIE = message(
    "Your browser did not keep what we need to recognise it. "
    "Is this page inside your record system? Then open it in a tab of its own."
)

AUTHORIZATIONS = sa.Table(
    "authorizations",
    metadata,
    sa.Column("state", sa.String(64), primary_key=True),
    sa.Column("browser", sa.String(64), nullable=False),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

_ADD = AUTHORIZATIONS.insert()
_FORGET_OLD = AUTHORIZATIONS.delete().where(AUTHORIZATIONS.c.made <= sa.bindparam("since"))
_TAKE = AUTHORIZATIONS.delete().where(AUTHORIZATIONS.c.state == sa.bindparam("this")).returning(AUTHORIZATIONS)


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun: where to send the browser, and the cookie that binds it to this browser.

    With `fields` it is sent there by a form that holds them, else as it is.
    """

    url: str
    cookie: str
    secret: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Pending:
    """What we must remember between the two halves of a sign-in; `caseload`: it is to be about nobody."""

    issuer: str
    verifier: str
    nonce: str
    scopes: str
    caseload: bool = False
    key: str = ""
    """The key that its tokens are to be bound to, "" where they are not; see `ProofKey`."""
    trace: str = ""
    """What a Koppeltaal domain calls the chain that this sign-in belongs to; "" elsewhere."""


def challenge(verifier: str) -> str:
    """Return the S256 code challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def proof_key(issuer: Issuer, configuration: SmartConfiguration) -> ProofKey | None:
    """Return a key for the tokens of a new sign-in, None where they are not to be bound to one.

    Raises LaunchRefused where they have to be, and the server says that it takes no proofs of our kind.
    """
    named, required = configuration.dpop_algorithms, issuer.dpop == "required"
    if required and named and ALGORITHM not in named:
        raise LaunchRefused(code="dpop-no-es256")
    return ProofKey.new() if required or (issuer.dpop == "offered" and ALGORITHM in named) else None


def pushed_to(issuer: Issuer, configuration: SmartConfiguration) -> str | None:
    """Return where what we ask is given to the server itself (RFC 9126), None where the browser carries it.

    Raises LaunchRefused where it has to be, by the settings or by the server, and the other does not have that.
    """
    if issuer.par == "off" and configuration.par_required:
        raise LaunchRefused(code="par-required")
    if issuer.par == "required" and configuration.par_endpoint is None:
        raise LaunchRefused(code="par-not-offered")
    return configuration.par_endpoint


def login_cookie(state: str, settings: Settings) -> str:
    """Return the name of the cookie that binds the sign-in with this state to the browser that began it."""
    return f"{'__Host-' if settings.https else ''}verstel-login-{digest(state)[:16]}"


class Authorizations:
    """The sign-ins that are under way. `clock` returns seconds since 1970."""

    def __init__(
        self, engine: Engine, vault: Vault, marks: Marks, settings: Settings, clock: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._marks = marks
        self._settings = settings
        self._clock = clock

    def begin(
        self,
        issuer: Issuer,
        configuration: SmartConfiguration,
        launch: str | None,
        *,
        push: Callable[[str, Mapping[str, str]], str],
        caseload: bool = False,
        aud: str = "",
    ) -> Begun:
        """Begin a sign-in: from the EHR with its `launch` value, standalone where that is None.

        `aud` is the address that the launch named the EHR by (SMART: the same as its `iss`); the base when left out.
        With `caseload` no patient is asked for, and what the issuer has for that. `push` gives what is asked to an
        endpoint of the server, and returns the name that it has there. Raises what `push` raises, and LaunchRefused
        where the settings want what the server does not have, or not what it wants.
        """
        state, key = self._marks.fresh(issuer.base), proof_key(issuer, configuration)
        secret, verifier, nonce = (fresh_secret() for _ in range(3))
        # Who chose the scopes of an issuer chose all of them.
        offered = configuration.scopes_supported if issuer.scopes == DEFAULT_SCOPES else ""
        if issuer.koppeltaal is not None:
            scopes = KOPPELTAAL_STANDALONE if launch is None else KOPPELTAAL_LAUNCH
        elif caseload:
            scopes = " ".join(one for one in issuer.caseload_scopes.split() if launch is not None or one != "launch")
        else:
            scopes = asked(issuer.scopes, standalone=launch is None, offered=offered)
        parameters = {
            "response_type": "code",
            "client_id": issuer.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "scope": scopes,
            "state": state,
            "nonce": nonce,
            "aud": aud or issuer.base,  # letter for letter as registered, trailing slash included
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        if launch is not None:
            parameters["launch"] = launch
        if issuer.acr:
            parameters["acr_values"] = " ".join(issuer.acr)
        if issuer.max_age is not None:
            parameters["max_age"] = str(issuer.max_age)
        if key is not None:
            parameters["dpop_jkt"] = key.thumbprint  # so that the code is of use to nobody else either
        pending = {
            "issuer": issuer.base,
            "verifier": verifier,
            "nonce": nonce,
            "scopes": scopes,
            "caseload": caseload,
            "key": key.text if key else "",
            "trace": "" if issuer.koppeltaal is None else trace_of(launch),
        }
        shown, there = parameters, pushed_to(issuer, configuration)
        if there is not None:
            # Nothing else may stand beside it (RFC 9126 4): all the rest is in what was pushed.
            shown = {"client_id": issuer.client_id, "request_uri": push(there, parameters)}
        now = int(self._clock())
        row = {"state": digest(state), "browser": digest(secret), "made": now, "sealed": self._vault.seal(pending)}
        with writing(self._engine, on=state) as connection:
            connection.execute(_FORGET_OLD, {"since": now - STATE_SECONDS})
            connection.execute(_ADD, row)
        endpoint, cookie = configuration.authorization_endpoint, login_cookie(state, self._settings)
        if issuer.authorize == "post" and there is None:
            return Begun(endpoint, cookie, secret, parameters)
        url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(shown)}"
        return Begun(url, cookie, secret)

    def redeem(self, state: str, secret: str | None) -> Pending:
        """Take a state out of the list for good and return what belongs to it.

        Raises LaunchRefused when it is unknown, used before, older than 10 minutes, or of another browser. A state
        that arrives in the wrong browser is spent too: the person who sent it there has seen it.
        """
        # Looked up by deleting it, so that of two callbacks with the same state only one finds anything.
        with writing(self._engine, on=state) as connection:
            row = connection.execute(_TAKE, {"this": digest(state)}).one_or_none()
        if row is None:
            raise LaunchRefused(code="state-unknown")
        if int(self._clock()) >= row.made + STATE_SECONDS:
            raise LaunchRefused(code="state-old")
        if secret is None:
            raise LaunchRefused(_NO_COOKIE, code="state-other-browser")
        if digest(secret) != row.browser:
            raise LaunchRefused(code="state-other-browser")
        return Pending(**self._vault.open(row.sealed))
