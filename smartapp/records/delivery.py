"""Sending one unit: in what order, together or one by one, and what to do with each answer.

In one transaction where the server has those, else one by one, those first that others refer to. Before anything is
sent a second time we look whether it arrived after all: a create by the identifier we gave it, an update by its
content. What a place refuses to create moves down the ladder to the next one, and a part of a plan takes its whole plan
along (`moving`). Nothing is called stored before a server said so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from smartapp.fhir.capabilities import DEMOTING_STATUSES, Capability
from smartapp.fhir.own.index import patients_of
from smartapp.fhir.references import references
from smartapp.fhir.store import (
    Conflict,
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
)
from smartapp.records.moving import moved
from smartapp.records.parcels import Parcel, Unit, resolved
from smartapp.records.placement import TOGETHER, Place
from smartapp.records.reading_back import landed, person_of


@dataclass(slots=True)
class Delivery:
    """Sends units of one launch at the EHR whose address is `base`.

    `progress` persists what was reached; `demote` remembers that the EHR refused to create a type.
    """

    stores: Mapping[Place, RecordStore]
    capability: Capability
    base: str
    progress: Callable[[Unit], None]
    demote: Callable[[str], None]
    one_by_one: set[Place] = field(default_factory=set)

    def send(self, unit: Unit) -> Unit:
        """Send what is pending until all of it has arrived and return the unit so.

        Raises RecordError when it stops, after everything that did arrive was persisted (see `progress`).
        """
        while unit.pending:
            first = self._next(unit)
            place = unit.parcels[first].place
            together = [n for n in unit.pending if unit.parcels[n].place == place and not unit.parcels[n].closing]
            if unit.parcels[first].closing:
                unit = self._close(unit, first)
            elif len(together) > 1 and self._has_transactions(place):
                unit = self._send_together(unit, place, together)
            else:
                unit = self._send_one(unit, first)
        return unit

    def _has_transactions(self, place: Place) -> bool:
        if place in self.one_by_one:
            return False
        # A companion is a general FHIR server, chosen by the operator of the app, and our own store is ours.
        return place != "ehr" or (self.capability.offered.known and self.capability.offered.transaction)

    def _next(self, unit: Unit) -> int:
        """Return the first pending parcel that refers to nothing pending; in a circle, just the first."""
        pending = sorted(unit.pending, key=lambda number: _turn(unit.parcels[number]))
        names = {unit.parcels[number].write.full_url for number in pending}
        for number in pending:
            write = unit.parcels[number].write
            if not (set(references(write.resource)) & names - {write.full_url}):
                return number
        return pending[0]

    def _send_together(self, unit: Unit, place: Place, numbers: Sequence[int]) -> Unit:
        if any(unit.parcels[number].tried for number in numbers):
            # Sent before, all or nothing: if one of them is there, all of them are.
            found = [self._landed(unit, number) for number in numbers]
            if all(found):
                return self._arrived(unit, dict(zip(numbers, found, strict=True)))
        unit = self._mark_tried(unit, numbers)
        inside = {unit.parcels[number].write.full_url for number in numbers}
        writes = [self._prepared(unit, number, inside) for number in numbers]
        try:
            # One transaction because half of a unit is worse than none: scores without their answers, a goal that no
            # plan names. It also spares the chart's reader the moments in between.
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
        parcel = unit.parcels[number]
        # An answer can be lost after the server has stored what was sent, and a second create would store it twice.
        # So we look first: after any earlier try, and where no If-None-Exist makes the server look.
        if parcel.tried or (parcel.write.method == "create" and not self._creates_once(parcel)):
            found = self._landed(unit, number)
            if found is not None:
                return self._arrived(unit, {number: found})
        unit = self._mark_tried(unit, [number])
        write = self._prepared(unit, number, set())
        try:
            stored = self.stores[parcel.place].write(write)
        except (Forbidden, Refused, NotFound) as error:
            # A refused update is about this one resource as it is now. Its author has to see that, and decide.
            if parcel.write.method == "update":
                raise
            return self._refused(unit, number, error)
        except Conflict as error:
            if parcel.write.method == "update":
                raise
            found = self._landed(unit, number)
            if found is None:
                raise _busy(error) from error
            return self._arrived(unit, {number: found})
        return self._arrived(unit, {number: stored})

    def _refused(self, unit: Unit, number: int, error: RecordError) -> Unit:
        """Return the unit with a create that was refused, or its whole plan, one rung lower; raise `error` at the last.

        The refusal is remembered before anything else can go wrong, so that the next thing of this type is not sent to
        the EHR first. Only a status that says "not this type, not from you" counts for others; a 400 or 404 moves
        nothing but this unit.
        """
        parcel = unit.parcels[number]
        if parcel.place == "ehr" and error.status in DEMOTING_STATUSES:
            self.demote(parcel.type)
        if not parcel.ladder:
            raise error
        if number in unit.plan_at(parcel.place):
            lower = moved(unit, parcel.place, self._plans_at(parcel), base=self.base)
        else:
            lower = unit.changed(
                {number: replace(parcel, place=parcel.ladder[0], ladder=parcel.ladder[1:], tried=False)}
            )
        self.progress(lower)
        return lower

    def _plans_at(self, parcel: Parcel) -> list[Stored]:
        """Return the CarePlans, Goals and Tasks at the place of a parcel, of the person it is about."""
        store, person = self.stores[parcel.place], patients_of(parcel.write.resource, self.base)
        found: list[Stored] = []
        for type_ in sorted(TOGETHER):
            try:
                found += store.search(Query.of(type_, patient=person_of(parcel.write.resource)))
            except Forbidden:  # then no page could show what is there, and no move can take it along
                continue
        return [one for one in found if patients_of(one.resource, self.base) == person]

    def _close(self, unit: Unit, number: int) -> Unit:
        """Close what a plan has left behind. Where that is refused it stays as it is: no words depend on it."""
        try:
            return self._send_one(unit, number)
        except Conflict:
            # The CarePlan's version is the lock of the move (see `moving`). After that, what someone else is changing
            # at the place that was left is theirs.
            if unit.parcels[number].type == "CarePlan" and not unit.is_safe:
                raise
        except (Forbidden, Refused, NotFound, Gone):
            pass
        left = replace(unit, parcels=(*unit.parcels[:number], *unit.parcels[number + 1 :]))
        self.progress(left)
        return left

    def _creates_once(self, parcel: Parcel) -> bool:
        """Tell whether the server itself sees to it that a create happens once (If-None-Exist)."""
        return parcel.place != "ehr" or parcel.type in self.capability.offered.conditional_create

    def _landed(self, unit: Unit, number: int) -> Stored | None:
        parcel = unit.parcels[number]
        sent = self._prepared(unit, number, set()).resource
        return landed(parcel, sent, self.stores[parcel.place], self.capability)

    def _prepared(self, unit: Unit, number: int, inside: set[str | None]) -> Write:
        """Return the write as this place can take it: references resolved as far as they can be."""
        parcel = unit.parcels[number]
        resource = resolved(parcel, unit, inside)
        condition = parcel.write.if_none_exist if self._creates_once(parcel) else None
        return replace(parcel.write, resource=resource, if_none_exist=condition)

    def _mark_tried(self, unit: Unit, numbers: Sequence[int]) -> Unit:
        # Before it is sent, as a process that dies while it waits for the answer can note nothing any more.
        if all(unit.parcels[number].tried or unit.parcels[number].place == "own" for number in numbers):
            return unit
        return self._changed(unit, {number: replace(unit.parcels[number], tried=True) for number in numbers})

    def _arrived(self, unit: Unit, stored: Mapping[int, Stored | None]) -> Unit:
        return self._changed(
            unit, {number: replace(unit.parcels[number], stored=one) for number, one in stored.items()}
        )

    def _changed(self, unit: Unit, parcels: Mapping[int, Parcel]) -> Unit:
        changed = unit.changed(parcels)
        self.progress(changed)
        return changed


def _turn(parcel: Parcel) -> int:
    """Return when a parcel is sent: the CarePlan that locks a move first, what else is closed last."""
    if not parcel.closing:
        return 1
    return 0 if parcel.type == "CarePlan" else 2


def _busy(error: Conflict) -> Unreachable:
    """Return a conflict about something new as what it is: the server was busy with the same; later it may be there."""
    return Unreachable(error.message, status=error.status, outcome=error.outcome)
