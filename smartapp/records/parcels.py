"""What the outbox keeps: parcels, each one write on its way to one place, and the unit that they make together."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mappers.identity import URN, Identifier, own_identifier
from questionnaires.fhir import URI, Resource
from smartapp.fhir.capabilities import Capability
from smartapp.fhir.references import with_references
from smartapp.fhir.store import Stored, Write
from smartapp.records.placement import TOGETHER, Place, below, ladder


@dataclass(frozen=True, slots=True)
class Parcel:
    """One write of a unit: where it goes, where else it may go, whether it was ever sent, and what it became.

    `closing` marks the update that closes what a plan has left behind at a place; see `moving`.
    """

    write: Write
    place: Place
    ladder: tuple[Place, ...] = ()
    tried: bool = False
    stored: Stored | None = None
    closing: bool = False

    @property
    def type(self) -> str:
        """Return the resource type."""
        return str(self.write.resource["resourceType"])


@dataclass(frozen=True, slots=True)
class Unit:
    """What belongs together: first the parcels of the caller, in the order of the call, then those of a move."""

    id: str
    parcels: tuple[Parcel, ...]
    reason: str = ""

    @property
    def pending(self) -> list[int]:
        """Return the positions of the parcels that have not arrived."""
        return [number for number, parcel in enumerate(self.parcels) if parcel.stored is None]

    @property
    def is_safe(self) -> bool:
        """Tell whether all that its author wrote has arrived, even if something left behind is still to be closed."""
        return all(self.parcels[number].closing for number in self.pending)

    def plan_at(self, place: Place) -> list[int]:
        """Return the positions of the parts of a plan that go to `place`; none where the unit has no CarePlan there."""
        here = [
            number
            for number, parcel in enumerate(self.parcels)
            if parcel.place == place and parcel.type in TOGETHER and not parcel.closing
        ]
        return here if any(self.parcels[number].type == "CarePlan" for number in here) else []

    def changed(self, parcels: Mapping[int, Parcel]) -> Unit:
        """Return the unit with other parcels at these positions."""
        return replace(self, parcels=tuple(parcels.get(number, one) for number, one in enumerate(self.parcels)))


def placed(
    writes: Sequence[Write], homes: Mapping[int, Place], capability: Capability, *, companion: bool
) -> list[Parcel]:
    """Return each write as a parcel for the first place on its ladder; `homes` are where what is updated lives.

    What is updated stays where it is. A new part of a plan goes where its plan lives, or will live; and the parts of a
    plan share one ladder, because where one of them has to move all of them do.
    """
    plans = [number for number, write in enumerate(writes) if write.resource["resourceType"] == "CarePlan"]
    home = next((homes[number] for number in plans if number in homes), None)

    def rungs(number: int, type_: str) -> tuple[Place, ...]:
        is_part = bool(plans) and type_ in TOGETHER
        if number in homes:
            place = homes[number]
            return (place, *(below(place, companion=companion) if is_part and place == home else ()))
        if is_part and home is not None:
            return (home, *below(home, companion=companion))
        return ladder(type_, capability, companion=companion, with_plan=is_part)

    made = []
    for number, write in enumerate(writes):
        first, *rest = rungs(number, write.resource["resourceType"])
        made.append(Parcel(write, first, tuple(rest)))
    return made


def with_identifier(write: Write) -> Write:
    """Return a create that can be found again: with a name within its unit and an identifier that only it has."""
    if write.method == "update":
        return write
    full_url = write.full_url or f"{URN}{uuid.uuid4()}"
    resource = write.resource
    ours = own_identifier(resource)
    if ours is None:
        ours = Identifier(URI, full_url)
        given = resource.get("identifier")
        # A QuestionnaireResponse has at most one identifier, everything else we write has a list.
        single = resource["resourceType"] == "QuestionnaireResponse"
        listed = [*(given if isinstance(given, list) else []), ours.as_fhir()]
        resource = {**resource, "identifier": ours.as_fhir() if single else listed}
    condition = write.if_none_exist or f"identifier={ours.token}"
    return replace(write, resource=resource, full_url=full_url, if_none_exist=condition)


def resolved(parcel: Parcel, unit: Unit, inside: Collection[str | None]) -> Resource:
    """Return the resource of a parcel with its references to other parcels of the unit made real.

    `inside` are the names of what travels in the same transaction: those stay. What arrived becomes `Type/id`. An EHR
    cannot know what lives elsewhere or has not arrived: there the reference says by identifier which one it is.
    """
    named = {one.write.full_url: one for one in unit.parcels if one.write.full_url}

    def real(reference: Mapping[str, Any]) -> dict[str, Any]:
        name = reference["reference"]
        other = named.get(name)
        if other is None or name in inside:
            return dict(reference)
        rest = {key: value for key, value in reference.items() if key != "reference"}
        # Our own store may name what lives elsewhere, because only we read it, and we know every place.
        if other.stored is not None and parcel.place in (other.place, "own"):
            return {"reference": other.stored.reference, **rest}
        ours = own_identifier(other.write.resource)
        return {"type": other.type, **({"identifier": ours.as_fhir()} if ours else {}), **rest}

    made: Resource = with_references(parcel.write.resource, real)
    return made


def packed(unit: Unit) -> dict[str, Any]:
    """Return a unit as JSON; its parcels are called `items` there, as in the databases where some already wait."""
    return {"items": [asdict(parcel) for parcel in unit.parcels], "reason": unit.reason}


def unpacked(id_: str, content: Mapping[str, Any]) -> Unit:
    """Return the unit that `packed` made into JSON."""
    parcels = tuple(
        Parcel(
            write=Write(**item["write"]),
            place=item["place"],
            ladder=tuple(item["ladder"]),
            tried=item["tried"],
            stored=Stored(**item["stored"]) if item["stored"] else None,
            closing=item.get("closing", False),
        )
        for item in content["items"]
    )
    return Unit(id_, parcels, content["reason"])
