"""All of a person's own in one file, to take along."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from smartapp.pages.take_along import bringing, in_chart, leaving
from smartapp.pages.take_along.gathering import as_bytes, bundle, gather
from smartapp.pages.take_along.paper import paper_of
from smartapp.pages.take_along.views import page_of
from smartapp.web.guard import MAX_FILE_BYTES
from smartapp.web.language import _
from smartapp.web.pdf import download

blueprint = Blueprint("take_along", __name__, url_prefix="/take-along", template_folder="templates")


blueprint.add_url_rule("/in-chart", view_func=in_chart.put_in_chart, methods=["POST"])
blueprint.add_url_rule("/leave", view_func=leaving.leave)
blueprint.add_url_rule("/leave/sure", view_func=leaving.sure)
blueprint.add_url_rule("/leave/sure", view_func=leaving.erase_all, methods=["POST"])
blueprint.add_url_rule("/bring-in", view_func=bringing.bring_in, methods=["GET", "POST"])
blueprint.add_url_rule("/bring-in/look", view_func=bringing.look)
blueprint.add_url_rule("/bring-in/take-over", view_func=bringing.take_over, methods=["POST"])
blueprint.add_url_rule("/bring-in/put-away", view_func=bringing.put_away, methods=["POST"])


@blueprint.url_value_preprocessor
def take_a_whole_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let the one form that takes a file be as large as that, before anything of it is read."""
    if endpoint == "take_along.bring_in":
        request.max_content_length = MAX_FILE_BYTES


@blueprint.get("/")
def index() -> str:
    """Say what is in the file, and who can read it, before it is made."""
    return render_template("take_along/index.html", page=page_of(gather()), can_go_in_chart=in_chart.is_taken())


@blueprint.get("/all.pdf")
def as_pdf() -> Response:
    """Give all of it as a PDF, with the same as FHIR inside."""
    found = gather()
    content = paper_of(found, as_bytes(bundle(found)))
    return download(content, _("my-own"))


@blueprint.get("/all.json")
def as_json() -> Response:
    """Give all of it as FHIR, for another program."""
    answer = Response(as_bytes(bundle(gather())), mimetype="application/fhir+json")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{_('my-own')}.json")
    return answer
