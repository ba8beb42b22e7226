"""How it is now: goals, what the client prepared and the newest scores in short, and the whole plan behind a press."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flask import render_template

from mappers.tolerant import text_in
from mappers.visit import VISIT, VisitReport, latest_visit
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from smartapp.pages.answers.finding import Sent, sent_in
from smartapp.pages.answers.views import title_of
from smartapp.pages.phase.markings import markings_of
from smartapp.pages.phase.views import newest_of
from smartapp.pages.plan import stored
from smartapp.pages.plan.service import living_queries, plan_read
from smartapp.pages.scores import asking
from smartapp.pages.scores.panels import Row, leading_row
from smartapp.pages.together import screens, views
from smartapp.pages.together.writing import offer
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import wording
from smartapp.web.living_views import shown_in, written_form
from smartapp.web.plan_views import Words, goal_view


def now() -> str:
    """Show how it is now: goals, what was prepared and the newest scores; the whole plan is one press away."""
    patient, known = current.launch().patient.reference, catalogue()
    results = current.records().search(
        *stored.queries(patient),
        asking.scores_of(patient),
        asking.responses_of(patient),
        markings_of(patient),
        *living_queries(),
    )
    kept = plan_read(results[:3], results[6:])
    plan, words = kept.plan, Words.of(known)
    responses = [one.resource for one in results[4]]
    page = views.NowPage(
        goals=tuple(goal_view(goal, words, kept.began_at(goal)) for goal in plan.goals if goal.active),
        prepared=only(prepared(responses), ("well", "strength", "functioning")),
        scores=tuple(_rows(results[3], results[4])),
        filled_in=tuple(newest_of_each(sent_in(results[4]))),
        forms=tuple(
            written_form(one, kept.content_of(one.form.id), known, current.now().date())
            for one in shown_in(kept.forms, "together")
        ),
        phase=newest_of(one.resource for one in results[5]),
        cut=asking.cut_sentence(current.records().cut),
        offer=None if kept.begun else offer(kept),
    )
    return render_template("together/now.html", page=page, screen=screens.screen("now"))


def _rows(scores: list[Record], responses: list[Record]) -> Iterable[Row]:
    for found in asking.measured_here(scores, responses):
        if found.leading is not None:
            yield leading_row(found)


def newest_of_each(sent: Iterable[Sent]) -> Iterable[views.FilledIn]:
    """Return the newest response to each questionnaire that we know; `sent` has the newest first."""
    met = set()
    for one in sent:
        if one.answers is not None and one.answers.instrument.id not in met:
            met.add(one.answers.instrument.id)
            yield views.FilledIn(text_in(one.record.resource, "id"), title_of(one), one.authored)


def prepared(responses: Iterable[Resource]) -> VisitReport | None:
    """Return the newest readable preparation of a conversation, in the language of the reader."""
    return latest_visit(responses, catalogue(), wording())


def only(report: VisitReport | None, groups: Iterable[str]) -> VisitReport | None:
    """Return the sections of these groups, None where they have no answers."""
    if report is None:
        return None
    wanted = {f"{VISIT}-{group}" for group in groups}
    sections = tuple(one for one in report.sections if one.link_id in wanted)
    return replace(report, sections=sections) if sections else None
