"""From a save to the outbox and out again: what becomes of a unit that arrives, stops on the way, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mappers.identity import identity
from questionnaires.fhir import Resource
from smartapp.fhir.store import RecordError, Unauthorized, Unreachable
from smartapp.records.outbox import Outbox, Unsent
from smartapp.records.parcels import Parcel, Unit

Deliver = Callable[[Unit, Callable[[Unit], None]], Unit]
"""Sends what is pending of a unit and returns it, telling of each bit of progress; raises RecordError when it stops."""

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Sender:
    """The outbox of one user about one person (`owner`), and how its units are delivered in this launch."""

    outbox: Outbox
    owner: str
    launch_id: str
    deliver: Deliver

    def send_new(self, parcels: Sequence[Parcel]) -> Unit:
        """Persist a unit, send it, and return it as far as it came.

        Raises RecordError where waiting does not help: its author is there and can do something about it.
        """
        with self.outbox.lock(self.owner):
            # On disk first: once it has been sent, this process may die without having heard the answer.
            unit = self._send(self.outbox.put(self.owner, self.launch_id, parcels), interactive=True)
        self._forget_tried_again(unit)
        return unit

    def send_due(self) -> None:
        """Send what waits and is due; what cannot be sent goes on waiting."""
        lock = self.outbox.lock(self.owner)
        if not lock.acquire(blocking=False):  # someone is sending right now, and no page should wait for that
            return
        try:
            for unit, _ in self.outbox.claim(self.owner):
                self._send(unit, interactive=False)
        finally:
            lock.release()

    def resume(self, unit: Unit) -> None:
        """Send one unit that the caller has claimed."""
        with self.outbox.lock(self.owner):
            self._send(unit, interactive=False)

    def unsent(self) -> list[Unsent]:
        """Return what has not arrived, the oldest first."""
        return self.outbox.unsent(self.owner)

    def _send(self, unit: Unit, *, interactive: bool) -> Unit:
        current = unit

        def progress(changed: Unit) -> None:
            nonlocal current
            current = changed
            self.outbox.update(changed)

        try:
            current = self.deliver(unit, progress)
        except RecordError as error:
            return self._stopped(current, error, interactive=interactive)
        self.outbox.drop(current)
        return current

    def _stopped(self, unit: Unit, error: RecordError, *, interactive: bool) -> Unit:
        """Decide what becomes of a unit that did not arrive whole: it waits, is refused, or is given back."""
        unit = replace(unit, reason=error.message[:_LONGEST_REASON])
        # Where every word has arrived, what is left is ours to finish; its author has nothing to do or to fear.
        if isinstance(error, Unreachable) or unit.is_safe:
            self.outbox.keep(unit, "waiting")
            return unit
        nothing_arrived = len(unit.pending) == len(unit.parcels)
        if interactive and nothing_arrived:
            # The page gives the words back to their author, who saves again. A copy here would be sent after that.
            self.outbox.drop(unit)
        else:
            self.outbox.keep(unit, "waiting" if isinstance(error, Unauthorized) else "refused")
        if interactive:
            raise error
        return unit

    def _forget_tried_again(self, sent: Unit) -> None:
        """Forget the refused units of which everything has now arrived with another unit: their author tried again."""
        arrived = {_key(parcel.write.resource) for parcel in sent.parcels if parcel.stored is not None}
        for unsent in self.outbox.unsent(self.owner):
            pending = {_key(unsent.unit.parcels[number].write.resource) for number in unsent.unit.pending}
            # Everything, not something: these are the only copy of whatever has not arrived.
            if unsent.state == "refused" and pending <= arrived:
                self.outbox.drop(unsent.unit)


def _key(resource: Resource) -> tuple[Any, ...]:
    return identity(resource) or (resource["resourceType"], resource.get("id"))
