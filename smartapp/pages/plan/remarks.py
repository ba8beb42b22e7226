"""Taking back what the client said about a goal, where it was a mistake: one remark, and only their own.

It leaves the Goal; the version of before keeps it, like all else that was changed. So it can be put back, from the page
that says that it is gone and, where the record gives versions, from the earlier versions of the goal.
"""

from __future__ import annotations

from dataclasses import replace

from flask import abort, flash, redirect, request
from flask.typing import ResponseReturnValue

from mappers.plan import Goal, Plan, Remark
from smartapp.i18n import message
from smartapp.pages.plan import history, sections
from smartapp.pages.plan.removing import not_done
from smartapp.pages.plan.service import change
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web import undoing
from smartapp.web.editing import waiting
from smartapp.web.forms import Saved
from smartapp.web.language import gettext as _
from smartapp.web.plan_views import name_of
from smartapp.web.typed import Accepted

FIELD = "remark"
"""The field that says which remark: its `name_of`."""
NOT_FOUND = message("We cannot find this remark any more. Nothing is changed.")


def taken_out(plan: StoredPlan, goal: Goal, *, after: str, back: str, refused: str) -> ResponseReturnValue:
    """Take out the remark that the form names, and go to the page `after`, which offers to post to `back`.

    Sent twice it does the same. What another person said is not among those that can be named: 404.
    """
    wanted = request.form.get(FIELD, "")
    if any(name_of(one) == wanted for one in goal.of_others):
        abort(404)
    remark = next((one for one in goal.remarks if name_of(one) == wanted), None)
    if remark is None:
        return redirect(after, 303)
    outcome = change(lambda now: Accepted(_without(now.plan, now.current_id(goal.id), remark)), plan)
    if not isinstance(outcome, Saved):
        return not_done(outcome, refused)
    if not outcome.arrived:
        return redirect(waiting(after), 303)
    return redirect(undoing.offer(back, {"text": remark.text, "said": remark.said}, after), 303)


def put_back(plan: StoredPlan, goal: Goal, *, after: str) -> ResponseReturnValue:
    """Put back the remark that was taken out just now, or the one of an earlier version that the form names."""
    known = undoing.taken(request.form.get(undoing.FIELD, ""))
    wanted = request.form.get(FIELD, "")
    remark = (
        Remark(known["text"], known["said"])
        if known
        else next((one for one in history.remarks_gone(plan, goal) if name_of(one) == wanted), None)
    )
    if remark is None:
        flash(_(NOT_FOUND), "attention")
        return redirect(after, 303)
    outcome = change(lambda now: Accepted(_with(now.plan, now.current_id(goal.id), remark)), plan)
    if not isinstance(outcome, Saved):
        return not_done(outcome, after)
    undoing.forget()
    return redirect(undoing.undone(after) if outcome.arrived else waiting(after), 303)


def _without(plan: Plan, goal_id: str, remark: Remark) -> Plan:
    found = sections.goal_of(plan, goal_id)
    if found is None:
        return plan
    return sections.with_goal(plan, replace(found, remarks=tuple(one for one in found.remarks if one != remark)))


def _with(plan: Plan, goal_id: str, remark: Remark) -> Plan:
    found = sections.goal_of(plan, goal_id)
    if found is None or remark in found.remarks:
        return plan
    return sections.with_goal(plan, replace(found, remarks=(remark, *found.remarks)))
