"""A goal or a step that was made by mistake: how it is taken out of the plan, and put back.

FHIR lets an app delete nothing here, and nobody's words may go. So a Goal or Task that is taken out stays in the record
with every word in it, `entered-in-error`: the one status that every reader leaves out. The CarePlan no longer refers to
it. What it was before stays with who may want it back (`former`), for FHIR has no place for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappers.plan.moving import CLOSED, STATUS
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from questionnaires.model import Text

_WHY: Final = Text(
    "Weggehaald uit het herstelplan, als vergissing. Wat hier staat, geldt niet.",
    "Taken out of the recovery plan, as a mistake. What is written here does not hold.",
)
_REASONS: Final = frozenset({_WHY.nl, _WHY.en})


def removed(resource: Resource) -> Resource:
    """Return a Goal or Task as it is when it is taken out of the plan."""
    kind = resource["resourceType"]
    why = _WHY.get(text_in(resource, "language") or "nl")
    changed = {**resource, STATUS[kind]: CLOSED, "statusReason": why if kind == "Goal" else {"text": why}}
    narrative = object_in(resource, "text")
    if div := text_in(narrative, "div"):
        opening, end, rest = div.partition(">")
        changed["text"] = {**narrative, "div": f"{opening}{end}<p>{why}</p>{rest}"}
    return changed


def is_removed(resource: Resource) -> bool:
    """Tell whether a Goal or Task was taken out of the plan; what a move closed, or another program, was not."""
    kind = text_in(resource, "resourceType")
    if kind not in ("Goal", "Task") or text_in(resource, STATUS[kind]) != CLOSED:
        return False
    reason = text_in(resource, "statusReason") or text_in(object_in(resource, "statusReason"), "text")
    return reason in _REASONS


def former(resource: Resource) -> dict[str, Any]:
    """Return what `removed` takes from a Goal or Task: its status and the reason for it, None where there is none."""
    return {name: resource.get(name) for name in (STATUS[resource["resourceType"]], "statusReason")}


def put_back(resource: Resource, was: Mapping[str, Any]) -> Resource:
    """Return a Goal or Task as it is when it is put back; `was` is what `former` gave, {} where nobody knows.

    Then a goal goes on unless the client said how it ended, and a step is still to do. Its narrative, which says that
    it was taken out, is written anew by whoever writes the plan.
    """
    kind = resource["resourceType"]
    said = was or {STATUS[kind]: _likely(resource)}
    changed = {name: value for name, value in resource.items() if name not in (STATUS[kind], "statusReason")}
    return changed | {name: value for name, value in said.items() if value is not None}


def _likely(resource: Resource) -> str:
    if resource["resourceType"] == "Task":
        return "ready"
    codes = {text_in(one, "code") for one in objects_in(object_in(resource, "achievementStatus"), "coding")}
    if "achieved" in codes:
        return "completed"
    return "cancelled" if codes & {"not-achieved", "not-attainable"} else "active"
