"""What the client is asked where a professional presses a button of the plan that changes it: see `web.confirming`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import request, url_for

from smartapp.i18n import message
from smartapp.pages.plan import history, remarks, sections
from smartapp.pages.plan.service import load
from smartapp.web.confirming import Press
from smartapp.web.language import gettext as _
from smartapp.web.plan_views import name_of

Asks = Callable[..., Press | None]

DONE: Final = message("This step is done.")
NOT_DONE: Final = message("This step is not done yet.")


def of_goal(sentence: str) -> Asks:
    """Return what is asked of a goal, on its page or in a form; nothing where it is not there, as is said then."""

    def asks(goal_id: str, form_id: str = "") -> Press | None:
        plan = load()
        found = sections.goal_of(plan.plan, plan.current_id(goal_id))
        back = url_for("living.form", form_id=form_id) if form_id else url_for("plan.goal", goal_id=goal_id)
        return Press(_(sentence), back, found.text) if found else None

    return asks


def of_step(sentence: str) -> Asks:
    """Return what is asked of a step."""

    def asks(goal_id: str, step_id: str) -> Press | None:
        plan = load()
        found = sections.step_of(plan.plan, plan.current_id(goal_id), plan.current_id(step_id))
        return Press(_(sentence), url_for("plan.goal", goal_id=goal_id), found.text) if found else None

    return asks


def of_tick(goal_id: str, step_id: str) -> Press | None:
    """Return what is asked where a step is ticked off, or that is taken back."""
    return of_step(DONE if request.form.get("tick") == "done" else NOT_DONE)(goal_id, step_id)


def of_removed(sentence: str) -> Asks:
    """Return what is asked of a goal or a step that was taken out and is put back."""

    def asks(goal_id: str, step_id: str = "") -> Press | None:
        plan = load()
        found = next((one for one in plan.goals_removed() if one.id == plan.current_id(goal_id)), None)
        if step_id:
            steps = (step for goal in plan.steps_removed() for step in goal.steps)
            text = next((step.text for step in steps if step.id == plan.current_id(step_id)), "")
        else:
            text = found.text if found else ""
        return Press(_(sentence), url_for("plan.start"), text) if text else None

    return asks


def of_remark(sentence: str) -> Asks:
    """Return what is asked of something that the client said about a goal, which is taken out or put back."""

    def asks(goal_id: str) -> Press | None:
        plan, wanted = load(), request.form.get(remarks.FIELD, "")
        goal = sections.goal_of(plan.plan, plan.current_id(goal_id))
        if goal is None:
            return None
        there = {name_of(one): one.text for one in goal.remarks}
        gone = {} if wanted in there else {name_of(one): one.text for one in history.remarks_gone(plan, goal)}
        text = {**gone, **there}.get(wanted, "")
        return Press(_(sentence), url_for("plan.goal", goal_id=goal_id), text or goal.text)

    return asks
