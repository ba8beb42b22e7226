"""Plan → CarePlan, Goals and Tasks, on top of what is stored now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mappers.fhir_text import first_words, heading, narrative, paragraph
from mappers.identity import URN
from mappers.plan.checks import check
from mappers.plan.model import QUESTIONS, Goal, PersonRef, Plan, Step, newest_first
from mappers.plan.reading import domain_in, texts_in
from mappers.plan.removing import is_removed
from mappers.plan.shapes import (
    ACHIEVEMENT_SYSTEM,
    ANSWERS_URL,
    DOMAIN_SYSTEM,
    GOAL_PROFILE,
    GOING_ON,
    LATER,
    PLAN_PROFILE,
    PLAN_SYSTEM,
    STEP_PROFILE,
    domain_of,
    extensions,
    is_own_note,
    is_own_target,
    key,
    key_of,
    progress_of,
    reference,
    remark_of,
    step_status_of,
    target_of,
)
from mappers.said_in import URL as SAID_IN_URL
from mappers.said_in import SaidIn
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.living import PlanPart
from questionnaires.model import Text

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
_DAY: Final = len("2026-05-31")
_OVER: Final = frozenset({"completed", "cancelled", "rejected"})

_WORDS: Final = {
    "plan": Text("Herstelplan", "Recovery plan"),
    "goals": Text("Mijn doelen", "My goals"),
    "goal": Text("Doel", "Goal"),
    "step": Text("Stap", "Step"),
    "who": Text("Wie", "Who"),
    "note": Text("Toelichting", "Note"),
}


def resources_of(
    plan: Plan,
    *,
    patient: PersonRef,
    author: PersonRef,
    known: Catalogue,
    language: str = "nl",
    existing: Iterable[Resource] = (),
) -> list[Resource]:
    """Write a plan as FHIR R4: its Goals, then its Tasks, then the CarePlan.

    `known` is the catalogue with the client's texts and the life domains. `existing` are the resources as stored now:
    what others added to them is kept, and a resource that the plan does not change comes back equal, so that
    `[r for r in resources_of(…) if r not in existing]` is what needs saving. `author` is who types: the author of the
    CarePlan when there is none yet, else one of its contributors where it is not the patient. Goals are always
    expressed by the patient.

    Raises PlanError: TooManyDomains, UnknownDomain, EmptyText (goal or step without words), RefusedValue.
    """
    stored = {key_of(resource): resource for resource in existing}
    titles = _domain_titles(known, stored.values(), language)
    questions = {question.code: question.text.get(language) for question in known.plan_questions}
    writer = _Writer(patient, author, language, stored, known.plan_parts, titles, questions)
    check(plan, known.plan_parts, writer.titles)
    goals = [writer.goal(goal) for goal in plan.goals]
    tasks = [writer.task(step, goal) for goal in plan.goals for step in goal.steps]
    return [*goals, *tasks, writer.care_plan(plan)]


def _domain_titles(known: Catalogue, stored: Iterable[Resource], language: str) -> dict[str, str]:
    """Return the life domains' names; one that left the catalogue stays usable in a plan that already has it."""
    titles: dict[str, str] = {}
    for resource in stored:
        codings = [coding for concept in objects_in(resource, "category") for coding in objects_in(concept, "coding")]
        answers = extensions(resource, ANSWERS_URL)
        codings += [dict(object_in(part, "valueCoding")) for one in answers for part in extensions(one, "domain")]
        for coding in codings:
            code = text_in(coding, "code")
            if code and coding.get("system") == DOMAIN_SYSTEM:
                titles[code] = text_in(coding, "display") or code
    return titles | {domain.code: domain.title.get(language) for domain in known.life_domains}


@dataclass(frozen=True, slots=True)
class _Writer:
    """What every resource of one plan shares."""

    patient: PersonRef
    author: PersonRef
    language: str
    stored: Mapping[str, Resource]
    parts: tuple[PlanPart, ...]
    titles: Mapping[str, str]  # of the life domains
    questions: Mapping[str, str]

    def word(self, name: str) -> str:
        return _WORDS[name].get(self.language)

    def begin(self, kind: str, ident: str, profile: str, system: str) -> Resource:
        """Return a copy of the stored resource, or a new one, with profile, language and our identifier.

        What other programs put into it is in the copy. Each method below replaces only what a plan says.
        """
        made = {"resourceType": kind, **self.stored.get(key(kind, ident), {})}
        if not ident.startswith(URN):
            made["id"] = ident
        meta = object_in(made, "meta")
        profiles = meta["profile"] if isinstance(meta.get("profile"), list) else []
        made["meta"] = {
            **meta,
            "profile": [*profiles, *([] if profile in profiles else [profile])],
        }
        made["language"] = self.language
        ours = {"system": identifier_system(system), "value": ident.removeprefix(URN)}
        identifiers = objects_in(made, "identifier")
        if not any(one.get("system") == ours["system"] for one in identifiers):
            made["identifier"] = [*identifiers, ours]
        return made

    def domain(self, code: str) -> Resource:
        return {"system": DOMAIN_SYSTEM, "code": code, "display": self.titles[code]}

    def goal(self, goal: Goal) -> Resource:
        made = self.begin("Goal", goal.id, GOAL_PROFILE, "goal")
        made["text"] = self.goal_narrative(goal)
        made["lifecycleStatus"] = _lifecycle(goal, text_in(made, "lifecycleStatus"))
        if goal.progress:
            coding = {"system": ACHIEVEMENT_SYSTEM, "code": goal.progress, "display": _ACHIEVEMENT[goal.progress]}
            made["achievementStatus"] = {"coding": [coding]}
        elif progress_of(made):  # one that we do not know is not the client's to take back
            del made["achievementStatus"]
        others = [concept for concept in objects_in(made, "category") if not domain_of(concept)]
        made["category"] = [{"coding": [self.domain(goal.domain)]}, *others]
        # Replaced whole: a code that another program put here would go on saying what the client no longer does.
        made["description"] = {"text": goal.text}
        client = self.patient.as_reference(self.language)
        made["subject"] = made["expressedBy"] = client
        _put(made, "startDate", goal.start)
        _put(made, "statusDate", goal.progress_date)
        own_target = [{"dueDate": goal.due}] if goal.due else []
        _put(made, "target", [*own_target, *(one for one in objects_in(made, "target") if not is_own_target(one))])
        _put(made, "note", _notes(goal, objects_in(made, "note"), client))
        _keep_said_in(made, goal.said_in)
        return made

    def goal_narrative(self, goal: Goal) -> Resource:
        parts = [heading(f"{self.word('goal')}: {self.titles[goal.domain]}"), paragraph(goal.text)]
        if goal.remarks:
            parts.append(heading(self.word("note"), 4))
            parts += [paragraph(f"{one.said[:_DAY]}: {one.text}" if one.said else one.text) for one in goal.remarks]
        return narrative(parts, self.language, "generated")

    def task(self, step: Step, goal: Goal) -> Resource:
        made = self.begin("Task", step.id, STEP_PROFILE, "step")
        who = [paragraph(f"{self.word('who')}: {step.who}")] if step.who else []
        made["text"] = narrative([heading(self.word("step")), paragraph(step.text), *who], self.language, "generated")
        if step_status_of(made) != step.status:  # several of FHIR's statuses are one of ours; a finer one stays
            made["status"] = _STEP_TO_TASK[step.status]
        made["intent"] = "plan"
        made["code"] = {"coding": [self.plan_coding("step")]}
        made["description"] = step.text
        made["focus"] = reference("Goal", goal.id, first_words(goal.text))
        made["for"] = self.patient.as_reference(self.language)
        made.setdefault("requester", self.author.as_reference(self.language))
        # An owner may be a reference to someone in the record; it stays as long as the name is what the plan says.
        if step.who != text_in(object_in(made, "owner"), "display"):
            _put(made, "owner", {"display": step.who} if step.who else {})
        stored = object_in(made, "restriction")
        period = {name: value for name, value in object_in(stored, "period").items() if name != "end"}
        _put(period, "end", step.due)
        restriction = {name: value for name, value in stored.items() if name != "period"}
        _put(restriction, "period", period)
        _put(made, "restriction", restriction)
        _keep_said_in(made, step.said_in)
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
        ours = [*(one for part in self.parts for one in texts_in(made, part)), *extensions(made, ANSWERS_URL)]
        others = [one for one in objects_in(made, "extension") if one not in ours]
        _put(made, "extension", [*self.plan_extensions(plan, ours), *others])
        # Set once, when the plan is begun: a care team may have put it on hold, or written it down with the client.
        made.setdefault("status", "active")
        made.setdefault("intent", "plan")
        made.setdefault("category", [{"coding": [self.plan_coding("plan")]}])
        made["title"] = self.word("plan")
        made["subject"] = self.patient.as_reference(self.language)
        _put(made, "created", plan.created)
        made.setdefault("author", self.author.as_reference(self.language))
        self.keep_contributor(made)
        goals = [reference("Goal", goal.id, first_words(goal.text)) for goal in plan.goals]
        _put(made, "goal", self.with_others(goals, objects_in(made, "goal"), lambda one: one))
        steps = [
            {"reference": reference("Task", step.id, first_words(step.text))}
            for goal in plan.goals
            for step in goal.steps
        ]
        _put(made, "activity", self.with_others(steps, objects_in(made, "activity"), lambda one: one.get("reference")))
        return made

    def keep_contributor(self, made: Resource) -> None:
        """Name who types, where it is neither the client nor the author: no Goal has a place for who wrote it down."""
        who = self.author.as_reference(self.language)
        there = [object_in(made, "author"), *objects_in(made, "contributor")]
        if self.author.reference != self.patient.reference and who["reference"] not in (
            text_in(one, "reference") for one in there
        ):
            made["contributor"] = [*objects_in(made, "contributor"), who]

    def with_others(
        self, ours: list[Resource], stored: list[Resource], referred: Callable[[Resource], Any]
    ) -> list[Resource]:
        """Return our entries, then the stored ones that refer to something else: what others added is kept."""
        mine = {target_of(referred(one)) for one in ours}
        mine |= {name for name, resource in self.stored.items() if is_removed(resource)}
        return [*ours, *(one for one in stored if target_of(referred(one)) not in mine)]

    def plan_extensions(self, plan: Plan, stored: Sequence[Resource]) -> list[Resource]:
        """Return what the plan says in extensions; as one is `stored`, where it says the same already."""
        said = {(one["url"], text_in(one, "valueString")): one for one in reversed(stored)}
        made: list[Resource] = [
            said.get((part.url, text), {"url": part.url, "valueString": text})
            for part in self.parts
            if part.code not in plan.elsewhere
            for text in plan.texts.get(part.code, ())
        ]
        asked = ("domain", *QUESTIONS)
        for answers in plan.domains:
            parts: list[Resource] = [{"url": "domain", "valueCoding": self.domain(answers.domain)}]
            given = ((name, getattr(answers, name)) for name in QUESTIONS)
            parts += [{"url": name, "valueString": text} for name, text in given if text]
            before = [one for one in stored if domain_in(one) == answers.domain]
            parts += [one for had in before for one in objects_in(had, "extension") if one.get("url") not in asked]
            made.append({"url": ANSWERS_URL, "extension": parts})
        return made

    def plan_narrative(self, plan: Plan) -> Resource:
        """Tell the whole plan as text, so that an EHR that knows none of our extensions still shows every word."""
        parts = [heading(self.word("plan"), 2)]
        for part in self.parts:
            if part.code not in plan.elsewhere and (texts := plan.texts.get(part.code)):
                parts += [heading(part.title.get(self.language)), *(paragraph(text) for text in texts)]
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
        # It tells more than this resource has: the goals and steps are resources of their own.
        return narrative(parts, self.language, "additional")


def _lifecycle(goal: Goal, now: str) -> str:
    """Return the status that agrees with the plan.

    A professional may have set one that says more, such as `on-hold` or `rejected`. Where the plan does not contradict
    it, it stays: the client's save is about something else.
    """
    if goal.active and goal.later:
        return now if now in LATER else "on-hold" if now else "proposed"
    if goal.active:
        return now if now in GOING_ON - LATER else "active"
    if goal.progress == "achieved":
        return "completed"
    return now if now in _OVER and now != "completed" else "cancelled"


def _notes(goal: Goal, stored: Sequence[Resource], client: Resource) -> list[Resource]:
    """Return the notes of a goal: what is stored stays as it is, and a new remark goes before it.

    So a receiver that takes one note, as nl-core has it, gets the newest. One that is put back goes to its own place.
    """
    own = [note for note in stored if is_own_note(note, client)]
    known = [remark_of(note) for note in own]
    left = [note for note, remark in zip(own, known, strict=True) if remark not in goal.remarks]
    new = [remark for remark in goal.remarks if remark not in known]
    made = [{"authorReference": client, **({"time": one.said} if one.said else {}), "text": one.text} for one in new]
    notes = [note for note in stored if note not in left]
    for remark, note in zip(reversed(new), reversed(made), strict=True):
        newer = {id(one) for one, had in zip(own, known, strict=True) if newest_first([remark, had])[0] == had}
        at = max((place for place, one in enumerate(notes, start=1) if id(one) in newer), default=0)
        notes.insert(at, note)
    return notes


def _keep_said_in(target: Resource, answer: SaidIn | None) -> None:
    """Write from which answer something came, once: what is written there already stays as it was written."""
    if answer is not None and not extensions(target, SAID_IN_URL):
        target["extension"] = [*objects_in(target, "extension"), answer.as_extension()]


def _put(target: Resource, name: str, value: Any) -> None:
    """Set an element, or leave it out: FHIR has no empty strings, lists or objects."""
    if value:
        target[name] = value
    else:
        target.pop(name, None)
