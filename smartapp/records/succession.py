"""Answers that a place will not have amended go on as a response of their own, with its scores: a successor.

They were sent, perhaps without our hearing of it, and their author changed them. Where nobody may change what is there,
amending would be refused for ever. The earlier response stays as it was sent, with its own scores.
"""

from __future__ import annotations

from dataclasses import replace

from mappers.identity import own_identifier
from mappers.successors import number_of, successor
from smartapp.records.parcels import Parcel, Unit


def may_succeed(unit: Unit) -> bool:
    """Tell whether the answers in a unit can go on under another name: they are named by us."""
    return all(number_of(parcel.write.resource) for parcel in _restated(unit))


def succeeded(unit: Unit) -> Unit:
    """Return the unit with its response and scores as the next in line: new, where nothing of them can be yet."""
    number = 1 + max(number_of(parcel.write.resource) for parcel in _restated(unit))

    def anew(parcel: Parcel) -> Parcel:
        if not parcel.is_restated:
            return parcel
        return Parcel(numbered(parcel, number).write, parcel.place, parcel.ladder, anew=parcel.anew)

    return replace(unit, parcels=tuple(anew(parcel) for parcel in unit.parcels))


def numbered(parcel: Parcel, number: int) -> Parcel:
    """Return a create under the name that it has as this number in its line; as it is where it has that already."""
    resource = parcel.write.resource
    if number_of(resource) in (0, number):
        return parcel
    named = successor(resource, number)
    ours = own_identifier(named)
    condition = f"identifier={ours.token}" if ours else None
    return replace(parcel, write=replace(parcel.write, resource=named, if_none_exist=condition))


def _restated(unit: Unit) -> list[Parcel]:
    return [parcel for parcel in unit.parcels if parcel.is_restated]
