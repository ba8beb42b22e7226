"""From a save to the outbox and out again: what becomes of a unit that arrives, stops on the way, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from questionnaires.fhir import Resource
from smartapp.fhir.store import RecordError, Unreachable
from smartapp.fhir.workplaces import holding
from smartapp.records.outbox import Claim, LeaseLost, Outbox, Owner, Unsent, state_of
from smartapp.records.parcels import Parcel, Unit


class Deliverer(Protocol):
    """Sends units in one launch; see `delivery.Delivery`."""

    @property
    def errors(self) -> Mapping[int, RecordError]:
        """What stopped each parcel, by its position."""

    def begin(self, unit: Unit) -> Unit:
        """Return a unit with what is sent first noted as being sent."""

    def send(self, unit: Unit) -> Unit:
        """Return a unit as far as it came."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The outbox of one user about one person (`owner`), and how its units are delivered in this launch.

    `deliverer` makes what sends a unit; it gets what persists the progress, and whether its author is there. `follow`
    does what is to be done when a unit has arrived, and raises RecordError where that has to wait. `arrived` is told of
    the parcels that did, before they are forgotten: so that the audit log never misses what an EHR has.
    """

    outbox: Outbox
    owner: Owner
    launch_id: str
    deliverer: Callable[[Callable[[Unit], None], bool], Deliverer]
    follow: Callable[[Unit, Resource], None]
    arrived: Callable[[Sequence[Parcel]], None]

    def send_new(self, parcels: Sequence[Parcel], *, follow_up: Resource | None = None) -> Unit:
        """Persist a unit, send it, and return it as far as it came; what has to wait is sent by the courier.

        Raises RecordError where waiting does not help: its author is there and can do something about it.
        """
        claims: list[Claim] = []
        delivery = self.deliverer(lambda unit: self.outbox.renew(claims[0], unit), True)
        with holding(self.outbox.lock(self.owner)):
            # On disk first: once it has been sent, this process may die without having heard the answer.
            unit, claim = self.outbox.put(
                self.owner, self.launch_id, parcels, follow_up=follow_up, begin=delivery.begin
            )
            if claim is None:
                return unit
            claims.append(claim)
            try:
                unit = self._send(claim, delivery, author_waits=True)
            except LeaseLost:  # we were away for so long that another process goes on with it
                return unit
        self.outbox.forget_tried_again(claim, unit)
        return unit

    def keep_for_later(self, parcels: Sequence[Parcel], *, follow_up: Resource | None = None, after: int = 0) -> Unit:
        """Persist a unit that nobody waits for; the courier sends it, not sooner than `after` seconds from now."""
        return self.outbox.put(self.owner, self.launch_id, parcels, follow_up=follow_up, after=after)[0]

    def send_due(self) -> None:
        """Send what waits and is due; what cannot be sent goes on waiting."""
        while (claim := self.outbox.claim(self.owner)) is not None:
            self.resume(claim)

    def resume(self, claim: Claim) -> None:
        """Send one unit that the caller has claimed."""
        delivery = self.deliverer(lambda unit: self.outbox.renew(claim, unit), False)
        try:
            unit = self._send(claim, delivery, author_waits=False)
        except LeaseLost:  # whoever has it now goes on from what was persisted
            return
        self.outbox.forget_tried_again(claim, unit)

    def unsent(self) -> list[Unsent]:
        """Return what has not arrived, the oldest first."""
        return self.outbox.unsent(self.owner)

    def _send(self, claim: Claim, delivery: Deliverer, *, author_waits: bool) -> Unit:
        unit = delivery.send(claim.unit)
        errors = list(delivery.errors.values())
        if not author_waits:
            unit, stuck = self._followed(unit)
            errors += [stuck] if stuck else []
        final = _final(unit, delivery.errors) if author_waits else None
        before = {id(parcel) for parcel in claim.unit.parcels}
        # In the log and out of the outbox at once: no death in between leaves one without the other.
        with self.outbox.as_one():
            self.arrived([one for one in unit.parcels if one.stored and not one.closing and id(one) not in before])
            # What had arrived before says what it said then: giving the rest back changes nothing of that.
            rest = tuple(one for one in unit.parcels if not (one.stored and id(one) in before))
            is_given_back = final is not None and replace(unit, parcels=rest).is_nowhere
            self._settle(claim, unit, errors, is_given_back=is_given_back)
        if final is not None:
            raise final
        return unit

    def _followed(self, unit: Unit) -> tuple[Unit, RecordError | None]:
        """Do what follows when a unit has arrived, and return it without that; or with why it has to wait."""
        if unit.pending or unit.follow_up is None:
            return unit, None
        try:
            self.follow(unit, unit.follow_up)
        except RecordError as error:
            return unit, error
        return replace(unit, follow_up=None), None

    def _settle(self, claim: Claim, unit: Unit, errors: Sequence[RecordError], *, is_given_back: bool) -> None:
        """Decide what becomes of a unit: it is done, it is given back to its author, it waits, or it is stopped."""
        if unit.is_done:
            self.outbox.finish(claim, unit)
        elif is_given_back:
            # The page gives the words back to their author, who saves again. A copy here would be sent after that.
            self.outbox.drop(claim)
        elif not unit.pending and not errors:
            self.outbox.hand_over(claim, unit)
        else:
            longest = max((error.retry_after or 0 for error in errors), default=0)
            self.outbox.keep(claim, unit, state_of(unit), retry_after=longest)


def _final(unit: Unit, errors: Mapping[int, RecordError]) -> RecordError | None:
    """Return why waiting does not help, and its author, who is there, can do something; None where it may help."""
    those = (errors[number] for number in (*unit.stopped, *unit.open) if number in errors)
    return next((error for error in those if not isinstance(error, Unreachable)), None)
