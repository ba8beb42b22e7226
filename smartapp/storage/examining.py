"""The log looked at as a whole: is the chain as it was written, and what is so old that it may go."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from smartapp.storage.audit import person_digest
from smartapp.storage.chain import AUDIT, Mark, Name, keep, link_of, mark
from smartapp.storage.database import reading, writing
from smartapp.storage.passing_on import TO_PASS_ON
from smartapp.storage.vault import SealBroken, Vault

ROWS_AT_ONCE = 500
PRUNED_AT_ONCE = 1_000
"""A block of so many takes SQLite, which lets nobody else write meanwhile, some tenths of a second."""


@dataclass(slots=True)
class Examination:
    """Walks the chain once. `issuers`: the keys and addresses of those in the settings, one of which names a person.

    `noted` is a head that was written down before: what the chain says of that row must still be so.
    """

    engine: Engine
    vault: Vault
    issuers: Collection[str]
    noted: tuple[int, str] | None = None
    rows: int = 0
    """How many were looked at."""
    unchecked: int = 0
    """Rows of issuers that the settings do not have: under which person they stand can't be told."""
    head: Mark | None = None
    """Where the chain ends, when the walk began."""
    begins: int = 0
    """The last row that is not in the chain, being from before it."""
    pruned: int = 0
    """The last row that was removed by rule."""

    def findings(self) -> Iterator[str]:
        """Yield what is wrong, a sentence each, in the order of the rows; in constant memory, holding up no writer."""
        try:
            with reading(self.engine) as connection:
                self.head = mark(connection, self.vault, "head")
        except SealBroken:
            yield "The head of the log is not ours: it was changed, or the keys are others."
            return
        if self.head is None:
            yield "The head of the log is not there: no row was written since the chain exists, or it was removed."
            return
        self.begins = self.head.begins
        yield from self._before()
        yield from self._walk(self.head)
        yield from self._behind()

    def _before(self) -> Iterator[str]:
        linked = sa.select(sa.func.max(AUDIT.c.number)).where(AUDIT.c.number <= self.begins, AUDIT.c.link.is_not(None))
        with reading(self.engine) as connection:
            last = connection.execute(linked).scalar()
        if last is not None:
            yield f"The chain begins anew after row {last}: its head was removed, and perhaps rows with it."

    def _walk(self, head: Mark) -> Iterator[str]:
        place = Mark(head.begins, "", head.begins)
        missing = False
        while place.number < head.number:
            try:
                place, rows = self._block(place, head.number)
            except SealBroken:
                yield "The mark of what was pruned is not ours: it was changed."
                return
            for row in rows:
                missing = row.number > place.number + 1
                if missing:
                    yield _removed(place.number + 1, row.number - 1)
                yield from self._wrong(row, None if missing else place.link)
                place = replace(place, number=row.number, link=row.link or "")
                self.rows += 1
            if not rows and place.number < head.number:
                yield _removed(place.number + 1, head.number)
                return
        if place.number == head.number and place.link != head.link:
            yield f"Row {head.number}, the last, is not the one that the head of the log names."

    def _block(self, place: Mark, end: int) -> tuple[Mark, Any]:
        """Return the next rows, and what they follow: what was pruned meanwhile is passed over."""
        with reading(self.engine) as connection:
            pruned = mark(connection, self.vault, "pruned")
            if pruned is not None:
                self.pruned = pruned.number
                place = pruned if pruned.number > place.number else place
            chosen = sa.select(AUDIT).where(AUDIT.c.number > place.number, AUDIT.c.number <= end)
            return place, connection.execute(chosen.order_by(AUDIT.c.number).limit(ROWS_AT_ONCE)).all()

    def _wrong(self, row: Any, before: str | None) -> Iterator[str]:
        """Yield what is wrong with a row; `before` is the link it follows, None where that row is gone."""
        if self.noted is not None and self.noted[0] == row.number and self.noted[1] != row.link:
            yield f"Row {row.number} is not the one that was noted."
        try:
            plain = self.vault.open_bytes(row.sealed)
        except SealBroken:
            yield f"Row {row.number} was changed, or sealed with a key that is not in VERSTEL_ENCRYPTION_KEYS."
            return
        if before is not None and row.link != link_of(self.vault, before, row.number, row._mapping, plain):
            yield f"Row {row.number} was changed: it is not what was written after row {row.number - 1}."
            return
        content = orjson.loads(plain)
        if self._is_about(row.person, content):
            return
        # Named by the key that its issuer had in the settings, and nothing says any more which that was.
        if content["patient"] and content["issuer"] not in self.issuers:
            self.unchecked += 1
        else:
            yield f"Row {row.number} stands under another person than it is about."

    def _is_about(self, person: str, content: dict[str, Any]) -> bool:
        if not content["patient"]:
            return person == ""
        names = dict.fromkeys([*self.issuers, content["issuer"]])
        return any(person == person_digest(self.vault, name, content["patient"]) for name in names)

    def _behind(self) -> Iterator[str]:
        """Look for what stands behind the end, and for a noted row that has not been reached."""
        with reading(self.engine) as connection:
            head, pruned = self._mark(connection, "head"), self._mark(connection, "pruned")
            last = connection.execute(sa.select(sa.func.max(AUDIT.c.number))).scalar() or 0
        if head is None:
            yield "The head of the log was changed while we looked."
            return
        if pruned is not None and pruned.number > head.number:
            yield (
                f"The log ends at row {head.number}, and rows up to {pruned.number} were removed by rule: it was cut "
                "off and begun anew."
            )
        if last > head.number:
            yield f"Rows {head.number + 1} to {last} were added: they are behind the end of the chain."
        if self.noted is not None and self.noted[0] > head.number:
            yield f"Row {self.noted[0]} was noted, and the log ends at row {head.number}: its end was cut off."
        # Whoever has the keys can have rows removed by rule, and whoever has the database can begin a chain anew.
        if self.noted is not None and self.noted[0] <= max(self.pruned, self.begins):
            yield f"Row {self.noted[0]} was noted, and is not in the chain any more: nothing shows what it was."

    def _mark(self, connection: Connection, name: Name) -> Mark | None:
        with contextlib.suppress(SealBroken):
            return mark(connection, self.vault, name)
        return None


def _removed(first: int, last: int) -> str:
    return f"Row {first} was removed." if first == last else f"Rows {first} to {last} were removed."


def prune(engine: Engine, vault: Vault, before: int) -> Iterator[int]:
    """Remove the rows that were recorded before a moment (seconds since 1970); yield how many, block by block.

    Up to the first one that is not so old, so that the chain stays one. What was removed last is kept sealed, in the
    transaction that removes it: a run that was broken off is one that removed less. Raises SealBroken where what was
    removed before cannot be read.
    """
    with reading(engine) as connection:
        last = connection.execute(sa.select(sa.func.max(AUDIT.c.number))).scalar() or 0
    removed = PRUNED_AT_ONCE
    while removed:
        with writing(engine, on="audit pruning") as connection:
            removed = _prune(connection, vault, before, last)
        if removed:
            yield removed


def _prune(connection: Connection, vault: Vault, before: int, last: int) -> int:
    done = mark(connection, vault, "pruned")
    # From where the block before it ended: what was removed is still in PostgreSQL's index, and would be passed again.
    first, number = (done.number if done else 0) + 1, AUDIT.c.number
    oldest = sa.select(number, AUDIT.c.link, AUDIT.c.recorded).where(number.between(first, last)).order_by(number)
    rows = connection.execute(oldest.limit(PRUNED_AT_ONCE)).all()
    old = list(takewhile(lambda row: row.recorded < before, rows))
    if not old:
        return 0
    end = old[-1]
    # One upper bound and no other: of two, SQLite may go by the wrong one, through all rows that stay.
    connection.execute(AUDIT.delete().where(number.between(first, end.number)))
    connection.execute(TO_PASS_ON.delete().where(TO_PASS_ON.c.number <= end.number))
    keep(connection, vault, "pruned", Mark(end.number, end.link or "", end.number))
    return len(old)
