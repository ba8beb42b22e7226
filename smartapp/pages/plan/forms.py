"""The forms of the plan: what `smartapp.web.editing` needs to know of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import Plan
from smartapp.pages.plan.sections import Section
from smartapp.pages.plan.service import change, load
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web import current, editing
from smartapp.web.editing import Form


def edit(
    section_of: Callable[[StoredPlan], Section], form: Form, plan: StoredPlan | None = None
) -> ResponseReturnValue:
    """Show the form of one section of the plan, or take it; see `editing.edit`. `plan` spares loading it twice."""
    return editing.edit(_PLAN, section_of, form, plan)


def _sketch_of(plan: StoredPlan | None) -> str:
    """Return which form of the plan this is, by its address.

    It goes by the ids that a goal and a step had first, so that the words are found again after the plan has moved.
    """
    here = (request.script_root + request.path).removeprefix(url_for("plan.start")).removeprefix(url_for("home.index"))
    return here if plan is None else "/".join(plan.first_id(each) for each in here.split("/"))


_PLAN: Final = editing.Editing[StoredPlan, Plan](
    load=load,
    document=lambda stored: stored.plan,
    change=change,
    sketch_of=_sketch_of,
    made=lambda stored, key: stored.made(key) is not None,
    templates=("plan/form.html", "plan/clash.html"),
    place=lambda: current.records().place_for("CarePlan"),
)
