"""Which tokens our CDS Hooks services were asked with: each works once, in whichever process it comes again."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.storage.database import metadata, writing
from smartapp.storage.vault import digest

HOOK_CALLS = sa.Table(
    "hook_calls",
    metadata,
    # Of the token's issuer and its `jti`.
    sa.Column("digest", sa.String(64), primary_key=True),
    # When the token is refused for its age, and need not be known any more.
    sa.Column("until", sa.Integer, nullable=False, index=True),
)


class HookCalls:
    """The tokens in the database. `clock` returns seconds since 1970."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock

    def first_use(self, issuer: str, token_id: str, until: int) -> bool:
        """Remember a token until it has ended, and tell whether it is new."""
        # One text for the two, in which neither can pass for a part of the other.
        called = digest(f"{len(issuer)}|{issuer}|{token_id}")
        known = sa.select(HOOK_CALLS.c.digest).where(HOOK_CALLS.c.digest == called)
        with writing(self._engine, on=called) as connection:
            connection.execute(HOOK_CALLS.delete().where(HOOK_CALLS.c.until < int(self._clock())))
            if connection.execute(known).first() is not None:
                return False
            connection.execute(HOOK_CALLS.insert().values(digest=called, until=until))
            return True
