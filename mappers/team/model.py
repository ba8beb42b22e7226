"""A team, and a round in which its clients are asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from mappers.answers import FHIR_ID
from mappers.tolerant import text_in
from questionnaires.fhir import Resource

TYPES: Final = ("Organization", "CareTeam")
"""The resources that a team can be in FHIR; in most records it is an Organization."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team by its reference (`Organization/1`, `CareTeam/1`) and the name that people know it by."""

    reference: str
    name: str

    def __post_init__(self) -> None:
        type_, _, id_ = self.reference.partition("/")
        if type_ not in TYPES or not FHIR_ID.fullmatch(id_):
            raise ValueError(f"a team is {TYPES[0]}/… or {TYPES[1]}/…, and this reference is neither")

    def as_fhir(self) -> Resource:
        """Return the FHIR Reference to it."""
        return {"reference": self.reference, "display": self.name}


def local(reference: Any) -> str:
    """Return what a FHIR Reference points at as `Type/id`, whether it is written whole or not; "" if it says nothing.

    Of one version of a resource it is the resource.
    """
    parts = text_in(reference, "reference").partition("/_history/")[0].split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else ""


@dataclass(frozen=True, slots=True)
class Round:
    """A time in which clients of a team are asked for marks: its first and its last day."""

    name: str
    start: dt.date
    end: dt.date

    def has(self, day: dt.date) -> bool:
        """Tell whether a day is in it."""
        return self.start <= day <= self.end

    def is_over(self, today: dt.date) -> bool:
        """Tell whether nobody can answer any more: only then is anything of it shown.

        Who looks before and after one more answer could tell what that answer was.
        """
        return self.end < today
