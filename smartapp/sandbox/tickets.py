"""What the sandbox's authorization server remembers: keys, sessions, launches, codes and tokens, all in the database.

Of every secret that is given out only the digest is kept, so that reading the database gives no one a way in. A restart
loses nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy.engine import Connection, Engine

from smartapp.storage.database import NAMING, reading, writing
from smartapp.storage.vault import digest, fresh_secret

# Long enough to sign in on the way; a code goes straight back to the app, which exchanges it at once.
LAUNCH_SECONDS = 600
CODE_SECONDS = 60
ACCESS_SECONDS = 3600

# Tables of its own, which no database of an organisation gets.
metadata = sa.MetaData(naming_convention=NAMING)

KEYS = sa.Table(
    "sandbox_keys",
    metadata,
    sa.Column("kid", sa.String(64), primary_key=True),
    sa.Column("private_pem", sa.LargeBinary, nullable=False),
)
SESSIONS = sa.Table(
    "sandbox_sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("user", sa.String(100), nullable=False),
    sa.Column("made", sa.Float, nullable=False),
)
LAUNCHES = sa.Table(
    "sandbox_launches",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("user", sa.String(100), nullable=False),
    sa.Column("patient", sa.String(64), nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("used", sa.Boolean, nullable=False, default=False),
)
CODES = sa.Table(
    "sandbox_codes",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("client", sa.String, nullable=False),
    sa.Column("redirect_uri", sa.String, nullable=False),
    sa.Column("challenge", sa.String(128), nullable=False),
    sa.Column("scope", sa.String, nullable=False),
    sa.Column("nonce", sa.String),
    sa.Column("user", sa.String(100), nullable=False),
    sa.Column("patient", sa.String(64)),
    sa.Column("family", sa.String(64), nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("used", sa.Boolean, nullable=False, default=False),
)
TOKENS = sa.Table(
    "sandbox_tokens",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("family", sa.String(64), nullable=False, index=True),
    sa.Column("client", sa.String, nullable=False),
    sa.Column("scope", sa.String, nullable=False),
    sa.Column("user", sa.String(100)),
    sa.Column("patient", sa.String(64)),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("expires", sa.Float),
    sa.Column("used", sa.Boolean, nullable=False, default=False),
    sa.Column("revoked", sa.Boolean, nullable=False, default=False),
)
CONTEXTS = sa.Table(
    "sandbox_contexts",
    metadata,
    # Of a launch, and then of the code that it became.
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("context", sa.JSON, nullable=False),
)
ASSERTIONS = sa.Table(
    "sandbox_assertions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("expires", sa.Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code or a token stands for."""

    client: str
    scope: str
    user: str | None
    patient: str | None
    family: str
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str | None = None
    expires: float | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    """What the answer to the code says besides, such as `fhirContext`."""


class TicketError(Exception):
    """A code or a refresh token that is not, or no longer, good; the message says why, without repeating it."""


class Tickets:
    """Gives tickets out and takes them back; `clock` is in seconds since 1970."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock

    # ---- keys

    def keys(self) -> KeySet:
        """Return the keys that sign id_tokens, making the first one if need be."""
        # Writing, also to read: two requests must not both find no key and each make one.
        with writing(self._engine) as connection:
            rows = connection.execute(sa.select(KEYS)).all()
            if not rows:
                key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"})
                key.ensure_kid()
                connection.execute(sa.insert(KEYS).values(kid=key.kid, private_pem=key.as_pem(private=True)))
                return KeySet([key])
        return KeySet(
            [RSAKey.import_key(row.private_pem, {"use": "sig", "alg": "RS256", "kid": row.kid}) for row in rows]
        )

    # ---- who is at this browser

    def sign_in(self, user: str) -> str:
        """Start a session for a person (`Patient/1`, `Practitioner/2`) and return its secret."""
        secret = fresh_secret()
        with writing(self._engine) as connection:
            connection.execute(sa.insert(SESSIONS).values(digest=digest(secret), user=user, made=self._clock()))
        return secret

    def signed_in(self, secret: str | None) -> str | None:
        """Return whose session this is, or None."""
        if not secret:
            return None
        with reading(self._engine) as connection:
            return connection.execute(
                sa.select(SESSIONS.c.user).where(SESSIONS.c.digest == digest(secret))
            ).scalar_one_or_none()

    # ---- launches

    def launch(self, user: str, patient: str, context: Mapping[str, Any] | None = None) -> str:
        """Return a `launch` that stands for this user looking at this patient; it works once, for ten minutes.

        `context` is what the app is told besides.
        """
        secret = secrets.token_urlsafe(24)
        values = {"digest": digest(secret), "user": user, "patient": patient, "made": self._clock(), "used": False}
        with writing(self._engine) as connection:
            connection.execute(sa.insert(LAUNCHES).values(values))
            if context:
                connection.execute(sa.insert(CONTEXTS).values(digest=digest(secret), context=dict(context)))
        return secret

    def launched(self, secret: str) -> tuple[str, str] | None:
        """Return user and patient of a launch that can still be used, or None."""
        # Not spent here but with the code: signing in on the way asks twice.
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(LAUNCHES).where(LAUNCHES.c.digest == digest(secret))).first()
        if row is None or row.used or self._clock() - row.made > LAUNCH_SECONDS:
            return None
        return row.user, row.patient

    # ---- codes

    def code(self, grant: Grant, launch: str | None) -> str | None:
        """Return an authorization code for a grant and spend the launch it came by; None if that was spent already."""
        secret = fresh_secret()
        with writing(self._engine) as connection:
            if launch is not None:
                # The update itself decides who came first: of two requests with one launch, one finds it unused.
                spent = connection.execute(
                    sa.update(LAUNCHES)
                    .where(LAUNCHES.c.digest == digest(launch), LAUNCHES.c.used.is_(False))
                    .values(used=True)
                )
                if spent.rowcount != 1:
                    return None
                of_launch = CONTEXTS.c.digest == digest(launch)
                connection.execute(sa.update(CONTEXTS).where(of_launch).values(digest=digest(secret)))
            connection.execute(
                sa.insert(CODES).values(
                    digest=digest(secret),
                    client=grant.client,
                    redirect_uri=grant.redirect_uri,
                    challenge=grant.challenge,
                    scope=grant.scope,
                    nonce=grant.nonce,
                    user=grant.user,
                    patient=grant.patient,
                    family=grant.family,
                    made=self._clock(),
                    used=False,
                )
            )
        return secret

    def redeem(self, code: str) -> Grant:
        """Redeem a code for its grant. A second use ends everything the first one gave. Raises TicketError."""
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(CODES).where(CODES.c.digest == digest(code))).first()
            reused = row is not None and row.used
            if row is not None:
                connection.execute(sa.update(CODES).where(CODES.c.digest == row.digest).values(used=True))
            of_code = sa.select(CONTEXTS.c.context).where(CONTEXTS.c.digest == digest(code))
            context = connection.execute(of_code).scalar()
            if reused:
                _revoke(connection, row.family)  # type: ignore[union-attr]
        # Only now, because an error inside the transaction would undo the revocation.
        if row is None:
            raise TicketError("the authorization code is not known")
        if reused:
            raise TicketError("the authorization code was used before; the tokens it gave are revoked")
        if self._clock() - row.made > CODE_SECONDS:
            raise TicketError("the authorization code is too old; start again")
        return Grant(
            client=row.client,
            scope=row.scope,
            user=row.user,
            patient=row.patient,
            family=row.family,
            redirect_uri=row.redirect_uri,
            challenge=row.challenge,
            nonce=row.nonce,
            context=context or {},
        )

    # ---- tokens

    def token(self, grant: Grant, kind: str, seconds: float | None) -> str:
        """Return a new `access` or `refresh` token for a grant; it lives `seconds`, or until used or revoked."""
        with writing(self._engine) as connection:
            return self._token(connection, grant, kind, seconds)

    def _token(self, connection: Connection, grant: Grant, kind: str, seconds: float | None) -> str:
        secret, now = fresh_secret(), self._clock()
        connection.execute(
            sa.insert(TOKENS).values(
                digest=digest(secret),
                kind=kind,
                family=grant.family,
                client=grant.client,
                scope=grant.scope,
                user=grant.user,
                patient=grant.patient,
                made=now,
                expires=None if seconds is None else now + seconds,
                used=False,
                revoked=False,
            )
        )
        return secret

    def known(self, token: str, kind: str) -> Grant | None:
        """Return the grant of a token that is good now, or None."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(TOKENS).where(TOKENS.c.digest == digest(token), TOKENS.c.kind == kind)
            ).first()
        # One answer for all reasons: trying tokens teaches nothing.
        if row is None or row.used or row.revoked or (row.expires is not None and row.expires <= self._clock()):
            return None
        return _grant(row)

    def client_of(self, refresh: str) -> str | None:
        """Return whose refresh token this is, used before or not; None for one that is not known."""
        with reading(self._engine) as connection:
            known = sa.select(TOKENS.c.client).where(TOKENS.c.digest == digest(refresh), TOKENS.c.kind == "refresh")
            return connection.execute(known).scalar_one_or_none()

    def rotate(self, token: str, client: str) -> tuple[Grant, str]:
        """Redeem a refresh token for its grant and the next one. Raises TicketError.

        Reuse ends the whole family: two parties hold the token, and only one of them was given it.
        """
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(TOKENS).where(TOKENS.c.digest == digest(token), TOKENS.c.kind == "refresh")
            ).first()
            # Another app's token is left alone: trying it out must not end that app's sign-in.
            fitting = row is not None and row.client == client and not row.revoked
            if fitting and row.used:  # type: ignore[union-attr]
                _revoke(connection, row.family)  # type: ignore[union-attr]
            elif fitting:
                connection.execute(sa.update(TOKENS).where(TOKENS.c.digest == digest(token)).values(used=True))
                grant = _grant(row)
                return grant, self._token(connection, grant, "refresh", None)
        # After the transaction, as in `redeem`.
        if not fitting:
            raise TicketError("the refresh token is not known, revoked, or not this client's")
        raise TicketError("the refresh token was used before; all tokens of this sign-in are revoked")

    def revoke(self, token: str, client: str) -> None:
        """End the sign-in that a token belongs to, if it is this client's; an unknown token is not an error."""
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(TOKENS).where(TOKENS.c.digest == digest(token), TOKENS.c.client == client)
            ).first()
            if row is not None:
                _revoke(connection, row.family)

    def first_use(self, assertion_id: str, expires: float) -> bool:
        """Remember a client assertion's id and say whether it is new."""
        with writing(self._engine) as connection:
            # Once expired, an assertion is refused for that: its id need not be remembered.
            connection.execute(sa.delete(ASSERTIONS).where(ASSERTIONS.c.expires < self._clock()))
            known = sa.select(ASSERTIONS.c.digest).where(ASSERTIONS.c.digest == digest(assertion_id))
            if connection.execute(known).first() is not None:
                return False
            connection.execute(sa.insert(ASSERTIONS).values(digest=digest(assertion_id), expires=expires))
            return True


def _revoke(connection: Connection, family: str) -> None:
    connection.execute(sa.update(TOKENS).where(TOKENS.c.family == family).values(revoked=True))


def _grant(row: Any) -> Grant:
    return Grant(row.client, row.scope, row.user, row.patient, row.family, expires=row.expires)
