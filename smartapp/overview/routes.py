"""One page about one person, for the clinician who opened the record. It is read only: the words are the client's."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request

from questionnaires.catalogue import catalogue
from smartapp.i18n import language
from smartapp.launches import role
from smartapp.overview.context import overview_page
from smartapp.plan import keeping
from smartapp.records.store import Query
from smartapp.scores import trends

blueprint = Blueprint("overview", __name__, url_prefix="/overview", template_folder="templates")


@blueprint.get("/")
@role("clinician")
def index() -> str:
    """Show the overview; `?mode=together` shows it large and quiet, for two people at one screen."""
    patient = g.launch.patient.reference
    plans, goals, _steps = keeping.queries(patient)
    found = g.records.search(
        plans,
        goals,
        Query.of("Task", patient=patient),
        Query.of("Observation", patient=patient, category="survey"),
        Query.of("QuestionnaireResponse", patient=patient),
    )
    kept = keeping.kept(found[:3], issuer=g.launch.issuer, patient=patient, now="")
    page = overview_page(
        name=g.launch.patient.display,
        plan=kept.plan,
        plan_place=kept.place,
        others=kept.others,
        tasks=[one.resource for one in found[2]],
        observations=[(one.resource, one.place) for one in found[3]],
        responses=[one.resource for one in found[4]],
        known=catalogue(),
        language=language(),
        together=request.args.get("mode") == "together",
    )
    template = "overview/together.html" if page.together else "overview/overview.html"
    return render_template(template, page=page, trends=trends)
