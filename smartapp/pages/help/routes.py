"""Help within the app: who can read what, and what happens to it."""

from __future__ import annotations

from flask import Blueprint, render_template

from smartapp.pages.help.views import page_for
from smartapp.web import current

blueprint = Blueprint("help", __name__, url_prefix="/help", template_folder="templates")


@blueprint.get("/")
def index() -> str:
    """Say to a client what happens to their words, and to others what of them can be read here."""
    return render_template("help/index.html", page=page_for(current.launch().user.role))
