"""A plan that a place refuses a part of: the whole plan goes on at the next place down the ladder.

Splitting it would be simpler, and worse: a step in our store, for a goal in an EHR, in a plan that cannot name the
step. Nobody who reads the chart would see a whole plan, no page could say where the plan is stored, and each later save
would have to bring two places to agree. So all parts are created one place lower, each with a note of where it was
(an identifier of `use` "old"), and what had arrived at the place that is left is closed there. Readers then see one
plan: what notes that it came from elsewhere counts, what it came from does not, whether or not it could be closed.

The CarePlan is closed before the copies are made. That update carries the version that was read here, and so it is the
lock: a change that someone made in between stops the move, and a save that comes after it meets another version and
looks again. Until a copy exists, readers go on showing the plan that was closed (`mappers.plan.moving.was_left`).
Goals and Tasks are closed last. Until then the unit, with every word, waits in the outbox.

A living form goes on alone (`continued_alone`): a plan names it by its identifier, which stays.

What its owner no longer shares with who reads it there moves in the same way, to our own store; and then no words stay
behind (`bare`, `left_behind`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mappers.identity import URN, identity, own_identifier
from mappers.plan.moving import closed, continued, is_closed, withdrawn
from mappers.plan.shapes import IDENTIFIER_SYSTEMS
from questionnaires.fhir import Resource
from smartapp.fhir.companion import AT_THE_EHR
from smartapp.fhir.references import references, renamed
from smartapp.fhir.store import Conflict, Stored, Write
from smartapp.records.parcels import Parcel, Unit, with_identifier
from smartapp.records.placement import Place


def moved(unit: Unit, place: Place, here: Iterable[Stored], *, base: str, bare: bool = False) -> Unit:
    """Return the unit with its plan one rung below `place`; `here` are the plan's types as they are stored at `place`.

    The caller's parcels keep their positions. After them come the parts of the plan that the unit did not touch, and
    what is to be closed; `bare`, without the words that it had. `base` is the EHR's address: what the plan refers to
    there is named in full elsewhere.

    Raises Conflict where someone changed, or made, the same thing at `place` in the meantime.
    """
    plan = _Leaving(unit, place, here)
    rungs = unit.parcels[unit.plan_at(place)[0]].ladder
    names = plan.names()

    def name_elsewhere(reference: str) -> str:
        return names[reference] if reference in names else _from_elsewhere(reference, place, base=base)

    def copy(content: Resource, name: str, left: Stored | None, *, anew: bool) -> Parcel:
        resource = continued(content, place=place, reference=left.reference if left else "")
        write = with_identifier(Write("create", renamed(resource, name_elsewhere), full_url=name))
        return Parcel(write, rungs[0], rungs[1:], anew=anew)

    close = withdrawn if bare else closed
    copies = {number: copy(*part, anew=unit.parcels[number].anew) for number, part in plan.parts().items()}
    others = [copy(found.resource, names[found.reference], found, anew=False) for found in plan.untouched()]
    closings = [
        Parcel(Write("update", close(found.resource), if_match=found.etag), place, closing=True)
        for found in plan.stored()
        if not is_closed(found.resource)
    ]
    changed = unit.changed(copies)
    return replace(changed, parcels=(*changed.parcels, *others, *closings))


def continued_alone(parcel: Parcel, *, base: str) -> Write:
    """Return the change of what stands at a place where it does not go on, as what is made at another one.

    What is there no longer counts: the new one says that it was there.
    """
    resource, place = parcel.write.resource, parcel.place
    copy = continued(resource, place=place, reference=f"{parcel.type}/{resource['id']}")
    elsewhere = renamed(copy, lambda reference: _from_elsewhere(reference, place, base=base))
    return with_identifier(Write("create", elsewhere, full_url=_name(parcel), living=parcel.write.living))


def left_behind(parcel: Parcel) -> Parcel:
    """Return what takes the words away where the change of a parcel was to go."""
    bare = withdrawn(parcel.write.resource)
    return Parcel(Write("update", bare, if_match=parcel.write.if_match), parcel.place, closing=True)


def _from_elsewhere(reference: str, place: Place, *, base: str) -> str:
    """Return how what is at one place is named at another one."""
    kind, slash, _ = reference.partition("/")
    # Relative means "at this server". The people are the exception: every place knows those by the EHR's names.
    is_here = slash and kind.isalpha() and kind not in AT_THE_EHR
    return f"{base}/{reference}" if place == "ehr" and is_here else reference


class _Leaving:
    """What a unit writes of a plan, beside what is stored of it at the place that it leaves."""

    def __init__(self, unit: Unit, place: Place, here: Iterable[Stored]) -> None:
        self._parcels = {number: unit.parcels[number] for number in unit.plan_at(place)}
        self._here = {found.reference: found for found in here}
        self._left = {number: self._arrived(parcel) for number, parcel in self._parcels.items()}

    def parts(self) -> dict[int, tuple[Resource, str, Stored | None]]:
        """Return for each position in the unit its newest content, its name, and what is stored of it here."""
        return {
            number: (
                parcel.stored.resource if parcel.stored else parcel.write.resource,
                _name(parcel),
                self._left[number],
            )
            for number, parcel in self._parcels.items()
        }

    def stored(self) -> list[Stored]:
        """Return what is stored of the plan at the place, its CarePlan included."""
        return [*(found for found in self._left.values() if found), *self.untouched()]

    def names(self) -> dict[str, str]:
        """Return the names within the unit, `urn:uuid:…`, of what is stored here, by its reference here."""
        written = ((self._left[number], _name(parcel)) for number, parcel in self._parcels.items())
        names = {found.reference: name for found, name in written if found}
        return names | {found.reference: _urn(found.resource) for found in self.untouched()}

    def untouched(self) -> list[Stored]:
        """Return the parts of the plan that the unit does not write: what its CarePlan names and we made.

        A Goal of another program that the plan names stays where its owner keeps it.
        """
        written = {found.reference for found in self._left.values() if found}
        care_plans = [parcel.write.resource for parcel in self._parcels.values() if parcel.type == "CarePlan"]
        named = dict.fromkeys(name for care_plan in care_plans for name in references(care_plan))
        found = [self._here[name] for name in named if name in self._here and name not in written]
        return [one for one in found if _is_ours(one.resource)]

    def _arrived(self, parcel: Parcel) -> Stored | None:
        """Return what is stored at the place of what a parcel writes, None if nothing is. Raises Conflict."""
        if parcel.stored is not None:
            return parcel.stored
        resource = parcel.write.resource
        if parcel.write.method == "update":
            found = self._here.get(f"{parcel.type}/{resource['id']}")
            if found is not None and differ(found.etag, parcel.write.if_match):
                raise Conflict("Someone else changed this plan in the meantime.", found)
            return found
        # A refused create may still have left something here: an earlier try may have been cut off half-way.
        key = identity(resource)
        same = (one for one in self._here.values() if identity(one.resource) == key and not is_closed(one.resource))
        found = next(same, None) if key else None
        if found is not None and parcel.type == "CarePlan":
            raise Conflict("Someone else began this plan in the meantime.", found)
        return found


def _name(parcel: Parcel) -> str:
    return parcel.write.full_url or _urn(parcel.write.resource)


def _urn(resource: Resource) -> str:
    """Return the name that pages, too, give to a part that has no id yet: its own identifier."""
    ours = own_identifier(resource)
    return f"{URN}{ours.value.removeprefix(URN) if ours else resource['id']}"


def _is_ours(resource: Resource) -> bool:
    ours = own_identifier(resource)
    return ours is not None and ours.system in IDENTIFIER_SYSTEMS


def differ(found: str | None, expected: str | None) -> bool:
    """Tell whether two version tags are of two versions; a tag is weak in one answer and strong in the next."""
    if found is None or expected is None:
        return False
    return found.removeprefix("W/") != expected.removeprefix("W/")
