"""A goal that begins with words of a living form: they are put in, the client changes them and saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import MOST_DOMAINS
from mappers.said_in import SaidIn, answer_in
from questionnaires.catalogue import catalogue
from questionnaires.living import GOAL
from smartapp.i18n import message
from smartapp.pages.living.service import open_form
from smartapp.pages.living.words import Words, words_of
from smartapp.pages.plan import fields, sections
from smartapp.pages.plan.forms import edit
from smartapp.pages.plan.stored import StoredPlan
from smartapp.records.placement import TOGETHER
from smartapp.web import current
from smartapp.web.editing import Form, form_key
from smartapp.web.fields import Link
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.plan_views import Words as PlanWords

SAVED: Final[Mapping[str, str]] = {
    "changed": message("Your goal is saved."),
    "ended": message("Your goal is now under earlier goals."),
    "resumed": message("You have taken up this goal again."),
}
"""What a form says of what became of a goal just now, by the mark in `?goal=`."""


def goal_saved(plan: StoredPlan) -> str:
    """Return the sentence about the goal that was changed or ended from this form just now, "" where none was."""
    mark = request.args.get("goal", "")
    if mark not in SAVED or (request.args.get("waits") and current.records().is_stopped(TOGETHER)):
        return ""
    if plan.on_its_way:
        return _("What you saved is safe here. It is on its way to the record, which we cannot reach right now.")
    return _(SAVED[mark])


def goal_from_words(form_id: str, name: str) -> ResponseReturnValue:
    """Write a new goal that begins with words of a living form; where one began there before, go to that."""
    known = catalogue()
    form, opened = known.living.get(form_id) or abort(404), open_form(known.living[form_id])
    at, plan, words = request.args.get("at", ""), opened.plan, PlanWords.of(known)
    said = words_of(f"{form_id}/{name}/{at}" if at else f"{form_id}/{name}", opened)
    key = form_key()
    if request.method == "GET":
        if said is None or said.item.becomes != GOAL:
            abort(404)
        key = said.goal_name(plan)
        if goal := said.goal(plan):
            return redirect(url_for("plan.goal", goal_id=goal.id), 303)
    # A wish may be the first thing in a plan: then its area of life is chosen here, and not on a page before it.
    room = len(plan.plan.domains) < MOST_DOMAINS
    offered = [code for code in words.domains if code not in words.family] if room else []
    answer = _answer(said, plan) if said else None  # taken out while the goal was written: the goal stays
    asked = Form(
        _("A new goal"),
        fields.goal(plan.plan, words, offered),
        Link(_("Back to “%(form)s”", form=text_of(form.title)), url_for("living.form", form_id=form_id)),
        url_for("plan.goal_by_key", key=key, saved="goal"),
        lead=_("These words are yours. Change them as you like."),
        key=key,
        reword=url_for("plan.words_by_key", key=key),
        proposed={"text": said.text, **({"domain": said.domain} if said.domain else {})} if said else {},
    )
    return edit(lambda now: sections.goal(now.id_of(key), current.today(), answer, offered), asked, plan)


def _answer(said: Words, plan: StoredPlan) -> SaidIn | None:
    """Return the way back from the goal to the words, None while those have not arrived in the record."""
    record = said.stored.record
    if record is None or record.state != "stored":
        return None
    place = plan.place or current.records().place_for("CarePlan")
    return answer_in(record.resource, said.item.link_id, same_place=record.place == place)
