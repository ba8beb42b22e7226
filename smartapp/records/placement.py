"""Where each artefact lives: in the EHR if it can, else on the companion server if there is one, else with us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from smartapp.fhir.capabilities import Capability, Interaction

Place = Literal["ehr", "companion", "own"]

PLACES: Final[tuple[Place, ...]] = ("ehr", "companion", "own")
"""All places, from the first choice to the last resort. Only our own store takes everything, so it ends each ladder."""

TOGETHER = frozenset({"CarePlan", "Goal", "Task"})
"""A plan is one thing to its owner: its parts live at one place, the first that takes them all.

They are also what is changed after it was made; a place that can only create them cannot keep them.
"""

COPIES = frozenset({"DocumentReference"})
"""Types that are made for who reads the chart, of what is kept elsewhere: they are there or nowhere."""


def ladder(
    type: str, capability: Capability, *, companion: bool, with_plan: bool = False, living: bool = False
) -> tuple[Place, ...]:
    """Return the places for a new resource of this type, the best first; our own store is the last of what is no copy.

    `with_plan` says that it is written as part of a plan, `living` that it is changed later, as a plan is.
    """
    if type in COPIES:
        return ("ehr",)
    # The EHR first, because that is what care providers read; our own store last: only who opens this app reads there.
    types = TOGETHER if type == "CarePlan" or with_plan else {type}
    places: list[Place] = ["ehr"] if all(can_live_in_ehr(each, capability, living=living) for each in types) else []
    if companion:
        places.append("companion")
    return (*places, "own")


def below(place: Place, *, companion: bool) -> tuple[Place, ...]:
    """Return the places to which what lives at `place` can move, the best first."""
    lower = PLACES[PLACES.index(place) + 1 :]
    return tuple(one for one in lower if one != "companion" or companion)


def can_live_in_ehr(type: str, capability: Capability, *, living: bool = False) -> bool:
    """Tell whether the EHR takes this type, lets us find it again, and lets us change it where it changes."""
    needed: Iterable[Interaction] = (
        ("create", "search-type", "update") if living or type in TOGETHER else ("create", "search-type")
    )
    return all(capability.can(type, interaction) for interaction in needed)
