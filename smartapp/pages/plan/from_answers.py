"""A goal or a step that begins with the client's own answer: the words are put in, the client changes and saves."""

from __future__ import annotations

from flask import abort, url_for
from flask.typing import ResponseReturnValue

from mappers.plan import MOST_DOMAINS
from mappers.said_in import SaidIn
from questionnaires.catalogue import catalogue
from smartapp.pages.plan import fields, sections
from smartapp.pages.plan.forms import edit
from smartapp.pages.plan.service import load
from smartapp.pages.plan.stored import StoredPlan
from smartapp.pages.questionnaire.quoting import Quote, quoted
from smartapp.web import current
from smartapp.web.editing import Form, form_key
from smartapp.web.fields import Link
from smartapp.web.language import gettext as _
from smartapp.web.plan_views import Words


def goal_from_answer(response_id: str, link_id: str) -> ResponseReturnValue:
    """Write a new goal that begins with an answer."""
    plan, words = load(), Words.of(catalogue())
    answer, said = _answer(plan, response_id, link_id)
    # A wish may be the first thing in a plan: then its area of life is chosen here, and not on a page before it.
    room = len(plan.plan.domains) < MOST_DOMAINS
    offered = [code for code in words.domains if code not in words.family] if room else []
    key = form_key()
    form = Form(
        _("A new goal"),
        fields.goal(plan.plan, words, offered),
        _back(response_id, link_id),
        url_for("plan.goal_by_key", key=key, saved="goal"),
        lead=_("These words come from your answer. Change them as you like."),
        key=key,
        reword=url_for("plan.words_by_key", key=key),
        proposed={"text": said.words},
    )
    return edit(lambda now: sections.goal(now.id_of(key), current.today(), answer, offered), form, plan)


def step_from_answer(goal_id: str, response_id: str, link_id: str) -> ResponseReturnValue:
    """Add a step to a goal that begins with an answer."""
    plan = load()
    answer, said = _answer(plan, response_id, link_id)
    aim = sections.goal_of(plan.plan, plan.current_id(goal_id)) or abort(404)
    key = form_key()
    form = Form(
        _("A step towards your goal"),
        fields.step(with_status=False),
        _back(response_id, link_id),
        url_for("plan.goal", goal_id=aim.id, saved="step"),
        lead=_("These words come from your answer. Change them as you like."),
        key=key,
        reword=url_for("plan.step_by_key", goal_id=aim.id, key=key),
        words=aim.text,
        proposed={"text": said.words},
    )
    return edit(lambda now: sections.step(now.current_id(goal_id), now.id_of(key), answer), form, plan)


def _answer(plan: StoredPlan, response_id: str, link_id: str) -> tuple[SaidIn, Quote]:
    place = plan.place or current.records().place_for("CarePlan")
    return quoted(response_id, link_id, place=place) or abort(404)


def _back(response_id: str, link_id: str) -> Link:
    return Link(_("Back to your answer"), url_for("answers.answer", response_id=response_id, link_id=link_id))
