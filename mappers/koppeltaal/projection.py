"""A Task of a domain as an assignment of ours: what asks the person for a questionnaire on our own pages.

A domain's Task has no place for a questionnaire or an answer, and stays as it is. Ours names it by an identifier, and
what becomes of ours is told there as a step.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from mappers.assignment import CANCELLED, asked_again, assignment_of, cancelled, task_of
from mappers.koppeltaal.work import Work
from mappers.tolerant import objects_in, text_in
from questionnaires import canonical
from questionnaires.fhir import Resource
from questionnaires.model import Instrument

IDENTIFIER_SYSTEM: Final = canonical.identifier_system("koppeltaal-task")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def task_named_in(task: Resource) -> str:
    """Return the Task of the domain (`Task/<id>`) that an assignment of ours stands for, "" where it is none."""
    named = (text_in(one, "value") for one in objects_in(task, "identifier") if one.get("system") == IDENTIFIER_SYSTEM)
    return next(named, "")


def assignment_for(
    work: Work, instrument: Instrument, *, domain: str, patient: Resource, requester: Resource, now: str
) -> Resource:
    """Return the assignment for a Task; `domain` is the key of its issuer, people are References with a display.

    `now` (a FHIR dateTime) counts where the Task does not say when it was asked.
    """
    task = task_of(
        questionnaire=instrument.canonical,
        title=instrument.title.nl,
        patient=patient,
        requester=requester,
        asked_on=work.asked_on if _MOMENT.fullmatch(work.asked_on) else now,
        identifier=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{domain} {work.reference}")),
        due=work.due if _DAY.fullmatch(work.due) else None,
    )
    named = {"system": IDENTIFIER_SYSTEM, "value": work.reference}
    return {**task, "language": "nl", "identifier": [*task["identifier"], named]}


def aligned(ours: Resource, work: Work, why: str) -> Resource | None:
    """Return our assignment as the domain has it by now, None where it need not change.

    What was stopped there is withdrawn here, for the reason `why`; what is asked there again is asked here again. What
    the person answered here stays answered.
    """
    waits = assignment_of(ours).waiting
    if waits and work.phase in ("done", "closed"):
        return cancelled(ours, why)
    if ours.get("status") == CANCELLED and work.phase in ("to-begin", "begun"):
        return asked_again(ours, {"status": "requested", "statusReason": None})
    return None
