"""A plan that goes on at another place: what a part of it becomes there, and at the place that it leaves."""

from __future__ import annotations

from typing import Final

from mappers.identity import with_former
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from questionnaires.model import Text

CLOSED: Final = "entered-in-error"
STATUS: Final[dict[str, str]] = {"CarePlan": "status", "Goal": "lifecycleStatus", "Task": "status"}
_OF_ONE_SERVER: Final = frozenset({"versionId", "lastUpdated", "source"})

_WHY: Final = Text(
    "Dit herstelplan gaat verder in Verstel, omdat dit dossier niet elk deel ervan aannam. Wat hier staat, geldt niet.",
    "This recovery plan goes on in Verstel, because this record did not accept every part of it. "
    "What is written here no longer holds.",
)

_NOT_HERE: Final = Text(
    "Wat hier stond, geldt niet en wordt hier niet meer bewaard.",
    "What was written here no longer holds, and is not kept here any more.",
)

_REASONS: Final = frozenset({_WHY.nl, _WHY.en, _NOT_HERE.nl, _NOT_HERE.en})
_KEPT: Final = frozenset(
    {"resourceType", "id", "meta", "language", "identifier", "status", "lifecycleStatus", "intent", "category", "code"}
    | {"subject", "for", "source", "author", "questionnaire", "authored", "authoredOn", "effectiveDateTime"}
    | {"created", "startDate"}
)
"""What says which thing it is, and when it was; no element of these has somebody's words."""

_WORDS: Final = frozenset(
    {"activity", "addresses", "component", "contained", "extension", "goal", "item", "outcomeReference", "output"}
    | {"statusReason", "target", "title", "valueCodeableConcept", "valueString"}
)
"""Of all that we write, where somebody's words can be beside a description and notes."""
_NAMING: Final = frozenset({"activity", "addresses", "goal", "outcomeReference", "output"})


def continued(resource: Resource, *, place: str = "", reference: str = "") -> Resource:
    """Return a CarePlan, Goal or Task as it is created at the next place: without what one server gave it.

    `place` and `reference` say where it is left, when it had arrived there.
    """
    copy = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    meta = {name: value for name, value in object_in(resource, "meta").items() if name not in _OF_ONE_SERVER}
    copy = {**copy, "meta": meta} if meta else copy
    return with_former(copy, place, reference) if reference else copy


def closed(resource: Resource) -> Resource:
    """Return a CarePlan, Goal or Task as it stays behind at the place that the plan has left.

    FHIR lets an app delete nothing here, and an open plan would mislead whoever reads that chart: it is not changed
    any more. `entered-in-error` is the one status that every reader leaves out and that says nothing about the client;
    a Goal that is `cancelled` or a plan that is `revoked` would say that they gave up. The words stay, with the reason:
    in the narrative too, since many viewers show nothing else.
    """
    kind = resource["resourceType"]
    why = _WHY.get(text_in(resource, "language") or "nl")
    changed = {**resource, STATUS[kind]: CLOSED}
    narrative = object_in(resource, "text")
    if div := text_in(narrative, "div"):
        opening, end, rest = div.partition(">")
        changed["text"] = {**narrative, "div": f"{opening}{end}{_paragraph(why)}{rest}"}
    # The notes of a Goal are remarks of people, so each type says it where it can.
    if kind == "CarePlan":
        return {**changed, "note": [*objects_in(resource, "note"), {"text": why}]}
    return {**changed, "statusReason": why if kind == "Goal" else {"text": why}}


def withdrawn(resource: Resource) -> Resource:
    """Return what stays behind of a resource whose owner takes their words out of that place: which thing it was.

    Earlier versions that a server keeps are the server's. It does not say where the words are, or that they are.
    """
    kind = resource["resourceType"]
    why = _NOT_HERE.get(text_in(resource, "language") or "nl")
    bare = {name: value for name, value in resource.items() if name in _KEPT} | {STATUS.get(kind, "status"): CLOSED}
    if kind == "Goal":
        return {**bare, "description": {"text": why}}
    return bare if kind == "QuestionnaireResponse" else {**bare, "note": [{"text": why}]}


def is_withdrawn(resource: Resource) -> bool:
    """Tell whether no words of its owner stand in a resource any more, whatever else a server added to it."""
    description = resource.get("description")
    said = description if isinstance(description, str) else text_in(object_in(resource, "description"), "text")
    return (
        text_in(resource, STATUS.get(resource["resourceType"], "status")) == CLOSED
        and not _WORDS & resource.keys()
        and (not said or said in _REASONS)
        and all(text_in(note, "text") in _REASONS for note in objects_in(resource, "note"))
    )


def words_in(resource: Resource) -> Resource:
    """Return the elements of a resource that may have somebody's words, other than what it names at its place."""
    names = (_WORDS - _NAMING) | {"description", "note"}
    return {name: value for name, value in resource.items() if name in names}


def was_left(care_plan: Resource) -> bool:
    """Tell whether a CarePlan was closed by a move; one that a person entered in error says nothing of a move."""
    return is_closed(care_plan) and any(text_in(note, "text") in _REASONS for note in objects_in(care_plan, "note"))


def reopened(care_plan: Resource) -> Resource:
    """Return a CarePlan that a move has closed as it was before: for readers, as long as no copy of it exists."""
    notes = [note for note in objects_in(care_plan, "note") if text_in(note, "text") not in _REASONS]
    changed = {name: value for name, value in care_plan.items() if name != "note"} | {"status": "active"}
    narrative = object_in(care_plan, "text")
    if div := text_in(narrative, "div"):
        for why in _REASONS:
            div = div.replace(_paragraph(why), "", 1)
        changed["text"] = {**narrative, "div": div}
    return {**changed, "note": notes} if notes else changed


def _paragraph(text: str) -> str:
    return f"<p>{text}</p>"


def is_closed(resource: Resource) -> bool:
    """Tell whether a CarePlan, Goal or Task was closed, by a move or by a person."""
    return text_in(resource, STATUS[resource["resourceType"]]) == CLOSED
