"""A goal that the client looked back on in a living form: they change its words beside what they said, or let it go.

Nothing happens to a goal by what is written in a form. The form offers it; the client presses, and comes back to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import Goal, Progress
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument
from smartapp.pages.plan import sections
from smartapp.pages.plan.removing import not_done
from smartapp.pages.plan.service import change
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web import current, undoing
from smartapp.web.editing import TOO_LATE, waiting
from smartapp.web.fields import Link
from smartapp.web.forms import Saved
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.typed import Accepted
from smartapp.web.written import RowView, row_view


@dataclass(frozen=True, slots=True)
class LookedBack:
    """What the client said of a goal in a form: the form's title, and the row; None where that is gone by now."""

    title: str
    row: RowView | None


def said_in(plan: StoredPlan, form: Instrument, key: str, known: Catalogue) -> LookedBack:
    """Return what stands in the row of a form with this key."""
    content = plan.content_of(form.id)
    rows = ((group, row) for group in form.groups if group.many for row in content.rows_of(group.link_id))
    found = next(((group, row) for group, row in rows if row.key == key), None)
    return LookedBack(text_of(form.title), row_view(*found, content, known) if found else None)


def back_to(form: Instrument) -> Link:
    """Return the way back to a form."""
    return Link(_("Back to “%(form)s”", form=text_of(form.title)), address(form))


def address(form: Instrument, **marks: Any) -> str:
    """Return the address of a form that says what became of a goal (`goal`)."""
    return url_for("living.form", form_id=form.id, **marks)


def let_go(plan: StoredPlan, goal: Goal, form: Instrument) -> ResponseReturnValue:
    """End a goal as one that is let go; the form offers to take that back."""
    now = current.now()
    outcome = change(lambda at: Accepted(sections.with_goal_let_go(at.plan, at.current_id(goal.id), now)), plan)
    if not isinstance(outcome, Saved):
        return not_done(outcome, address(form))
    after = address(form, goal="ended")
    if not outcome.arrived:
        return redirect(waiting(after), 303)
    was = {"progress": goal.progress, "progress_date": goal.progress_date}
    back = url_for("plan.go_on", goal_id=goal.id, form_id=form.id)
    return redirect(undoing.offer(back, was, after) if goal.active else after, 303)


def go_on(plan: StoredPlan, goal: Goal, form: Instrument) -> ResponseReturnValue:
    """Take back that a goal was let go just now: it is as it was before."""
    was = undoing.taken(request.form.get(undoing.FIELD, ""))
    if was is None:
        flash(_(TOO_LATE), "attention")
        return redirect(address(form), 303)
    progress, day = cast("Progress", was["progress"]), str(was["progress_date"])
    outcome = change(
        lambda at: Accepted(sections.with_goal_going_on(at.plan, at.current_id(goal.id), progress, day)), plan
    )
    if not isinstance(outcome, Saved):
        return not_done(outcome, address(form))
    undoing.forget()
    return redirect(undoing.undone(address(form)) if outcome.arrived else waiting(address(form, goal="resumed")), 303)
