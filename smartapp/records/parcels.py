"""What the outbox keeps: parcels, each one write on its way to one place, and the unit that they make together."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mappers.identity import URN, Identifier, own_identifier
from mappers.sameness import RESTATED
from questionnaires.fhir import URI, Resource
from smartapp.fhir.capabilities import Capability
from smartapp.fhir.references import with_references
from smartapp.fhir.store import Stored, Write
from smartapp.records.placement import COPIES, TOGETHER, Place, below, ladder
from smartapp.records.states import OPEN, STOPPED, Event, State, after

LONGEST_REASON = 500
"""Characters of a server's own words that are kept for the author."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One write of a unit: where it goes, where else it may go, how far it came (`states`), and what it became.

    `known` is an earlier content of the same author that stands at the place: then this amends it, guarded by that
    version. `amends` says that there may be one, from a unit whose answer was lost. `unseen` counts how often the place
    would not let us look for it, `reason` is why it stopped, in the server's words. `anew` tells that its author wrote
    it now: saving a plan also sends parts of it as they were read. `adds` tells that all it changes is which new parts
    of this unit a plan names; see `adding`. `closing` marks the update that closes what a plan has left behind at a
    place; see `moving`.
    """

    write: Write
    place: Place
    ladder: tuple[Place, ...] = ()
    state: State = "ready"
    stored: Stored | None = None
    closing: bool = False
    known: Stored | None = None
    amends: bool = False
    unseen: int = 0
    reason: str = ""
    anew: bool = True
    adds: bool = False

    @property
    def type(self) -> str:
        """Return the resource type."""
        return str(self.write.resource["resourceType"])

    @property
    def is_copy(self) -> bool:
        """Tell whether it is a copy for the chart of what is kept elsewhere: no words depend on it."""
        return self.type in COPIES

    @property
    def is_restated(self) -> bool:
        """Tell whether its author states it as a whole each time: answers and scores that are sent in.

        A living form is changed from several pages and tabs. So it is like a plan: what is there is looked at first.
        """
        return self.type in RESTATED and not self.write.living

    @property
    def changes(self) -> bool:
        """Tell whether it changes what is there: an update, or a create that found an earlier content of its author."""
        return self.write.method == "update" or self.known is not None

    @property
    def guard(self) -> str | None:
        """Return the version tag of what it changes."""
        return self.known.etag if self.known is not None else self.write.if_match

    @property
    def is_open(self) -> bool:
        """Tell whether we can still do something for it by ourselves."""
        return self.state in OPEN

    def after(self, event: Event, *, reason: str = "") -> Parcel:
        """Return the parcel after an event. Raises ImpossibleEvent."""
        return replace(self, state=after(self.state, event), reason=reason[:LONGEST_REASON])

    def arrived(self, stored: Stored) -> Parcel:
        """Return the parcel as it arrived."""
        return replace(self.after("confirmed"), stored=stored)

    def lower(self) -> Parcel:
        """Return the parcel one rung down its ladder, where nothing of it can be yet."""
        down = replace(self, place=self.ladder[0], ladder=self.ladder[1:], known=None, amends=False, unseen=0)
        return down.after("not welcome")

    def kept_here(self) -> Parcel:
        """Return what was not sent yet as what only our own store gets."""
        return replace(self.after("kept here"), place="own", ladder=(), known=None, amends=False, unseen=0)

    def again(self) -> Parcel:
        """Return the parcel as its author, or the operator, wants it tried again; only what was stopped changes."""
        return self.after("try again") if self.state in STOPPED else self


@dataclass(frozen=True, slots=True)
class Unit:
    """What belongs together: first the parcels of the caller, in the order of the call, then those of a move.

    `follow_up` is what is to be done when all of it has arrived, as `following` understands it; None for nothing.
    """

    id: str
    parcels: tuple[Parcel, ...]
    follow_up: Resource | None = None

    @property
    def pending(self) -> list[int]:
        """Return the positions of the parcels that have not arrived."""
        return [number for number, parcel in enumerate(self.parcels) if parcel.stored is None]

    @property
    def open(self) -> list[int]:
        """Return the positions of the parcels that we can still do something for."""
        return [number for number, parcel in enumerate(self.parcels) if parcel.is_open]

    @property
    def stopped(self) -> list[int]:
        """Return the positions of the parcels that wait for their author to decide."""
        return [number for number, parcel in enumerate(self.parcels) if parcel.state in STOPPED]

    @property
    def names(self) -> dict[str, str]:
        """Return the names within the unit of what it makes, each with the reference that it became, or ""."""
        made = ((one.write.full_url, one.stored) for one in self.parcels)
        return {name: stored.reference if stored else "" for name, stored in made if name}

    @property
    def is_nowhere(self) -> bool:
        """Tell whether nothing of it arrived and no answer is still out."""
        return all(parcel.state == "ready" or parcel.state in STOPPED for parcel in self.parcels)

    @property
    def is_safe(self) -> bool:
        """Tell whether all that its author wrote has arrived, even if something left behind is still to be closed."""
        return all(self.parcels[number].closing for number in self.pending)

    @property
    def reason(self) -> str:
        """Return why the first parcel that did not arrive stopped, in the server's words; "" if none said so."""
        return next((self.parcels[number].reason for number in self.pending if self.parcels[number].reason), "")

    @property
    def is_done(self) -> bool:
        """Tell whether nothing of it is left to do, by us or by its author."""
        return not self.pending and self.follow_up is None

    def again(self) -> Unit:
        """Return the unit with what was stopped to be tried again."""
        return replace(self, parcels=tuple(parcel.again() for parcel in self.parcels))

    def refused(self) -> Unit:
        """Return the unit with all that has not arrived as refused."""
        return self.changed({number: replace(self.parcels[number], state="refused") for number in self.pending})

    def without(self, numbers: Collection[int]) -> Unit:
        """Return the unit without the parcels at these positions."""
        return replace(self, parcels=tuple(one for number, one in enumerate(self.parcels) if number not in numbers))

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

    What is updated stays where it is; a living form goes on one lower where that turns out to refuse changes. A new
    part of a plan goes where its plan lives, or will live; and the parts of a plan share one ladder, because where one
    of them has to move all of them do.
    """
    plans = [number for number, write in enumerate(writes) if write.resource["resourceType"] == "CarePlan"]
    home = next((homes[number] for number in plans if number in homes), None)

    def rungs(number: int, type_: str, *, living: bool) -> tuple[Place, ...]:
        is_part = bool(plans) and type_ in TOGETHER
        if writes[number].only_here:
            return ("own",)
        if number in homes:
            place = homes[number]
            may_move = living or (is_part and place == home)
            return (place, *(below(place, companion=companion) if may_move else ()))
        if is_part and home is not None:
            return (home, *below(home, companion=companion))
        return ladder(type_, capability, companion=companion, with_plan=is_part, living=living)

    made = []
    for number, write in enumerate(writes):
        first, *rest = rungs(number, write.resource["resourceType"], living=write.living)
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
    return {"items": [asdict(parcel) for parcel in unit.parcels], "follow_up": unit.follow_up}


def unpacked(id_: str, content: Mapping[str, Any]) -> Unit:
    """Return the unit that `packed` made into JSON."""
    # Before parcels had reasons, the unit had one.
    reason = content.get("reason", "")
    return Unit(id_, tuple(_parcel(item, reason) for item in content["items"]), content.get("follow_up"))


def _parcel(item: Mapping[str, Any], reason: str) -> Parcel:
    return Parcel(
        write=Write(**item["write"]),
        place=item["place"],
        ladder=tuple(item["ladder"]),
        state=item.get("state") or _state_before_there_were_states(item),
        stored=_stored(item["stored"]),
        closing=item.get("closing", False),
        known=_stored(item.get("known")),
        amends=item.get("amends", False),
        unseen=item.get("unseen", 0),
        reason=item.get("reason", reason),
        anew=item.get("anew", True),
        adds=item.get("adds", False),
    )


def _state_before_there_were_states(item: Mapping[str, Any]) -> State:
    """Return the state of a parcel that an older version kept: whether it arrived, and whether it was ever sent."""
    return "arrived" if item["stored"] else "sent" if item["tried"] else "ready"


def _stored(content: Mapping[str, Any] | None) -> Stored | None:
    return Stored(**content) if content else None
