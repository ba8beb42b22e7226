"""A Task of a domain as work: whose it is, what it asks, and where it may go from here.

TOP-KT-013 says what each status means; KT2_Task says which elements there are. What the table here does not name leads
nowhere: nobody's work is moved by a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from mappers.koppeltaal.codes import INSTANTIATES, TASK_CODES
from mappers.period import is_on
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.fhir import Resource

Step = Literal["in-progress", "completed"]
"""What we do with a Task: it has begun, and it is done."""
Phase = Literal["to-begin", "begun", "paused", "done", "closed"]
Named = Callable[[str], str]
"""What a reference of the domain says as `Type/id`, "" where it leads out of the domain or is no such reference."""

_PHASES: Final[dict[str, Phase]] = {
    "requested": "to-begin",
    "received": "to-begin",
    "accepted": "to-begin",
    "ready": "to-begin",
    "in-progress": "begun",
    "on-hold": "paused",
    "completed": "done",
}
"""Any other status (draft, cancelled, rejected, failed, entered-in-error) is closed: not yet, or no more, to be opened.
"""
_FROM: Final[dict[Step, tuple[Phase, ...]]] = {"in-progress": ("to-begin",), "completed": ("to-begin", "begun")}


@dataclass(frozen=True, slots=True)
class Work:
    """A Task as we read it; references are as `Named` gives them."""

    reference: str
    versioned: str
    status: str
    patient: str
    owner: str
    requester: str
    definitions: tuple[str, ...]
    part_of: str
    code: str
    is_view: bool
    asked_on: str
    due: str

    @property
    def phase(self) -> Phase:
        """Return how far it is."""
        return _PHASES.get(self.status, "closed")

    @property
    def of_the_patient(self) -> bool:
        """Tell whether it is the person's own: then what they do moves it."""
        return bool(self.patient) and self.owner == self.patient


def work_of(task: Resource, named: Named) -> Work:
    """Read a Task of a domain."""

    def refers(node: object) -> str:
        return named(text_in(node, "reference"))

    reference = f"Task/{text_in(task, 'id')}"
    version = text_in(object_in(task, "meta"), "versionId")
    instantiates = (one for one in objects_in(task, "extension") if one.get("url") == INSTANTIATES)
    return Work(
        reference=reference,
        versioned=f"{reference}/_history/{version}" if version else reference,
        status=text_in(task, "status"),
        patient=refers(task.get("for")),
        owner=refers(task.get("owner")),
        requester=refers(task.get("requester")),
        definitions=tuple(found for one in instantiates if (found := refers(one.get("valueReference")))),
        part_of=next((found for one in objects_in(task, "partOf") if (found := refers(one))), ""),
        code=next(
            (code for one in objects_in(object_in(task, "code"), "coding") if (code := text_in(one, "code"))), ""
        ),
        is_view=code_in(task, "code", TASK_CODES) == "view",
        asked_on=text_in(task, "authoredOn"),
        due=text_in(object_in(task, "executionPeriod"), "end")[:10],
    )


def may_view(view: Work, main: Work) -> bool:
    """Tell whether a sub-task that only looks on is one as KT2_Task describes it.

    It is part of a main Task that has no code of its own, about the same person. Any other must not be opened.
    """
    return view.part_of == main.reference and not main.code and bool(main.patient) and view.patient == main.patient


def works_in(teams: Iterable[Resource], team: str, patient: str, named: Named, now: str) -> bool:
    """Tell whether a care team (`CareTeam/<id>`) may own work about a person now: theirs, active, in its period."""
    mine = [one for one in teams if f"CareTeam/{text_in(one, 'id')}" == team]
    return any(
        one.get("status") == "active"
        and named(text_in(object_in(one, "subject"), "reference")) == patient
        and is_on(text_in(object_in(one, "period"), "start"), text_in(object_in(one, "period"), "end"), now)
        for one in mine
    )


def moved(task: Resource, step: Step, now: str) -> Resource | None:
    """Return a Task of the domain after a step of its owner, None where it is there already or goes no such way.

    All else stays as it was read: a domain takes an update only whole (it knows no PATCH). `now` is a FHIR dateTime.
    """
    if _PHASES.get(text_in(task, "status"), "closed") not in _FROM[step]:
        return None
    return {**task, "status": step, "lastModified": now}
