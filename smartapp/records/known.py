"""What is known of the things of a new unit before any server is asked: what arrived earlier, and what is on its way.

The same author may say a thing again, in other words: a button pressed twice, answers changed after an answer from the
server was lost. The newest words count. What they replace is amended where it stands, and never made a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mappers.identity import former, own_identifier
from mappers.plan.document import edition_of
from mappers.sameness import fingerprint
from mappers.successors import first_of, number_of
from mappers.words import words_of
from smartapp.fhir.store import Stored
from smartapp.records.arrivals import Arrival
from smartapp.records.parcels import Parcel, Unit
from smartapp.records.placement import Place
from smartapp.records.succession import numbered


def thing_of(parcel: Parcel) -> tuple[Any, ...]:
    """Return what makes two parcels say something of one thing: its identifier, else the id at its server.

    A response and its successors are one thing, and so are all documents of one plan: the newest counts.
    """
    if document := edition_of(parcel.write.resource):
        return (parcel.type, document.plan)
    ours = own_identifier(parcel.write.resource)
    return (parcel.type, first_of(ours) if ours else parcel.write.resource.get("id"))


def restates(newer: Parcel | None, older: Parcel) -> bool:
    """Tell whether a newer write of the same author says again what an older one said.

    Answers are stated as a whole. A plan is not: what is saved of it, in another tab or at another moment, says nothing
    of what was written elsewhere in it. What its author only read, and sent along, is nobody's to say again.
    """
    if newer is None or older.is_restated or not older.anew:
        return newer is not None
    return set(words_of(older.write.resource)) <= set(words_of(newer.write.resource))


def with_arrivals(unit: Unit, arrivals: Mapping[str, Arrival], key: Callable[[Parcel], str | None]) -> Unit:
    """Return the unit with what is known of its creates: arrived if nothing else is said, else where they stand."""

    def informed(parcel: Parcel) -> Parcel:
        found = arrivals.get(key(parcel) or "") if _is_fresh(parcel) else None
        if found is None or found.number < number_of(parcel.write.resource):  # that is what this one succeeds
            return parcel
        parcel = numbered(parcel, found.number)
        same = found.fingerprint == fingerprint(parcel.write.resource)
        return _over(_at(parcel, found.place), found.stored, says_the_same=same)

    return replace(unit, parcels=tuple(informed(parcel) for parcel in unit.parcels))


def taken_over(unit: Unit, older: Unit) -> Unit | None:
    """Return the unit with all that has become of an older one that says nothing else; None where it says more.

    More, because what is left of the older one may refer to what would be gone from it.
    """
    new = {thing_of(parcel): parcel for parcel in unit.parcels if parcel.write.method == "create"}
    before = {thing_of(older.parcels[number]): older.parcels[number] for number in older.pending}
    if not before or not before.keys() <= new.keys():
        return None
    before = {thing_of(parcel): parcel for parcel in older.parcels}
    return replace(unit, parcels=tuple(_instead_of(parcel, before.get(thing_of(parcel))) for parcel in unit.parcels))


def _instead_of(parcel: Parcel, older: Parcel | None) -> Parcel:
    if older is None or not _is_fresh(parcel):
        return parcel
    here = numbered(replace(parcel, place=older.place, ladder=older.ladder), number_of(older.write.resource))
    same = fingerprint(older.write.resource) == fingerprint(here.write.resource)
    if older.stored is not None:
        return _over(here, older.stored, says_the_same=same)
    doubtful = older.state == "sent"
    # The older one met what somebody else, or another tab, had made: no more ours to replace than it was for that one.
    is_of_others = older.known is not None and not here.is_restated
    return replace(
        here,
        state="sent" if doubtful or is_of_others else "ready",
        known=older.known,
        amends=older.amends or (doubtful and not same),
    )


def _at(parcel: Parcel, place: Place) -> Parcel:
    """Return a parcel at the place where its thing stands, with what is below that of its ladder."""
    rungs = (parcel.place, *parcel.ladder)
    return replace(parcel, place=place, ladder=rungs[rungs.index(place) + 1 :] if place in rungs else ())


def _over(parcel: Parcel, stored: Stored, *, says_the_same: bool) -> Parcel:
    if not says_the_same:
        # Sent, as far as we know: what is there has to be looked at, and is not ours to replace.
        return replace(parcel, known=stored, state="ready" if parcel.is_restated else "sent")
    return parcel.arrived(replace(stored, resource={**parcel.write.resource, "id": stored.resource["id"]}))


def _is_fresh(parcel: Parcel) -> bool:
    """Tell whether nothing is known yet of a create, and it is no copy of what moves away from where it arrived."""
    is_new = parcel.write.method == "create" and not any(former(parcel.write.resource))
    return is_new and parcel.state == "ready" and parcel.known is None and not parcel.amends
