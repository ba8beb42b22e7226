"""The page of a goal or step that is not in the plan: what it was and since when, where the record knows, and a way on.

Whoever reads it has a plan of their own: what is in nobody's plan, and what is in somebody else's, is told in the same
words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from flask import abort, make_response, render_template, request, url_for

from mappers.tolerant import object_in, text_in
from smartapp.fhir.store import versioned
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records import Record
from smartapp.web import handing_over
from smartapp.web.kept import typed_text
from smartapp.web.language import format_datetime
from smartapp.web.language import gettext as _
from smartapp.web.versions import writers


@dataclass(frozen=True, slots=True)
class GonePage:
    """What is not in the plan: its words, the goal that a step was for, when it went, and where it is put back.

    All "" where nothing is known of it. `typed`: what was sent to it, by field, which is not saved.
    """

    title: str
    words: str = ""
    goal: str = ""
    since: str = ""
    put_back: str = ""
    typed: tuple[tuple[str, str], ...] = ()


def stop(plan: StoredPlan, goal_id: str, step_id: str = "") -> NoReturn:
    """End this request with the page (404) of a goal, or of the step with `step_id`, that is not in the plan.

    Where words wait there for the client it is the page with those (410).
    """
    waiting = handing_over.of_what_is_gone(request.script_root + request.path)
    if waiting is not None:
        abort(make_response(waiting))
    typed = tuple(typed_text(request.form.items(multi=True)))
    abort(make_response(render_template("plan/gone.html", page=_page(plan, goal_id, step_id, typed)), 404))


def _page(plan: StoredPlan, goal_id: str, step_id: str, typed: tuple[tuple[str, str], ...]) -> GonePage:
    # Where the goal itself is gone, that is what there is to say of its steps too.
    record = plan.taken_out("Goal", goal_id)
    if record is not None:
        words = text_in(object_in(record.resource, "description"), "text")
        address = url_for("plan.put_back_goal", goal_id=record.resource["id"])
        return GonePage(_("This goal is not in your plan now"), words, "", _since(record), address, typed)
    record = plan.taken_out("Task", step_id)
    goal = next((one for one in plan.plan.goals if one.id == goal_id), None)
    if record is None or goal is None:
        return GonePage(_("This is not in your plan"), typed=typed)
    words = text_in(record.resource, "description")
    address = url_for("plan.put_back_step", goal_id=goal_id, step_id=record.resource["id"])
    return GonePage(_("This step is not in your plan now"), words, goal.text, _since(record), address, typed)


def _since(record: Record) -> str:
    when = text_in(object_in(record.resource, "meta"), "lastUpdated")
    if not when:
        return ""
    who = writers().get(versioned(record.resource), "")
    if not who:
        return _("Taken out of your plan on %(when)s.", when=format_datetime(when))
    return _("Taken out of your plan on %(when)s by %(who)s.", when=format_datetime(when), who=who)
