"""What its author saved and the record did not take: read again, tried again, or thrown away."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smartapp.pages.unsent.views import stopped_unit
from smartapp.web import current
from smartapp.web.components.frame import record_address
from smartapp.web.language import _
from smartapp.web.roles import role

blueprint = Blueprint("unsent", __name__, url_prefix="/unsent", template_folder="templates")


@blueprint.get("/")
@role("client", "clinician")
def index() -> ResponseReturnValue:
    """Show what did not get through of what this user wrote about this person."""
    units = [stopped_unit(each, current.launch().user.role) for each in current.records().stopped()]
    if not units:
        return redirect(record_address(), 303)
    return render_template("unsent/index.html", units=units)


@blueprint.post("/<unit_id>/again")
@role("client", "clinician")
def again(unit_id: str) -> ResponseReturnValue:
    """Let it be tried again; if the record still does not take it, it is shown here again."""
    if current.records().try_again(unit_id):
        flash(_("We try it again now."))
    return redirect(url_for(".index"), 303)


@blueprint.get("/<unit_id>/discard")
@role("client", "clinician")
def ask(unit_id: str) -> ResponseReturnValue:
    """Ask whether it may be thrown away."""
    unit = next((one for one in current.records().stopped() if one.id == unit_id), None)
    if unit is None:
        return redirect(url_for(".index"), 303)
    return render_template("unsent/discard.html", unit=stopped_unit(unit, current.launch().user.role))


@blueprint.post("/<unit_id>/discard")
@role("client", "clinician")
def discard(unit_id: str) -> ResponseReturnValue:
    """Throw it away."""
    current.records().throw_away(unit_id)
    return redirect(url_for(".index"), 303)
