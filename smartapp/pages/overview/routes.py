"""One page about one person, for the clinician who opened the record. It is read-only: the words are the client's."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query
from smartapp.pages.overview.views import first_lines, overview_page
from smartapp.pages.plan import stored
from smartapp.pages.scores import asking, trends
from smartapp.web import current
from smartapp.web.language import language
from smartapp.web.roles import role

blueprint = Blueprint("overview", __name__, url_prefix="/overview", template_folder="templates")


@blueprint.get("/")
@role("clinician")
def index() -> str:
    """Show the overview; `?mode=together` shows it large and calm, for two people at one screen."""
    patient = current.launch().patient.reference
    plans, goals, _steps = stored.queries(patient)
    # One round trip for the whole page: an EHR may take a second per request.
    found = current.records().search(
        plans,
        goals,
        Query.of("Task", patient=patient),
        asking.scores_of(patient),
        asking.responses_of(patient),
    )
    stored_plan = stored.read_plan(
        found[:3], known=catalogue(), issuer=current.launch().issuer, patient=patient, now=""
    )
    page = overview_page(
        name=current.launch().patient.display,
        plan=stored_plan.plan,
        plan_place=stored_plan.place,
        others=stored_plan.others,
        tasks=[one.resource for one in found[2]],
        observations=[(one.resource, one.place) for one in found[3]],
        responses=[one.resource for one in found[4]],
        known=catalogue(),
        language=language(),
        cut=asking.cut_sentence(current.records().cut),
        together=request.args.get("mode") == "together",
    )
    template = "overview/together.html" if page.together else "overview/overview.html"
    return render_template(template, page=page, trends=trends, fold=first_lines)
