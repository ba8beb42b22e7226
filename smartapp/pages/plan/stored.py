"""The plan in the record: how it is found there, and which resources a change of it has to write."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mappers.course import is_course
from mappers.identity import URN, former, values_in
from mappers.living import Content
from mappers.plan import PLAN_SYSTEM, Goal, OtherGoal, PersonRef, Plan, other_goal_of, plan_of, resources_of
from mappers.plan.moving import reopened, was_left
from mappers.plan.reading import goals_of
from mappers.plan.removing import former as former_of
from mappers.plan.removing import is_removed, put_back, removed
from mappers.tolerant import object_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.references import renamed
from smartapp.fhir.store import Query, Write
from smartapp.records import Place, Record
from smartapp.records.outbox import Unsent
from smartapp.web.living import StoredForm
from smartapp.web.living_views import began_at

_KINDS: Final = {"CarePlan": "plan", "Goal": "goal", "Task": "step"}
_CATEGORY: Final = f"{PLAN_SYSTEM}|recovery-plan"
_GOING_ON: Final = frozenset({"active", "draft", "on-hold"})


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan with the records it was read from; `place` is where they live, None while there is no plan yet.

    `on_its_way`: part of it was saved here and has not arrived in the record; it can be read, not changed.
    `others`: goals that another program keeps in the record, and where. They are not part of the plan.
    `documents`: those of this plan in the chart (see `document`), None where nobody looked. `removed`: Goals and Tasks
    that were taken out of the plan by mistake, or as one; they can be put back. `forms` are the living forms, by
    their id; none where nobody looked.
    """

    plan: Plan
    records: tuple[Record, ...]
    place: Place | None
    on_its_way: bool = False
    others: tuple[tuple[OtherGoal, Place], ...] = ()
    documents: tuple[Record, ...] | None = None
    removed: tuple[Record, ...] = ()
    forms: Mapping[str, StoredForm] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Tell whether anything is written in it."""
        return bool(
            self.plan.texts or self.plan.domains or self.plan.goals or any(one.content for one in self.forms.values())
        )

    @property
    def care_plan(self) -> Resource | None:
        """Return the CarePlan, None while there is none."""
        return next((r.resource for r in self.records if r.resource["resourceType"] == "CarePlan"), None)

    @property
    def goal_names(self) -> dict[str, str]:
        """Return the words of the goals by our own identifiers, which stay when the plan moves; the active first."""
        goals = sorted(self.plan.goals, key=lambda goal: not goal.active)
        own = {_id(one.resource): own_name(one.resource) for one in self.records if _is_goal(one)}
        return {own[goal.id]: goal.text for goal in goals if own.get(goal.id)}

    def goal_named(self, name: str) -> Goal | None:
        """Return the goal with one of our own identifiers, None where the plan has no such goal."""
        id_ = self.made(name)
        return next((goal for goal in self.plan.goals if goal.id == id_), None)

    def name_of(self, goal: Goal) -> str:
        """Return our own identifier of a goal, "" where it has none."""
        return next(
            (own_name(one.resource) for one in self.records if _is_goal(one) and _id(one.resource) == goal.id), ""
        )

    def began_at(self, goal: Goal) -> str:
        """Return the address of the words of a living form that a goal began with; "" where it began elsewhere."""
        return began_at(goal.said_in, self.name_of(goal), self.forms)

    def content_of(self, form_id: str) -> Content:
        """Return what is written in a living form, which names the goals of the plan as they are called now."""
        content = self.forms[form_id].content
        return replace(content, goals={**content.goals, **self.goal_names})

    @property
    def language(self) -> str | None:
        """Return the language the plan was written in."""
        found = (text_in(r.resource, "language") for r in self.records if r.resource["resourceType"] == "CarePlan")
        return next(found, "") or None

    def made(self, key: str) -> str | None:
        """Return the id of the goal or step that the form with this key has made, or None if it has made nothing."""
        found = (one.resource for one in self.records if key in _our_identifiers(one.resource))
        return next((_id(resource) for resource in found), None)

    def id_of(self, key: str) -> str:
        """Return the id of what the form with this key made, or a new one: sent twice, a form makes one thing."""
        return self.made(key) or f"{URN}{key}"

    def current_id(self, id_: str) -> str:
        """Return the id that a goal or step has now, for one that it had before.

        It may have got another when the plan moved, or when it arrived: while it waits it goes by our own identifier.
        """
        own = id_.removeprefix(URN)
        found = (one.resource for one in self.records)
        known = (one for one in found if id_ in _former_ids(one) or (own != id_ and own in _our_identifiers(one)))
        return next((_id(one) for one in known), id_)

    def goals_removed(self, was: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[Goal, ...]:
        """Return the goals that were taken out, and their steps; as they were where `was` (by name) says so."""
        resources = [put_back(one.resource, (was or {}).get(_name(one.resource), {})) for one in self.removed]
        return goals_of(resources)

    def steps_removed(self, was: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[Goal, ...]:
        """Return the goals of the plan of which steps were taken out, each with those steps alone."""
        steps = [one.resource for one in self.removed if one.resource["resourceType"] == "Task"]
        goals = [one.resource for one in self.records if one.resource["resourceType"] == "Goal"]
        resources = [*goals, *(put_back(one, (was or {}).get(_name(one), {})) for one in steps)]
        return tuple(goal for goal in goals_of(resources) if goal.steps)

    def taken_out(self, kind: str, id_: str) -> Record | None:
        """Return the Goal or Task that was taken out of the plan and that has this id, or had it; None for no such."""
        own = id_.removeprefix(URN)
        found = (one for one in self.removed if one.resource["resourceType"] == kind)
        return next(
            (
                one
                for one in found
                if id_ in {_id(one.resource), *_former_ids(one.resource)}
                or (own != id_ and own in _our_identifiers(one.resource))
            ),
            None,
        )

    def former(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return, by name (`Goal/1`), what taking these goals and steps out of the plan takes from them."""
        wanted = set(names)
        return {_name(one.resource): former_of(one.resource) for one in self.records if _name(one.resource) in wanted}

    def first_id(self, id_: str) -> str:
        """Return the id that a goal or step had first, and so the one that stays the same when the plan moves."""
        found = (_former_ids(one.resource) for one in self.records if _id(one.resource) == id_)
        return next((formers[0] for formers in found if formers), id_)


# --- reading ------------------------------------------------------------------------------------------------------


def queries(patient_id: str) -> tuple[Query, Query, Query]:
    """Return the searches that find the plan of one person: CarePlans, Goals, Tasks. They can run at once."""
    return (
        Query.of("CarePlan", patient=patient_id, category=_CATEGORY),
        Query.of("Goal", patient=patient_id),
        Query.of("Task", patient=patient_id, code=f"{PLAN_SYSTEM}|recovery-step"),
    )


def read_plan(
    found: Sequence[Sequence[Record]],
    *,
    known: Catalogue,
    issuer: str,
    patient: str,
    now: str,
    outbox: Sequence[Unsent] = (),
) -> StoredPlan:
    """Return the plan that the three `queries` found; where there is none an empty one, begun `now` (a zoned dateTime).

    `found` has what this person saved and has not arrived in its place, as `Records.search` gives it: they see what
    they wrote. `outbox` says in addition what became of units that arrived in part.
    """
    names = _arrived_names(outbox)
    care_plans, goals, tasks = (
        [_with_names(one, names) for one in records if one.state != "refused"] for records in found
    )
    care_plan = _choose(care_plans)
    if care_plan is None:
        plan = StoredPlan(Plan(id=new_plan_id(issuer, patient), created=now), (), None)
    else:
        plan = _join(care_plan, goals, tasks, known)
    return replace(plan, others=_others(found[1]))


def _choose(care_plans: Iterable[Record]) -> Record | None:
    """Return the CarePlan that is going on and was changed last: a record may hold the plans of earlier years too."""
    going_on, left = [], []
    for one in care_plans:
        if is_course(one.resource):  # a server may take no notice of the category that is asked for
            continue
        if text_in(one.resource, "status") in _GOING_ON:
            going_on.append(one)
        elif was_left(one.resource):
            left.append(replace(one, resource=reopened(one.resource)))
    # A plan that moves is closed before its copy exists, and the copy may have to wait: for a companion that is away,
    # or for its writer to come back after a crash. Until then the closed one is the only plan that others can read.
    return max(going_on or left, key=lambda one: text_in(object_in(one.resource, "meta"), "lastUpdated"), default=None)


def _join(care_plan: Record, goals: Iterable[Record], tasks: Iterable[Record], known: Catalogue) -> StoredPlan:
    """Return a plan with the goals and steps it refers to."""
    # Goal/5 in the EHR and Goal/5 in our own store are two goals, and a reference means the one at its own place.
    goals, tasks = ([one for one in records if one.place == care_plan.place] for records in (goals, tasks))
    plan = plan_of(care_plan.resource, [one.resource for one in goals], [one.resource for one in tasks], known=known)
    plan = replace(plan, goals=tuple(_with_words(goal) for goal in plan.goals if goal.text and goal.domain))
    there = _names_in(plan)
    records = (care_plan, *(one for one in (*goals, *tasks) if _name(one.resource) in there))
    on_its_way = any(one.state != "stored" for one in records)
    taken_out = tuple(one for one in (*goals, *tasks) if one.state == "stored" and is_removed(one.resource))
    return StoredPlan(plan, records, care_plan.place, on_its_way=on_its_way, removed=taken_out)


def _with_words(goal: Goal) -> Goal:
    """Return a goal without the steps that have no words.

    Such steps, like goals without words or life domain, are the work of another program. They stay in the record
    untouched: a save keeps whatever the plan did not make.
    """
    return replace(goal, steps=tuple(step for step in goal.steps if step.text))


def _others(goals: Iterable[Record]) -> tuple[tuple[OtherGoal, Place], ...]:
    read = ((other_goal_of(one.resource), one.place) for one in goals if one.state == "stored")
    return tuple((goal, place) for goal, place in read if goal is not None)


def _with_names(record: Record, arrived: Mapping[str, str]) -> Record:
    """Return a record that waits to be sent under the names by which the rest of the plan refers to it, and it to them.

    What is new has an id that was made up here and that no server knows; in its unit it is referred to by URN, and what
    has arrived meanwhile by the id that the record gave it.
    """
    if record.state == "stored":
        return record
    resource: Resource = renamed(record.resource, lambda name: arrived.get(name, name))
    if resource["id"] in _our_identifiers(resource):
        resource = {name: value for name, value in resource.items() if name != "id"}
    return replace(record, resource=resource)


def _arrived_names(outbox: Iterable[Unsent]) -> dict[str, str]:
    """Return, for units that arrived in part, what the names in them have become: `urn:uuid:…` to `Goal/1`."""
    return {
        item.write.full_url: item.stored.reference
        for unsent in outbox
        for item in unsent.unit.parcels
        if item.write.full_url and item.stored
    }


# --- writing ------------------------------------------------------------------------------------------------------


def new_plan_id(issuer: str, patient: str) -> str:
    """Return the id of a person's first plan: the same in two tabs, so that together they begin one plan, not two."""
    return f"{URN}{uuid.uuid5(uuid.NAMESPACE_URL, f'{issuer}|{patient}|plan')}"


def resources(
    before: StoredPlan,
    after: Plan,
    *,
    known: Catalogue,
    patient: PersonRef,
    author: PersonRef,
    language: str,
    was: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Resource]:
    """Return the whole plan `after` as FHIR, on top of what is stored; the CarePlan is the last.

    `was` is what goals and steps that are put back were before they were taken out, by name (`Goal/1`).
    """
    there = _names_in(after)
    kept = [one.resource if _name(one.resource) in there else _left_out(one.resource) for one in before.records]
    back = [
        put_back(one.resource, (was or {}).get(_name(one.resource), {}))
        for one in before.removed
        if _name(one.resource) in there
    ]
    gone = [one.resource for one in before.removed if _name(one.resource) not in there]
    return resources_of(
        after,
        patient=patient,
        author=author,
        known=known,
        # Reading it in another language must not turn its headings, and so every resource, into that language.
        language=before.language or language,
        existing=[*kept, *back, *gone],
    )


def _names_in(plan: Plan) -> set[str]:
    """Return what the parts of a plan are called; ids alone do not tell a Goal from a Task on every server."""
    goals = (f"Goal/{goal.id}" for goal in plan.goals)
    return {f"CarePlan/{plan.id}", *goals, *(f"Task/{step.id}" for goal in plan.goals for step in goal.steps)}


def _name(resource: Resource) -> str:
    return f"{resource['resourceType']}/{_id(resource)}"


def _left_out(resource: Resource) -> Resource:
    return resource if resource["resourceType"] == "CarePlan" else removed(resource)


def writes(
    before: StoredPlan,
    after: Plan,
    *,
    known: Catalogue,
    patient: PersonRef,
    author: PersonRef,
    language: str,
    was: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Write]:
    """Return what has to be written, as one unit, to make the record say `after`; nothing where it does already.

    Each update carries the version it was based on. The CarePlan is always among them: two people who change two goals
    at once meet there, and the second looks again before it writes. A plan keeps the language it was begun in;
    `language` is that of a new one. A goal or step that `after` no longer has is taken out (`mappers.plan.removing`),
    and one that was taken out and that it has again is put back, as it was where `was` says so.
    """
    stored = {_address(one.resource): one for one in (*before.records, *before.removed)}
    made_of_it = resources(before, after, known=known, patient=patient, author=author, language=language, was=was)
    there = _names_in(after)
    gone = [_left_out(one.resource) for one in before.records if _name(one.resource) not in there]
    changed = [made for made in (*gone, *made_of_it) if not _is_said(made, stored)]
    if not changed:
        return []
    plan = made_of_it[-1]
    return [_write(made, stored) for made in ([*changed, plan] if plan not in changed else changed)]


def write_of(before: StoredPlan, made: Resource) -> Write | None:
    """Return what has to be written so that the record has this resource of the plan; None where it says so already."""
    stored = {_address(one.resource): one for one in (*before.records, *before.removed)}
    return None if _is_said(made, stored) else _write(made, stored)


def _is_said(made: Resource, stored: Mapping[str, Record]) -> bool:
    """Tell whether the record says this already. Servers write the narrative in their own way, which says nothing."""
    found = stored.get(_address(made))
    return found is not None and {**found.resource, "text": None} == {**made, "text": None}


def _write(made: Resource, stored: Mapping[str, Record]) -> Write:
    found = stored.get(_address(made))
    if found is not None:
        return Write("update", made, if_match=found.etag)
    kind = identifier_system(_KINDS[made["resourceType"]])
    value = own_name(made)
    return Write("create", made, if_none_exist=f"identifier={kind}|{value}", full_url=f"{URN}{value}")


def _address(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource.get('id') or own_name(resource)}"


def _id(resource: Resource) -> str:
    """Return the record's id, or the URN that stands for it until it has arrived."""
    return str(resource["id"]) if "id" in resource else f"{URN}{own_name(resource)}"


def _is_goal(record: Record) -> bool:
    return bool(record.resource["resourceType"] == "Goal")


def own_name(resource: Resource) -> str:
    """Return the identifier that we gave a part of the plan, "" where it has none."""
    return next(iter(_our_identifiers(resource)), "")


def _former_ids(resource: Resource) -> list[str]:
    return [reference.rpartition("/")[2] for _place, reference in former(resource)]


def _our_identifiers(resource: Resource) -> list[str]:
    return values_in(resource, identifier_system(_KINDS[resource["resourceType"]]))


def arrived(unit: Sequence[Write], answers: Sequence[Record]) -> bool:
    """Say whether the record now has our words in each resource that was to be made.

    A conditional create is answered with what is there already: from another tab, say, which made the same thing a
    moment before with other words. What waits to be sent is judged when it arrives.
    """
    return all(
        _words_of(record.resource) == _words_of(write.resource)
        for write, record in zip(unit, answers, strict=True)
        if write.method == "create"
    )


def _words_of(resource: Resource) -> Any:
    return resource.get("extension"), resource.get("description"), resource.get("lifecycleStatus")
