"""The addresses that a browser answers itself where it has copies: `/offline/`, and one for each form below it.

What we answer there is about nobody, and the same for all: where a browser has a copy, it does not ask us. The worker
that answers then can do so below its own folder only, for it asks for no wider scope.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from questionnaires.catalogue import catalogue

site_blueprint = Blueprint("offline", __name__, url_prefix="/offline", template_folder="templates")


@site_blueprint.get("/")
def index() -> ResponseReturnValue:
    """Say that this browser has nothing to read without a network; its script says what it has after all."""
    return render_template("offline/index.html")


@site_blueprint.get("/<form_id>/")
def form(form_id: str) -> ResponseReturnValue:
    """Say the same where somebody comes back to the copy of a form that is not there any more."""
    asked = catalogue().living.get(form_id)
    if asked is None or asked.living is None or not asked.living.offline:
        abort(404)
    return index()


@site_blueprint.get("/worker.js")
def worker() -> Response:
    """Give the script that answers in the browser."""
    return Response(render_template("offline/worker.js"), mimetype="text/javascript")
