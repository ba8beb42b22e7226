"""The outbox: what is to be written at an EHR is on our disk first, and stays there until it has arrived.

This module keeps the units in the database and decides who may send one and when; `delivery` sends them. A unit is in
one of two states. `waiting`: it is sent when it is due, by the process that holds its lease. `refused`: it is not sent
any more, but kept for its author, who sees why and can try again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smartapp.records.parcels import Parcel, Unit, packed, unpacked
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault, digest

UnsentState = Literal["waiting", "refused"]

FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 1800
LEASE_SECONDS = 180

OUTBOX = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    # Digest of issuer, person and user: only they send it, with their own token.
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("launch_id", sa.String(64), nullable=False),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", sa.Integer, nullable=False),
    sa.Column("leased_until", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Unsent:
    """A unit that has not arrived whole, and what may be said about it; `made` is in seconds since 1970."""

    unit: Unit
    state: UnsentState
    made: int


def owner_of(issuer: str, patient: str, user: str) -> str:
    """Return whose outbox it is: one user's, about one person."""
    return digest(f"outbox|{issuer}|{patient}|{user}")


class Outbox:
    """The units in the database. `clock` returns seconds since 1970."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()

    def put(self, owner: str, launch_id: str, parcels: Sequence[Parcel]) -> Unit:
        """Persist a new unit, leased to the caller, who sends it now; return it with its id."""
        unit = Unit(str(uuid.uuid4()), tuple(parcels))
        now = int(self._clock())
        with writing(self._engine) as connection:
            connection.execute(
                OUTBOX.insert().values(
                    id=unit.id,
                    owner=owner,
                    launch_id=launch_id,
                    made=now,
                    state="waiting",
                    attempts=0,
                    due=now,
                    leased_until=now + LEASE_SECONDS,
                    sealed=self._vault.seal(packed(unit)),
                )
            )
        return unit

    def update(self, unit: Unit) -> None:
        """Persist the progress of a unit that is being sent."""
        with writing(self._engine) as connection:
            connection.execute(
                OUTBOX.update().where(OUTBOX.c.id == unit.id).values(sealed=self._vault.seal(packed(unit)))
            )

    def drop(self, unit: Unit) -> None:
        """Forget a unit: it arrived, or nothing of it did and its author was told."""
        with writing(self._engine) as connection:
            connection.execute(OUTBOX.delete().where(OUTBOX.c.id == unit.id))

    def keep(self, unit: Unit, state: UnsentState) -> None:
        """Leave a unit for later and give up its lease; one that waits is due after a pause that grows each time."""
        now = int(self._clock())
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(OUTBOX.c.attempts).where(OUTBOX.c.id == unit.id)).one_or_none()
            attempts = row.attempts if row else 0
            # An EHR that is down has many units waiting: if each came back every few seconds, it would stay down.
            pause = min(FIRST_WAIT_SECONDS * 2**attempts, LONGEST_WAIT_SECONDS)
            connection.execute(
                OUTBOX.update()
                .where(OUTBOX.c.id == unit.id)
                .values(
                    state=state,
                    attempts=attempts + 1,
                    due=now + pause,
                    leased_until=0,
                    sealed=self._vault.seal(packed(unit)),
                )
            )

    def unsent(self, owner: str) -> list[Unsent]:
        """Return what has not arrived, the oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(OUTBOX).where(OUTBOX.c.owner == owner).order_by(OUTBOX.c.made, OUTBOX.c.id)
            ).all()
        return [Unsent(unpacked(row.id, self._vault.open(row.sealed)), row.state, row.made) for row in rows]

    def claim(self, owner: str | None = None) -> list[tuple[Unit, str]]:
        """Take the waiting units whose time has come, so that no one else sends them; with the launch of each.

        A claim that is not finished in three minutes (the process died) is open to others again.
        """
        now = int(self._clock())
        # Two processes must not send one unit at once: where the server creates unconditionally, both would look, find
        # nothing, and create. The lock of `lock` is in one process only; the lease is in the database that they share.
        due = [OUTBOX.c.state == "waiting", OUTBOX.c.due <= now, OUTBOX.c.leased_until <= now]
        if owner is not None:
            due.append(OUTBOX.c.owner == owner)
        # Each page and each round of the courier asks this, and almost always there is nothing: that must not write.
        with reading(self._engine) as connection:
            if connection.execute(sa.select(OUTBOX.c.id).where(*due).limit(1)).first() is None:
                return []
        with writing(self._engine) as connection:
            rows = connection.execute(
                OUTBOX.update()
                .where(*due)
                .values(leased_until=now + LEASE_SECONDS)
                .returning(OUTBOX.c.id, OUTBOX.c.launch_id, OUTBOX.c.made, OUTBOX.c.sealed)
            ).all()
        rows = sorted(rows, key=lambda row: (row.made, row.id))
        return [(unpacked(row.id, self._vault.open(row.sealed)), row.launch_id) for row in rows]

    def lock(self, owner: str) -> threading.Lock:
        """Return the lock under which one owner's units are sent: two clicks on one button send one after the other."""
        with self._locks_lock:
            if len(self._locks) > 10_000:
                self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
            return self._locks.setdefault(owner, threading.Lock())
