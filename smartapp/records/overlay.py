"""What a page sees of a resource: a record, with what its author wrote last laid over what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mappers.identity import URN, Identifier, former, identity, own_identifier
from mappers.successors import first_of, number_of
from questionnaires.fhir import Resource
from smartapp.records.outbox import Unsent
from smartapp.records.parcels import Parcel
from smartapp.records.placement import Place

RecordState = Literal["stored", "waiting", "refused"]


@dataclass(frozen=True, slots=True)
class Record:
    """A resource, its version tag, the place where it lives, and whether it has arrived there.

    What waits has an id of our own that no server knows; it can be read, not changed, until it has arrived.
    """

    resource: Resource
    etag: str | None
    place: Place
    state: RecordState = "stored"
    reason: str = ""

    @property
    def reference(self) -> str:
        """Return the relative reference, `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


def unsent_record(parcel: Parcel) -> Record:
    """Return a parcel that has not arrived as a record; its id is its name in the unit."""
    name = (parcel.write.full_url or "").removeprefix(URN)
    resource = {**parcel.write.resource, "id": parcel.write.resource.get("id") or name}
    return Record(resource, None, parcel.place, "waiting" if parcel.is_open else "refused", parcel.reason)


def on_their_way(outbox: Iterable[Unsent]) -> tuple[list[Record], dict[str, Record]]:
    """Return what has not arrived: new resources, and changes by the reference of what they change.

    Its author sees it as they wrote it. A refused change is not shown over what is stored: the outbox has it. Nor is
    the closing of what a plan left behind: that is no one's words.
    """
    new: list[Record] = []
    changed: dict[str, Record] = {}
    for unsent in outbox:
        for number in unsent.unit.pending:
            parcel = unsent.unit.parcels[number]
            record = unsent_record(parcel)
            if parcel.write.method == "create":
                new.append(record)
            elif parcel.is_open and not parcel.closing:
                changed[record.reference] = record
    return new, changed


def each_once(records: Sequence[Record]) -> list[Record]:
    """Return the records, in their order, without those that an other place has too.

    What moved is taken from where it is now, which says where it was before; it counts from the moment that it is on
    its way, not when that was refused. Of other copies (sent twice, say) the first place has the one. A response that
    was succeeded by another one is left out, and so are its scores (`mappers.successors`).
    """
    left = {address for one in records if one.state != "refused" for address in former(one.resource)}
    last: dict[tuple[str, Identifier], int] = {}
    for one in records:
        if (line := _line(one.resource)) is not None and one.state != "refused":
            last[line] = max(last.get(line, 0), number_of(one.resource))
    kept: list[Record] = []
    seen: dict[tuple[str, Identifier], tuple[Place, RecordState]] = {}
    for record in records:
        # Whatever its status is there: an EHR may refuse to have it closed, and then it still looks alive.
        if (record.place, record.reference) in left:
            continue
        line = _line(record.resource)
        if line is not None and number_of(record.resource) < last.get(line, 0):
            continue
        key, here = identity(record.resource), (record.place, record.state)
        if key is None or seen.setdefault(key, here) == here:
            kept.append(record)
    return kept


def _line(resource: Resource) -> tuple[str, Identifier] | None:
    """Return what a response, or a score of it, has in common with those that succeeded it; None for anything else."""
    ours = own_identifier(resource)
    return (resource["resourceType"], first_of(ours)) if ours is not None and number_of(resource) else None
