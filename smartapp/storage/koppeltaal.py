"""What a Koppeltaal domain still has to get of us: that a Task went on, and events for its log.

Nobody waits for the domain: what happened here is kept first, and told there by the courier. Of one Task only the
newest step waits. What the domain refused for good stays here, stopped, for `verstel koppeltaal status`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from questionnaires.fhir import Resource
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault

LEASE_SECONDS: Final = 300
FIRST_PAUSE_SECONDS: Final = 30
LONGEST_PAUSE_SECONDS: Final = 6 * 3600
STOPPED: Final = 2**31 - 1
"""When something is due that the domain refused: not before an operator looks."""
_TURN: Final = "koppeltaal"

KOPPELTAAL_WRITES = sa.Table(
    "koppeltaal_writes",
    metadata,
    # Of one Task always the same, as a keyed digest; of an event its own.
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("due", sa.Integer, nullable=False, index=True),
    sa.Column("tried", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ToTell:
    """One thing for a domain (the key of its issuer): a step of a Task (`Task/<id>`) of a patient, or an AuditEvent.

    `trace` is the chain that it belongs to, `correlation` the request that it follows on, "" where there is none.
    """

    issuer: str
    trace: str
    correlation: str = ""
    task: str = ""
    patient: str = ""
    step: str = ""
    event: Resource | None = None
    reason: str = ""
    """Why it was not taken the last time; never what a person wrote."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is being told now, and how often it was tried."""

    id: str
    tried: int
    what: ToTell
    sealed: bytes = field(repr=False)
    """As it was when it was taken: what came in its place since then is another."""


class KoppeltaalWrites:
    """The list in the database. `clock` returns seconds since 1970."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    def put(self, *things: ToTell) -> None:
        """Keep what a domain has to get, in the transaction at hand if there is one."""
        with writing(self._engine, on=_TURN) as connection:
            for one in things:
                id_ = self._vault.digest(f"koppeltaal|{one.issuer}|{one.task}") if one.task else uuid.uuid4().hex
                row = {"id": id_, "due": int(self._clock()), "tried": 0, "sealed": self._vault.seal(asdict(one))}
                connection.execute(KOPPELTAAL_WRITES.delete().where(KOPPELTAAL_WRITES.c.id == id_))
                connection.execute(KOPPELTAAL_WRITES.insert().values(row))

    def take(self) -> Taken | None:
        """Take the first that is due and opens, for as long as telling it may take; None where none is."""
        while (row := self._next()) is not None:
            [values] = self._vault.open_any([row.sealed])
            # One that our keys do not open is taken again when its time is over: another key may come back.
            if values is not None:
                return Taken(row.id, row.tried + 1, ToTell(**values), row.sealed)
        return None

    def _next(self) -> sa.Row[Any] | None:
        """Take the first row that is due and return it as it was; nobody else gets it meanwhile."""
        now, table = int(self._clock()), KOPPELTAAL_WRITES
        due = sa.select(table).where(table.c.due <= now).order_by(table.c.due, table.c.id).limit(1)
        with reading(self._engine) as connection:  # nearly always there is nothing, and then nobody waits for a turn
            if connection.execute(due).one_or_none() is None:
                return None
        with writing(self._engine, on=_TURN) as connection:
            row = connection.execute(due).one_or_none()
            if row is not None:
                changed = {"due": now + LEASE_SECONDS, "tried": row.tried + 1}
                connection.execute(table.update().where(table.c.id == row.id).values(changed))
        return row

    def done(self, taken: Taken) -> None:
        """Forget what the domain has; a newer step of the same Task that came meanwhile stays."""
        with writing(self._engine, on=_TURN) as connection:
            connection.execute(KOPPELTAAL_WRITES.delete().where(*self._same(taken)))

    def later(self, taken: Taken, reason: str) -> None:
        """Let it be tried again after a pause, which is longer each time."""
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(taken.tried - 1, 20), LONGEST_PAUSE_SECONDS)
        self._change(taken, int(self._clock()) + pause, reason)

    def stop(self, taken: Taken, reason: str) -> None:
        """Keep it, and try it no more: the domain does not take it."""
        self._change(taken, STOPPED, reason)

    def forget_stopped(self, issuer: str) -> int:
        """Forget what a domain did not take; return how much that was."""
        return self._forget(lambda one, due: one["issuer"] == issuer and due == STOPPED)

    def erase(self, issuer: str, patient: str) -> int:
        """Forget the steps of a person's Tasks (`Patient/<id>`) that wait; return how many. An event names nobody."""
        return self._forget(lambda one, _due: (one["issuer"], one["patient"]) == (issuer, patient))

    def of(self, issuer: str) -> list[tuple[ToTell, bool]]:
        """Return what waits for a domain, each with whether it stopped."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(KOPPELTAAL_WRITES).order_by(KOPPELTAAL_WRITES.c.due)).all()
        opened: list[dict[str, Any] | None] = list(self._vault.open_any([row.sealed for row in rows]))
        found = [(ToTell(**one), row.due == STOPPED) for one, row in zip(opened, rows, strict=True) if one is not None]
        return [(what, stopped) for what, stopped in found if what.issuer == issuer]

    def _forget(self, chosen: Callable[[Mapping[str, Any], int], bool]) -> int:
        with writing(self._engine, on=_TURN) as connection:
            rows = connection.execute(sa.select(KOPPELTAAL_WRITES)).all()
            opened = self._vault.open_any([row.sealed for row in rows])
            mine = [row.id for row, one in zip(rows, opened, strict=True) if one and chosen(one, row.due)]
            connection.execute(KOPPELTAAL_WRITES.delete().where(KOPPELTAAL_WRITES.c.id.in_(mine)))
        return len(mine)

    def _change(self, taken: Taken, due: int, reason: str) -> None:
        sealed = self._vault.seal({**asdict(taken.what), "reason": reason})
        with writing(self._engine, on=_TURN) as connection:
            connection.execute(KOPPELTAAL_WRITES.update().where(*self._same(taken)).values(due=due, sealed=sealed))

    def _same(self, taken: Taken) -> tuple[sa.ColumnElement[bool], ...]:
        columns = KOPPELTAAL_WRITES.c
        return columns.id == taken.id, columns.tried == taken.tried, columns.sealed == taken.sealed
