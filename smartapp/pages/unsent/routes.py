"""What its author saved and the record did not take: read again, tried again, or thrown away."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smartapp.pages.unsent.views import StoppedUnit, stopped_unit
from smartapp.records.outbox import Unsent
from smartapp.web import current
from smartapp.web.components.frame import record_address
from smartapp.web.language import _, format_datetime, format_list
from smartapp.web.roles import may

blueprint = Blueprint("unsent", __name__, url_prefix="/unsent", template_folder="templates")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show what did not get through of what this user wrote about this person."""
    units = [_shown(each) for each in current.records().stopped()]
    if not units:
        return redirect(record_address(), 303)
    return render_template("unsent/index.html", units=units)


@blueprint.post("/<unit_id>/again")
def again(unit_id: str) -> ResponseReturnValue:
    """Let it be tried again; if the record still does not take it, it is shown here again."""
    if current.records().try_again(unit_id):
        flash(_("We try it again now."))
    return redirect(url_for(".index"), 303)


@blueprint.get("/<unit_id>/discard")
def ask(unit_id: str) -> ResponseReturnValue:
    """Ask whether it may be thrown away."""
    unit = _unit(unit_id)
    if unit is None:
        return redirect(url_for(".index"), 303)
    return render_template("unsent/discard.html", unit=unit)


@blueprint.post("/<unit_id>/discard")
def discard(unit_id: str) -> ResponseReturnValue:
    """Throw it away, and say what that was: not its words, which are gone now."""
    unit = _unit(unit_id)
    if current.records().throw_away(unit_id) and unit is not None:
        names = dict.fromkeys(thing.name for thing in unit.things)
        what = format_list([name[0].lower() + name[1:] for name in names])
        flash(_("Thrown away: %(what)s, saved on %(moment)s.", what=what, moment=format_datetime(unit.saved_at)))
    return redirect(url_for(".index"), 303)


def _unit(unit_id: str) -> StoppedUnit | None:
    stopped = current.records().stopped()
    return next((_shown(one) for one in stopped if one.id == unit_id), None)


def _shown(unsent: Unsent) -> StoppedUnit:
    own, assigns = current.launch().user.role == "client", may("assignments.ask", "POST")
    return stopped_unit(unsent, own=own, assigns=assigns, seen=current.records().seen)
