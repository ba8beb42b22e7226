"""What people share by a SMART Health Link: an encrypted document, and who may still ask for it.

The key of a document is in its link and nowhere here: we keep what the link encrypts, the digest of its address, the
passcode as a slow hash, and what the log of access needs to say whose it was. A link that has ended, by its person, by
the clock or by wrong passcodes, loses its document at once. Its row stays for a year, so that who tries it still is a
row in the log of that person.

Each answer to somebody who knocks is one transaction: the count of tries cannot be passed by asking twice at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from smartapp.storage.audit import Audit, person_digest
from smartapp.storage.database import change_any, metadata, reading, writing
from smartapp.storage.vault import Vault

MOST_LINKS: Final = 10
"""Links of one person that can be opened at the same time."""
TRIES: Final = 5
"""Wrong passcodes in the whole life of a link."""
FILE_SECONDS: Final = 600
"""How long the address of a document that was too long to stand in the answer can be asked; the specification: 3600."""
LOGGED_AS: Final = "health-link"
"""What a link is called in the log."""
KEPT_SECONDS: Final = 365 * 86_400
"""How long it is known whose a link was that has ended."""
_SECRET_BYTES: Final = 32  # 256 bits, as the specification asks
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1}

HEALTH_LINKS = sa.Table(
    "health_links",
    metadata,
    # A digest of what is in the address of the manifest: the database names no link that can be opened.
    sa.Column("id", sa.String(64), primary_key=True),
    # As the log of access names them.
    sa.Column("person", sa.String(64), nullable=False, index=True),
    # A digest of the form that asked for it: sent twice, it makes one.
    sa.Column("asked", sa.String(64), nullable=False, unique=True),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("until", sa.Integer, nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("opened", sa.Integer, nullable=False),
    sa.Column("last_opened", sa.Integer),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("ended", sa.Integer),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    # The document as its link encrypts it; NULL once the link has ended.
    sa.Column("content", sa.LargeBinary),
)
HEALTH_LINK_FILES = sa.Table(
    "health_link_files",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("link", sa.ForeignKey("health_links.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("until", sa.Integer, nullable=False, index=True),
    sa.Column("used", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class About:
    """What a link is about: which part of the record, under which title, whose, and the passcode as a hash.

    `issuer` is the address of the EHR, `patient` is `Patient/<id>`; `hash` is "" where there is no passcode.
    """

    part: str
    title: str
    issuer: str
    patient: str
    salt: str = ""
    hash: str = ""

    @property
    def asks_passcode(self) -> bool:
        """Tell whether the link opens with a passcode only."""
        return bool(self.hash)


@dataclass(frozen=True, slots=True)
class HealthLink:
    """One link, without its key. Times are seconds since 1970; `tries` is how many wrong passcodes are left."""

    id: str
    person: str
    made: int
    until: int
    tries: int
    opened: int
    last_opened: int | None
    refused: int
    ended: int | None
    about: About

    def is_open(self, now: float) -> bool:
        """Tell whether it can be opened now."""
        return self.ended is None and now < self.until

    @property
    def ended_by(self) -> Literal["person", "time", "tries"]:
        """Return what ended it; of a link that can be opened still, what will if nothing else does."""
        if self.ended is None or self.ended >= self.until:
            return "time"
        return "tries" if self.tries == 0 else "person"


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that was opened: when its document was made, and either that, encrypted, or a token to `fetch` it with."""

    made: int
    content: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class WrongPasscode:
    """A link that was not opened, and how many wrong passcodes are left."""

    remaining: int


class TooManyLinks(ValueError):
    """A person has as many links as they may have at once."""


class HealthLinks:
    """The links in the database. `clock` returns seconds since 1970."""

    def __init__(self, engine: Engine, vault: Vault, audit: Audit, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._vault = vault
        self._audit = audit
        self._clock = clock

    def person(self, issuer: str, patient: str) -> str:
        """Return what names a person (`Patient/<id>`) at an issuer (its key): the same as in the log of access."""
        return person_digest(self._vault, issuer, patient)

    # --- of the person

    def make(self, person: str, about: About, *, asked: str, secret: str, content: str, until: int) -> bool:
        """Keep a document that the link with this secret opens; False where the same form made one before.

        Raises TooManyLinks.
        """
        now = int(self._clock())
        row = {
            "id": self._id(secret),
            "person": person,
            "asked": self._vault.digest(f"health-link|asked|{person}|{asked}"),
            "made": now,
            "until": until,
            "tries": TRIES,
            "opened": 0,
            "refused": 0,
            "sealed": self._vault.seal(asdict(about)),
            "content": self._vault.seal_bytes(content.encode()),
        }
        with writing(self._engine, on=person) as connection:
            made_before = sa.select(HEALTH_LINKS.c.id).where(HEALTH_LINKS.c.asked == row["asked"])
            if connection.execute(made_before).first() is not None:
                return False
            theirs = sa.select(sa.func.count()).where(HEALTH_LINKS.c.person == person, *_is_open(now))
            if connection.execute(theirs).scalar_one() >= MOST_LINKS:
                raise TooManyLinks(f"There are {MOST_LINKS} links that can be opened; end one of them first.")
            connection.execute(HEALTH_LINKS.insert().values(row))
        return True

    def of(self, person: str) -> list[HealthLink]:
        """Return the links of a person, the newest first; also those that have ended."""
        chosen = _without_content().where(HEALTH_LINKS.c.person == person)
        return self._found(chosen.order_by(HEALTH_LINKS.c.made.desc(), HEALTH_LINKS.c.id))

    def end(self, person: str, id_: str) -> bool:
        """End a link of this person and wipe its document; False where they have no such link that can be opened."""
        with writing(self._engine, on=id_) as connection:
            mine = (HEALTH_LINKS.c.id == id_, HEALTH_LINKS.c.person == person)
            return self._end(connection, *mine, *_is_open(self._clock()))

    def erase(self, person: str) -> int:
        """Throw away all links of a person, also those that have ended; return how many there were."""
        with writing(self._engine, on=person) as connection:
            return connection.execute(HEALTH_LINKS.delete().where(HEALTH_LINKS.c.person == person)).rowcount

    def adopt(self, former: str, person: str) -> None:
        """Bring the links of a person that stand under a former key of the issuer under the one of today."""
        change_any(self._engine, HEALTH_LINKS, HEALTH_LINKS.c.person == former, person=person)

    # --- of whoever has the link

    def find(self, secret: str) -> HealthLink | None:
        """Return the link with this secret, also one that has ended; None where there never was one."""
        return next(iter(self._found(_without_content().where(HEALTH_LINKS.c.id == self._id(secret)))), None)

    def knock(
        self, secret: str, passcode: str | None, *, recipient: str, fits: Callable[[str], bool] = lambda _content: True
    ) -> Opened | WrongPasscode | None:
        """Answer who asks for the document of a link, and write the row of the log that says so.

        A document that does not fit the answer, as `fits` says, is given by an address. None for a link that cannot be
        opened (any more), which is answered alike whatever the reason is. `recipient` is what they call themselves.
        """
        link = self.find(secret)
        now = int(self._clock())
        given = passcode is not None
        # Before the transaction: nobody else should wait while a passcode is hashed. What counts is decided in it.
        right = link is None or not link.is_open(now) or not link.about.asks_passcode or _is_right(passcode, link.about)
        if link is None:
            self._audit.refused("health-link", "unknown")
            return None
        with writing(self._engine, on=link.id) as connection:
            mine = (HEALTH_LINKS.c.id == link.id, *_is_open(now))
            if right and self._count(connection, mine, opened=HEALTH_LINKS.c.opened + 1, last_opened=now):
                self._log(link, recipient)
                return self._handed_over(connection, link, fits)
            if not right and not given and (left := connection.execute(sa.select(_TRIES).where(*mine)).scalar()):
                self._log(link, recipient, refused="no-passcode")
                return WrongPasscode(int(left))
            fewer = {"tries": HEALTH_LINKS.c.tries - 1, "refused": HEALTH_LINKS.c.refused + 1}
            if not right and given and self._count(connection, mine, **fewer):
                self._log(link, recipient, refused="wrong-passcode")
                self._end(connection, HEALTH_LINKS.c.id == link.id, HEALTH_LINKS.c.tries == 0)
                left = connection.execute(sa.select(_TRIES).where(HEALTH_LINKS.c.id == link.id)).scalar_one()
                return WrongPasscode(int(left))
            self._count(connection, (HEALTH_LINKS.c.id == link.id,), refused=HEALTH_LINKS.c.refused + 1)
            self._log(link, recipient, refused=self._why_over(connection, link))
            return None

    def fetch(self, token: str) -> str | None:
        """Return the document of a token, once and for ten minutes; None for one that was used, is over or is none."""
        id_, now = self._vault.digest(f"health-link|file|{token}"), int(self._clock())
        files = HEALTH_LINK_FILES.c
        with reading(self._engine) as connection:
            named = connection.execute(sa.select(files.link).where(files.id == id_)).scalar()
        link = next(iter(self._found(_without_content().where(HEALTH_LINKS.c.id == named))), None) if named else None
        if link is None:
            self._audit.refused("health-link", "unknown-file")
            return None
        with writing(self._engine, on=link.id) as connection:
            fresh = HEALTH_LINK_FILES.update().where(files.id == id_, files.used == 0, files.until > now)
            if connection.execute(fresh.values(used=1)).rowcount:
                content = connection.execute(
                    sa.select(HEALTH_LINKS.c.content).where(HEALTH_LINKS.c.id == link.id, *_is_open(now))
                ).scalar()
                if content is not None:
                    return self._vault.open_bytes(content).decode()
            self._count(connection, (HEALTH_LINKS.c.id == link.id,), refused=HEALTH_LINKS.c.refused + 1)
            self._log(link, "", refused="file-over")
            return None

    # --- of the clock

    def tidy(self) -> None:
        """Wipe the documents of links whose time is over, and links that ended a year ago."""
        now = int(self._clock())
        with writing(self._engine) as connection:
            self._end(connection, HEALTH_LINKS.c.ended.is_(None), HEALTH_LINKS.c.until <= now)
            connection.execute(HEALTH_LINK_FILES.delete().where(HEALTH_LINK_FILES.c.until <= now - FILE_SECONDS))
            connection.execute(HEALTH_LINKS.delete().where(HEALTH_LINKS.c.ended <= now - KEPT_SECONDS))

    # --- inside

    def _id(self, secret: str) -> str:
        return self._vault.digest(f"health-link|{secret}")

    def _found(self, chosen: sa.Select[Any]) -> list[HealthLink]:
        with reading(self._engine) as connection:
            rows = connection.execute(chosen).all()
        opened = self._vault.open_any([row.sealed for row in rows])
        return [_link(row, values) for row, values in zip(rows, opened, strict=True) if values is not None]

    def _handed_over(self, connection: Connection, link: HealthLink, fits: Callable[[str], bool]) -> Opened:
        sealed = connection.execute(sa.select(HEALTH_LINKS.c.content).where(HEALTH_LINKS.c.id == link.id)).scalar_one()
        content = self._vault.open_bytes(sealed).decode()
        if fits(content):
            return Opened(link.made, content=content)
        token = secrets.token_urlsafe(_SECRET_BYTES)
        row = {"id": self._vault.digest(f"health-link|file|{token}"), "link": link.id, "used": 0}
        connection.execute(HEALTH_LINK_FILES.insert().values(until=int(self._clock()) + FILE_SECONDS, **row))
        return Opened(link.made, token=token)

    def _count(self, connection: Connection, which: Sequence[sa.ColumnElement[bool]], **values: Any) -> bool:
        return connection.execute(HEALTH_LINKS.update().where(*which).values(**values)).rowcount > 0

    def _end(self, connection: Connection, *which: sa.ColumnElement[bool]) -> bool:
        return self._count(connection, which, content=None, ended=int(self._clock()))

    def _why_over(self, connection: Connection, link: HealthLink) -> str:
        """Return why a link can't be opened; one of which the time is over loses its document now."""
        self._end(connection, HEALTH_LINKS.c.id == link.id, HEALTH_LINKS.c.ended.is_(None))
        again = self._found(_without_content().where(HEALTH_LINKS.c.id == link.id))
        return {"person": "ended", "time": "time-over", "tries": "no-tries-left"}[again[0].ended_by]

    def _log(self, link: HealthLink, recipient: str, refused: str = "") -> None:
        self._audit.by_link(
            link.person,
            link.about.issuer,
            link.about.patient,
            objects=[LOGGED_AS],
            parts=[link.about.part],
            recipient=recipient,
            reason=refused,
        )


_TRIES: Final = HEALTH_LINKS.c.tries


def new_secret() -> str:
    """Return 256 random bits as 43 characters: what is in the address of a manifest, or the key of a document."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def hashed(passcode: str) -> dict[str, str]:
    """Return a passcode as `About` keeps it: a salt, and a hash that takes time to make."""
    salt = secrets.token_bytes(16)
    return {"salt": salt.hex(), "hash": _hash(passcode, salt)}


def _hash(passcode: str, salt: bytes) -> str:
    # Half a sign is no sign of any passcode, and a wrong one like others.
    return hashlib.scrypt(passcode.encode(errors="surrogatepass"), salt=salt, **_SCRYPT).hex()


def _is_right(passcode: str | None, about: About) -> bool:
    if passcode is None:
        return False
    return hmac.compare_digest(_hash(passcode, bytes.fromhex(about.salt)), about.hash)


def _is_open(now: float) -> tuple[sa.ColumnElement[bool], ...]:
    columns = HEALTH_LINKS.c
    return columns.ended.is_(None), columns.until > int(now), columns.tries > 0


def _without_content() -> sa.Select[Any]:
    return sa.select(*(column for column in HEALTH_LINKS.c if column.name not in ("content", "asked")))


def _link(row: sa.Row[Any], values: Mapping[str, Any]) -> HealthLink:
    named = row._asdict()
    return HealthLink(**{name: named[name] for name in named if name != "sealed"}, about=About(**values))
