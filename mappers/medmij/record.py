"""What is known here of one person, as their PGO may ask it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mappers.medmij.documents import Paper
from mappers.plan import PersonRef, Plan
from questionnaires.fhir import Resource


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """One person's record: who they are, and what is kept about them, whatever of it they show to whom.

    `plan_name` is our identifier of the plan, which stays when it moves. `now` is a FHIR dateTime with a zone: who is
    in the circle is asked of that moment.
    """

    client: PersonRef
    now: str
    birth_date: str = ""
    observations: tuple[Resource, ...] = ()
    responses: tuple[Resource, ...] = ()
    plan: Plan | None = None
    plan_name: str = ""
    teams: tuple[Resource, ...] = ()
    papers: tuple[Paper, ...] = ()

    def __post_init__(self) -> None:
        for name in ("observations", "responses", "teams", "papers"):
            given: Iterable[Any] = getattr(self, name)
            object.__setattr__(self, name, tuple(given))

    @property
    def client_id(self) -> str:
        """Return the id of the person at the EHR."""
        return self.client.reference.rpartition("/")[2]
