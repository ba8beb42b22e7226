"""Taking a goal or a step out of the plan that was made by mistake, and putting it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from mappers.plan import Goal, Plan
from smartapp.i18n import message
from smartapp.pages.plan import history, sections
from smartapp.pages.plan.service import change
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web import undoing
from smartapp.web.editing import waiting
from smartapp.web.forms import Saved, Trouble
from smartapp.web.language import gettext as _
from smartapp.web.typed import Accepted

NOT_DONE = message("This is not done. Please try again in a moment.")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is taken out: the plan without it, its parts by name (`Goal/1`), and the place that it had in its list."""

    without: Callable[[StoredPlan], Plan]
    names: tuple[str, ...]
    at: int


def of_goal(plan: StoredPlan, goal_id: str) -> Mistake:
    """Return a goal with its steps as what is taken out; it must be in the plan."""
    at, goal = next((at, one) for at, one in enumerate(plan.plan.goals) if one.id == goal_id)
    return Mistake(
        lambda now: sections.without_goal(now.plan, now.current_id(goal_id)),
        (f"Goal/{goal.id}", *(f"Task/{step.id}" for step in goal.steps)),
        at,
    )


def of_step(plan: StoredPlan, goal_id: str, step_id: str) -> Mistake:
    """Return a step as what is taken out; it must be in the plan."""
    goal = next(one for one in plan.plan.goals if one.id == goal_id)
    return Mistake(
        lambda now: sections.without_step(now.plan, now.current_id(goal_id), now.current_id(step_id)),
        (f"Task/{step_id}",),
        next(at for at, one in enumerate(goal.steps) if one.id == step_id),
    )


def taken_out(plan: StoredPlan, mistake: Mistake, *, after: str, back: str, refused: str) -> ResponseReturnValue:
    """Take something out, and go to the page `after`, which offers to post to `back`; to `refused` if it can't be."""
    was = plan.former(mistake.names)
    outcome = change(lambda now: Accepted(mistake.without(now)), plan)
    if not isinstance(outcome, Saved):
        return not_done(outcome, refused)
    if not outcome.arrived:
        return redirect(waiting(after), 303)
    return redirect(undoing.offer(back, {"was": was, "at": mistake.at}, after), 303)


def put_back(plan: StoredPlan, goal_id: str, step_id: str, *, after: str, refused: str) -> ResponseReturnValue:
    """Put a goal back, or the step with `step_id`; as it was, where the session or the record still knows."""
    known = undoing.taken(request.form.get(undoing.FIELD, "")) or {}
    was = known.get("was") or history.before_removal(plan, _names(plan, goal_id, step_id))
    at = known.get("at", len(plan.plan.goals))

    def again(now: StoredPlan) -> Accepted[Plan]:
        if not step_id:
            goal = _found(now.goals_removed(was), now.current_id(goal_id))
            if goal and known:  # what had been taken out of it before, stays out
                went = {now.current_id(name.partition("/")[2]) for name in was}
                goal = replace(goal, steps=tuple(step for step in goal.steps if step.id in went))
            return Accepted(sections.with_goal_again(now.plan, goal, at) if goal else now.plan)
        goal = _found(now.steps_removed(was), now.current_id(goal_id))
        step = next((one for one in goal.steps if one.id == now.current_id(step_id)), None) if goal else None
        return Accepted(sections.with_step_again(now.plan, goal.id, step, at) if goal and step else now.plan)

    outcome = change(again, plan, was)
    if not isinstance(outcome, Saved):
        return not_done(outcome, refused)
    undoing.forget()
    return redirect(undoing.undone(after) if outcome.arrived else waiting(after), 303)


def _names(plan: StoredPlan, goal_id: str, step_id: str) -> tuple[str, ...]:
    """Return the names (`Task/1`) of the step with `step_id`, else of the goal and its steps, that were taken out."""
    if step_id:
        return (f"Task/{plan.current_id(step_id)}",)
    goal = _found(plan.goals_removed(), plan.current_id(goal_id))
    return (f"Goal/{goal.id}", *(f"Task/{step.id}" for step in goal.steps)) if goal else ()


def _found(goals: tuple[Goal, ...], goal_id: str) -> Goal | None:
    return next((goal for goal in goals if goal.id == goal_id), None)


def not_done(outcome: object, back: str) -> ResponseReturnValue:
    """Say why nothing was changed, on the page `back`."""
    flash(outcome.sentence if isinstance(outcome, Trouble) else _(NOT_DONE), "attention")
    return redirect(back, 303)
