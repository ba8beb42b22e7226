"""Points to talk about: the client marks an answer, a Task keeps the mark, and a conversation settles it.

A Task of its own rather than a change of the response: what was answered stays as it was sent in, also where an EHR
lets nobody change a response, and it can be marked long after, and by its status settled, in a conversation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mappers.fhir_text import narrative, paragraph
from mappers.said_in import SaidIn, said_in
from mappers.tolerant import code_in, text_in
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Text

CODE: Final = "talking-point"
PROFILE: Final = structure_url("talking-point")
IDENTIFIER_SYSTEM: Final = identifier_system("talking-point")
_PLAN_SYSTEM: Final = code_system_url("plan")
_DISPLAY: Final = Text("Hier wil ik over praten", "I want to talk about this")
_OPEN: Final = frozenset({"requested", "received", "accepted", "ready", "in-progress", "on-hold"})


@dataclass(frozen=True, slots=True)
class TalkingPoint:
    """An answer that the client wants to talk about, in the words of the form and of the client.

    `waiting`: it was not talked about yet. `id` is the Task's, `marked_on` a FHIR dateTime.
    """

    id: str
    answer: SaidIn
    words: str
    marked_on: str
    waiting: bool
    discussed: bool


def is_talking_point(task: Resource) -> bool:
    """Tell whether a Task is one of these."""
    return text_in(task, "resourceType") == "Task" and code_in(task, "code", _PLAN_SYSTEM) == CODE


def talking_point_of(task: Resource) -> TalkingPoint | None:
    """Read a point; None for any other Task, for one that names no answer, and for one made by mistake."""
    answer = said_in(task) if is_talking_point(task) else None
    status = text_in(task, "status")
    if answer is None or status == "entered-in-error":
        return None
    return TalkingPoint(
        id=text_in(task, "id"),
        answer=answer,
        words=text_in(task, "description"),
        marked_on=text_in(task, "authoredOn"),
        waiting=status in _OPEN,
        discussed=status == "completed",
    )


def task_of(
    answer: SaidIn, *, words: str, patient: dict[str, str], requester: dict[str, str], marked_on: str, language: str
) -> Resource:
    """Build the Task that says that the client wants to talk about an answer.

    `words` are the question with its answer, for whoever browses the record. Sent twice, it is made once: its
    identifier follows from the answer.
    """
    return {
        "resourceType": "Task",
        "meta": {"profile": [PROFILE]},
        "language": language,
        "text": narrative([paragraph(f"{_DISPLAY.get(language)}: {words}")], language, "generated"),
        "extension": [answer.as_extension()],
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": answer.key(CODE)}],
        "status": "requested",
        "intent": "proposal",
        "code": {"coding": [{"system": _PLAN_SYSTEM, "code": CODE, "display": _DISPLAY.get(language)}]},
        "description": words,
        "for": patient,
        "authoredOn": marked_on,
        "requester": requester,
    }


def marked(task: Resource, marked_on: str) -> Resource:
    """Return the Task marked once more, after it was taken back or talked about."""
    return {**task, "status": "requested", "authoredOn": marked_on}


def taken_back(task: Resource) -> Resource:
    """Return the Task as its client no longer asks for it."""
    return {**task, "status": "cancelled"}


def discussed(task: Resource) -> Resource:
    """Return the Task as talked about, which is not the same as solved: what came of it is told elsewhere."""
    return {**task, "status": "completed"}


def points_about(tasks: list[Any], response: Resource) -> dict[str, TalkingPoint]:
    """Return the points about the answers of one response, by linkId."""
    found = (talking_point_of(task) for task in tasks)
    return {point.answer.link_id: point for point in found if point is not None and point.answer.is_of(response)}


def still_to_discuss(tasks: list[Any]) -> tuple[TalkingPoint, ...]:
    """Return what the client marked and was not talked about yet, in the order in which it was marked."""
    found = (talking_point_of(task) for task in tasks)
    waiting = [point for point in found if point is not None and point.waiting]
    return tuple(sorted(waiting, key=lambda point: point.marked_on))
