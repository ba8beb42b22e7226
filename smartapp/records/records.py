"""What the pages use to read and write FHIR resources, for one launch, wherever those live."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from mappers.identity import Identifier, own_identifier
from mappers.sameness import fingerprint
from mappers.sharing.parts import is_step
from mappers.successors import first_of
from mappers.tolerant import objects_in
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Capabilities, Capability, Interaction, Offered
from smartapp.fhir.checked import problems
from smartapp.fhir.own.index import patients_of
from smartapp.fhir.own.matching import matches
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import (
    MOST_RESULTS,
    Forbidden,
    Gone,
    NotFound,
    Query,
    RecordError,
    RecordStore,
    Refused,
    Stored,
    Unreachable,
    Write,
    is_cut,
)
from smartapp.records.adding import only_names
from smartapp.records.delivery import Delivery
from smartapp.records.following import follow
from smartapp.records.outbox import LEASE_SECONDS, Claim, Outbox, Unsent
from smartapp.records.overlay import Record, each_once, on_their_way, unsent_record
from smartapp.records.parallel import in_parallel
from smartapp.records.parcels import Parcel, Unit, placed, with_identifier
from smartapp.records.placement import PLACES, Place, ladder
from smartapp.records.sending import Sender
from smartapp.records.sight import Sight, without_repeats
from smartapp.records.taking_out import Exposed, exposed, take_out, takes_out
from smartapp.storage.drafts import Drafts

if TYPE_CHECKING:
    from smartapp.storage.launches import Launch

log = logging.getLogger(__name__)

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
        sight: Sight | None = None,
        sight_now: Callable[[], Sight] | None = None,
        zone: dt.tzinfo = dt.UTC,
    ) -> None:
        self.launch = launch
        self.drafts = drafts
        self._stores = stores
        self._issuer_key = issuer_key
        self._capabilities = capabilities
        self._touched = touched
        self._zone = zone
        self._sight = sight or Sight(catalogue())
        # A page reads for as long as its servers take, and its person may choose something else meanwhile.
        self._sight_now = sight_now or (lambda: self._sight)
        self._owner = outbox.owner(issuer_key, launch.patient.reference, launch.user.key)
        self._who = outbox.owner(issuer_key, "", launch.user.key).digest
        self._outbox = outbox
        self._sender = Sender(outbox, self._owner, launch.id, self._delivery, self._follow, self._arrived)
        self._seen: dict[tuple[str, str], Place] = {}
        self._before: dict[tuple[str, str], Resource] = {}
        self._unsent: list[Unsent] | None = None
        self._capability: Capability | None = None
        self._goals_known = False
        self.forbidden: set[str] = set()
        """Types that the EHR would not let us search, whatever the token said; a page may say so."""
        self.cut: set[Query] = set()
        """Queries that found more than they asked for (`most`); a page has to say so."""

    # ---- reading

    def search(self, *queries: Query) -> list[list[Record]]:
        """Run all queries at all places at once and return the matches of each query, in its order.

        The EHR's come first, then the companion server's, our own, and what still waits to be sent. One that is kept
        at two places (it was sent twice, or moved) appears once.
        """
        for query in queries:
            if query.type not in definitions():
                raise Refused(f"{query.type[:64]!r} is not a type of resource that this app works with.")
        results = self._search_everywhere(queries)
        # What its author saved and has not arrived is laid over what the servers answered: nobody's own words go back.
        new, changed = self._on_their_way()
        for query, records in zip(queries, results, strict=True):
            records.extend(one for one in new if matches(one.resource, query, self.launch.issuer))
        results = [each_once([changed.get(one.reference, one) for one in records]) for records in results]
        # Two places may have one id, and either may have answered last: what is shown says where it is changed.
        for record in (one for records in results for one in records if one.state == "stored"):
            self._remember(record.place, record.resource)
        self._know_goals([one for records in results for one in records], queries)
        results = [self._sight.of(records) for records in results]
        # Where nothing is seen, there is no more of it either.
        self.cut -= {query for query, shown in zip(queries, results, strict=True) if not shown}
        self._touched("search", [one.reference for records in results for one in records])
        return results

    def read(self, type: str, id: str) -> Record:
        """Return one resource from the place that has it. Raises NotFound, also when it is someone else's."""
        # What waits needs no server to be read: who just sent something in may do so while the EHR is silent.
        for record in self._on_their_way()[0]:
            if record.reference == f"{type}/{id}":
                return self._shown(record)
        seen = self._seen.get((type, id))
        # Our own store first: asking it costs no round trip, and no EHR knows its ids.
        for place in [seen] if seen else reversed(self._places_of(type, read=True)):
            try:
                record = self._record(place, self._stores[place].read(type, id))
            except NotFound:
                continue
            # Someone else's resource is as absent as one that does not exist: the two must not be told apart.
            if self._mine(record.resource):
                shown = self._shown(self._on_their_way()[1].get(record.reference, record))
                self._touched("read", [record.reference])
                return shown
        raise _not_found(type, id)

    def histories(self, records: Sequence[Record]) -> list[list[Record] | None]:
        """Return the versions of each of these records, the newest first; None where its place lets us read none.

        They are asked for at once. A place that does not answer counts as one that lets us read none.
        """
        found = in_parallel([partial(self._history, record) for record in records])
        self._touched("read", [one.reference for one, versions in zip(records, found, strict=True) if versions])
        return found

    def _history(self, record: Record) -> list[Record] | None:
        type_, _, id_ = record.reference.partition("/")
        if record.place == "ehr" and not self.capability().can(type_, "history-instance"):
            return None
        try:
            versions = self._stores[record.place].history(type_, id_)
        except (NotFound, Gone, Forbidden, Refused, Unreachable):
            return None
        mine = [Record(one.resource, one.etag, record.place) for one in versions if self._mine(one.resource)]
        return without_repeats(self._sight.of(mine)) if self._sight.hidden else mine or None

    def made(self, type: str, identifier: Identifier) -> Record | None:
        """Return what was made here under an identifier of ours, or what succeeded it; None if nothing is found.

        What waits goes first, then what our list of arrivals says: no server's index can be behind with that.
        """
        new = (one for one in self._on_their_way()[0] if one.state == "waiting")
        waiting = [one for one in new if _is_called(one, type, identifier)]
        if waiting:
            with contextlib.suppress(NotFound):
                return self._shown(waiting[-1])
            return None
        if (arrived := self.arrived(type, identifier)) is not None:
            return arrived
        [found] = self.search(Query.of(type, identifier=identifier.token))
        return found[0] if found else None

    def arrived(self, type: str, identifier: Identifier) -> Record | None:
        """Return what arrived from here under an identifier of ours, as it is now; None where nothing did, or is gone.

        Only our own list of arrivals is asked, so of what is new it costs nothing.
        """
        arrival = self._outbox.arrival(self._owner, type, identifier)
        if arrival is None or arrival.place not in self._stores:
            return None
        self._seen.setdefault((type, arrival.stored.resource["id"]), arrival.place)
        with contextlib.suppress(NotFound, Gone, Forbidden):
            return self.read(type, arrival.stored.resource["id"])
        return None

    def parts_of(self, references: Iterable[str]) -> tuple[str, ...]:
        """Return the parts of what was read or written here, as far as its reader sees them; each once."""
        pairs = (one.partition("/_history/")[0].split("/") for one in references)
        found = (self._before.get((pair[0], pair[-1])) for pair in pairs)
        return tuple(dict.fromkeys(part for one in found if one for part in self._sight.parts_of(one)))

    # ---- writing

    def place_for(self, type: str, *, living: bool = False) -> Place:
        """Return where a new resource of this type will be stored; `living`, if it is one that is changed later."""
        return ladder(type, self.capability(), companion="companion" in self._stores, living=living)[0]

    def save(self, writes: Sequence[Write], *, follow_up: Resource | None = None) -> list[Record]:
        """Write one unit and return its records in the order given; `state` says of each whether it has arrived.

        What cannot be sent now waits in the outbox and is sent later, once. `follow_up` is what is done when all of it
        has arrived (see `following`). Raises Conflict with what is stored now, Refused or Forbidden when an update is
        not accepted, Unauthorized when only a new sign-in helps: then nothing of the unit was kept, unless a part of it
        had arrived.
        """
        if not writes:
            return []
        self._check_steps(writes)
        parcels = self._placed([with_identifier(self._whole(write)) for write in writes])
        self._unsent = None
        if all(parcel.place == "own" for parcel in parcels) and follow_up is None:
            unit = self._save_here(parcels, self._delivery_here())
        else:
            unit = self._sender.send_new(parcels, follow_up=follow_up)
        self._unsent = None
        saved = [self._of_parcel(parcel) for parcel in unit.parcels[: len(writes)]]
        # A new goal is known by now; nothing is asked for it: what is saved is saved, also where nobody answers.
        self._sight = self._sight.with_goals([one.resource for one in saved])
        return self._sight.of_written(saved)

    def save_here(self, writes: Sequence[Write], *, follow_up: Resource) -> str:
        """Save what only our own store gets and keep what follows on it, both or neither; return a name for `followed`.

        The caller does at once what follows. Where they never come to say so, the courier does it. Raises as `save`.
        """
        parcels = self._placed([with_identifier(self._whole(write)) for write in writes])
        delivery = self._delivery_here()  # this may ask a server, and nobody can write while we do so below
        with self._outbox.as_one():
            self._save_here(parcels, delivery)
            unit = self._sender.keep_for_later([], follow_up=follow_up, after=LEASE_SECONDS)
        self._unsent = None
        return unit.id

    def followed(self, name: str) -> None:
        """Forget what `save_here` kept: it is done."""
        self._unsent = None
        self._outbox.withdraw(self._owner, name)

    def later(self, writes: Sequence[Write], *, follow_up: Resource | None = None) -> None:
        """Keep a unit that nobody waits for; the courier sends it. `follow_up` is as in `save`."""
        parcels = self._placed([with_identifier(self._whole(write)) for write in writes])
        self._sender.keep_for_later(parcels, follow_up=follow_up)

    def write_now(self, write: Write, place: Place) -> None:
        """Write one thing where it lives, without the outbox: for what can be done again from the start."""
        write = self._whole(write)
        stored = self._stores[place].write(write)
        self._touched(write.method, [stored.reference])

    def waiting(self) -> list[Unsent]:
        """Return what this user wrote about this person and has not arrived, with the reason where it is refused."""
        if self._unsent is None:  # once for a page, which asks in several places
            self._unsent = self._sender.unsent()
        return self._unsent

    def stopped(self) -> list[Unsent]:
        """Return what of that does not get through by itself: its author has to see it, and decide."""
        return [one for one in self.waiting() if one.state == "aside" or one.unit.stopped]

    def seen(self, resource: Resource) -> Resource | None:
        """Return what this user sees of something that waits or stopped, None for nothing; it raises nothing.

        What was put back of what they do not see is in it too, or they see less than when they wrote it.
        """
        record = Record(resource, None, "own")
        with contextlib.suppress(RecordError):
            self._know_goals([record])
        return next((one.resource for one in self._sight.of([record])), None)

    def is_stopped(self, types: Collection[str], id_: str = "") -> bool:
        """Tell whether something of these types that this user wrote, or a change of this one, does not get through.

        What is there then is older than what they saved, so no page may say of it that it is saved.
        """
        stopped = (unit.parcels[number] for unit in (one.unit for one in self.stopped()) for number in unit.pending)
        return any(one.type in types and id_ in ("", one.write.resource.get("id")) for one in stopped)

    def send_waiting(self) -> None:
        """Send what waits and is due; what cannot be sent goes on waiting. Not for a page: it can take long."""
        self._unsent = None
        self._sender.send_due()

    def resume(self, claim: Claim) -> None:
        """Send one unit that the caller has claimed."""
        self._sender.resume(claim)

    def bind_waiting(self) -> None:
        """Let everything that waits for this user about this person be sent by this launch, which is their newest."""
        self._outbox.bind(self._owner, self.launch.id)

    def try_again(self, unit_id: str) -> bool:
        """Let what was refused of a unit be tried again; tell whether there was such a unit of this user's."""
        self._unsent = None
        return self._outbox.try_again(self._owner, unit_id)

    def throw_away(self, unit_id: str) -> bool:
        """Forget what was refused of a unit; tell whether there was such a unit of this user's."""
        self._unsent = None
        return self._outbox.throw_away(self._owner, unit_id)

    # ---- what is private

    def is_private(self, resource: Resource) -> bool:
        """Tell whether only our own store may get a resource; see `sight`."""
        return self._sight.is_private(resource)

    def shows(self, part: str) -> bool:
        """Tell whether the reader sees a part: what is made of other parts, such as scores of answers, is of it too."""
        return part not in self._sight.hidden.parts

    def is_locked(self, part: str) -> bool:
        """Tell whether the reader may not type in a part."""
        return part in self._sight.locked

    def outside(self, *queries: Query) -> list[Record]:
        """Return what stands outside our own store, each thing at each place where it stands, whole.

        For taking out what its owner no longer shares there (`taking_out`), and for no page to show.
        """
        jobs = [
            partial(self._search, place, query)
            for query in queries
            for place in self._places_of(query.type)
            if place != "own"
        ]
        found = [one for records in in_parallel(jobs) for one in records]
        self._touched("search", [one.reference for one in found])
        return found

    def here(self, *queries: Query) -> list[Record]:
        """Return what our own store has, whole, and what is on its way anywhere; see `outside`."""
        types = {query.type for query in queries}
        waiting = [one for one in self._on_their_way()[0] if one.resource["resourceType"] in types]
        return [one for query in queries for one in self._search("own", query)] + waiting

    def is_being_sent(self) -> bool:
        """Tell whether something private was sent, and nobody knows whether it arrived."""
        parcels = [one for unsent in self.waiting() for one in unsent.unit.parcels]
        sent = (one.write.resource for one in parcels if one.state == "sent" and one.place != "own")
        return any(map(self.is_private, sent))

    def exposed(self) -> Exposed:
        """Return what is private by now and stands outside our own store; see `taking_out`. Raises Unreachable."""
        return exposed(self, self.launch.patient.reference, catalogue())

    def take_out(self) -> Exposed:
        """Take out of the record what its owner no longer shares there; see `taking_out`. Raises Unreachable."""
        return take_out(self, self.launch.patient.reference, catalogue())

    def is_taking_out(self) -> bool:
        """Tell whether the courier still has to take something out."""
        return any(one.unit.follow_up == takes_out() for one in self.waiting())

    def look_again(self) -> None:
        """Let the courier look, where something is private, whether others brought any of it since they last looked.

        What they sent may have been without an answer when its owner chose, and have arrived after that.
        """
        if self._sight.private and not self.is_taking_out():
            self.later([], follow_up=takes_out())

    # ---- inside

    def capability(self) -> Capability:
        """Return what can be done at the EHR in this launch."""
        if self._capability is None:
            self._capability = self._capabilities.of(
                self._issuer_key,
                self._stores["ehr"],
                self.launch.scopes,
                role=self.launch.user.role,
                person=self._who,
            )
        return self._capability

    def _whole(self, write: Write) -> Write:
        """Return a write with what its writer did not see of what was there. Raises Forbidden for a part of others."""
        restricted = bool(self._sight.hidden or self._sight.locked)
        if restricted and write.method == "update" and self._read_before(write) is None:
            # Without it nobody knows what its writer did not see, and that would be gone.
            self.read(write.resource["resourceType"], write.resource["id"])
        return replace(write, resource=self._sight.whole(write.resource, self._read_before(write)))

    def _check_steps(self, writes: Sequence[Write]) -> None:
        """Let pass the steps that their writer may write: of what part they are their goals say. Raises Forbidden."""
        steps = [one.resource for one in writes if is_step(one.resource) and self._is_changed(one)]
        if steps and self._sight.locks_goals:
            there = [one.resource for one in self.search(Query.of("Goal", patient=self.launch.patient.reference))[0]]
            self._sight.check_steps(steps, [*there, *(_named(one) for one in writes)])

    def _is_changed(self, write: Write) -> bool:
        before = self._read_before(write)
        return before is None or fingerprint(before) != fingerprint(write.resource)

    def _shown(self, record: Record) -> Record:
        """Return a record as the reader sees it. Raises NotFound: what is not for them is as absent as what is not."""
        self._know_goals([record])
        for shown in self._sight.of([record]):
            return shown
        raise _not_found(*record.reference.split("/"))

    def _know_goals(self, records: Sequence[Record], asked: Sequence[Query] = ()) -> None:
        """Let what is seen be said of what names a goal or a step, for which all of those have to be known.

        `records` are what was found by what was `asked`.
        """
        resources = [one.resource for one in records]
        if not self._sight.needs_goals(resources):
            return
        if not self._goals_known:
            missing = [type_ for type_ in _IN_PLANS if not any(_asks_all(query, type_) for query in asked)]
            found = self._search_everywhere([Query.of(one, patient=self.launch.patient.reference) for one in missing])
            resources += [one.resource for records in found for one in each_once(records)]
            resources += [one.resource for one in self._on_their_way()[0]]
        self._goals_known = True
        self._sight = self._sight.with_goals(resources)

    def not_taken(self, type_: str, status: int) -> None:
        """Remember for a day that the EHR does not take a new resource of this type from this user."""
        self._demote(type_, "create", status)

    def _placed(self, writes: Sequence[Write]) -> list[Parcel]:
        """Return each write with the place where it goes and those to which it can move. Raises Forbidden."""
        for write in writes:
            if not self._mine(write.resource):
                raise Forbidden(f"This {write.resource['resourceType']} is about another person than this launch.")
            self._check(write)
        homes = {number: self._home(write) for number, write in enumerate(writes) if write.method == "update"}
        parcels = placed(writes, homes, self.capability(), companion="companion" in self._stores)
        names = {write.full_url for write in writes if write.full_url}
        return [self._told(parcel, names) for parcel in parcels]

    def _told(self, parcel: Parcel, names: set[str]) -> Parcel:
        """Return a parcel that knows what its author changed, for which what they read is needed."""
        resource, before = parcel.write.resource, self._read_before(parcel.write)
        return replace(parcel, anew=self._is_changed(parcel.write), adds=only_names(before, resource, names))

    def _read_before(self, write: Write) -> Resource | None:
        return self._before.get((write.resource["resourceType"], write.resource.get("id", "")))

    def _check(self, write: Write) -> None:
        """Keep back what no server should get: an EHR that refuses a slip of ours does not refuse its type."""
        before = self._read_before(write)
        if found := problems(write.resource, before):
            log.error("records: not valid FHIR, so not sent: %s", "; ".join(found)[:500])
            raise Refused("Verstel made something that is not valid FHIR, and did not send it. Tell its manager.")

    def _home(self, write: Write) -> Place:
        """Return where the resource lives that is to be updated."""
        type_, id_ = write.resource["resourceType"], write.resource["id"]
        # Only the server can give the version tag that guards an update; without it, someone could be overwritten.
        if f"{type_}/{id_}" in self._on_their_way()[1] or (
            (type_, id_) not in self._seen and self.read(type_, id_).state != "stored"
        ):
            raise Unreachable("This has not arrived yet, so it cannot be changed. Try again in a moment.")
        return self._seen[type_, id_]

    def _delivery(self, progress: Callable[[Unit], None], author_waits: bool) -> Delivery:
        offered = {place: self._offered(place) for place in self._stores}
        return Delivery(
            self._stores,
            offered,
            self.launch.issuer,
            progress,
            self._demote,
            private=self._sight_now().is_private,
            whole=author_waits,
        )

    def _offered(self, place: Place) -> Offered:
        if place == "ehr":
            return self.capability().offered
        if place == "companion":
            said = self._capabilities.look(f"companion|{self._issuer_key}", self._stores[place])
            # A general FHIR server, chosen by the operator of the app: what it does not say it still does.
            return said if said.known else _EVERYTHING
        return _EVERYTHING

    def _delivery_here(self) -> Delivery:
        return self._delivery(lambda _unit: None, True)

    def _save_here(self, parcels: Sequence[Parcel], delivery: Delivery) -> Unit:
        """Write a unit to our own store, which is in the outbox's own database: whole or not at all."""
        unit = delivery.send(Unit("", tuple(parcels)))
        self._arrived([parcel for parcel in unit.parcels if parcel.stored is not None])
        if delivery.errors:
            raise next(iter(delivery.errors.values()))
        return unit

    def _follow(self, unit: Unit, follow_up: Resource) -> None:
        whole = copy(self)
        whole._sight = self._sight.following()
        follow(whole, self.launch.patient.reference, unit, follow_up, base=self.launch.issuer, zone=self._zone)

    def _arrived(self, parcels: Sequence[Parcel]) -> None:
        for event in ("create", "update"):
            there = [_as_logged(event, one.stored) for one in parcels if one.stored and one.write.method == event]
            if there:
                self._touched(event, there)

    def _demote(self, type_: str, interaction: Interaction, status: int) -> None:
        self._capabilities.refused(
            self._issuer_key, type_, interaction, role=self.launch.user.role, person=self._who, status=status
        )
        self._capability = None  # the next parcel of the same unit must already know of the refusal

    def _of_parcel(self, parcel: Parcel) -> Record:
        return self._record(parcel.place, parcel.stored) if parcel.stored is not None else unsent_record(parcel)

    def _on_their_way(self) -> tuple[list[Record], dict[str, Record]]:
        return on_their_way(self.waiting())

    def _search_everywhere(self, queries: Sequence[Query]) -> list[list[Record]]:
        """Return what each query finds, the EHR's first, our own last."""
        self._capabilities.look(self._issuer_key, self._stores["ehr"])  # this may ask the EHR, what follows does not
        results: list[list[Record]] = [[] for _ in queries]
        with self._outbox.at_one_moment():
            jobs = [(number, place) for number, query in enumerate(queries) for place in self._places_of(query.type)]
            ours = [(number, self._search("own", queries[number])) for number, place in jobs if place == "own"]
            self.waiting()
        away = [job for job in jobs if job[1] != "own"]
        # At once, because each place may be a network away: a page then takes as long as the slowest of them.
        answers = in_parallel([partial(self._search, place, queries[number]) for number, place in away])
        found = [(number, records) for (number, _place), records in zip(away, answers, strict=True)]
        for number, records in [*found, *ours]:
            results[number].extend(records)
        return results

    def _places_of(self, type_: str, *, read: bool = False) -> list[Place]:
        can = self.capability().can(type_, "read" if read else "search-type")
        return [place for place in PLACES if place in self._stores and (place != "ehr" or can)]

    def _search(self, place: Place, query: Query) -> list[Record]:
        sent = query
        if place == "ehr":
            # An EHR may refuse a search as a whole for one parameter that it does not know.
            offered = self.capability().offered
            params = tuple(pair for pair in query.params if offered.searches_by(query.type, pair[0]))
            # What is chosen here has to be among what comes.
            most = MOST_RESULTS if query.most is not None and params != query.params else query.most
            sent = replace(query, params=params, most=most)
        if self._sight.hidden and query.most is not None:
            # What is not seen takes no place of what is, and that there is more of it tells nothing.
            rest = tuple(pair for pair in sent.params if pair[0] != "_count")
            sent = replace(sent, params=rest, most=MOST_RESULTS)
        try:
            found = self._stores[place].search(sent)
        except Forbidden:
            if place != "ehr":
                raise
            # Some EHRs grant a scope and refuse the search all the same. The other places may still have an answer.
            self.forbidden.add(query.type)
            return []
        if is_cut(found):
            self.cut.add(query)
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
        """Tell whether a resource is about the person of this launch, or about no person at all (a practitioner)."""
        if resource.get("resourceType") not in definitions():
            return False
        patients = {one.rpartition("/")[2] for one in patients_of(resource, self.launch.issuer)}
        return not patients or patients == {self.launch.patient_id}

    def _record(self, place: Place, stored: Stored) -> Record:
        type_, id_ = stored.resource.get("resourceType"), stored.resource.get("id")
        if not isinstance(type_, str) or not isinstance(id_, str):
            raise Unreachable("A server answered a resource without type or id. Tell its manager.")
        self._remember(place, stored.resource)
        return Record(stored.resource, stored.etag, place)

    def _remember(self, place: Place, resource: Resource) -> None:
        self._seen[resource["resourceType"], resource["id"]] = place
        self._before[resource["resourceType"], resource["id"]] = resource


def _not_found(type_: str, id_: str) -> NotFound:
    return NotFound(f"{type_[:64]}/{id_[:64]} is at none of the places where this app keeps this person's records.")


def _as_logged(event: str, stored: Stored) -> str:
    """Return the reference of what arrived, with its version: not where a create met what someone made before."""
    return stored.reference if event == "create" and stored.created is False else stored.versioned


def _is_called(record: Record, type_: str, identifier: Identifier) -> bool:
    """Tell whether a resource has this name, or succeeds what has it."""
    ours = own_identifier(record.resource)
    return record.resource["resourceType"] == type_ and ours is not None and first_of(ours) == first_of(identifier)


_IN_PLANS = ("Goal", "Task")


def _named(write: Write) -> Resource:
    """Return what is written, as the others of its unit call it."""
    names = [*objects_in(write.resource, "identifier"), {"system": "urn:ietf:rfc:3986", "value": write.full_url}]
    return {**write.resource, "identifier": names} if write.full_url else write.resource


def _asks_all(query: Query, type_: str) -> bool:
    """Tell whether a query asks for all of a type that there is of a person."""
    return query.type == type_ and query.most is None and {name for name, _value in query.params} == {"patient"}


_EVERYTHING = Offered(
    conditional_create=frozenset(definitions()),
    transaction=True,
)
"""What is sure of a FHIR server of our own choice."""
