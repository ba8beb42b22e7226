"""Which rows of the log an EHR gets too, and has not got yet: a list beside the log, written in its own transaction.

Only a launch has a token to send with. A row is sent by the launch that made it, or where that is over by the next one
about the same person, whoever signs in: what a row says of who did what does not come from who sends it. It leaves the
list when the EHR has it, and not before. Who sends takes rows for a while, so that no two processes send one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mappers.audit import AuditEntry
from smartapp.storage.chain import AUDIT
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault

AT_ONCE: Final = 20
LEASE_SECONDS: Final = 300
FIRST_PAUSE_SECONDS: Final = 60
LONGEST_PAUSE_SECONDS: Final = 24 * 3600
NEVER: Final = 2**31 - 1
"""When a row is due whose launch is over: not before the next one about this person."""
_TURN: Final = "audit passing on"

TO_PASS_ON = sa.Table(
    "audit_to_pass_on",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    # As in the log: finds what is about a person without saying who it is.
    sa.Column("person", sa.String(64), nullable=False, index=True),
    sa.Column("launch_id", sa.String(64), nullable=False),
    sa.Column("due", sa.Integer, nullable=False, index=True),
    # How often it was taken to be sent: after the first time it may be there already.
    sa.Column("tried", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that an EHR has to get: its number in the log, what it says, and how often it was taken to be sent."""

    number: int
    entry: AuditEntry
    tried: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows that one launch sends now, the oldest first."""

    launch_id: str
    rows: tuple[Waiting, ...]


def put(connection: Connection, number: int, person: str, launch_id: str, now: int) -> None:
    """Note that an EHR has to get a row, in the transaction that writes it; without a launch, from the next one on."""
    row = {"number": number, "person": person, "launch_id": launch_id, "due": now if launch_id else NEVER, "tried": 0}
    connection.execute(TO_PASS_ON.insert().values(row))


class PassingOn:
    """Takes rows from the list and notes what became of them. `clock` returns seconds since 1970.

    `entry_of` reads what was sealed of a row.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Callable[[], float],
        entry_of: Callable[[Mapping[str, Any]], AuditEntry],
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._entry_of = entry_of

    def take(self) -> Taken | None:
        """Take rows of one launch that are due, for as long as sending them may take; None where none is."""
        now = int(self._clock())
        due = sa.select(TO_PASS_ON).where(TO_PASS_ON.c.due <= now).order_by(TO_PASS_ON.c.due, TO_PASS_ON.c.number)
        with reading(self._engine) as connection:  # nearly always there is nothing, and then nobody waits for a turn
            if connection.execute(due.limit(1)).one_or_none() is None:
                return None
        with writing(self._engine, on=_TURN) as connection:
            first = connection.execute(due.limit(1)).one_or_none()
            if first is None:
                return None
            theirs = due.where(TO_PASS_ON.c.launch_id == first.launch_id)
            rows = connection.execute(theirs.limit(AT_ONCE)).all()
            numbers = [row.number for row in rows]
            connection.execute(
                TO_PASS_ON.update()
                .where(TO_PASS_ON.c.number.in_(numbers))
                .values(due=now + LEASE_SECONDS, tried=TO_PASS_ON.c.tried + 1)
            )
            kept = connection.execute(
                sa.select(AUDIT.c.number, AUDIT.c.sealed).where(AUDIT.c.number.in_(numbers))
            ).all()
            # What was removed by rule meanwhile is not there to be sent.
            self._forget(connection, set(numbers) - {row.number for row in kept})
        tried = {row.number: row.tried + 1 for row in rows}
        opened = zip(kept, self._vault.open_any([row.sealed for row in kept]), strict=True)
        # One that our keys do not open is taken again when this time is over: another key may come back.
        found = {row.number: self._entry_of(values) for row, values in opened if values is not None}
        return Taken(first.launch_id, tuple(Waiting(each, found[each], tried[each]) for each in sorted(found)))

    def done(self, row: Waiting) -> None:
        """Note that the EHR has a row."""
        with writing(self._engine, on=_TURN) as connection:
            self._forget(connection, {row.number})

    def later(self, *rows: Waiting) -> None:
        """Let rows be tried again after a pause, which is longer each time."""
        now = int(self._clock())
        with writing(self._engine, on=_TURN) as connection:
            for row in rows:
                pause = min(FIRST_PAUSE_SECONDS * 2 ** min(row.tried - 1, 20), LONGEST_PAUSE_SECONDS)
                self._change(connection, row, due=now + pause)

    def hold(self, *rows: Waiting) -> None:
        """Let rows wait for the next launch about their person: this one cannot send them."""
        with writing(self._engine, on=_TURN) as connection:
            for row in rows:
                self._change(connection, row, due=NEVER)

    def bind(self, person: str, launch_id: str) -> None:
        """Let a new launch send what waits for one about its person (as the log calls them)."""
        held = (TO_PASS_ON.c.person == person, TO_PASS_ON.c.due == NEVER)
        with reading(self._engine) as connection:
            if connection.execute(sa.select(TO_PASS_ON.c.number).where(*held).limit(1)).one_or_none() is None:
                return
        with writing(self._engine, on=_TURN) as connection:
            connection.execute(TO_PASS_ON.update().where(*held).values(launch_id=launch_id, due=int(self._clock())))

    def waiting(self) -> int:
        """Return how many rows no EHR has yet that should."""
        with reading(self._engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(TO_PASS_ON)).scalar_one())

    def _change(self, connection: Connection, row: Waiting, *, due: int) -> None:
        connection.execute(TO_PASS_ON.update().where(TO_PASS_ON.c.number == row.number).values(due=due))

    def _forget(self, connection: Connection, numbers: set[int]) -> None:
        if numbers:
            connection.execute(TO_PASS_ON.delete().where(TO_PASS_ON.c.number.in_(numbers)))
