"""The outbox: what is to be written at an EHR is on our disk first, and stays there until it has arrived.

This module keeps the units in the database and decides who may send one and when; `delivery` sends them. A unit belongs
to a person and the user who wrote it (its owner), and is sent by the newest launch of that user about that person:

    waiting   sent when it is due, by who holds its lease
    held      waits for its owner to sign in: `bind` gives it to their new launch, and it is due at once
    stopped   what is left of it waits for its author to decide; nothing of it is sent
    aside     it cannot be opened, or sending it failed in a way that we did not foresee; the operator decides

A lease is a number that grows with each claim. Whoever works on a unit gives the number with every change, so that a
process that was away for too long finds that the unit is someone else's now, and stops. One owner's units are sent by
one holder at a time, so that what the same person wrote first arrives first.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mappers.identity import Identifier
from questionnaires.fhir import Resource
from smartapp.fhir.store import Refused
from smartapp.records.arrivals import Arrival, Arrivals
from smartapp.records.known import restates, taken_over, thing_of, with_arrivals
from smartapp.records.parcels import Parcel, Unit, packed, unpacked
from smartapp.storage.database import change_any, metadata, reading, writing
from smartapp.storage.vault import SealBroken, Vault

UnitState = Literal["waiting", "held", "stopped", "aside"]

FIRST_WAIT_SECONDS: Final = 5
LONGEST_WAIT_SECONDS: Final = 1800
LONGEST_PAUSE_SECONDS: Final = 3600
"""No unit waits longer, whatever a server asks for."""
LEASE_SECONDS: Final = 180
"""Longer than anything that is done between two changes of a unit: the answers of one wave, and one look back."""
_ALL: Final = "outbox"
"""Who may send what is decided by one process at a time; how a unit that someone holds goes on, by its lease alone."""
MOST_UNITS: Final = 200
"""Of one owner. More than that is a fault of ours or of a program that presses the button."""
MOST_FAILURES: Final = 3
"""Unforeseen failures of one unit, after which it is set aside."""

OUTBOX = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    # Keyed digest of issuer, person and user: only they send it, with their own token.
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("issuer", sa.String, nullable=False, server_default=""),
    sa.Column("launch_id", sa.String(64), nullable=False),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due", sa.Integer, nullable=False),
    sa.Column("lease", sa.Integer, nullable=False, server_default="0"),
    sa.Column("leased_until", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("ix_outbox_state_due", "state", "due"),
)
# Asked by every page, so made once: making it costs more than asking it.
_OF_OWNER = sa.select(OUTBOX).where(OUTBOX.c.owner == sa.bindparam("owner")).order_by(OUTBOX.c.made, OUTBOX.c.id)


class LeaseLost(Exception):
    """Someone else works on this unit now, or it was taken into a newer one: stop, and change nothing any more."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose units: one user's, about one person, at one issuer. `key` is the issuer's, `digest` names the three."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A unit to send, by whom, the number of the lease, and when it was made (seconds since 1970).

    `taken_in` are the rows of the older units that it replaces, as they were.
    """

    unit: Unit
    owner: Owner
    launch_id: str
    lease: int
    made: int
    taken_in: tuple[sa.Row[Any], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Unsent:
    """A unit that has not arrived whole; `made` is in seconds since 1970."""

    id: str
    unit: Unit
    state: UnitState
    made: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an operator may know of units: how many of one issuer are in one state, and since when (seconds)."""

    issuer: str
    state: UnitState
    units: int
    oldest: int


class Outbox:
    """The units in the database. `clock` returns seconds since 1970, the same for all processes."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._arrivals = Arrivals(vault)
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()
        self.news = threading.Event()
        """Set when there is something for the courier of this process to do now."""

    def owner(self, issuer: str, patient: str, user: str) -> Owner:
        """Return whose units they are: one user's, about one person, at the issuer with this key."""
        return Owner(issuer, self._vault.digest(f"outbox|{issuer}|{patient}|{user}"))

    def adopt(self, former: Owner, owner: Owner) -> None:
        """Bring the units that stand under a former name of an owner, or of their issuer, under the one of today."""
        theirs = (OUTBOX.c.owner == former.digest) & ((OUTBOX.c.owner != owner.digest) | (OUTBOX.c.issuer != owner.key))
        change_any(self._engine, OUTBOX, theirs, owner=owner.digest, issuer=owner.key)

    def at_one_moment(self) -> AbstractContextManager[object]:
        """Begin reading: all that is read in the `with` comes from one moment, and costs one transaction."""
        return reading(self._engine)

    def as_one(self) -> AbstractContextManager[object]:
        """Begin writing: all that is written in the `with` happens, or none of it does."""
        return writing(self._engine, on=_ALL)

    # ---- what a page does

    def put(
        self,
        owner: Owner,
        launch_id: str,
        parcels: Sequence[Parcel],
        *,
        follow_up: Resource | None = None,
        begin: Callable[[Unit], Unit] | None = None,
        after: int = 0,
    ) -> tuple[Unit, Claim | None]:
        """Persist a new unit; return it with the claim of the caller, who sends it now.

        What the same author wrote before about the same things and has not arrived is taken into the new unit, and what
        arrived before is known of. `begin` gets the unit as it will be sent, and returns it as it is to be kept.

        The claim is None without `begin`, for a unit that can wait for the courier, and where another process sends
        something of this owner right now. The courier does nothing with it for `after` seconds. Raises Refused where
        too much waits already.
        """
        now = self._now()
        unit = Unit(str(uuid.uuid4()), tuple(parcels), follow_up)
        with writing(self._engine, on=_ALL) as connection:
            rows = connection.execute(sa.select(OUTBOX).where(OUTBOX.c.owner == owner.digest)).all()
            if len(rows) >= MOST_UNITS:
                raise Refused("Too much of this person is waiting to be sent. Wait until some of it has arrived.")
            is_free = not any(now < row.leased_until <= now + LEASE_SECONDS for row in rows)
            taken_in: list[sa.Row[Any]] = []
            if is_free:
                unit, taken_in = self._taken_in(connection, unit, rows)
                unit = self._informed(connection, owner, unit)
            claimed = is_free and begin is not None
            if is_free and begin is not None:
                unit = begin(unit)
            # Each of an owner's units is made after the one before, also within a second: the newest words count.
            made = max([now, *(row.made + 1 for row in rows)])
            until = now + LEASE_SECONDS if claimed else 0
            self._insert(connection, owner, unit, launch_id=launch_id, made=made, due=now + after, leased_until=until)
        if not claimed:
            self.news.set()
        return unit, Claim(unit, owner, launch_id, 1, made, tuple(taken_in)) if claimed else None

    def withdraw(self, owner: Owner, unit_id: str) -> None:
        """Forget a unit that who put it has done themselves; one that is being sent now is left to its sender."""
        this = [OUTBOX.c.id == unit_id, OUTBOX.c.owner == owner.digest, OUTBOX.c.leased_until <= self._now()]
        with writing(self._engine, on=_ALL) as connection:
            connection.execute(OUTBOX.delete().where(*this))

    def unsent(self, owner: Owner) -> list[Unsent]:
        """Return what has not arrived, the oldest first; what does not open is not among it."""
        with reading(self._engine) as connection:
            rows = connection.execute(_OF_OWNER, {"owner": owner.digest}).all()
        opened = ((row, self._opened(row)) for row in rows)
        return [Unsent(row.id, unit, row.state, row.made) for row, unit in opened if unit is not None]

    def arrival(self, owner: Owner, type_: str, identifier: Identifier) -> Arrival | None:
        """Return where something that this app made arrived last, None where our list does not say so."""
        key = self._arrivals.key_of(owner.key, type_, identifier)
        with reading(self._engine) as connection:
            return self._arrivals.at(connection, [key]).get(key)

    def bind(self, owner: Owner, launch_id: str) -> int:
        """Give what waits for this owner to their newest launch, due now; return how many units there were."""
        theirs = [OUTBOX.c.owner == owner.digest, OUTBOX.c.state.in_(["waiting", "held"])]
        with reading(self._engine) as connection:
            if connection.execute(sa.select(OUTBOX.c.id).where(*theirs).limit(1)).first() is None:
                return 0
        values = {"launch_id": launch_id, "state": "waiting", "due": self._now(), "attempts": 0}
        with writing(self._engine, on=_ALL) as connection:
            bound: int = connection.execute(OUTBOX.update().where(*theirs).values(**values)).rowcount
        self.news.set()
        return bound

    def try_again(self, owner: Owner, unit_id: str) -> bool:
        """Let what was stopped of a unit be tried again, at its author's word; tell whether there was such a unit."""
        return self._decided(owner, unit_id, lambda unit: unit.again())

    def throw_away(self, owner: Owner, unit_id: str) -> bool:
        """Forget what was stopped of a unit, at its author's word; what is still on its way goes on."""
        return self._decided(owner, unit_id, lambda unit: unit.without(unit.stopped or unit.pending))

    # ---- what a sender does

    def claim(self, owner: Owner | None = None, *, avoiding: Collection[str] = ()) -> Claim | None:
        """Take the unit that has been due longest, so that no one else sends it; None if there is nothing to do.

        Not one whose owner has another unit being sent, and none of the issuers in `avoiding`. A claim that is not
        heard of for three minutes (the process died) is open to others again.
        """
        now = self._now()
        # Each round of the courier asks this, and almost always there is nothing: that must not write.
        with reading(self._engine) as connection:
            due = sa.select(OUTBOX.c.id).where(*self._is_due(owner, avoiding, now)).limit(1)
            if connection.execute(due).first() is None:
                return None
        with writing(self._engine, on=_ALL) as connection:
            while (row := self._claim_row(connection, owner, avoiding)) is not None:
                unit, its_owner = self._opened(row), Owner(row.issuer, row.owner)
                if unit is not None:
                    newest = self._with_older(connection, row, unit)
                    if newest is not unit:  # the older ones are gone with this, so what they knew is kept with this
                        sealed = self._vault.seal(packed(newest))
                        connection.execute(OUTBOX.update().where(OUTBOX.c.id == row.id).values(sealed=sealed))
                    newest = self._informed(connection, its_owner, newest)
                    return Claim(newest, its_owner, row.launch_id, row.lease, row.made)
                # Set aside, not tried again: it would stop everybody else's things for ever.
                connection.execute(OUTBOX.update().where(OUTBOX.c.id == row.id).values(state="aside", leased_until=0))
        return None

    def renew(self, claim: Claim, unit: Unit) -> None:
        """Persist the progress of a unit that is being sent, and hold it for another while. Raises LeaseLost."""
        with writing(self._engine, on=claim.unit.id) as connection:
            self._change(
                connection,
                claim,
                leased_until=self._now() + LEASE_SECONDS,
                sealed=self._vault.seal(packed(unit)),
            )

    def finish(self, claim: Claim, unit: Unit) -> None:
        """Forget a unit that arrived, and note where. Raises LeaseLost."""
        with writing(self._engine, on=_ALL) as connection:
            self._forget(connection, claim)
            self._arrivals.note(connection, claim.owner.key, unit.parcels, self._now())

    def drop(self, claim: Claim) -> None:
        """Forget a unit of which surely nothing is anywhere, and whose author was told. Raises LeaseLost.

        What it was to replace goes on: of that its author heard that it is kept.
        """
        with writing(self._engine, on=_ALL) as connection:
            self._forget(connection, claim)
            for row in claim.taken_in:
                connection.execute(OUTBOX.insert().values(row._asdict()))

    def keep(self, claim: Claim, unit: Unit, state: UnitState, *, retry_after: int | None = None) -> None:
        """Leave a unit for later and give up its lease; one that waits is due after a pause that grows each time.

        `retry_after` is what a server asked for, in seconds: never sooner than that. Raises LeaseLost.
        """
        with writing(self._engine, on=_ALL) as connection:
            attempts = connection.execute(
                sa.select(OUTBOX.c.attempts).where(OUTBOX.c.id == claim.unit.id)
            ).scalar_one_or_none()
            pause = max(pause_after(attempts or 0, claim.unit.id), min(retry_after or 0, LONGEST_PAUSE_SECONDS))
            self._change(
                connection,
                claim,
                state=state,
                attempts=(attempts or 0) + 1,
                due=self._now() + pause,
                leased_until=0,
                sealed=self._vault.seal(packed(unit)),
            )
            self._arrivals.note(connection, claim.owner.key, unit.parcels, self._now())

    def hand_over(self, claim: Claim, unit: Unit) -> None:
        """Let the courier do at once what is left to do of a unit that arrived. Raises LeaseLost."""
        with writing(self._engine, on=_ALL) as connection:
            self._change(connection, claim, leased_until=0, due=self._now(), sealed=self._vault.seal(packed(unit)))
            self._arrivals.note(connection, claim.owner.key, unit.parcels, self._now())
        self.news.set()

    def hold(self, claim: Claim) -> None:
        """Keep a unit until its owner signs in again: no launch can send it now. Raises LeaseLost."""
        with writing(self._engine, on=claim.unit.id) as connection:
            self._change(connection, claim, state="held", leased_until=0)

    def failed(self, claim: Claim) -> None:
        """Note that sending a unit failed in a way that nobody foresaw; the third time it is set aside."""
        with writing(self._engine, on=claim.unit.id) as connection:
            row = connection.execute(sa.select(OUTBOX.c.failures).where(OUTBOX.c.id == claim.unit.id)).one_or_none()
            failures = (row.failures if row else 0) + 1
            self._change(
                connection,
                claim,
                state="aside" if failures >= MOST_FAILURES else "waiting",
                failures=failures,
                due=self._now() + pause_after(failures, claim.unit.id),
                leased_until=0,
            )

    def forget_tried_again(self, claim: Claim, sent: Unit) -> None:
        """Forget the stopped units of which everything has now arrived, said again: their author tried again.

        Not those that were made after the one that was `sent`, which may have waited for long.
        """
        arrived = {thing_of(parcel): parcel for parcel in sent.parcels if parcel.stored is not None and parcel.anew}
        for unsent in self.unsent(claim.owner):
            left = [unsent.unit.parcels[number] for number in unsent.unit.pending]
            # Everything, not something: these are the only copy of whatever has not arrived.
            if (
                unsent.state == "stopped"
                and unsent.made < claim.made
                and all(restates(arrived.get(thing_of(parcel)), parcel) for parcel in left)
            ):
                self._decided(claim.owner, unsent.id, lambda unit: unit.without(unit.pending))

    # ---- what an operator does

    def backlog(self) -> list[Backlog]:
        """Return how many units there are of each issuer in each state, and when the oldest was made."""
        counted = (
            sa.select(OUTBOX.c.issuer, OUTBOX.c.state, sa.func.count(), sa.func.min(OUTBOX.c.made))
            .group_by(OUTBOX.c.issuer, OUTBOX.c.state)
            .order_by(OUTBOX.c.issuer, OUTBOX.c.state)
        )
        with reading(self._engine) as connection:
            return [Backlog(*row) for row in connection.execute(counted).all()]

    def release_aside(self) -> int:
        """Let everything that was set aside be tried again; return how many units there were."""
        with writing(self._engine, on=_ALL) as connection:
            released: int = connection.execute(
                OUTBOX.update().where(OUTBOX.c.state == "aside").values(state="waiting", failures=0, due=self._now())
            ).rowcount
        self.news.set()
        return released

    def erase(self, owner: Owner) -> int:
        """Delete every unit of an owner, sent or not; return how many there were."""
        with writing(self._engine) as connection:
            return connection.execute(OUTBOX.delete().where(OUTBOX.c.owner == owner.digest)).rowcount

    def forget_old_arrivals(self) -> None:
        """Forget arrivals that nobody will send again."""
        with writing(self._engine, on="arrivals") as connection:
            self._arrivals.forget_old(connection, self._now())

    def lock(self, owner: Owner) -> threading.Lock:
        """Return the lock under which one owner's units are sent: two clicks on one button send one after the other."""
        with self._locks_lock:
            if len(self._locks) > 10_000:
                self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
            return self._locks.setdefault(owner.digest, threading.Lock())

    # ---- inside

    def _now(self) -> int:
        return int(self._clock())

    def _opened(self, row: sa.Row[Any]) -> Unit | None:
        try:
            unit = unpacked(row.id, self._vault.open(row.sealed))
        except (SealBroken, KeyError, TypeError):  # another key, or the shape of a version that is not ours
            return None
        # Before parcels had states, a unit was refused as a whole.
        return unit.refused() if row.state == "stopped" and not unit.stopped else unit

    def _informed(self, connection: Connection, owner: Owner, unit: Unit) -> Unit:
        """Return the unit with what is known of what arrived of its things before."""
        known = self._arrivals.known(connection, owner.key, unit.parcels)
        return with_arrivals(unit, known, lambda parcel: self._arrivals.key(owner.key, parcel))

    def _with_older(self, connection: Connection, row: sa.Row[Any], unit: Unit) -> Unit:
        """Return a unit with what became of its owner's older ones about the same things: it goes before they do.

        It was put while one of them was being sent, and that one may be without an answer since.
        """
        older = sa.select(OUTBOX).where(OUTBOX.c.owner == row.owner, OUTBOX.c.made < row.made)
        return self._taken_in(connection, unit, connection.execute(older).all())[0]

    def _taken_in(
        self, connection: Connection, unit: Unit, rows: Sequence[sa.Row[Any]]
    ) -> tuple[Unit, list[sa.Row[Any]]]:
        """Return the unit with what became of older ones that it replaces, and their rows; those are forgotten."""
        gone = []
        for row in rows:
            older = self._opened(row)
            newer = taken_over(unit, older) if older is not None else None
            if newer is not None:
                connection.execute(OUTBOX.delete().where(OUTBOX.c.id == row.id))
                gone.append(row)
                unit = newer
        return unit, gone

    def _insert(
        self,
        connection: Connection,
        owner: Owner,
        unit: Unit,
        *,
        launch_id: str,
        made: int,
        due: int,
        leased_until: int,
    ) -> None:
        connection.execute(
            OUTBOX.insert().values(
                id=unit.id,
                owner=owner.digest,
                issuer=owner.key,
                launch_id=launch_id,
                made=made,
                state="waiting",
                attempts=0,
                due=due,
                lease=1,
                leased_until=leased_until,
                sealed=self._vault.seal(packed(unit)),
            )
        )

    def _claim_row(self, connection: Connection, owner: Owner | None, avoiding: Collection[str]) -> sa.Row[Any] | None:
        now = self._now()
        chosen = (
            sa.select(OUTBOX.c.id)
            .where(*self._is_due(owner, avoiding, now))
            .order_by(OUTBOX.c.due)  # by nothing else: in this order the index finds the first that fits at once
            .limit(1)
            .scalar_subquery()
        )
        return connection.execute(
            OUTBOX.update()
            .where(OUTBOX.c.id == chosen)
            .values(leased_until=now + LEASE_SECONDS, lease=OUTBOX.c.lease + 1)
            .returning(OUTBOX)
        ).one_or_none()

    def _is_due(self, owner: Owner | None, avoiding: Collection[str], now: int) -> list[sa.ColumnElement[bool]]:
        # A time further away than any that we set was set by a clock that was wrong: it counts as come.
        other = OUTBOX.alias("other")
        busy = sa.exists().where(
            other.c.owner == OUTBOX.c.owner, other.c.leased_until > now, other.c.leased_until <= now + LEASE_SECONDS
        )
        due = [
            OUTBOX.c.state == "waiting",
            (OUTBOX.c.due <= now) | (OUTBOX.c.due > now + LONGEST_PAUSE_SECONDS),
            ~busy,
        ]
        if owner is not None:
            due.append(OUTBOX.c.owner == owner.digest)
        return [*due, OUTBOX.c.issuer.not_in(avoiding)] if avoiding else due

    def _change(self, connection: Connection, claim: Claim, **values: object) -> None:
        changed = connection.execute(
            OUTBOX.update().where(OUTBOX.c.id == claim.unit.id, OUTBOX.c.lease == claim.lease).values(**values)
        )
        if changed.rowcount == 0:
            raise LeaseLost

    def _forget(self, connection: Connection, claim: Claim) -> None:
        gone = connection.execute(OUTBOX.delete().where(OUTBOX.c.id == claim.unit.id, OUTBOX.c.lease == claim.lease))
        if gone.rowcount == 0:
            raise LeaseLost

    def _decided(self, owner: Owner, unit_id: str, decision: Callable[[Unit], Unit]) -> bool:
        """Change what is left of a stopped unit as its author decided, under a new lease."""
        this = [OUTBOX.c.id == unit_id, OUTBOX.c.owner == owner.digest, OUTBOX.c.leased_until <= self._now()]
        with writing(self._engine, on=_ALL) as connection:
            row = connection.execute(sa.select(OUTBOX).where(*this)).one_or_none()
            unit = self._opened(row) if row is not None else None
            if row is None or unit is None or not (row.state == "aside" or unit.stopped):
                return False
            rest = decision(unit)
            if rest.is_done:
                connection.execute(OUTBOX.delete().where(*this))
                return True
            values = {"state": state_of(rest), "due": self._now(), "attempts": 0, "lease": row.lease + 1}
            connection.execute(OUTBOX.update().where(*this).values(sealed=self._vault.seal(packed(rest)), **values))
        self.news.set()
        return True


def state_of(unit: Unit) -> UnitState:
    """Return the state of a unit that is not done: it waits as long as there is something that we can do ourselves."""
    return "stopped" if unit.stopped and not unit.open else "waiting"


def pause_after(attempts: int, unit_id: str) -> int:
    """Return after how many seconds a unit is tried again: doubled each time, and a quarter longer or shorter.

    An EHR that is down has many units waiting: if each came back every few seconds it would stay down, and if all came
    back at the same second it would fall again. The unit's own id decides, so that the same unit always has the same.
    """
    pause: float = min(FIRST_WAIT_SECONDS * 2.0 ** min(attempts, 20), LONGEST_WAIT_SECONDS)
    drawn = int.from_bytes(hashlib.sha256(f"{unit_id}{attempts}".encode()).digest()[:4]) / 2**32
    return round(pause * (0.75 + drawn / 2))
