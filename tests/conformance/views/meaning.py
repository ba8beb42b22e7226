"""What the app itself reads in the same resources, to compare the tables with. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mappers.agreements import is_agreement
from mappers.answers import answers_of
from mappers.errors import RefusedResponse
from mappers.observations import rule_in, scores_from
from mappers.plan import DomainAnswers, Goal, Step
from mappers.plan.reading import goals_of, plan_of
from mappers.plan.shapes import PLAN_SYSTEM, STEP_STATUS_OF
from mappers.tolerant import code_in, objects_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from tests.conformance.views.tables import Row, Tables

_NOT_READ: Final = frozenset({"entered-in-error", "cancelled"})
Facts = Counter[tuple[Any, ...]]


def complaints(tables: Tables, resources: Sequence[Resource], known: Catalogue) -> Iterator[str]:
    """Yield a line for each thing that the app reads otherwise than an engine's tables have it."""
    pairs = {
        "answers": (_answers_read(resources, known), _answers_in(tables, resources, known)),
        "scores": (_scores_read(resources), _scores_in(tables)),
        "goals": (_goals_read(resources), _goals_in(tables)),
        "steps": (_steps_read(resources), _steps_in(tables)),
        "plans": (_plans_read(resources, known), _plans_in(tables)),
        "plan goals": (_plan_goals_read(resources), _plan_goals_in(tables)),
    }
    for what, (read, there) in pairs.items():
        if not read:
            yield f"{what}: the app reads none, so nothing was compared"
        yield from (f"{what}: the app reads {one}, the table has it not" for one in (read - there).elements())
        yield from (f"{what}: the table has {one}, the app reads it not" for one in (there - read).elements())


def _of(kind: str, resources: Sequence[Resource]) -> list[Resource]:
    return [one for one in resources if one["resourceType"] == kind]


def _first(row: Row, *columns: str) -> Any:
    return next((row[column] for column in columns if row[column] is not None), None)


# ---- answers and scores ----------------------------------------------------------------------------------------------


def _read(resources: Sequence[Resource], known: Catalogue) -> dict[str, tuple[str, dict[str, str | bool]]]:
    """Return the answers by the id of the response, of those that the app can read as answers to one of our forms."""
    found = {}
    for response in _of("QuestionnaireResponse", resources):
        try:
            answers = answers_of(response, known)
        except RefusedResponse:
            continue
        found[response["id"]] = (answers.instrument.id, dict(answers.values))
    return found


def _answers_read(resources: Sequence[Resource], known: Catalogue) -> Facts:
    read = _read(resources, known).items()
    return Counter((ident, item, value) for ident, (_form, values) in read for item, value in values.items())


def _answers_in(tables: Tables, resources: Sequence[Resource], known: Catalogue) -> Facts:
    read = _read(resources, known)
    items = {form: {one.link_id: one for one in known.instrument(form).items} for form, _values in read.values()}
    facts: Facts = Counter()
    for row in tables["verstel_answers"]:
        form = read.get(row["response_id"], ("", {}))[0]
        # Beside the answers, a response may have score items, which are no answers, and items of an EHR's own.
        if form and row["link_id"] in items[form]:
            value = _first(row, "value_code", "value_boolean", "value_date", "value_string")
            facts[row["response_id"], row["link_id"], value] += 1
    return facts


def _scores_read(resources: Sequence[Resource]) -> Facts:
    observations = _of("Observation", resources)
    rules = {one["id"]: rule_in(one) for one in observations}
    return Counter(
        (one.id, one.code, one.value, one.reason, one.date, one.response_reference, rules[one.id], one.status)
        for one in scores_from(observations)
    )


def _scores_in(tables: Tables) -> Facts:
    return Counter(
        (
            row["score_id"],
            row["code"],
            _first(row, "score_value", "score_integer"),
            row["reason"] or "",
            row["score_date"] or "",
            row["response_reference"] or "",
            _first(row, "rule", "rule_in_code") or "",
            row["status"],
        )
        for row in tables["verstel_scores"]
        if row["status"] not in _NOT_READ
    )


# ---- plans -----------------------------------------------------------------------------------------------------------


def _goals_read(resources: Sequence[Resource]) -> Facts:
    return Counter(
        (one.id, one.text, one.domain, one.progress, one.progress_date, one.start, one.due)
        for one in goals_of(_of("Goal", resources))
    )


def _goals_in(tables: Tables) -> Facts:
    made = (
        Goal(
            id=row["goal_id"],
            text=row["goal_text"] or "",
            domain=row["domain"] or "",
            progress=row["progress"] or "",
            progress_date=row["progress_date"] or "",
            start=row["start_date"] or "",
            due=row["due_date"],
        )
        for row in tables["verstel_goals"]
    )
    return Counter((one.id, one.text, one.domain, one.progress, one.progress_date, one.start, one.due) for one in made)


def _steps_read(resources: Sequence[Resource]) -> Facts:
    """Return the steps of goals, and how many agreements there are."""
    tasks = _of("Task", resources)
    ours = [one for one in tasks if code_in(one, "code", PLAN_SYSTEM) == "recovery-step"]
    facts: Facts = Counter(("agreement", one["id"]) for one in tasks if is_agreement(one))
    # Each step alone below a goal of its own: which goal it is of is compared by the keys.
    for task in ours:
        target = task.get("focus", {}).get("reference", "")
        goal = {"resourceType": "Goal", "id": target.removeprefix("Goal/")}
        for step in goals_of([goal, task])[0].steps if target.startswith("Goal/") and target.count("/") == 1 else ():
            facts[step.id, step.text, step.status, step.who, step.due] += 1
    return facts


def _steps_in(tables: Tables) -> Facts:
    facts: Facts = Counter()
    for row in tables["verstel_steps"]:
        if row["kind"] == "agreed-step":
            facts["agreement", row["step_id"]] += 1
            continue
        reference = row["goal_reference"] or ""
        if row["status"] not in STEP_STATUS_OF or not reference.startswith("Goal/") or reference.count("/") != 1:
            continue
        step = Step(
            id=row["step_id"],
            text=row["step_text"] or "",
            status=STEP_STATUS_OF[row["status"]],
            who=row["owner_display"] or "",
            due=row["due"] or "",
        )
        facts[step.id, step.text, step.status, step.who, step.due] += 1
    return facts


def _our_plans(resources: Sequence[Resource]) -> list[Resource]:
    return [one for one in _of("CarePlan", resources) if _is_plan(one)]


def _is_plan(care_plan: Resource) -> bool:
    return any(
        code_in({"one": one}, "one", PLAN_SYSTEM) == "recovery-plan" for one in objects_in(care_plan, "category")
    )


def _plans_read(resources: Sequence[Resource], known: Catalogue) -> Facts:
    facts: Facts = Counter()
    for care_plan in _our_plans(resources):
        plan = plan_of(care_plan, known=known)
        for one in plan.domains or (None,):
            facts[plan.id, plan.created, one] += 1
    return facts


def _plans_in(tables: Tables) -> Facts:
    facts: Facts = Counter()
    for row in tables["verstel_plans"]:
        words = {part: row[f"answer_{part}"] or "" for part in ("now", "change", "how", "support")}
        answered = DomainAnswers(row["domain"] or "", **words) if row["domain"] or any(words.values()) else None
        facts[row["plan_id"], row["created"] or "", answered] += 1
    return facts


def _plan_goals_read(resources: Sequence[Resource]) -> Facts:
    return Counter((one["id"], goal.get("reference")) for one in _our_plans(resources) for goal in one.get("goal", ()))


def _plan_goals_in(tables: Tables) -> Facts:
    return Counter((row["plan_id"], row["goal_reference"]) for row in tables["verstel_plan_goals"])
