"""The outbox: what is to be written at an EHR is on our disk first, and is sent until it has arrived, once.

A unit is persisted before anything is sent. Then its items go: in one transaction where the server has those, else
one by one, those first that others refer to. Before anything is sent a second time we look whether it arrived after
all: a create by the identifier we gave it, an update by its content. What an EHR refuses to create moves down the
ladder to the next place. Nothing is called stored before a server said so.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from mappers.tolerant import text_in
from questionnaires.fhir import URI, Resource
from smartapp.fhir.capabilities import DEMOTING_STATUSES, Capability
from smartapp.fhir.references import references, with_references
from smartapp.fhir.store import (
    Conflict,
    Forbidden,
    NotFound,
    Query,
    RecordError,
    RecordStore,
    Refused,
    Stored,
    Unreachable,
    Write,
)
from smartapp.records.placement import Place
from smartapp.storage.database import metadata, reading, writing
from smartapp.storage.vault import Vault, digest

State = Literal["waiting", "refused"]

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
class Item:
    """One write of a unit: where it goes, where else it may go, whether it was ever sent, and what it became."""

    write: Write
    place: Place
    ladder: tuple[Place, ...] = ()
    tried: bool = False
    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What belongs together, in the order the caller gave it."""

    id: str
    items: tuple[Item, ...]
    reason: str = ""

    @property
    def pending(self) -> list[int]:
        """Return the positions of the items that have not arrived."""
        return [number for number, item in enumerate(self.items) if item.stored is None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a page may say about a unit in the outbox."""

    unit: Unit
    state: State
    made: int


def owner_of(issuer: str, patient: str, user: str) -> str:
    """Return whose outbox it is: one user's, about one person."""
    return digest(f"outbox|{issuer}|{patient}|{user}")


def with_identifier(write: Write) -> Write:
    """Return a create that can be found again: with a name within its unit and an identifier that only it has."""
    if write.method == "update":
        return write
    full_url = write.full_url or f"urn:uuid:{uuid.uuid4()}"
    resource = write.resource
    if not own_identifier(resource):
        given = resource.get("identifier")
        ours = {"system": URI, "value": full_url}
        # A QuestionnaireResponse has at most one identifier, everything else we write has a list.
        single = resource["resourceType"] == "QuestionnaireResponse"
        identifier = ours if single else [*(given if isinstance(given, list) else []), ours]
        resource = {**resource, "identifier": identifier}
    condition = write.if_none_exist or "identifier={system}|{value}".format(**own_identifier(resource) or {})
    return replace(write, resource=resource, full_url=full_url, if_none_exist=condition)


def own_identifier(resource: Resource) -> Mapping[str, str] | None:
    """Return the first identifier with system and value, or None."""
    given = resource.get("identifier")
    for identifier in given if isinstance(given, list) else [given]:
        if text_in(identifier, "system") and text_in(identifier, "value"):
            return identifier
    return None


class Outbox:
    """The units in the database. `clock` returns seconds since 1970."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()

    def put(self, owner: str, launch_id: str, items: Sequence[Item]) -> Unit:
        """Persist a unit, claimed by the caller, who sends it now."""
        unit = Unit(str(uuid.uuid4()), tuple(items))
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
                    sealed=self._vault.seal(_packed(unit)),
                )
            )
        return unit

    def update(self, unit: Unit) -> None:
        """Persist the progress of a unit."""
        with writing(self._engine) as connection:
            connection.execute(
                OUTBOX.update().where(OUTBOX.c.id == unit.id).values(sealed=self._vault.seal(_packed(unit)))
            )

    def drop(self, unit: Unit) -> None:
        """Forget a unit: it arrived, or nothing of it did and its author was told."""
        with writing(self._engine) as connection:
            connection.execute(OUTBOX.delete().where(OUTBOX.c.id == unit.id))

    def keep(self, unit: Unit, state: State) -> None:
        """Leave a unit for later: waiting (with a growing pause), or refused, for its author to see why."""
        now = int(self._clock())
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(OUTBOX.c.attempts).where(OUTBOX.c.id == unit.id)).one_or_none()
            attempts = row.attempts if row else 0
            pause = min(FIRST_WAIT_SECONDS * 2**attempts, LONGEST_WAIT_SECONDS)
            connection.execute(
                OUTBOX.update()
                .where(OUTBOX.c.id == unit.id)
                .values(
                    state=state,
                    attempts=attempts + 1,
                    due=now + pause,
                    leased_until=0,
                    sealed=self._vault.seal(_packed(unit)),
                )
            )

    def waiting(self, owner: str) -> list[Waiting]:
        """Return what has not arrived, the oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(OUTBOX).where(OUTBOX.c.owner == owner).order_by(OUTBOX.c.made, OUTBOX.c.id)
            ).all()
        return [Waiting(_unpacked(row.id, self._vault.open(row.sealed)), row.state, row.made) for row in rows]

    def claim(self, owner: str | None = None) -> list[tuple[Unit, str]]:
        """Take the waiting units whose time has come, so that nobody else sends them; with the launch of each.

        A claim that is not finished in three minutes (the process died) is open to others again.
        """
        now = int(self._clock())
        due = [OUTBOX.c.state == "waiting", OUTBOX.c.due <= now, OUTBOX.c.leased_until <= now]
        if owner is not None:
            due.append(OUTBOX.c.owner == owner)
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
        return [(_unpacked(row.id, self._vault.open(row.sealed)), row.launch_id) for row in rows]

    def lock(self, owner: str) -> threading.Lock:
        """Return the lock under which one owner's units are sent: two clicks on one button send one after the other."""
        with self._locks_lock:
            if len(self._locks) > 10_000:
                self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
            return self._locks.setdefault(owner, threading.Lock())


@dataclass(slots=True)
class Delivery:
    """Sends units of one launch. `progress` persists, `demote` remembers that the EHR refused a kind of create."""

    stores: Mapping[Place, RecordStore]
    capability: Capability
    progress: Callable[[Unit], None]
    demote: Callable[[str], None]
    one_by_one: set[Place] = field(default_factory=set)

    def send(self, unit: Unit) -> Unit:
        """Send what is pending until all of it has arrived and return the unit so.

        Raises RecordError when it stops, after everything that did arrive was persisted (see `progress`).
        """
        while unit.pending:
            first = self._next(unit)
            place = unit.items[first].place
            together = [number for number in unit.pending if unit.items[number].place == place]
            if len(together) > 1 and self._has_transactions(place):
                unit = self._send_together(unit, place, together)
            else:
                unit = self._send_one(unit, first)
        return unit

    def _has_transactions(self, place: Place) -> bool:
        if place in self.one_by_one:
            return False
        # A companion is a general FHIR server, chosen by whoever runs the app, and our own store is ours.
        return place != "ehr" or (self.capability.offered.known and self.capability.offered.transaction)

    def _next(self, unit: Unit) -> int:
        """Return the first pending item that refers to nothing pending; in a circle, just the first."""
        names = {unit.items[number].write.full_url for number in unit.pending}
        for number in unit.pending:
            write = unit.items[number].write
            if not (set(references(write.resource)) & names - {write.full_url}):
                return number
        return unit.pending[0]

    def _send_together(self, unit: Unit, place: Place, numbers: Sequence[int]) -> Unit:
        if any(unit.items[number].tried for number in numbers):
            # Sent before, all or nothing: if one of them is there, all of them are.
            landed = [self._landed(unit, number) for number in numbers]
            if all(landed):
                return self._arrived(unit, dict(zip(numbers, landed, strict=True)))
        unit = self._mark_tried(unit, numbers)
        inside = {unit.items[number].write.full_url for number in numbers}
        writes = [self._prepared(unit, number, inside) for number in numbers]
        try:
            stored = self.stores[place].write_all(writes)
        except (Forbidden, Refused, NotFound):
            if place == "own":
                raise
            # All or nothing: nothing is there. One of them is not welcome; one by one shows which.
            self.one_by_one.add(place)
            return unit
        except Conflict as error:
            if error.status == 409 and all(write.if_match is None for write in writes):
                raise _busy(error) from error
            raise
        return self._arrived(unit, dict(zip(numbers, stored, strict=True)))

    def _send_one(self, unit: Unit, number: int) -> Unit:
        item = unit.items[number]
        if item.tried or (item.write.method == "create" and not self._creates_once(item)):
            landed = self._landed(unit, number)
            if landed is not None:
                return self._arrived(unit, {number: landed})
        unit = self._mark_tried(unit, [number])
        write = self._prepared(unit, number, set())
        try:
            stored = self.stores[item.place].write(write)
        except (Forbidden, Refused, NotFound) as error:
            if item.write.method == "update" or not item.ladder:
                raise
            if item.place == "ehr" and error.status in DEMOTING_STATUSES:
                self.demote(item.write.resource["resourceType"])
            lower = replace(item, place=item.ladder[0], ladder=item.ladder[1:], tried=False)
            return self._changed(unit, {number: lower})
        except Conflict as error:
            if item.write.method == "update":
                raise
            landed = self._landed(unit, number)
            if landed is None:
                raise _busy(error) from error
            return self._arrived(unit, {number: landed})
        return self._arrived(unit, {number: stored})

    def _creates_once(self, item: Item) -> bool:
        """Tell whether the server itself sees to it that a create happens once (If-None-Exist)."""
        if item.place != "ehr":
            return True
        return item.write.resource["resourceType"] in self.capability.offered.conditional_create

    def _landed(self, unit: Unit, number: int) -> Stored | None:
        """Look whether an item is there already: a create by its identifier, an update by its content."""
        item = unit.items[number]
        store, resource = self.stores[item.place], item.write.resource
        if item.write.method == "update":
            current = store.read(resource["resourceType"], resource["id"])
            sent = self._prepared(unit, number, set()).resource
            told = {name: value for name, value in sent.items() if name not in _OF_THE_SERVER}
            return current if _says(current.resource, told) else None
        ours = own_identifier(resource)
        if ours is None:
            return None
        found = store.search(self._read_back(item, resource, ours))
        return next((one for one in found if _carries(one.resource, ours)), None)

    def _read_back(self, item: Item, resource: Resource, ours: Mapping[str, str]) -> Query:
        type_ = resource["resourceType"]
        if item.place != "ehr" or self.capability.offered.searches_by(type_, "identifier"):
            return Query.of(type_, identifier=f"{ours['system']}|{ours['value']}")
        subject = resource.get("subject") or resource.get("for") or {}
        return Query.of(type_, patient=str(subject.get("reference", "")))

    def _prepared(self, unit: Unit, number: int, inside: set[str | None]) -> Write:
        """Return the write as this place can take it: references resolved as far as they can be."""
        item = unit.items[number]
        names: dict[str | None, Item] = {one.write.full_url: one for one in unit.items if one.write.full_url}
        resource = _resolved(item.write.resource, names, inside, item.place)
        condition = item.write.if_none_exist if self._creates_once(item) else None
        return replace(item.write, resource=resource, if_none_exist=condition)

    def _mark_tried(self, unit: Unit, numbers: Sequence[int]) -> Unit:
        if all(unit.items[number].tried or unit.items[number].place == "own" for number in numbers):
            return unit
        return self._changed(unit, {number: replace(unit.items[number], tried=True) for number in numbers})

    def _arrived(self, unit: Unit, stored: Mapping[int, Stored | None]) -> Unit:
        return self._changed(unit, {number: replace(unit.items[number], stored=one) for number, one in stored.items()})

    def _changed(self, unit: Unit, items: Mapping[int, Item]) -> Unit:
        changed = replace(unit, items=tuple(items.get(number, item) for number, item in enumerate(unit.items)))
        self.progress(changed)
        return changed


def _busy(error: Conflict) -> Unreachable:
    """Return a conflict about something new as what it is: the server was busy with the same; later it may be there."""
    return Unreachable(error.message, status=error.status, outcome=error.outcome)


def reason_of(error: RecordError) -> str:
    """Return in one line why a unit stopped, for its author."""
    return error.message[:500]


def _resolved(resource: Resource, names: Mapping[str | None, Item], inside: set[str | None], place: Place) -> Resource:
    """Return a resource with references to items of the unit made real.

    What travels in the same transaction keeps its name. What arrived becomes `Type/id`. An EHR cannot know what lives
    elsewhere or has not arrived: there the reference says which one it is by identifier.
    """

    def real(reference: Mapping[str, Any]) -> dict[str, Any]:
        name = reference["reference"]
        item = names.get(name)
        if item is None or name in inside:
            return dict(reference)
        rest = {key: value for key, value in reference.items() if key != "reference"}
        if item.stored is not None and place in (item.place, "own"):
            return {"reference": item.stored.reference, **rest}
        ours = own_identifier(item.write.resource)
        return {"type": item.write.resource["resourceType"], **({"identifier": dict(ours)} if ours else {}), **rest}

    made: Resource = with_references(resource, real)
    return made


_OF_THE_SERVER = frozenset({"meta", "text"})
"""Elements of a resource that a server may write anew: versions and the narrative."""


def _says(current: Any, sent: Any) -> bool:
    """Tell whether what is stored says everything that was sent; a server may add to it."""
    if isinstance(sent, dict):
        return isinstance(current, dict) and all(_says(current.get(name), value) for name, value in sent.items())
    if isinstance(sent, list):
        return (
            isinstance(current, list)
            and len(current) == len(sent)
            and all(_says(one, other) for one, other in zip(current, sent, strict=True))
        )
    return bool(current == sent)


def _carries(resource: Resource, ours: Mapping[str, str]) -> bool:
    given = resource.get("identifier")
    return any(
        isinstance(one, dict) and (one.get("system"), one.get("value")) == (ours["system"], ours["value"])
        for one in (given if isinstance(given, list) else [given])
    )


def _packed(unit: Unit) -> dict[str, Any]:
    return {"items": [asdict(item) for item in unit.items], "reason": unit.reason}


def _unpacked(id_: str, packed: Mapping[str, Any]) -> Unit:
    items = tuple(
        Item(
            write=Write(**item["write"]),
            place=item["place"],
            ladder=tuple(item["ladder"]),
            tried=item["tried"],
            stored=Stored(**item["stored"]) if item["stored"] else None,
        )
        for item in packed["items"]
    )
    return Unit(id_, items, packed["reason"])
