"""The plan in the record: how it is found there, and which resources a change of it has to write."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.plan import PLAN_SYSTEM, Goal, OtherGoal, PersonRef, Plan, other_goal_of, plan_of, resources_of
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource
from smartapp.fhir.references import renamed
from smartapp.fhir.store import Query, Write
from smartapp.records import Place, Record
from smartapp.records.outbox import Item, Waiting

_KINDS: Final = {"CarePlan": "plan", "Goal": "goal", "Task": "step"}
_CATEGORY: Final = f"{PLAN_SYSTEM}|recovery-plan"
_URN: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Kept:
    """A plan with the records it was read from; `place` is where it lives, or None where there is no plan yet.

    `on_its_way`: part of it was saved here and has not arrived in the record; it can be read, not changed.
    `refused`: the record did not take an earlier change; its words are still with their writer, as a sketch.
    `others`: goals that another program keeps in the record, with where they are. They are no part of the plan.
    """

    plan: Plan
    records: tuple[Record, ...]
    place: Place | None
    on_its_way: bool = False
    refused: bool = False
    others: tuple[tuple[OtherGoal, Place], ...] = ()

    @property
    def language(self) -> str | None:
        """Return the language the plan was written in, so that reading it in another one changes nothing."""
        found = (r.resource.get("language") for r in self.records if r.resource["resourceType"] == "CarePlan")
        return next(found, None)

    def made(self, key: str) -> str | None:
        """Return the id of the goal or step that a form's key has made, or None where it has made nothing."""
        found = (one.resource for one in self.records if key in _our_identifiers(one.resource))
        return next((_id(resource) for resource in found), None)

    def id_of(self, key: str) -> str:
        """Return the id of what a form's key made, or a new one; so a form that is sent twice makes one thing."""
        return self.made(key) or f"{_URN}{key}"


def queries(patient_id: str) -> tuple[Query, Query, Query]:
    """Return the searches that find the plan of one person: CarePlans, Goals, Tasks. They can run at once."""
    return (
        Query.of("CarePlan", patient=patient_id, category=_CATEGORY),
        Query.of("Goal", patient=patient_id),
        Query.of("Task", patient=patient_id, code=f"{PLAN_SYSTEM}|recovery-step"),
    )


def kept(
    found: Sequence[Sequence[Record]], *, issuer: str, patient: str, now: str, outbox: Sequence[Waiting] = ()
) -> Kept:
    """Put the plan together from what the three `queries` found; an empty plan where there is none yet.

    Where a record has more than one recovery plan, the one that is going on and was changed last is the plan.
    `now` is a FHIR dateTime with a zone, the day a new plan is begun. `outbox` is what this person saved and has not
    arrived: it is part of the plan they see.
    """
    arrived = _arrived_names(outbox)
    late = {
        _address(item.write.resource): _renamed(item.write.resource, arrived) for item in _updates(outbox, "waiting")
    }
    refused = any(one.state == "refused" and _is_plan(one) for one in outbox)
    care_plans, goals, tasks = (
        [_newest(one, late, arrived) for one in part if one.state != "refused"] for part in found
    )
    others = _others(found[1])
    current = [one for one in care_plans if one.resource.get("status") in {"active", "draft", "on-hold"}]
    if not current:
        return Kept(Plan(id=new_plan_id(issuer, patient), created=now), (), None, refused=refused, others=others)
    care_plan = max(current, key=lambda one: str(one.resource.get("meta", {}).get("lastUpdated", "")))
    near = [one for one in (*goals, *tasks) if one.place == care_plan.place]
    plan = plan_of(
        care_plan.resource,
        [one.resource for one in near if one.resource["resourceType"] == "Goal"],
        [one.resource for one in near if one.resource["resourceType"] == "Task"],
    )
    plan = replace(plan, goals=tuple(_own_parts(goal) for goal in plan.goals if goal.text and goal.domain))
    ids = {goal.id for goal in plan.goals} | {step.id for goal in plan.goals for step in goal.steps}
    records = (care_plan, *(one for one in near if _id(one.resource) in ids))
    waits = any(one.state != "stored" for one in records)
    return Kept(plan, records, care_plan.place, on_its_way=waits, refused=refused, others=others)


def _others(goals: Iterable[Record]) -> tuple[tuple[OtherGoal, Place], ...]:
    read = ((other_goal_of(one.resource), one.place) for one in goals if one.state == "stored")
    return tuple((goal, place) for goal, place in read if goal is not None)


def _own_parts(goal: Goal) -> Goal:
    """Leave out steps without words. Like goals without words or life domain they were put there by somebody else.

    They stay in the record untouched: a plan writes back what it did not make.
    """
    return replace(goal, steps=tuple(step for step in goal.steps if step.text))


def _updates(outbox: Sequence[Waiting], state: str) -> Iterator[Item]:
    for waiting in outbox:
        if waiting.state == state:
            yield from (one for one in waiting.unit.items if one.stored is None and one.write.method == "update")


def _is_plan(waiting: Waiting) -> bool:
    return any(item.write.resource["resourceType"] == "CarePlan" for item in waiting.unit.items)


def _newest(record: Record, late: Mapping[str, Resource], arrived: Mapping[str, str]) -> Record:
    """Return a record as its writer left it: with an update that is on its way, or as one that has no id yet."""
    if record.state == "waiting":
        without_id = {name: part for name, part in record.resource.items() if name != "id"}
        return replace(record, resource=_renamed(without_id, arrived))
    update = late.get(_address(record.resource))
    return replace(record, resource=update, state="waiting") if update else record


def _arrived_names(outbox: Sequence[Waiting]) -> dict[str, str]:
    """Return, for units that arrived in part, what the names in them have become: `urn:uuid:…` to `Goal/1`."""
    return {
        item.write.full_url: item.stored.reference
        for waiting in outbox
        for item in waiting.unit.items
        if item.write.full_url and item.stored
    }


def _renamed(resource: Resource, names: Mapping[str, str]) -> Resource:
    """Return a resource with the references that have a new name."""
    made: Resource = renamed(resource, lambda name: names.get(name, name))
    return made


def _id(resource: Resource) -> str:
    """Return the record's id, or the URN that stands for it until it has arrived."""
    return str(resource["id"]) if "id" in resource else f"{_URN}{next(_our_identifiers(resource), '')}"


def new_plan_id(issuer: str, patient: str) -> str:
    """Return the id of a person's first plan: the same in two tabs, so that both begin one plan."""
    return f"{_URN}{uuid.uuid5(uuid.NAMESPACE_URL, f'{issuer}|{patient}|plan')}"


def writes(before: Kept, after: Plan, *, patient: PersonRef, author: PersonRef, language: str) -> list[Write]:
    """Return what has to be written, as one unit, to make the record say `after`; nothing where it says so now.

    Each update carries the version it was based on. The CarePlan is always one of them: two people who change
    two goals at once meet there, and the second looks again before it writes.
    """
    stored = {_address(one.resource): one for one in before.records}
    resources = resources_of(
        after,
        patient=patient,
        author=author,
        language=before.language or language,
        existing=[one.resource for one in before.records],
    )
    changed = [made for made in resources if _as_stored(made, stored) != made]
    if not changed:
        return []
    plan = resources[-1]
    return [_write(made, stored) for made in ([*changed, plan] if plan not in changed else changed)]


def _as_stored(made: Resource, stored: Mapping[str, Record]) -> Resource | None:
    found = stored.get(_address(made))
    return found.resource if found else None


def _write(made: Resource, stored: Mapping[str, Record]) -> Write:
    found = stored.get(_address(made))
    if found is not None:
        return Write("update", made, if_match=found.etag)
    kind = identifier_system(_KINDS[made["resourceType"]])
    value = next(_our_identifiers(made))
    return Write("create", made, if_none_exist=f"identifier={kind}|{value}", full_url=f"{_URN}{value}")


def _address(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource.get('id') or next(_our_identifiers(resource), '')}"


def _our_identifiers(resource: Mapping[str, Any]) -> Iterator[str]:
    system = identifier_system(_KINDS[resource["resourceType"]])
    return (one["value"] for one in resource.get("identifier", []) if one.get("system") == system)


def arrived(unit: Sequence[Write], answers: Sequence[Record]) -> bool:
    """Say whether each resource that should be made was made, and not found to be there already with other words.

    A conditional create answers with what is there when somebody made it a moment before. What waits to be sent is
    judged when it arrives.
    """
    return all(
        _says(record.resource) == _says(write.resource)
        for write, record in zip(unit, answers, strict=True)
        if write.method == "create"
    )


def _says(resource: Resource) -> Any:
    return resource.get("extension"), resource.get("description"), resource.get("lifecycleStatus")
