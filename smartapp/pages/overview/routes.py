"""What a clinician reads about one person: one screen before a conversation, and behind it the whole. Read-only."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.agreements import agreements_in
from mappers.answers import is_finished
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query
from smartapp.pages.course import found as courses
from smartapp.pages.course.views import Line, line_of
from smartapp.pages.overview.consult import MOST_SHOWN, ConsultPage, consult_page
from smartapp.pages.overview.news import (
    LastLook,
    changed_by_others,
    conversations,
    last_look,
    news,
    sent_in,
    written_at,
)
from smartapp.pages.overview.paper import paper
from smartapp.pages.overview.views import OverviewPage, overview_page
from smartapp.pages.phase.markings import markings_of
from smartapp.pages.plan import stored
from smartapp.pages.plan.paper import paper as plan_on_paper
from smartapp.pages.plan.service import living_queries, plan_read
from smartapp.pages.scores import asking
from smartapp.pages.scores.notes import notes_of
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import gettext as _
from smartapp.web.language import moment_of, wording
from smartapp.web.pdf import download

blueprint = Blueprint("overview", __name__, url_prefix="/overview", template_folder="templates")

MOST_ROWS = 1000
"""Rows of the log that are looked through for when somebody looked before."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show one screen for a conversation; a bookmark of the page to look at together leads to that conversation."""
    if request.args.get("mode") == "together":
        return redirect(url_for("together.start"))
    found, page = _everything()
    shown = {"page": _consult(found, page), "programmes": _programmes(found)}
    return render_template("overview/overview.html", most=MOST_SHOWN, **shown)


def _programmes(found: list[list[Record]]) -> tuple[Line, ...]:
    """Return what the client follows, each programme in one line."""
    responses = [one.resource for one in found[4]]
    return line_of(courses.courses_in(found[7], found[2], responses), current.now().date())


@blueprint.get("/overview.pdf")
def as_pdf() -> Response:
    """Give the overview as a PDF, with the steps of the goals and the lines of the scores."""
    content = paper(_consult(*_everything()), client=current.launch().patient, made=current.now())
    return download(content, _("overview"))


@blueprint.get("/plan.pdf")
def plan_as_pdf() -> Response:
    """Give the client's plan as a PDF: the same one that the client gets."""
    patient = current.launch().patient
    found = current.records().search(*stored.queries(patient.reference), *living_queries())
    there = plan_read(found[:3], found[3:])
    content = plan_on_paper(there.plan, catalogue(), client=patient, made=current.now(), forms=there.forms)
    return download(content, _("recovery-plan"))


def _consult(found: list[list[Record]], page: OverviewPage) -> ConsultPage:
    look = _last_look()
    plans, goals, tasks = ([record.resource for record in records] for records in found[:3])
    since = None if look.at is None else dt.datetime.fromtimestamp(look.at, current.now().tzinfo)
    responses = [record.resource for record in found[4] if is_finished(record.resource)]
    reader = current.launch().user.reference
    new = news(
        responses=sent_in(responses, catalogue()),
        conversations=conversations(responses, catalogue(), reader=reader, moment_of=moment_of),
        agreements=agreements_in(tasks),
        notes=page.notes,
        forms=changed_by_others(page.stored_forms, reader),
        plan=page.plan,
        changed=written_at([*plans, *goals, *tasks]),
        since=since,
        moment_of=moment_of,
    )
    # Who looks for the first time, or after too long to know, is shown the newest, and not years of it.
    shown = new if since is not None else new[:MOST_SHOWN]
    return consult_page(page, tasks=tasks, news=shown, look=look, known=catalogue())


@blueprint.get("/plan")
def plan() -> str:
    """Show the whole plan: story, what helps, goals with their steps, and the areas of life."""
    _found, page = _everything()
    return render_template("overview/plan.html", page=page)


def _everything() -> tuple[list[list[Record]], OverviewPage]:
    """Return what the record holds, in one round trip: an EHR may take a second per request."""
    patient = current.launch().patient.reference
    plans, goals, _steps = stored.queries(patient)
    found = current.records().search(
        plans,
        goals,
        Query.of("Task", patient=patient),
        asking.scores_of(patient),
        asking.responses_of(patient),
        notes_of(patient),
        markings_of(patient),
        courses.query(patient),
        *living_queries(),
    )
    stored_plan = plan_read(found[:3], found[8:])
    page = overview_page(
        name=current.launch().patient.display,
        called=current.launch().patient.called,
        stored=stored_plan,
        today=current.now().date(),
        tasks=[one.resource for one in found[2]],
        measured=asking.measured_here(found[3], found[4]),
        responses=[one.resource for one in found[4]],
        known=catalogue(),
        notes=[one.resource for one in found[5]],
        markings=[one.resource for one in found[6]],
        language=wording(),
        cut=asking.cut_sentence(current.records().cut),
    )
    return found, page


def _last_look() -> LastLook:
    """Return when this reader last saw this page about this person, before the sign-in at hand."""
    launch = current.launch()
    # A chart that is opened again from the same browser is the same look: what was new stays new until the next time.
    mine = [one for one in current.services().launches.of_session(launch.session_id) if one.patient == launch.patient]
    begun = min((one.made for one in mine), default=launch.made)
    rows = current.services().audit.looks(launch.issuer_key, launch.patient.reference)
    return last_look(
        (entry for _number, entry in rows),
        reader=launch.user.reference,
        page="overview.index",
        before=begun,
        most=MOST_ROWS,
    )
