"""The pages of a loved one, and of a legal representative: what is shared with them, and what is there for themselves.

They read. Nothing that they do here is kept, but that they looked, which the client sees.
"""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from smartapp.fhir.store import Unreachable
from smartapp.pages.loved_one.service import Shared, load
from smartapp.pages.loved_one.views import beside
from smartapp.pages.scores import trends
from smartapp.web import current
from smartapp.web.language import gettext as _

blueprint = Blueprint("loved_one", __name__, url_prefix="/loved-one", template_folder="templates")


def _client() -> str:
    """Return what the client is called here: as those who are near call them."""
    return current.launch().patient.address or _("the person you stand beside")


@blueprint.get("/")
def index() -> str:
    """Show what is shared, what a loved one can do, and support for themselves."""
    away = False
    try:
        shared = load(_client())
    except Unreachable:  # what is for them is there, whatever the record does
        shared, away = Shared(_client()), True
    return render_template("loved_one/index.html", shared=shared, away=away, page=beside(_client()))


@blueprint.get("/shared/<part>/")
def part(part: str) -> str:
    """Show one part that is shared; one that is not is as absent as one that does not exist."""
    shared = load(_client())
    opened = shared.part(part) or abort(404)
    form = next((written for one, written in shared.forms if one.name == part), None)
    domain = next((one for one in shared.domains if part == f"domain.{one.code}"), None)
    return render_template("loved_one/part.html", shared=shared, part=opened, form=form, domain=domain, trends=trends)
