"""The parts of a record that are shared each on its own, and to which of them a resource belongs.

    form.<id>       a living form                       scores   scores and their panels
    domain.<code>   a life domain: its four answers,    notes    the client's own notes beside scores
                    its goals and their steps           phase    where the client says to be now
    answers.<id>    what was sent in of one             talks    conversations: decisions, medicines, agreements
                    questionnaire                       asked    what a professional asked to fill in
    circle          the client's people
    course          the programme that the client follows, with what it asks and when

Some groups of a form may be a part of their own (`Apart`). A resource that is none of these is not ours to hide: it is
read as the EHR gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mappers.agreements import AGREED
from mappers.agreements import IDENTIFIER_SYSTEM as AGREEMENT_SYSTEM
from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.answers import asked_in
from mappers.assignment import is_assignment
from mappers.circle import IDENTIFIER_SYSTEM as CIRCLE_SYSTEM
from mappers.course import is_course, moment_of
from mappers.identity import identifiers, values_in
from mappers.observations import IDENTIFIER_SYSTEM as OF_SCORES
from mappers.observations import SCORE_SYSTEM
from mappers.own_notes import CODE as OWN_NOTE
from mappers.own_notes import IDENTIFIER_SYSTEM as OF_NOTES
from mappers.phase import CODE as PHASE
from mappers.phase import IDENTIFIER_SYSTEM as OF_PHASE
from mappers.plan.shapes import PLAN_SYSTEM, domain_of
from mappers.said_in import said_in
from mappers.talking import IDENTIFIER_SYSTEM as OF_POINTS
from mappers.talking import is_talking_point
from mappers.tolerant import code_in, objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource

SCORES: Final = "scores"
NOTES: Final = "notes"
TALKS: Final = "talks"
ASKED: Final = "asked"
CIRCLE: Final = "circle"
COURSE: Final = "course"
WHERE_NOW: Final = "phase"

_OF_GOALS: Final = identifier_system("goal")
_OF_STEPS: Final = identifier_system("step")
_BY_NAME: Final = {
    ("Observation", OF_NOTES): NOTES,
    ("Observation", OF_PHASE): WHERE_NOW,
    ("Observation", OF_SCORES): SCORES,
    ("Task", AGREEMENT_SYSTEM): TALKS,
    ("Task", identifier_system("assignment")): ASKED,
}
"""The part of what we made, by its type and whose identifier it has: a server may not keep the code that says so."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Groups of a living form that are a part of their own, such as what to do in a crisis. `groups` are linkIds."""

    part: str
    form: str
    groups: frozenset[str]


def form_part(form: str) -> str:
    """Return the part that a living form is."""
    return f"form.{form}"


def domain_part(domain: str) -> str:
    """Return the part that a life domain is."""
    return f"domain.{domain}"


def answers_part(instrument: str) -> str:
    """Return the part that the answers to a questionnaire are."""
    return f"answers.{instrument}"


def parts_in(known: Catalogue, apart: Iterable[Apart] = ()) -> tuple[str, ...]:
    """Return every part there is, in the order in which people read them."""
    forms: list[str] = []
    for form in known.living.values():
        forms += [form_part(form.id), *(one.part for one in apart if one.form == form.id)]
    return (
        *forms,
        *(domain_part(domain.code) for domain in known.life_domains),
        *(answers_part(one.id) for one in known.asked.values()),
        SCORES,
        NOTES,
        WHERE_NOW,
        TALKS,
        ASKED,
        CIRCLE,
        COURSE,
    )


def part_of(resource: Resource, known: Catalogue) -> str:
    """Return the part that a resource is of; "" where it is of none, or of several as the CarePlan of a plan is.

    A step of a plan (Task) is of the part of its goal, which it only refers to.
    """
    kinds: dict[str, Callable[[Resource, Catalogue], str]] = {
        "QuestionnaireResponse": _part_of_response,
        "Goal": _part_of_goal,
        "Observation": _part_of_observation,
        "Task": _part_of_task,
        "CareTeam": _part_of_team,
        "CarePlan": _part_of_care_plan,
    }
    type_ = text_in(resource, "resourceType")
    of = kinds.get(type_)
    if found := of(resource, known) if of else "":
        return found
    return next((_BY_NAME[type_, one.system] for one in identifiers(resource) if (type_, one.system) in _BY_NAME), "")


def kinds_of(resource: Resource, known: Catalogue) -> tuple[str, ...]:
    """Return how the parts begin of which something may be that is ours, where no part of today says which.

    A server may not keep what says so, and a life domain or a form may be in the catalogue no more. () for all else.
    """
    part = part_of(resource, known)
    match resource.get("resourceType"):
        case "Goal" if part:
            return () if part in {domain_part(one.code) for one in known.life_domains} else (domain_part(""),)
        case "Goal" if values_in(resource, _OF_GOALS):
            return (domain_part(""),)
        case "QuestionnaireResponse" if not part and values_in(resource, RESPONSE_SYSTEM):
            return form_part(""), answers_part(""), TALKS
    return ()


def is_step(task: Resource) -> bool:
    """Tell whether a Task is a step of a goal."""
    is_coded = code_in(task, "code", PLAN_SYSTEM) == "recovery-step"
    return task.get("resourceType") == "Task" and (is_coded or bool(values_in(task, _OF_STEPS)))


def _part_of_goal(goal: Resource, _known: Catalogue) -> str:
    domains = (domain_of(concept) for concept in objects_in(goal, "category"))
    domain = next(filter(None, domains), "")
    return domain_part(domain) if domain else ""


def _part_of_task(task: Resource, known: Catalogue) -> str:
    if is_talking_point(task) or values_in(task, OF_POINTS):
        return _part_of_point(task, known)
    if code_in(task, "code", PLAN_SYSTEM) == AGREED:
        return TALKS
    if moment_of(task) is not None:
        return COURSE
    return ASKED if is_assignment(task) else ""


def _part_of_team(team: Resource, _known: Catalogue) -> str:
    return CIRCLE if values_in(team, CIRCLE_SYSTEM) else ""


def _part_of_care_plan(care_plan: Resource, _known: Catalogue) -> str:
    return COURSE if is_course(care_plan) else ""


def _part_of_response(response: Resource, known: Catalogue) -> str:
    asked = asked_in(response, known)
    if asked is None:
        return ""
    return {"living": form_part(asked.id), "record": TALKS}.get(asked.kind, answers_part(asked.id))


def _part_of_point(task: Resource, known: Catalogue) -> str:
    """Return the part of the answer that a client wants to talk about: its words stand in the Task."""
    answer = said_in(task)
    asked = answer.link_id if answer else ""
    for id_, form in sorted(known.instruments.items(), key=lambda pair: -len(pair[0])):
        if asked.startswith(f"{id_}-"):
            return {"living": form_part(id_), "record": TALKS}.get(form.kind, answers_part(id_))
    return TALKS


def _part_of_observation(observation: Resource, _known: Catalogue) -> str:
    if code_in(observation, "code", SCORE_SYSTEM):
        return SCORES
    return {OWN_NOTE: NOTES, PHASE: WHERE_NOW}.get(code_in(observation, "code", PLAN_SYSTEM), "")


def domains_of(parts: Iterable[str]) -> frozenset[str]:
    """Return the life domains among some parts."""
    return frozenset(part.removeprefix("domain.") for part in parts if part.startswith("domain."))
