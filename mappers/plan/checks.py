"""What a plan must be before it is written, so that nothing is written of a plan that cannot be written whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from mappers.errors import EmptyText, RefusedValue, TooManyDomains, UnknownDomain, shown
from mappers.plan.model import MOST_DOMAINS, PROGRESS, STEP_STATUSES, Goal, Plan
from questionnaires.living import PlanPart

_DATE: Final = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


def check(plan: Plan, parts: Iterable[PlanPart], domains: Mapping[str, str]) -> None:
    """Raise PlanError where a plan cannot be written with these parts and these life domains (titles by code)."""
    _check_texts(plan, parts)
    _check_domains(plan, domains)
    _check_dates(plan)
    for at, goal in enumerate(plan.goals):
        _check_goal(goal, f"plan.goals[{at}]")
    ids = [goal.id for goal in plan.goals] + [step.id for goal in plan.goals for step in goal.steps]
    if "" in ids or len(set(ids)) < len(ids):
        raise RefusedValue("a goal or step has no id, or one id is used twice", where="plan.goals")


def _check_texts(plan: Plan, parts: Iterable[PlanPart]) -> None:
    known = {part.code: part for part in parts}
    for code, texts in plan.texts.items():
        if code not in known:
            raise RefusedValue(f"no part {shown(code)}", where="plan.texts", advice=f"Known: {', '.join(known)}")
        if len(texts) > 1 and not known[code].many:
            raise RefusedValue(
                f"{len(texts)} texts where one is expected", where=f"plan.texts[{code!r}]", advice="Join them into one"
            )


def _check_domains(plan: Plan, domains: Mapping[str, str]) -> None:
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
        if code not in domains:
            raise UnknownDomain(f"no life domain {shown(code)}", where=place, advice=f"Known: {', '.join(domains)}")


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
