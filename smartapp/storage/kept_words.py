"""Kept words: what a person typed into a form that could not be taken, kept for them until they sign in again.

A session can end while somebody writes. The page that says so gives the words back, and here they wait, sealed, for
the same user about the same person at the same issuer: seven days, and not for anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault, digest

KEPT_SECONDS = 7 * 24 * 3600
MOST_FORMS = 20
"""Forms that are kept per owner; the oldest goes first. More than anybody fills in while signed out."""

KEPT_WORDS = sa.Table(
    "kept_words",
    metadata,
    # A digest of owner and page: a form that fails again replaces what was kept of it.
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("made", sa.Integer, nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
_LASTING = (
    sa.select(KEPT_WORDS)
    .where(KEPT_WORDS.c.made > sa.bindparam("since"))
    .order_by(KEPT_WORDS.c.made.desc(), KEPT_WORDS.c.id)
)
_OF_OWNER = _LASTING.where(KEPT_WORDS.c.owner == sa.bindparam("of"))
_OF_PAGE = _LASTING.where(KEPT_WORDS.c.id == sa.bindparam("of"))

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kept:
    """One form: the page that it was sent to (its address within the record), and its fields as they were sent."""

    id: str
    made: int
    page: str
    fields: tuple[tuple[str, str], ...]


class KeptWords:
    """The kept words in the database. `owner` is a keyed digest; `clock` returns seconds since 1970."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    def owner(self, issuer: str, patient_id: str, subject: str) -> str:
        """Return what names a user, whom their words are about, and the issuer (by its key)."""
        return self._vault.digest(f"kept|{issuer}|{patient_id}|{subject}")

    def erase(self, owner: str) -> int:
        """Throw away everything of this owner; return how many forms there were."""
        with writing(self._engine, on=owner) as connection:
            return connection.execute(KEPT_WORDS.delete().where(KEPT_WORDS.c.owner == owner)).rowcount

    def keep(self, owner: str, page: str, fields: Fields) -> None:
        """Keep the fields of a form, in the place of what was kept of this page before."""
        id_, now = _id(owner, page), int(self._clock())
        mine = sa.select(KEPT_WORDS.c.id).where(KEPT_WORDS.c.owner == owner).order_by(KEPT_WORDS.c.made.desc())
        row = {"id": id_, "owner": owner, "made": now, "sealed": self._vault.seal({"page": page, "fields": fields})}
        with writing(self._engine, on=owner) as connection:
            connection.execute(KEPT_WORDS.delete().where(KEPT_WORDS.c.id == id_))
            too_many = connection.execute(mine.offset(MOST_FORMS - 1)).scalars().all()
            connection.execute(KEPT_WORDS.delete().where(KEPT_WORDS.c.id.in_(too_many)))
            connection.execute(KEPT_WORDS.insert().values(row))

    def of(self, owner: str) -> list[Kept]:
        """Return what is kept for this owner, the newest first."""
        return self._found(_OF_OWNER, owner)

    def of_page(self, owner: str, page: str) -> Kept | None:
        """Return what is kept for this owner of one page, or None."""
        return next(iter(self._found(_OF_PAGE, _id(owner, page))), None)

    def drop(self, owner: str, id_: str) -> None:
        """Throw away one form of this owner."""
        with writing(self._engine, on=owner) as connection:
            connection.execute(KEPT_WORDS.delete().where(KEPT_WORDS.c.id == id_, KEPT_WORDS.c.owner == owner))

    def forget_old(self) -> None:
        """Wipe what was kept for its seven days."""
        with writing(self._engine) as connection:
            connection.execute(KEPT_WORDS.delete().where(KEPT_WORDS.c.made <= int(self._clock()) - KEPT_SECONDS))

    def _found(self, which: sa.Select[tuple[str, str, int, bytes]], of: str) -> list[Kept]:
        with reading(self._engine) as connection:
            rows = connection.execute(which, {"of": of, "since": int(self._clock()) - KEPT_SECONDS}).all()
        opened = self._vault.open_any([row.sealed for row in rows])
        return [_kept(row, values) for row, values in zip(rows, opened, strict=True) if values is not None]


def _id(owner: str, page: str) -> str:
    return digest(f"kept|{owner}|{page}")


def _kept(row: sa.Row[tuple[str, str, int, bytes]], values: Mapping[str, Any]) -> Kept:
    return Kept(row.id, row.made, values["page"], tuple((name, text) for name, text in values["fields"]))
