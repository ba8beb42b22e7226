"""The sections of a plan that a page can edit: which fields they have, how they are read, checked and put back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, cast

from mappers.plan import (
    MOST_DOMAINS,
    QUESTIONS,
    STEP_STATUSES,
    DomainAnswers,
    Goal,
    Plan,
    Progress,
    Step,
    StepStatus,
)
from mappers.plan.at_once import carrying, has_room, paused, within_five
from mappers.said_in import SaidIn
from questionnaires.canonical import code_system_url
from smartapp.i18n import message
from smartapp.web import typed
from smartapp.web.dates import NOT_A_DATE, as_date, is_date_or

Section = typed.Part[Plan]

GOING: Final[tuple[Progress, ...]] = ("in-progress", "improving", "no-change", "worsening")
ENDINGS: Final = {"reached": "achieved", "changed": "not-achieved", "let-go": "not-achieved"}
"""How a goal ends, and what the record calls it. A changed goal makes room for the next one."""

FAMILY_TEAM: Final = f"{code_system_url('plan')}|family-team"
"""The category of a care team that supports a whole family, as a search token."""

TOO_MANY: Final = "too-many"
"""Not a sentence: the page says how many were chosen."""
UNKNOWN_DOMAIN: Final = "unknown-domain"
"""Not a sentence: the page says what was found."""
NO_ROOM: Final = message("This area is no longer in your plan, and your plan has five others. Choose areas first.")
NEEDS_GOAL: Final = message("Write your goal in your own words.")
NEEDS_STEP: Final = message("Write what the step is.")
NEEDS_DOMAIN: Final = message("Choose the area this goal belongs to.")
NEEDS_PROGRESS: Final = message("Choose how it is going.")
NEEDS_REST: Final = message("Choose the area that rests for now.")
NEEDS_ENDING: Final = message("Choose what fits best.")


def domains(known: Sequence[str], again: Mapping[str, DomainAnswers] = MappingProxyType({})) -> Section:
    """Return the section with the chosen life domains, as codes with a comma between; `known` gives their order.

    `again` are answers that left the plan, by life domain: one that is chosen and has no answers now gets them back.
    """

    def check(_plan: Plan, texts: Mapping[str, str]) -> dict[str, str]:
        chosen = codes(texts.get("domains", ""))
        if not set(chosen) <= set(known):
            return {"domains": UNKNOWN_DOMAIN}
        return {"domains": TOO_MANY} if len(chosen) > MOST_DOMAINS else {}

    def apply(plan: Plan, texts: Mapping[str, str]) -> Plan:
        there = {answers.domain: answers for answers in plan.domains}
        written = {code: answers for code, answers in there.items() if says_something(answers)}
        chosen = sorted(codes(texts["domains"]), key=known.index)
        return replace(
            plan, domains=tuple({**there, **again, **written}.get(code, _no_answers(code)) for code in chosen)
        )

    return Section(("domains",), lambda plan: {"domains": _chosen(plan, known)}, apply, check)


def codes(text: str) -> list[str]:
    """Return the codes in a text with commas between, each once."""
    return list(dict.fromkeys(code for code in text.split(",") if code))


def _chosen(plan: Plan, known: Sequence[str]) -> str:
    order = {code: place for place, code in enumerate(known)}
    chosen = sorted((answers.domain for answers in plan.domains), key=lambda code: order.get(code, len(order)))
    return ",".join(chosen)


def _no_answers(code: str) -> DomainAnswers:
    return DomainAnswers(domain=code, now="", change="", how="", support="")


def answered_domains_removed(before: Plan, after: Plan) -> tuple[DomainAnswers, ...]:
    """Return the life domains that would leave the plan with answers in them: the person must see those first."""
    remaining = {answers.domain for answers in after.domains}
    return tuple(a for a in before.domains if a.domain not in remaining and says_something(a))


def says_something(answers: DomainAnswers) -> bool:
    """Tell whether one of the four questions about a life domain is answered."""
    return any(getattr(answers, question) for question in QUESTIONS)


def domain(code: str, questions: tuple[str, ...] = QUESTIONS) -> Section:
    """Return the section with (some of) the four questions about one life domain."""

    def read(plan: Plan) -> dict[str, str]:
        found = _answers(plan, code)
        return {question: getattr(found, question) for question in questions}

    def check(plan: Plan, _texts: Mapping[str, str]) -> dict[str, str]:
        chosen = {answers.domain for answers in plan.domains}
        return {questions[0]: NO_ROOM} if code not in chosen and len(chosen) >= MOST_DOMAINS else {}

    def apply(plan: Plan, texts: Mapping[str, str]) -> Plan:
        changed = replace(_answers(plan, code), **{question: texts[question] for question in questions})
        if any(answers.domain == code for answers in plan.domains):
            return replace(plan, domains=tuple(changed if a.domain == code else a for a in plan.domains))
        return replace(plan, domains=(*plan.domains, changed))

    return Section(questions, read, apply, check)


def _answers(plan: Plan, code: str) -> DomainAnswers:
    return next((answers for answers in plan.domains if answers.domain == code), _no_answers(code))


def goal(goal_id: str, today: str, said_in: SaidIn | None = None, offered: Collection[str] = ()) -> Section:
    """Return the section with the words of one goal, its life domain and its date; a new id is a new goal.

    A form that is sent twice carries the same id twice, and so makes one goal. `said_in` is the answer that a new goal
    comes from. `offered` are life domains beside those of the plan that it may belong to: then the plan has it too.
    """

    def read(plan: Plan) -> dict[str, str]:
        found = goal_of(plan, goal_id)
        if found is None:
            return {"text": "", "domain": "", "due": ""}
        return {"text": found.text, "domain": found.domain, "due": found.due or ""}

    def check(plan: Plan, texts: Mapping[str, str]) -> dict[str, str]:
        problems = {}
        if not texts.get("text"):
            problems["text"] = NEEDS_GOAL
        chosen = {answers.domain for answers in plan.domains}
        known = chosen | {goal.domain for goal in plan.goals} | set(offered)
        if texts.get("domain", "") not in known:
            problems["domain"] = NEEDS_DOMAIN
        elif texts["domain"] in offered and texts["domain"] not in chosen and len(chosen) >= MOST_DOMAINS:
            problems["domain"] = NO_ROOM
        if not is_date_or(texts.get("due", ""), read(plan)["due"]):
            problems["due"] = NOT_A_DATE
        return problems

    def apply(plan: Plan, texts: Mapping[str, str]) -> Plan:
        found = goal_of(plan, goal_id)
        text, domain, due = texts["text"], texts["domain"], as_date(texts["due"]) or None
        if found is not None:
            return within_five(plan, with_goal(plan, replace(found, text=text, domain=domain, due=due)))
        made = Goal(id=goal_id, text=text, domain=domain, due=due, start=today, said_in=said_in)
        there = {answers.domain for answers in plan.domains}
        joins = (_no_answers(domain),) if domain in offered and domain not in there else ()
        return within_five(plan, replace(plan, domains=(*plan.domains, *joins), goals=(*plan.goals, made)))

    return Section(("text", "domain", "due"), read, apply, check)


def goal_of(plan: Plan, goal_id: str) -> Goal | None:
    """Return a goal by its id, or None where the plan has no such goal."""
    return next((found for found in plan.goals if found.id == goal_id), None)


def with_goal(plan: Plan, changed: Goal) -> Plan:
    """Return the plan with one goal replaced by its changed self."""
    return replace(plan, goals=tuple(changed if found.id == changed.id else found for found in plan.goals))


def step(goal_id: str, step_id: str, said_in: SaidIn | None = None) -> Section:
    """Return the section with one step towards a goal; a new id is a new step, from the answer `said_in` if any."""

    def read(plan: Plan) -> dict[str, str]:
        found = step_of(plan, goal_id, step_id)
        if found is None:
            return {"text": "", "who": "", "due": "", "status": "planned"}
        return {"text": found.text, "who": found.who, "due": found.due, "status": found.status}

    def check(plan: Plan, texts: Mapping[str, str]) -> dict[str, str]:
        problems = {}
        if not texts.get("text", "-"):
            problems["text"] = NEEDS_STEP
        if texts.get("status", "planned") not in STEP_STATUSES:
            problems["status"] = NEEDS_PROGRESS
        if not is_date_or(texts.get("due", ""), read(plan)["due"]):
            problems["due"] = NOT_A_DATE
        return problems

    def apply(plan: Plan, texts: Mapping[str, str]) -> Plan:
        aim, before = _goal(plan, goal_id), step_of(plan, goal_id, step_id)
        changed = Step(
            id=step_id,
            text=texts["text"],
            status=cast("StepStatus", texts["status"]),
            who=texts["who"],
            due=as_date(texts["due"]),
            said_in=before.said_in if before else said_in,
        )
        if before is None:
            return with_goal(plan, replace(aim, steps=(*aim.steps, changed)))
        return with_goal(
            plan, replace(aim, steps=tuple(changed if found.id == step_id else found for found in aim.steps))
        )

    return Section(("text", "who", "due", "status"), read, apply, check)


def without_goal(plan: Plan, goal_id: str) -> Plan:
    """Return the plan without a goal, which was made by mistake."""
    return replace(plan, goals=tuple(goal for goal in plan.goals if goal.id != goal_id))


def with_goal_again(plan: Plan, goal: Goal, at: int) -> Plan:
    """Return the plan with a goal that was taken out, in the place that it had; the same plan where it is there."""
    if goal_of(plan, goal.id) is not None:
        return plan
    return within_five(plan, replace(plan, goals=(*plan.goals[:at], goal, *plan.goals[at:])))


def without_step(plan: Plan, goal_id: str, step_id: str) -> Plan:
    """Return the plan without a step, which was made by mistake."""
    found = goal_of(plan, goal_id)
    if found is None:
        return plan
    return with_goal(plan, replace(found, steps=tuple(step for step in found.steps if step.id != step_id)))


def with_step_again(plan: Plan, goal_id: str, step: Step, at: int) -> Plan:
    """Return the plan with a step that was taken out, in the place that it had; the same plan where it is there."""
    found = goal_of(plan, goal_id)
    if found is None or step_of(plan, goal_id, step.id) is not None:
        return plan
    return with_goal(plan, replace(found, steps=(*found.steps[:at], step, *found.steps[at:])))


def step_of(plan: Plan, goal_id: str, step_id: str) -> Step | None:
    """Return a step by its goal's and its own id, or None where there is no such step."""
    found = goal_of(plan, goal_id)
    return next((step for step in found.steps if step.id == step_id), None) if found else None


def with_step_status(plan: Plan, goal_id: str, step_id: str, status: StepStatus) -> Plan:
    """Return the plan with one step as far as this; the same plan where that step is not there any more."""
    found = goal_of(plan, goal_id)
    if found is None:
        return plan
    steps = tuple(replace(step, status=status) if step.id == step_id else step for step in found.steps)
    return with_goal(plan, replace(found, steps=steps))


def progress(goal_id: str, now: datetime) -> Section:
    """Return the section that says how it goes with a goal: one of a few sentences, and own words if wanted.

    Own words are a remark of `now`, beside those that there are. So the field is empty each time that it is shown.
    """

    def read(plan: Plan) -> dict[str, str]:
        found = _goal(plan, goal_id)
        return {"progress": found.progress if found.progress in GOING else "", "note": ""}

    def check(_plan: Plan, texts: Mapping[str, str]) -> dict[str, str]:
        return {} if texts.get("progress") in GOING else {"progress": NEEDS_PROGRESS}

    def apply(plan: Plan, texts: Mapping[str, str]) -> Plan:
        said = cast("Progress", texts["progress"])
        found = replace(_goal(plan, goal_id), progress=said, progress_date=_day(now))
        return with_goal(plan, found.with_remark(texts["note"], now.isoformat()))

    return Section(("progress", "note"), read, apply, check)


def ending(goal_id: str, now: datetime) -> Section:
    """Return the section that ends a goal: reached, changed or let go. The goal can still be read ever after."""

    def check(_plan: Plan, texts: Mapping[str, str]) -> dict[str, str]:
        return {} if texts.get("ending") in ENDINGS else {"ending": NEEDS_ENDING}

    def apply(plan: Plan, texts: Mapping[str, str]) -> Plan:
        ended = _ended(_goal(plan, goal_id), texts["ending"], now)
        return with_goal(plan, ended.with_remark(texts["note"], now.isoformat()))

    return Section(("ending", "note"), lambda _plan: {"ending": "", "note": ""}, apply, check)


def _ended(goal: Goal, ending: str, now: datetime) -> Goal:
    return replace(goal, active=False, progress=cast("Progress", ENDINGS[ending]), progress_date=_day(now))


def with_goal_let_go(plan: Plan, goal_id: str, now: datetime) -> Plan:
    """Return the plan with a goal that is let go; the same plan where it is not there any more, or has ended."""
    found = goal_of(plan, goal_id)
    return with_goal(plan, _ended(found, "let-go", now)) if found is not None and found.active else plan


def with_goal_going_on(plan: Plan, goal_id: str, progress: Progress, day: str) -> Plan:
    """Return the plan with an ended goal as one that goes on, as far as it was; the same plan where it does already."""
    found = goal_of(plan, goal_id)
    if found is None or found.active:
        return plan
    return within_five(plan, with_goal(plan, replace(found, active=True, progress=progress, progress_date=day)))


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def with_goal_resumed(plan: Plan, goal_id: str, today: str) -> Plan:
    """Return the plan with an ended goal as one to work on again."""
    found = replace(_goal(plan, goal_id), active=True, progress="in-progress", progress_date=today)
    return within_five(plan, with_goal(plan, found))


def with_goal_for_later(plan: Plan, goal_id: str, today: str) -> Plan:
    """Return the plan with a goal that rests; the same plan where the goal is not there any more, or has ended."""
    found = goal_of(plan, goal_id)
    if found is None or not found.active or found.later:
        return plan
    return with_goal(plan, replace(found, later=True, progress_date=today))


def beginning(goal_id: str, today: str) -> Section:
    """Return the section that takes up a goal that was for later; where five areas go on, one of them rests instead."""

    def check(plan: Plan, texts: Mapping[str, str]) -> dict[str, str]:
        if has_room(plan, _goal(plan, goal_id).domain) or texts.get("rest") in carrying(plan):
            return {}
        return {"rest": NEEDS_REST}

    def apply(plan: Plan, texts: Mapping[str, str]) -> Plan:
        found = _goal(plan, goal_id)
        rested = plan if has_room(plan, found.domain) else paused(plan, texts["rest"], today)
        begun = replace(found, later=False, progress="in-progress", progress_date=today)
        return with_goal(rested, begun)

    return Section(("rest",), lambda _plan: {"rest": ""}, apply, check)


def _goal(plan: Plan, goal_id: str) -> Goal:
    found = goal_of(plan, goal_id)
    if found is None:
        raise LookupError("the plan has no goal with this id: check with goal_of first")
    return found
