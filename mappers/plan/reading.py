"""CarePlan, Goals and Tasks → plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mappers.errors import NotAPlan, shown
from mappers.fhir_text import typed
from mappers.plan.model import QUESTIONS, DomainAnswers, Goal, OtherGoal, Plan, Step
from mappers.plan.shapes import (
    ANSWERS_URL,
    domain_of,
    extensions,
    id_of,
    is_for_later,
    is_going_on,
    is_own_note,
    is_own_target,
    key_of,
    progress_of,
    remark_of,
    step_status_of,
    target_of,
)
from mappers.said_in import said_in
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.living import PlanPart


def plan_of(
    care_plan: Resource, goals: Iterable[Resource] = (), tasks: Iterable[Resource] = (), *, known: Catalogue
) -> Plan:
    """Read a plan back from its CarePlan and the Goals and Tasks that it refers to, in the CarePlan's order.

    `known` says which extensions are texts of the client. Goals and Tasks that the CarePlan does not refer to, and
    those that were entered in error, are left out. More than five life domains are read as they are: the client chooses
    which to keep, and `resources_of` refuses to write six.

    Raises NotAPlan where `care_plan` is not a CarePlan, or a resource has neither id nor identifier.
    """
    if care_plan.get("resourceType") != "CarePlan":
        raise NotAPlan(f"this is a {shown(care_plan.get('resourceType'))}", advice="Give the CarePlan first")
    steps: dict[str, list[Step]] = {}
    known_tasks = {key_of(task): task for task in tasks}
    for activity in objects_in(care_plan, "activity"):
        task = known_tasks.pop(target_of(activity.get("reference")), {})
        step = _step(task)
        if step is not None:
            steps.setdefault(target_of(task.get("focus")), []).append(step)
    known_goals = {key_of(goal): goal for goal in goals if goal.get("lifecycleStatus") != "entered-in-error"}
    read = []
    for reference in objects_in(care_plan, "goal"):
        target = target_of(reference)
        goal = known_goals.pop(target, None)
        if goal is not None:
            read.append(_goal(goal, tuple(steps.get(target, ()))))
    return Plan(
        id=id_of(care_plan),
        texts={part.code: _texts_of(care_plan, part) for part in known.plan_parts},
        domains=tuple(_answers(part) for part in extensions(care_plan, ANSWERS_URL)),
        goals=tuple(read),
        created=text_in(care_plan, "created"),
        updated=text_in(object_in(care_plan, "meta"), "lastUpdated"),
    )


def goals_of(resources: Iterable[Resource]) -> tuple[Goal, ...]:
    """Read Goals with the steps that the Tasks among the resources are of them, in the order given."""
    steps: dict[str, list[Step]] = {}
    found = list(resources)
    for task in (one for one in found if one.get("resourceType") == "Task"):
        if (step := _step(task)) is not None:
            steps.setdefault(target_of(task.get("focus")), []).append(step)
    goals = (one for one in found if one.get("resourceType") == "Goal")
    return tuple(_goal(goal, tuple(steps.get(key_of(goal), ()))) for goal in goals)


def goal_of(goal: Resource) -> Goal:
    """Read one Goal without its steps, such as a goal in the record that no recovery plan refers to."""
    if goal.get("resourceType") != "Goal":
        raise NotAPlan(f"this is a {shown(goal.get('resourceType'))}", advice="Give a Goal")
    return _goal(goal, ())


def other_goal_of(goal: Resource) -> OtherGoal | None:
    """Read a Goal of another program that is going on; None if it is one of ours, has ended, or has no words."""
    description = object_in(goal, "description")
    displays = (text_in(coding, "display") for coding in objects_in(description, "coding"))
    text = typed(text_in(description, "text")) or typed(next((one for one in displays if one), ""))
    if not text or not is_going_on(goal) or any(domain_of(concept) for concept in objects_in(goal, "category")):
        return None
    by = object_in(goal, "expressedBy")
    # Two references that are both missing are equal too, and say nothing about whose words these are.
    own = target_of(by) != "" and target_of(by) == target_of(goal.get("subject"))
    return OtherGoal(text, own, "" if own else typed(text_in(by, "display")))


def parts_of(resources: Sequence[Resource]) -> tuple[Resource, list[Resource], list[Resource]]:
    """Sort resources into the three arguments of `plan_of`; raises NotAPlan unless there is exactly one CarePlan."""
    by_kind: dict[str, list[Resource]] = {"CarePlan": [], "Goal": [], "Task": []}
    for resource in resources:
        by_kind.get(text_in(resource, "resourceType"), []).append(resource)
    if len(by_kind["CarePlan"]) != 1:
        raise NotAPlan(f"{len(by_kind['CarePlan'])} CarePlans where one is expected")
    return by_kind["CarePlan"][0], by_kind["Goal"], by_kind["Task"]


def _goal(goal: Resource, steps: tuple[Step, ...]) -> Goal:
    domains = [code for concept in objects_in(goal, "category") if (code := domain_of(concept))]
    notes = objects_in(goal, "note")
    own = [note for note in notes if is_own_note(note, goal.get("subject"))]
    targets = [target for target in objects_in(goal, "target") if is_own_target(target)]
    return Goal(
        id=id_of(goal),
        text=text_in(object_in(goal, "description"), "text"),
        domain=domains[0] if domains else "",
        start=text_in(goal, "startDate"),
        due=targets[0]["dueDate"] if targets else None,
        progress=progress_of(goal),
        progress_date=text_in(goal, "statusDate"),
        active=is_going_on(goal),
        steps=steps,
        said_in=said_in(goal),
        remarks=tuple(remark_of(note) for note in own),
        later=is_for_later(goal),
        of_others=tuple(replace(remark_of(note), by=_author_of(note)) for note in notes if note not in own),
    )


def _author_of(note: Resource) -> str:
    return text_in(object_in(note, "authorReference"), "display") or text_in(note, "authorString")


def _step(task: Resource) -> Step | None:
    status = step_status_of(task)
    if status is None:
        return None
    return Step(
        id=id_of(task),
        text=text_in(task, "description"),
        status=status,
        who=text_in(object_in(task, "owner"), "display"),
        due=text_in(object_in(object_in(task, "restriction"), "period"), "end"),
        said_in=said_in(task),
    )


def domain_in(extension: Resource) -> str:
    """Return the domain that answers in an extension are about, "" where none is named."""
    codings = [object_in(part, "valueCoding") for part in extensions(extension, "domain")]
    return text_in(codings[0], "code") if codings else ""


def _answers(extension: Resource) -> DomainAnswers:
    given = {name: next(iter(_texts(extension, name)), "") for name in QUESTIONS}
    return DomainAnswers(domain=domain_in(extension), **given)


def texts_in(care_plan: Resource, part: PlanPart) -> list[Resource]:
    """Return the extensions in which a plan has the words of this part; what has no words is not ours to write."""
    found = [one for one in extensions(care_plan, part.url) if text_in(one, "valueString")]
    return found if part.many else found[:1]


def _texts_of(care_plan: Resource, part: PlanPart) -> tuple[str, ...]:
    return tuple(text_in(one, "valueString") for one in texts_in(care_plan, part))


def _texts(resource: Resource, url: str) -> list[str]:
    return [text for one in extensions(resource, url) if (text := text_in(one, "valueString"))]
