"""A recovery plan as the client sees it ↔ CarePlan, Goals and Tasks as the record keeps them.

Texts survive exactly: `plan_of(*resources_of(plan))` is the plan again (what a text may hold: `mappers.own_words`).
What other people or systems added to the same resources survives too: give the resources as they are stored now as
`existing`, and only the elements that a plan is made of are replaced.

Identity. A part that the record does not know yet has an id `urn:uuid:…` that the caller made up; its resource has
no `id`, is referred to by that URN (the `fullUrl` in a transaction), and carries the UUID as identifier, so that
sending twice can write once. A part that the record knows has the record's own id.

References point one way only, so that the resources can also be written one by one, in the order they are returned:
Goals, then Tasks (`focus` → Goal), then the CarePlan (`goal` → Goal, `activity.reference` → Task).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from mappers.errors import EmptyText, NotAPlan, RefusedValue, TooManyDomains, UnknownDomain, shown
from mappers.own_words import first_words, heading, narrative, paragraph, typed
from questionnaires.canonical import code_system_url, identifier_system, structure_url
from questionnaires.catalogue import Catalogue, catalogue
from questionnaires.model import Text

StepStatus = Literal["planned", "doing", "done", "stopped"]
Progress = Literal[
    "",
    "in-progress",
    "improving",
    "no-change",
    "worsening",
    "achieved",
    "sustaining",
    "no-progress",
    "not-achieved",
    "not-attainable",
]
Resource = dict[str, Any]

MOST_DOMAINS: Final = 5
STEP_STATUSES: Final[tuple[str, ...]] = get_args(StepStatus)
PROGRESS: Final[tuple[str, ...]] = get_args(Progress)
QUESTIONS: Final = ("now", "change", "how", "support")

PLAN_PROFILE: Final = structure_url("recovery-plan")
GOAL_PROFILE: Final = structure_url("recovery-goal")
STEP_PROFILE: Final = structure_url("recovery-step")
ANSWERS_URL: Final = structure_url("life-domain-answers")
STORY_URL: Final = structure_url("life-story")
STRENGTH_URL: Final = structure_url("strength")
STRESSOR_URL: Final = structure_url("stressor")
DOMAIN_SYSTEM: Final = code_system_url("life-domain")
PLAN_SYSTEM: Final = code_system_url("plan")
ACHIEVEMENT_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/goal-achievement"

_URN: Final = "urn:uuid:"
_DATE: Final = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_REFERENCE: Final = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?")

# The displays are those of HL7's CodeSystem goal-achievement.
_ACHIEVEMENT: Final = {
    "in-progress": "In Progress",
    "improving": "Improving",
    "no-change": "No Change",
    "worsening": "Worsening",
    "achieved": "Achieved",
    "sustaining": "Sustaining",
    "no-progress": "No Progress",
    "not-achieved": "Not Achieved",
    "not-attainable": "Not Attainable",
}
_STEP_TO_TASK: Final = {"planned": "ready", "doing": "in-progress", "done": "completed", "stopped": "cancelled"}
_TASK_TO_STEP: Final[dict[str, StepStatus]] = {
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
_GOING_ON: Final = frozenset({"proposed", "planned", "accepted", "active", "on-hold"})
_OVER: Final = frozenset({"completed", "cancelled", "rejected"})

_WORDS: Final = {
    "plan": Text("Herstelplan", "Recovery plan"),
    "story": Text("Mijn verhaal", "My story"),
    "strengths": Text("Wat mij helpt", "What helps me"),
    "stressors": Text("Wat mij energie kost", "What costs me energy"),
    "goals": Text("Mijn doelen", "My goals"),
    "steps": Text("Stappen", "Steps"),
    "goal": Text("Doel", "Goal"),
    "step": Text("Stap", "Step"),
    "who": Text("Wie", "Who"),
    "note": Text("Toelichting", "Note"),
}


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person in the record: `Patient/1`, `Practitioner/2`, `RelatedPerson/3`, and the name to show."""

    reference: str
    display: str

    def as_reference(self) -> Resource:
        """Return the FHIR Reference."""
        return {"reference": self.reference, "display": self.display}


@dataclass(frozen=True, slots=True)
class Step:
    """Something somebody does for a goal. `who` is free text; `due` is a FHIR date (`2026-05`, `2026-05-01`) or ""."""

    id: str
    text: str
    status: StepStatus = "planned"
    who: str = ""
    due: str = ""

    def __post_init__(self) -> None:
        _tidy(self, "text", "who")


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal in the client's own words, in one life domain.

    `start`, `due`, `progress_date` are FHIR dates or "" (`due` may also be None). `progress` "" is: nothing said yet;
    any other needs its `progress_date`.
    `active` False with progress `achieved` is a goal reached; with any other progress a goal let go.
    """

    id: str
    text: str
    domain: str
    start: str = ""
    due: str | None = None
    progress: Progress = ""
    progress_date: str = ""
    note: str = ""
    active: bool = True
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        _tidy(self, "text", "note")
        object.__setattr__(self, "due", self.due or None)
        object.__setattr__(self, "steps", tuple(self.steps))


@dataclass(frozen=True, slots=True)
class DomainAnswers:
    """The client's answers to the four questions about one life domain; "" is not answered (yet)."""

    domain: str
    now: str = ""
    change: str = ""
    how: str = ""
    support: str = ""

    def __post_init__(self) -> None:
        _tidy(self, *QUESTIONS)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. `created` is a FHIR dateTime or ""; `updated` is what the record says, and is never written."""

    id: str
    story: str = ""
    strengths: tuple[str, ...] = ()
    stressors: tuple[str, ...] = ()
    domains: tuple[DomainAnswers, ...] = ()
    goals: tuple[Goal, ...] = ()
    created: str = ""
    updated: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _tidy(self, "story")
        for name in ("strengths", "stressors"):
            texts = (typed(text) for text in getattr(self, name))
            object.__setattr__(self, name, tuple(text for text in texts if text))
        for name in ("domains", "goals"):
            object.__setattr__(self, name, tuple(getattr(self, name)))


def _tidy(part: object, *names: str) -> None:
    """Make the texts of a frozen dataclass fit for FHIR at the moment it is made."""
    for name in names:
        object.__setattr__(part, name, typed(getattr(part, name)))


# --- Plan → resources ------------------------------------------------------------------------------------------


def resources_of(
    plan: Plan,
    *,
    patient: PersonRef,
    author: PersonRef,
    language: str = "nl",
    existing: Iterable[Resource] = (),
    known: Catalogue | None = None,
) -> list[Resource]:
    """Write a plan as FHIR R4: its Goals, then its Tasks, then the CarePlan.

    `existing` are the resources as stored now: what others added to them is kept, and a resource that the plan does
    not change comes back equal, so that `[r for r in resources_of(…) if r not in existing]` is what needs saving.
    `known` is the catalogue with the life domains (default: ours). `author` becomes the CarePlan's author when there is
    none yet; goals are always expressed by the patient.

    Raises PlanError: TooManyDomains, UnknownDomain, EmptyText (goal or step without words), RefusedValue.
    """
    stored = {_key_of(resource): resource for resource in existing}
    known = known or catalogue()
    titles = _domain_titles(known, stored.values(), language)
    questions = {question.code: question.text.get(language) for question in known.plan_questions}
    writer = _Writer(patient, author, language, stored, titles, questions)
    _check(plan, writer.titles)
    goals = [writer.goal(goal) for goal in plan.goals]
    tasks = [writer.task(step, goal) for goal in plan.goals for step in goal.steps]
    return [*goals, *tasks, writer.care_plan(plan)]


def _domain_titles(known: Catalogue, stored: Iterable[Resource], language: str) -> dict[str, str]:
    """Return the life domains' names; one that left the catalogue stays usable in a plan that already has it."""
    titles: dict[str, str] = {}
    for resource in stored:
        concepts = resource.get("category", []) if resource["resourceType"] == "Goal" else []
        codings = [coding for concept in concepts for coding in concept.get("coding", [])]
        codings += [_value(part, "domain", "valueCoding") or {} for part in _extensions(resource, ANSWERS_URL)]
        ours = (coding for coding in codings if coding.get("system") == DOMAIN_SYSTEM and coding.get("code"))
        titles |= {coding["code"]: coding.get("display") or coding["code"] for coding in ours}
    return titles | {domain.code: domain.title.get(language) for domain in known.life_domains}


def _check(plan: Plan, titles: Mapping[str, str]) -> None:
    """Refuse what cannot be written, before anything is."""
    chosen = [answers.domain for answers in plan.domains]
    if len(chosen) > MOST_DOMAINS:
        raise TooManyDomains(
            f"{len(chosen)} life domains are chosen",
            where="plan.domains",
            advice=f"Choose at most {MOST_DOMAINS}; the answers to the others can wait",
        )
    if len(set(chosen)) < len(chosen):
        raise TooManyDomains("a life domain is chosen twice", where="plan.domains", advice="Keep one of the two")
    for place, code in [
        *((f"plan.domains[{at}]", code) for at, code in enumerate(chosen)),
        *((f"plan.goals[{at}].domain", goal.domain) for at, goal in enumerate(plan.goals)),
    ]:
        if code not in titles:
            raise UnknownDomain(f"no life domain {shown(code)}", where=place, advice=f"Known: {', '.join(titles)}")
    _check_dates(plan)
    for at, goal in enumerate(plan.goals):
        _check_goal(goal, f"plan.goals[{at}]")
    ids = [goal.id for goal in plan.goals] + [step.id for goal in plan.goals for step in goal.steps]
    if "" in ids or len(set(ids)) < len(ids):
        raise RefusedValue("a goal or step has no id, or one id is used twice", where="plan.goals")


def _check_goal(goal: Goal, where: str) -> None:
    if not goal.text:
        raise EmptyText("this goal has no words", where=where, advice="Write the goal, or leave it out")
    if goal.progress not in PROGRESS:
        raise RefusedValue(f"no progress {shown(goal.progress)}", where=where, advice=f"Use one of {PROGRESS[1:]}")
    if goal.progress and not goal.progress_date:
        raise RefusedValue("progress without a date", where=f"{where}.progress_date", advice="Say since when")
    for at, step in enumerate(goal.steps):
        place = f"{where}.steps[{at}]"
        if not step.text:
            raise EmptyText("this step has no words", where=place, advice="Write the step, or leave it out")
        if step.status not in STEP_STATUSES:
            raise RefusedValue(f"no status {shown(step.status)}", where=place, advice=f"Use one of {STEP_STATUSES}")


def _check_dates(plan: Plan) -> None:
    for at, goal in enumerate(plan.goals):
        dates = {"start": goal.start, "due": goal.due, "progress_date": goal.progress_date}
        dates |= {f"steps[{number}].due": step.due for number, step in enumerate(goal.steps)}
        for name, date in dates.items():
            if date and not _DATE.fullmatch(date):
                raise RefusedValue(
                    "not a date", where=f"plan.goals[{at}].{name}", advice="Write it as 2026-05-31, 2026-05 or 2026"
                )


@dataclass(frozen=True, slots=True)
class _Writer:
    """What every resource of one plan shares."""

    patient: PersonRef
    author: PersonRef
    language: str
    stored: Mapping[str, Resource]
    titles: Mapping[str, str]
    questions: Mapping[str, str]

    def word(self, key: str) -> str:
        return _WORDS[key].get(self.language)

    def begin(self, kind: str, ident: str, profile: str, system: str) -> Resource:
        """Return the stored resource, or a new one, with profile, language and our identifier."""
        made = {"resourceType": kind, **self.stored.get(_key(kind, ident), {})}
        if not ident.startswith(_URN):
            made["id"] = ident
        profiles = made.get("meta", {}).get("profile", [])
        made["meta"] = {
            **made.get("meta", {}),
            "profile": [*profiles, *([] if profile in profiles else [profile])],
        }
        made["language"] = self.language
        ours = {"system": identifier_system(system), "value": ident.removeprefix(_URN)}
        identifiers = made.get("identifier", [])
        if not any(one.get("system") == ours["system"] for one in identifiers):
            made["identifier"] = [*identifiers, ours]
        return made

    def domain(self, code: str) -> Resource:
        return {"system": DOMAIN_SYSTEM, "code": code, "display": self.titles[code]}

    def goal(self, goal: Goal) -> Resource:
        made = self.begin("Goal", goal.id, GOAL_PROFILE, "goal")
        made["text"] = self.goal_narrative(goal)
        made["lifecycleStatus"] = _lifecycle(goal, made.get("lifecycleStatus"))
        if goal.progress:
            coding = {"system": ACHIEVEMENT_SYSTEM, "code": goal.progress, "display": _ACHIEVEMENT[goal.progress]}
            made["achievementStatus"] = {"coding": [coding]}
        elif _progress(made):
            del made["achievementStatus"]
        others = [concept for concept in made.get("category", []) if not _domain_of(concept)]
        made["category"] = [{"coding": [self.domain(goal.domain)]}, *others]
        made["description"] = {"text": goal.text}
        made["subject"] = self.patient.as_reference()
        made["expressedBy"] = self.patient.as_reference()
        _put(made, "startDate", goal.start)
        _put(made, "statusDate", goal.progress_date)
        kept = [target for target in made.get("target", []) if not _is_our_target(target)]
        _put(made, "target", [*([{"dueDate": goal.due}] if goal.due else []), *kept])
        ours = [{"authorReference": self.patient.as_reference(), "text": goal.note}] if goal.note else []
        _put(made, "note", [*ours, *(note for note in made.get("note", []) if not self.is_our_note(note))])
        return made

    def is_our_note(self, note: Resource) -> bool:
        return _same(note.get("authorReference"), self.patient.as_reference())

    def goal_narrative(self, goal: Goal) -> Resource:
        parts = [heading(f"{self.word('goal')}: {self.titles[goal.domain]}"), paragraph(goal.text)]
        if goal.note:
            parts += [heading(self.word("note"), 4), paragraph(goal.note)]
        return narrative(parts, self.language, "generated")

    def task(self, step: Step, goal: Goal) -> Resource:
        made = self.begin("Task", step.id, STEP_PROFILE, "step")
        who = [paragraph(f"{self.word('who')}: {step.who}")] if step.who else []
        made["text"] = narrative([heading(self.word("step")), paragraph(step.text), *who], self.language, "generated")
        if _TASK_TO_STEP.get(made.get("status", "")) != step.status:
            made["status"] = _STEP_TO_TASK[step.status]
        made["intent"] = "plan"
        made["code"] = {"coding": [self.plan_coding("step")]}
        made["description"] = step.text
        made["focus"] = _reference("Goal", goal.id, first_words(goal.text))
        made["for"] = self.patient.as_reference()
        made.setdefault("requester", self.author.as_reference())
        if step.who != made.get("owner", {}).get("display", ""):
            _put(made, "owner", {"display": step.who} if step.who else {})
        period = {key: value for key, value in _period(made).items() if key != "end"}
        _put(period, "end", step.due)
        restriction = {key: value for key, value in made.get("restriction", {}).items() if key != "period"}
        _put(restriction, "period", period)
        _put(made, "restriction", restriction)
        return made

    def plan_coding(self, code: str) -> Resource:
        return {
            "system": PLAN_SYSTEM,
            "code": {"plan": "recovery-plan", "step": "recovery-step"}[code],
            "display": self.word(code),
        }

    def care_plan(self, plan: Plan) -> Resource:
        made = self.begin("CarePlan", plan.id, PLAN_PROFILE, "plan")
        made["text"] = self.plan_narrative(plan)
        _put(made, "extension", [*self.plan_extensions(plan), *_foreign_extensions(made)])
        made.setdefault("status", "active")
        made.setdefault("intent", "plan")
        made.setdefault("category", [{"coding": [self.plan_coding("plan")]}])
        made["title"] = self.word("plan")
        made["subject"] = self.patient.as_reference()
        _put(made, "created", plan.created)
        made.setdefault("author", self.author.as_reference())
        goals = [_reference("Goal", goal.id, first_words(goal.text)) for goal in plan.goals]
        _put(made, "goal", _with_others(goals, made.get("goal", []), lambda one: one))
        steps = [
            {"reference": _reference("Task", step.id, first_words(step.text))}
            for goal in plan.goals
            for step in goal.steps
        ]
        _put(made, "activity", _with_others(steps, made.get("activity", []), lambda one: one.get("reference")))
        return made

    def plan_extensions(self, plan: Plan) -> list[Resource]:
        made: list[Resource] = [{"url": STORY_URL, "valueString": plan.story}] if plan.story else []
        made += [{"url": STRENGTH_URL, "valueString": text} for text in plan.strengths]
        made += [{"url": STRESSOR_URL, "valueString": text} for text in plan.stressors]
        for answers in plan.domains:
            parts: list[Resource] = [{"url": "domain", "valueCoding": self.domain(answers.domain)}]
            given = ((name, getattr(answers, name)) for name in QUESTIONS)
            parts += [{"url": name, "valueString": text} for name, text in given if text]
            made.append({"url": ANSWERS_URL, "extension": parts})
        return made

    def plan_narrative(self, plan: Plan) -> Resource:
        """Tell the whole plan as text, so that an EHR that knows none of our extensions still shows every word."""
        parts = [heading(self.word("plan"), 2)]
        if plan.story:
            parts += [heading(self.word("story")), paragraph(plan.story)]
        for name in ("strengths", "stressors"):
            texts = getattr(plan, name)
            if texts:
                parts += [heading(self.word(name)), *(paragraph(text) for text in texts)]
        for answers in plan.domains:
            parts.append(heading(self.titles[answers.domain]))
            for name in QUESTIONS:
                if getattr(answers, name):
                    parts += [heading(self.questions[name], 4), paragraph(getattr(answers, name))]
        if plan.goals:
            parts.append(heading(self.word("goals")))
        for goal in plan.goals:
            parts += [heading(self.titles[goal.domain], 4), paragraph(goal.text)]
            parts += [paragraph(f"– {step.text}{f' ({step.who})' if step.who else ''}") for step in goal.steps]
        return narrative(parts, self.language, "extensions")


def _lifecycle(goal: Goal, now: str | None) -> str:
    """Return the status that says what the plan says, keeping a finer one that says the same."""
    if goal.active:
        return now if now in _GOING_ON else "active"
    if goal.progress == "achieved":
        return "completed"
    return now if now in _OVER and now != "completed" else "cancelled"


def _put(target: Resource, name: str, value: Any) -> None:
    """Set an element, or leave it out: FHIR has no empty strings, lists or objects."""
    if value:
        target[name] = value
    else:
        target.pop(name, None)


def _with_others(ours: list[Resource], stored: list[Resource], reference: Any) -> list[Resource]:
    """Return our entries, then the stored ones that refer to something else: what others added is kept."""
    mine = {_target(reference(one)) for one in ours}
    return [*ours, *(one for one in stored if _target(reference(one)) not in mine)]


# --- resources → Plan ------------------------------------------------------------------------------------------


def plan_of(care_plan: Resource, goals: Iterable[Resource] = (), tasks: Iterable[Resource] = ()) -> Plan:
    """Read a plan back from its CarePlan and the Goals and Tasks that it refers to, in the CarePlan's order.

    Goals and Tasks that the CarePlan does not refer to, and those that were entered in error, are left out. More than
    five life domains are read as they are: the client chooses which to keep, `resources_of` refuses to write six.

    Raises NotAPlan where `care_plan` is not a CarePlan.
    """
    if care_plan.get("resourceType") != "CarePlan":
        raise NotAPlan(f"this is a {shown(care_plan.get('resourceType'))}", advice="Give the CarePlan first")
    by_target = {_key_of(goal): goal for goal in goals if goal.get("lifecycleStatus") != "entered-in-error"}
    steps: dict[str, list[Step]] = {}
    known_tasks = {_key_of(task): task for task in tasks if task.get("status") in _TASK_TO_STEP}
    for activity in care_plan.get("activity", []):
        task = known_tasks.pop(_target(activity.get("reference")), None)
        if task is not None:
            steps.setdefault(_target(task.get("focus")), []).append(_step(task))
    read = []
    for reference in care_plan.get("goal", []):
        target = _target(reference)
        goal = by_target.pop(target, None)
        if goal is not None:
            read.append(_goal(goal, tuple(steps.get(target, ()))))
    return Plan(
        id=_id_of(care_plan),
        story=next(iter(_texts(care_plan, STORY_URL)), ""),
        strengths=tuple(_texts(care_plan, STRENGTH_URL)),
        stressors=tuple(_texts(care_plan, STRESSOR_URL)),
        domains=tuple(_answers(part) for part in _extensions(care_plan, ANSWERS_URL)),
        goals=tuple(read),
        created=care_plan.get("created", ""),
        updated=care_plan.get("meta", {}).get("lastUpdated", ""),
    )


def goal_of(goal: Resource) -> Goal:
    """Read one Goal without its steps, such as a goal in the record that no recovery plan refers to."""
    if goal.get("resourceType") != "Goal":
        raise NotAPlan(f"this is a {shown(goal.get('resourceType'))}", advice="Give a Goal")
    return _goal(goal, ())


def _goal(goal: Resource, steps: tuple[Step, ...]) -> Goal:
    domains = [code for concept in goal.get("category", []) if (code := _domain_of(concept))]
    notes = [one for one in goal.get("note", []) if _same(one.get("authorReference"), goal.get("subject"))]
    targets = [target for target in goal.get("target", []) if _is_our_target(target)]
    return Goal(
        id=_id_of(goal),
        text=goal.get("description", {}).get("text", ""),
        domain=domains[0] if domains else "",
        start=goal.get("startDate", ""),
        due=targets[0]["dueDate"] if targets else None,
        progress=_progress(goal),
        progress_date=goal.get("statusDate", ""),
        note=notes[0].get("text", "") if notes else "",
        active=goal.get("lifecycleStatus") in _GOING_ON,
        steps=steps,
    )


def _step(task: Resource) -> Step:
    return Step(
        id=_id_of(task),
        text=task.get("description", ""),
        status=_TASK_TO_STEP[task["status"]],
        who=task.get("owner", {}).get("display", ""),
        due=_period(task).get("end", ""),
    )


def _answers(extension: Resource) -> DomainAnswers:
    coding = _value(extension, "domain", "valueCoding") or {}
    given = {name: _value(extension, name, "valueString") or "" for name in QUESTIONS}
    return DomainAnswers(domain=coding.get("code", ""), **given)


def _progress(goal: Resource) -> Progress:
    """Return the progress, or "" where there is none that we know."""
    for coding in goal.get("achievementStatus", {}).get("coding", []):
        if coding.get("system") == ACHIEVEMENT_SYSTEM and coding.get("code") in _ACHIEVEMENT:
            progress: Progress = coding["code"]
            return progress
    return ""


def _domain_of(concept: Resource) -> str:
    codes = (one.get("code", "") for one in concept.get("coding", []) if one.get("system") == DOMAIN_SYSTEM)
    return next(codes, "")


def _is_our_target(target: Resource) -> bool:
    # A target with a measure is somebody's measurement goal; the client's due date stands alone.
    return "dueDate" in target and "measure" not in target


def _period(task: Resource) -> Resource:
    period: Resource = task.get("restriction", {}).get("period", {})
    return period


def _texts(resource: Resource, url: str) -> list[str]:
    return [one["valueString"] for one in _extensions(resource, url) if one.get("valueString")]


def _extensions(resource: Resource, url: str) -> list[Resource]:
    return [one for one in resource.get("extension", []) if one.get("url") == url]


def _foreign_extensions(resource: Resource) -> list[Resource]:
    ours = {STORY_URL, STRENGTH_URL, STRESSOR_URL, ANSWERS_URL}
    return [one for one in resource.get("extension", []) if one.get("url") not in ours]


def _value(extension: Resource, url: str, name: str) -> Any:
    return next((one.get(name) for one in _extensions(extension, url)), None)


# --- who is who ------------------------------------------------------------------------------------------------


def _reference(kind: str, ident: str, display: str) -> Resource:
    return {"reference": _key(kind, ident), "display": display}


def _key(kind: str, ident: str) -> str:
    return ident if ident.startswith(_URN) else f"{kind}/{ident}"


def _id_of(resource: Resource) -> str:
    """Return the record's id; without one, the URN from our identifier."""
    if resource.get("id"):
        return str(resource["id"])
    systems = {identifier_system(name) for name in ("plan", "goal", "step")}
    for identifier in resource.get("identifier", []):
        if identifier.get("system") in systems and identifier.get("value"):
            return f"{_URN}{identifier['value']}"
    raise NotAPlan(f"a {shown(resource.get('resourceType'))} has neither id nor identifier")


def _key_of(resource: Resource) -> str:
    return _key(str(resource.get("resourceType")), _id_of(resource))


def _target(reference: Any) -> str:
    """Return what a reference points to, whether it is relative, absolute, versioned or a URN."""
    text = reference.get("reference", "") if isinstance(reference, Mapping) else ""
    match = _REFERENCE.fullmatch(text)
    return f"{match['type']}/{match['id']}" if match else text


def _same(one: Any, other: Any) -> bool:
    return bool(_target(one)) and _target(one) == _target(other)


def parts_of(resources: Sequence[Resource]) -> tuple[Resource, list[Resource], list[Resource]]:
    """Sort resources into the three arguments of `plan_of`; raises NotAPlan unless there is exactly one CarePlan."""
    by_kind: dict[str, list[Resource]] = {"CarePlan": [], "Goal": [], "Task": []}
    for resource in resources:
        by_kind.get(str(resource.get("resourceType")), []).append(resource)
    if len(by_kind["CarePlan"]) != 1:
        raise NotAPlan(f"{len(by_kind['CarePlan'])} CarePlans where one is expected")
    return by_kind["CarePlan"][0], by_kind["Goal"], by_kind["Task"]
