"""Sessions: one browser, known to the server by an opaque cookie.

One session can hold several launches (two charts side by side). The cookie says only "this browser"; which person a
page is about comes from the launch in the address, and that launch must belong to the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import digest, fresh_secret

LONGEST_PATH = 2000
"""Characters of an address that can be handed to another tab."""

SESSIONS = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("started", sa.Integer, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
    # What one page tells the next ("saved"), sealed. The column has kept its first name.
    sa.Column("carried", sa.LargeBinary, key="data"),
)

COOKIES = sa.Table(
    "session_cookies",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("session_id", sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
)

HANDOFFS = sa.Table(
    "handoffs",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("session_id", sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("path", sa.String(LONGEST_PATH), nullable=False),
    sa.Column("made", sa.Integer, nullable=False),
)

# Asked at every request, so made once: making it costs more than asking it.
_OF_COOKIE = sa.select(SESSIONS).join(COOKIES).where(COOKIES.c.digest == sa.bindparam("digest"))

# Long enough to open a tab, too short for the address to be of use in a history or a log.
HANDOFF_SECONDS = 60
_TOUCH_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Session:
    """A live session; `secret` is the value of the cookie this browser sent or will get."""

    id: str
    secret: str
    started: int
    seen: int
    data: bytes | None = None


class Sessions:
    """The sessions in the database. `clock` returns seconds since 1970; lifetimes are in seconds."""

    def __init__(self, engine: Engine, clock: Callable[[], float], *, inactivity: int, absolute: int) -> None:
        self._engine = engine
        self._clock = clock
        self._inactivity = inactivity
        self._touch = min(_TOUCH_SECONDS, inactivity // 3)
        self._absolute = absolute

    def start(self) -> Session:
        """Begin a session for a browser that has none."""
        now = int(self._clock())
        # Two values: the id holds launches and tokens together and never leaves us, the secret can be replaced.
        session = Session(fresh_secret(), fresh_secret(), now, now)
        with writing(self._engine, on=session.id) as connection:
            connection.execute(SESSIONS.insert().values(id=session.id, started=now, seen=now))
            connection.execute(COOKIES.insert().values(digest=digest(session.secret), session_id=session.id))
        return session

    def find(self, secret: str | None, *, touch: bool = True) -> Session | None:
        """Return the live session of a cookie, or None. Without `touch` it lives no longer by it: nobody asked."""
        if not secret:
            return None
        with reading(self._engine) as connection:
            row = connection.execute(_OF_COOKIE, {"digest": digest(secret)}).one_or_none()
        if row is None:
            return None
        now = int(self._clock())
        if now >= row.started + self._absolute or now >= row.seen + self._inactivity:
            return None
        if touch and now >= row.seen + self._touch:  # not on every request: a write costs a disk flush
            with writing(self._engine, on=row.id) as connection:
                connection.execute(SESSIONS.update().where(SESSIONS.c.id == row.id).values(seen=now))
        return Session(row.id, secret, row.started, now, row.data)

    def keep_data(self, session_id: str, sealed: bytes | None) -> None:
        """Keep what one page tells the next."""
        with writing(self._engine, on=session_id) as connection:
            connection.execute(SESSIONS.update().where(SESSIONS.c.id == session_id).values(data=sealed))

    def renew(self, session: Session) -> Session:
        """Give a session a new secret and a new absolute lifetime, because someone has just signed in.

        The old secret is worth nothing afterwards, so an id planted before sign-in cannot be used after it. A session
        that was wiped while its person was signing in is begun anew.
        """
        now = int(self._clock())
        renewed = Session(session.id, fresh_secret(), now, now)
        this = SESSIONS.c.id == session.id
        with writing(self._engine, on=session.id) as connection:
            is_there = connection.execute(SESSIONS.update().where(this).values(started=now, seen=now)).rowcount
            if is_there:
                connection.execute(COOKIES.delete().where(COOKIES.c.session_id == session.id))
                connection.execute(COOKIES.insert().values(digest=digest(renewed.secret), session_id=session.id))
        return renewed if is_there else self.start()

    def end(self, session_id: str) -> None:
        """Wipe a session with its launches, tokens and everything else that hangs on it."""
        with writing(self._engine, on=session_id) as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.id == session_id))

    def over(self) -> list[str]:
        """Return the ids of the sessions whose time is over and that are not wiped yet."""
        now = int(self._clock())
        ended = (SESSIONS.c.started <= now - self._absolute) | (SESSIONS.c.seen <= now - self._inactivity)
        with reading(self._engine) as connection:
            return list(connection.execute(sa.select(SESSIONS.c.id).where(ended)).scalars())

    def all(self) -> list[str]:
        """Return the ids of all sessions."""
        with reading(self._engine) as connection:
            return list(connection.execute(sa.select(SESSIONS.c.id)).scalars())

    def hand_off(self, session: Session, path: str) -> str:
        """Return a code that opens `path` in a tab that cannot see our cookie; good once, for 60 seconds."""
        code = fresh_secret()
        with writing(self._engine, on=session.id) as connection:
            connection.execute(
                HANDOFFS.insert().values(digest=digest(code), session_id=session.id, path=path, made=int(self._clock()))
            )
        return code

    def take_over(self, code: str, present: Session | None) -> tuple[Session, str] | None:
        """Redeem a handoff code: the session under a second cookie, and the path to show.

        None when the code is unknown, used, older than 60 seconds, or offered by a browser that has another session.
        """
        now = int(self._clock())
        with writing(self._engine, on=code) as connection:
            # Looked up by deleting: of two tabs that offer the same code, one finds it gone.
            row = connection.execute(
                HANDOFFS.delete().where(HANDOFFS.c.digest == digest(code)).returning(HANDOFFS)
            ).one_or_none()
            if row is None or now >= row.made + HANDOFF_SECONDS:
                return None
            if present is not None and present.id != row.session_id:
                return None
            started = connection.execute(sa.select(SESSIONS.c.started).where(SESSIONS.c.id == row.session_id)).scalar()
            if started is None or now >= started + self._absolute:
                return None
            # The new tab gets a cookie of its own, as an iframe's cookie jar is not the tab's; it does not live longer.
            session = present or Session(row.session_id, fresh_secret(), started, now)
            if present is None:
                connection.execute(COOKIES.insert().values(digest=digest(session.secret), session_id=session.id))
        return session, str(row.path)
