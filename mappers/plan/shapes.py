"""What a plan's FHIR resources look like, for reading and writing alike: addresses, codes, and who refers to whom.

Resources come from any program at all, so everything here is tolerant: whatever is not of the type that FHIR says
counts as absent.
"""

from __future__ import annotations

import re
from typing import Any, Final

from mappers.errors import NotAPlan, shown
from mappers.identity import URN, identifiers
from mappers.plan.model import PROGRESS, Progress, Remark, StepStatus
from mappers.tolerant import code_in, objects_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import Resource

PLAN_PROFILE: Final = structure_url("recovery-plan")
GOAL_PROFILE: Final = structure_url("recovery-goal")
STEP_PROFILE: Final = structure_url("recovery-step")
ANSWERS_URL: Final = structure_url("life-domain-answers")
DOMAIN_SYSTEM: Final = code_system_url("life-domain")
PLAN_SYSTEM: Final = code_system_url("plan")
ACHIEVEMENT_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/goal-achievement"

IDENTIFIER_SYSTEMS: Final = frozenset(identifier_system(name) for name in ("plan", "goal", "step"))
_REFERENCE: Final = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?")

STEP_STATUS_OF: Final[dict[str, StepStatus]] = {
    "draft": "planned",
    "requested": "planned",
    "received": "planned",
    "accepted": "planned",
    "ready": "planned",
    "in-progress": "doing",
    "on-hold": "doing",
    "completed": "done",
    "cancelled": "stopped",
    "rejected": "stopped",
    "failed": "stopped",
}
GOING_ON: Final = frozenset({"proposed", "planned", "accepted", "active", "on-hold"})
LATER: Final = frozenset({"proposed", "on-hold"})


# --- what a resource says ----------------------------------------------------------------------------------------


def domain_of(concept: Any) -> str:
    """Return the life domain that a category is, or ""."""
    return code_in({"category": concept}, "category", DOMAIN_SYSTEM)


def progress_of(goal: Resource) -> Progress:
    """Return the progress of a Goal, or "" where it has none that we know."""
    code = code_in(goal, "achievementStatus", ACHIEVEMENT_SYSTEM)
    return next((known for known in PROGRESS if known == code), "")


def step_status_of(task: Resource) -> StepStatus | None:
    """Return the status of a Task as that of a step; None if it was entered in error or has a status we do not know."""
    return STEP_STATUS_OF.get(text_in(task, "status"))


def is_going_on(goal: Resource) -> bool:
    """Tell whether a Goal's lifecycle status is one of those before its end."""
    return text_in(goal, "lifecycleStatus") in GOING_ON


def is_for_later(goal: Resource) -> bool:
    """Tell whether a Goal is a wish, or rests."""
    return text_in(goal, "lifecycleStatus") in LATER


def is_own_target(target: Resource) -> bool:
    """Tell the client's due date, which comes alone, from a professional's target, which measures something."""
    return text_in(target, "dueDate") != "" and "measure" not in target


def remark_of(note: Resource) -> Remark:
    """Return a note as the client's remark."""
    return Remark(text_in(note, "text"), text_in(note, "time"))


def is_own_note(note: Resource, subject: Any) -> bool:
    """Tell the client's own note from those of others, by its author."""
    author = target_of(note.get("authorReference"))
    return author != "" and author == target_of(subject)


def extensions(resource: Any, *urls: str) -> list[Resource]:
    """Return the extensions with one of these urls."""
    return [one for one in objects_in(resource, "extension") if one.get("url") in urls]


# --- who refers to whom -------------------------------------------------------------------------------------------


def reference(kind: str, ident: str, display: str) -> Resource:
    """Return a FHIR Reference to a part of the plan."""
    return {"reference": key(kind, ident), "display": display}


def key(kind: str, ident: str) -> str:
    """Return what a part of the plan is referred to by: its URN while it has one, else type and id."""
    return ident if ident.startswith(URN) else f"{kind}/{ident}"


def id_of(resource: Resource) -> str:
    """Return the record's id; without one, the URN from our identifier. Raises NotAPlan where there is neither."""
    if text_in(resource, "id"):
        return text_in(resource, "id")
    ours = next((one for one in identifiers(resource) if one.system in IDENTIFIER_SYSTEMS), None)
    if ours is not None:
        return f"{URN}{ours.value}"
    raise NotAPlan(f"a {shown(text_in(resource, 'resourceType'))} has neither id nor identifier")


def key_of(resource: Resource) -> str:
    """Return what references to this resource have as their target."""
    return key(text_in(resource, "resourceType"), id_of(resource))


def target_of(reference: Any) -> str:
    """Return what a reference points to, whether it is relative, absolute, versioned or a URN; "" if to nothing."""
    text = text_in(reference, "reference")
    match = _REFERENCE.fullmatch(text)
    return f"{match['type']}/{match['id']}" if match else text
