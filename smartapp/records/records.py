"""What the pages use to read and write FHIR resources, for one launch, wherever those live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Capabilities, Capability
from smartapp.fhir.own.index import patients_of
from smartapp.fhir.own.matching import matches
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import (
    Forbidden,
    NotFound,
    Query,
    RecordError,
    RecordStore,
    Refused,
    Stored,
    Unauthorized,
    Unreachable,
    Write,
)
from smartapp.records.outbox import (
    Delivery,
    Item,
    Outbox,
    Unit,
    Waiting,
    own_identifier,
    owner_of,
    reason_of,
    with_identifier,
)
from smartapp.records.placement import TOGETHER, Place, ladder
from smartapp.storage.drafts import Drafts

if TYPE_CHECKING:
    from smartapp.storage.launches import Launch

__all__ = ["Place", "Record", "Records", "State"]

State = Literal["stored", "waiting", "refused"]

_T = TypeVar("_T")
_PLACES: tuple[Place, ...] = ("ehr", "companion", "own")


@dataclass(frozen=True, slots=True)
class Record:
    """A resource, its version tag, the place where it lives, and whether it has arrived there.

    What waits has an id of our own that no server knows; it can be read, not changed, until it has arrived.
    """

    resource: Resource
    etag: str | None
    place: Place
    state: State = "stored"
    reason: str = ""

    @property
    def reference(self) -> str:
        """Return the relative reference, `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


Touched = Callable[[Literal["read", "search", "create", "update"], Sequence[str]], None]
"""Told what was read or written, for the audit log."""


class Records:
    """The records of one launch. Every method raises RecordError of `smartapp.fhir.store` and nothing else.

    What belongs to another person is not there: a server that answers more than it was asked changes nothing.
    """

    def __init__(
        self,
        launch: Launch,
        stores: Mapping[Place, RecordStore],
        *,
        issuer_key: str,
        drafts: Drafts,
        outbox: Outbox,
        capabilities: Capabilities,
        touched: Touched = lambda _event, _objects: None,
    ) -> None:
        self.launch = launch
        self.drafts = drafts
        self._stores = stores
        self._issuer_key = issuer_key
        self._outbox = outbox
        self._capabilities = capabilities
        self._touched = touched
        self._owner = owner_of(issuer_key, launch.patient.reference, launch.user.key)
        self._seen: dict[tuple[str, str], Place] = {}
        self._capability: Capability | None = None
        self.forbidden: set[str] = set()
        """Types that the EHR would not let us search, whatever the token said; a page may say so."""

    # ---- reading

    def search(self, *queries: Query) -> list[list[Record]]:
        """Run all queries at all places at once and return the matches of each query, in its order.

        The EHR's come first, then the companion server's, our own, and what still waits to be sent. One that stands at
        two places (it was sent twice, or moved) is there once.
        """
        for query in queries:
            if query.type not in definitions():
                raise Refused(f"{query.type[:64]!r} is no type of resource this app works with.")
        jobs = [(number, place) for number, query in enumerate(queries) for place in self._places_of(query.type)]
        found = _in_parallel([partial(self._search, place, queries[number]) for number, place in jobs])
        results: list[list[Record]] = [[] for _ in queries]
        for (number, _), records in zip(jobs, found, strict=True):
            results[number].extend(records)
        new, changed = self._on_their_way()
        for query, records in zip(queries, results, strict=True):
            records.extend(one for one in new if matches(one.resource, query, self.launch.issuer))
        results = [_once([changed.get(one.reference, one) for one in records]) for records in results]
        self._touched("search", [one.reference for records in results for one in records])
        return results

    def read(self, type: str, id: str) -> Record:
        """Return one resource from the place that has it. Raises NotFound, also when it is somebody else's."""
        seen = self._seen.get((type, id))
        # Our own store first: asking it costs no round trip, and no EHR knows its ids.
        for place in [seen] if seen else reversed(self._places_of(type, read=True)):
            try:
                record = self._record(place, self._stores[place].read(type, id))
            except NotFound:
                continue
            if self._mine(record.resource):
                self._touched("read", [record.reference])
                return self._on_their_way()[1].get(record.reference, record)
        for record in self._on_their_way()[0]:
            if record.reference == f"{type}/{id}":
                return record
        raise NotFound(f"{type[:64]}/{id[:64]} is at none of the places where this app keeps this person's records.")

    # ---- writing

    def place_for(self, type: str) -> Place:
        """Return where a new resource of this type will be stored."""
        return self._ladder(type)[0]

    def save(self, writes: Sequence[Write]) -> list[Record]:
        """Write one unit and return its records in the order given; `state` says of each whether it has arrived.

        What cannot be sent now waits in the outbox and is sent later, once. Raises Conflict with what is stored now,
        Refused or Forbidden when an update is not accepted, Unauthorized when only a new sign-in helps: then nothing
        of the unit was kept, unless a part of it had arrived.
        """
        if not writes:
            return []
        items = self._placed([with_identifier(write) for write in writes])
        if all(item.place == "own" for item in items):
            unit = self._deliver(Unit("", tuple(items)), lambda _unit: None)
        else:
            with self._outbox.lock(self._owner):
                unit = self._send(self._outbox.put(self._owner, self.launch.id, items), interactive=True)
            self._settle(unit)
        records = [self._of_item(item, unit) for item in unit.items]
        for event in ("create", "update"):
            done = [one.reference for one, item in zip(records, items, strict=True) if item.write.method == event]
            if done:
                self._touched(event, done)
        return records

    def waiting(self) -> list[Waiting]:
        """Return what this user wrote about this person and has not arrived, with the reason where it is refused."""
        return self._outbox.waiting(self._owner)

    def send_waiting(self) -> None:
        """Send what waits and is due; what cannot be sent goes on waiting."""
        lock = self._outbox.lock(self._owner)
        if not lock.acquire(blocking=False):  # somebody is sending right now; nobody waits for that
            return
        try:
            for unit, _ in self._outbox.claim(self._owner):
                self._send(unit, interactive=False)
        finally:
            lock.release()

    def resume(self, unit: Unit) -> None:
        """Send one unit that the caller has claimed."""
        with self._outbox.lock(self._owner):
            self._send(unit, interactive=False)

    # ---- inside

    def capability(self) -> Capability:
        """Return what can be done at the EHR in this launch."""
        if self._capability is None:
            self._capability = self._capabilities.of(self._issuer_key, self._stores["ehr"], self.launch.scopes)
        return self._capability

    def _ladder(self, type_: str, *, with_plan: bool = False) -> tuple[Place, ...]:
        return ladder(type_, self.capability(), companion="companion" in self._stores, with_plan=with_plan)

    def _placed(self, writes: Sequence[Write]) -> list[Item]:
        for write in writes:
            if not self._mine(write.resource):
                raise Forbidden(f"This {write.resource['resourceType']} is about another person than this launch.")
        plans = [write for write in writes if write.resource["resourceType"] == "CarePlan"]
        homes = {self._home(write) for write in plans if write.method == "update"}
        items = []
        for write in writes:
            type_ = write.resource["resourceType"]
            if write.method == "update":
                items.append(Item(write, self._home(write)))
            elif type_ in TOGETHER and homes:
                # A new part of a plan that exists lives where the plan lives.
                items.append(Item(write, next(iter(homes))))
            else:
                first, *rest = self._ladder(type_, with_plan=type_ in TOGETHER and bool(plans))
                items.append(Item(write, first, () if plans and type_ in TOGETHER else tuple(rest)))
        return items

    def _home(self, write: Write) -> Place:
        """Return where the resource lives that is to be updated."""
        type_, id_ = write.resource["resourceType"], write.resource["id"]
        if f"{type_}/{id_}" in self._on_their_way()[1] or (
            (type_, id_) not in self._seen and self.read(type_, id_).state != "stored"
        ):
            raise Unreachable("This has not arrived yet, so it cannot be changed. Try again in a moment.")
        return self._seen[type_, id_]

    def _send(self, unit: Unit, *, interactive: bool) -> Unit:
        current = unit

        def progress(changed: Unit) -> None:
            nonlocal current
            current = changed
            self._outbox.update(changed)

        try:
            current = self._deliver(unit, progress)
        except RecordError as error:
            return self._stopped(current, error, interactive=interactive)
        self._outbox.drop(current)
        return current

    def _settle(self, sent: Unit) -> None:
        """Forget refused units all of whose new resources have now arrived by another way: their author tried again."""
        arrived = {_identity(item.write.resource) for item in sent.items if item.stored is not None}
        for waiting in self._outbox.waiting(self._owner):
            pending = {_identity(waiting.unit.items[number].write.resource) for number in waiting.unit.pending}
            if waiting.state == "refused" and pending <= arrived:
                self._outbox.drop(waiting.unit)

    def _stopped(self, unit: Unit, error: RecordError, *, interactive: bool) -> Unit:
        """Decide what becomes of a unit that could not be sent whole."""
        unit = replace(unit, reason=reason_of(error))
        if isinstance(error, Unreachable):
            self._outbox.keep(unit, "waiting")
            return unit
        nothing_arrived = len(unit.pending) == len(unit.items)
        if interactive and nothing_arrived:
            self._outbox.drop(unit)
        else:
            self._outbox.keep(unit, "waiting" if isinstance(error, Unauthorized) else "refused")
        if interactive:
            raise error
        return unit

    def _deliver(self, unit: Unit, progress: Callable[[Unit], None]) -> Unit:
        return Delivery(self._stores, self.capability(), progress, self._demote).send(unit)

    def _demote(self, type_: str) -> None:
        self._capabilities.demote(self._issuer_key, type_, "create")
        self._capability = None

    def _of_item(self, item: Item, unit: Unit) -> Record:
        if item.stored is not None:
            return self._record(item.place, item.stored)
        return _waiting_record(item, "waiting", unit.reason)

    def _on_their_way(self) -> tuple[list[Record], dict[str, Record]]:
        """Return what this user wrote that has not arrived: new resources, and changes by the reference they change.

        Its author sees it as they wrote it. A refused change is not shown over what is stored: `waiting` has it.
        """
        new: list[Record] = []
        changed: dict[str, Record] = {}
        for waiting in self._outbox.waiting(self._owner):
            for item in waiting.unit.items:
                if item.stored is not None:
                    continue
                record = _waiting_record(item, waiting.state, waiting.unit.reason)
                if item.write.method == "create":
                    new.append(record)
                elif waiting.state == "waiting":
                    changed[record.reference] = record
        return new, changed

    def _places_of(self, type_: str, *, read: bool = False) -> list[Place]:
        can = self.capability().can(type_, "read" if read else "search-type")
        return [place for place in _PLACES if place in self._stores and (place != "ehr" or can)]

    def _search(self, place: Place, query: Query) -> list[Record]:
        sent = query
        if place == "ehr":
            offered = self.capability().offered
            sent = Query(query.type, tuple(pair for pair in query.params if offered.searches_by(query.type, pair[0])))
        try:
            found = self._stores[place].search(sent)
        except Forbidden:
            if place != "ehr":
                raise
            self.forbidden.add(query.type)
            return []
        records = [self._record(place, stored) for stored in found]
        mine = [one for one in records if self._mine(one.resource)]
        if sent == query:
            return mine
        # The EHR does not know all of these parameters: it gave more, and we choose.
        return [
            one
            for one in mine
            if one.resource["resourceType"] != query.type or matches(one.resource, query, self.launch.issuer)
        ]

    def _mine(self, resource: Resource) -> bool:
        """Tell whether a resource is about the person of this launch, or about nobody (a practitioner)."""
        if resource.get("resourceType") not in definitions():
            return False
        patients = {one.rpartition("/")[2] for one in patients_of(resource, self.launch.issuer)}
        return not patients or patients == {self.launch.patient_id}

    def _record(self, place: Place, stored: Stored) -> Record:
        type_, id_ = stored.resource.get("resourceType"), stored.resource.get("id")
        if not isinstance(type_, str) or not isinstance(id_, str):
            raise Unreachable("A server answered a resource without type or id. Tell its manager.")
        self._seen[type_, id_] = place
        return Record(stored.resource, stored.etag, place)


def _waiting_record(item: Item, state: State, reason: str) -> Record:
    name = (item.write.full_url or "").removeprefix("urn:uuid:")
    resource = {**item.write.resource, "id": item.write.resource.get("id") or name}
    return Record(resource, None, item.place, state, reason)


def _identity(resource: Resource) -> tuple[str, str, str] | None:
    """Return type, system and value of the identifier that makes a resource one and the same at every place."""
    ours = own_identifier(resource)
    return (resource["resourceType"], ours["system"], ours["value"]) if ours else None


def _once(records: Iterable[Record]) -> list[Record]:
    """Return the records without those that an earlier place has too, known by their identifier."""
    kept: list[Record] = []
    seen: dict[tuple[str, str, str], tuple[Place, State]] = {}
    for record in records:
        key, here = _identity(record.resource), (record.place, record.state)
        if key is None:
            kept.append(record)
            continue
        if seen.setdefault(key, here) == here:
            kept.append(record)
    return kept


def _in_parallel(jobs: Sequence[Callable[[], _T]]) -> list[_T]:
    if len(jobs) < 2:
        return [job() for job in jobs]
    with ThreadPoolExecutor(max_workers=min(8, len(jobs))) as pool:
        return list(pool.map(lambda job: job(), jobs))
