"""What was told back to clients and staff, as a Communication, and the actions that follow, as a Task each.

Nobody is named in either: whoever tells or does is a role or a team, in words. R4 lets a Communication be about
anything and a Task be for anything, so both point at the team. An action that changes is the same Task once more: the
store keeps its versions, and what others added to it stays.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from mappers.fhir_text import narrative, paragraph, typed
from mappers.team.model import Team, local
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import Resource, concept

TOLD_BACK_PROFILE: Final = structure_url("team-told-back")
ACTION_PROFILE: Final = structure_url("team-action")
IDENTIFIER_SYSTEM: Final = identifier_system("team")
PLAN_SYSTEM: Final = code_system_url("plan")
TOLD_BACK: Final = "team-told-back"
ACTION: Final = "team-action"
OUTCOME: Final = "team-action-outcome"
# The displays are those of our published CodeSystem, which is in Dutch.
_CODES: Final = {TOLD_BACK: "Teruggekoppeld", ACTION: "Actie van een team", OUTCOME: "Wat de actie opleverde"}

ActionState = Literal["planned", "doing", "done", "dropped"]
ACTION_STATES: Final[tuple[ActionState, ...]] = get_args(ActionState)
_STATUS: Final[dict[ActionState, str]] = {
    "planned": "requested",
    "doing": "in-progress",
    "done": "completed",
    "dropped": "cancelled",
}
_STATE: Final = {status: state for state, status in _STATUS.items()}
_NOT_SAID: Final = "entered-in-error"


@dataclass(frozen=True, slots=True)
class ToldBack:
    """A message to clients and staff about the outcomes: its day, its words, and which role tells it."""

    day: dt.date
    words: str
    by: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a team does with the outcomes: what, who (a role or a team), by when, how far, and what came of it."""

    what: str
    who: str
    by_when: dt.date | None = None
    state: ActionState = "planned"
    outcome: str = ""
    id: str = ""
    since: str = ""
    """When it was written first, a FHIR dateTime."""


def communication_of(told: ToldBack, team: Team, *, identifier: str, language: str = "nl") -> Resource:
    """Return what was told back as a Communication; `identifier` makes it the same one however often it is sent.

    Raises ValueError where it has no words.
    """
    words = typed(told.words)
    if not words:
        raise ValueError("a message without words tells nothing")
    made: Resource = {
        "resourceType": "Communication",
        "meta": {"profile": [TOLD_BACK_PROFILE]},
        "language": language,
        "text": narrative([paragraph(words)], language, "generated"),
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": identifier}],
        "status": "completed",
        "category": [concept(PLAN_SYSTEM, TOLD_BACK, _CODES[TOLD_BACK])],
        "about": [team.as_fhir()],
        "sent": told.day.isoformat(),
        "payload": [{"contentString": words}],
    }
    # A role in words, and no reference: who it was that day is nobody's business.
    return made | ({"sender": {"display": by}} if (by := typed(told.by)) else {})


def told_back_in(resource: Any, team: Team) -> ToldBack | None:
    """Read what was told back about a team; None for any other resource, and for what was taken back."""
    ours = any(code_in({"it": one}, "it", PLAN_SYSTEM) == TOLD_BACK for one in objects_in(resource, "category"))
    about = any(local(one) == team.reference for one in objects_in(resource, "about"))
    day = _day(text_in(resource, "sent"))
    if not ours or not about or day is None or text_in(resource, "status") == _NOT_SAID:
        return None
    words = "\n\n".join(text_in(one, "contentString") for one in objects_in(resource, "payload"))
    by = text_in(object_in(resource, "sender"), "display")
    return ToldBack(day, words, by, text_in(resource, "id"))


def task_of(
    action: Action,
    team: Team,
    *,
    identifier: str,
    written: str,
    existing: Resource | None = None,
    language: str = "nl",
) -> Resource:
    """Return an action as a Task; with `existing`, that Task with what the action is now and all else as it was.

    `written` is the moment of writing, a FHIR dateTime. Raises ValueError where it does not say what is done.
    """
    what = typed(action.what)
    if not what:
        raise ValueError("an action says what is done")
    kept = {name: value for name, value in (existing or {}).items() if name not in _OF_ACTION}
    before = text_in(existing, "authoredOn") if existing else ""
    made: Resource = {
        **kept,
        "resourceType": "Task",
        "meta": {**object_in(existing, "meta"), "profile": [ACTION_PROFILE]},
        "language": language,
        "text": narrative([paragraph(what)], language, "generated"),
        "identifier": objects_in(existing, "identifier") or [{"system": IDENTIFIER_SYSTEM, "value": identifier}],
        "status": _STATUS[action.state],
        "intent": "plan",
        "code": concept(PLAN_SYSTEM, ACTION, _CODES[ACTION]),
        "description": what,
        "for": team.as_fhir(),
        "authoredOn": before or written,
        "lastModified": written,
    }
    if who := typed(action.who):
        made["owner"] = {"display": who}
    if action.by_when is not None:
        made["restriction"] = {"period": {"end": action.by_when.isoformat()}}
    if outcome := typed(action.outcome):
        made["output"] = [{"type": concept(PLAN_SYSTEM, OUTCOME, _CODES[OUTCOME]), "valueString": outcome}]
    return made


_OF_ACTION: Final = frozenset({"owner", "restriction", "output"})
"""The elements that an action may no longer have, and that therefore go when it has none."""


def action_in(resource: Any, team: Team) -> Action | None:
    """Read an action of a team; None for any other resource, and for one that was entered in error."""
    if code_in(resource, "code", PLAN_SYSTEM) != ACTION or local(object_in(resource, "for")) != team.reference:
        return None
    state = _STATE.get(text_in(resource, "status"))
    if state is None:
        return None
    outcomes = (
        text_in(one, "valueString")
        for one in objects_in(resource, "output")
        if code_in(one, "type", PLAN_SYSTEM) == OUTCOME
    )
    return Action(
        what=text_in(resource, "description"),
        who=text_in(object_in(resource, "owner"), "display"),
        by_when=_day(text_in(object_in(object_in(resource, "restriction"), "period"), "end")),
        state=state,
        outcome=next(outcomes, ""),
        id=text_in(resource, "id"),
        since=text_in(resource, "authoredOn"),
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
