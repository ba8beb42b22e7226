"""The page "Where am I now?": one form, and under it what the client chose before, each to take back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mappers.phase import Marking
from smartapp.fhir.store import NotFound
from smartapp.i18n import message
from smartapp.pages.phase import markings, views
from smartapp.pages.phase.markings import PART, Found
from smartapp.web import current, editing, undoing, with_client
from smartapp.web.editing import Form, form_key, waiting
from smartapp.web.fields import Link
from smartapp.web.forms import TROUBLES, Saved, Trouble, merged, tried
from smartapp.web.language import gettext as _

blueprint = Blueprint("phase", __name__, url_prefix="/phase", template_folder="templates")

blueprint.context_processor(undoing.said)

SAVED: Final[Mapping[str, str]] = {
    "marked": message("What you chose is saved."),
    "removed": message("It is taken away. Nobody sees it in Verstel any more."),
}
"""What is said after saving, by the mark in `?saved=`."""
NOT_DONE: Final = message("This is not done. Please try again in a moment.")
CHANGED: Final = message("This was changed somewhere else. Read it once more, and then choose again.")
TOO_LATE: Final = message("This can no longer be taken back. You can choose again.")


@blueprint.route("/", methods=["GET", "POST"])
def start() -> ResponseReturnValue:
    """Mark where I am now, or read what I marked before; a professional who writes with the client marks it too."""
    key, found = form_key(), markings.load()
    return editing.edit(_editing(key), lambda _found: PART, _form(key, found), found)


@blueprint.post("/<marking_id>/remove")
def remove(marking_id: str) -> ResponseReturnValue:
    """Take away what I marked before: a mistake, or what I no longer want to be read."""
    outcome = _tried(lambda: markings.take_back(marking_id, request.form.get("seen", "")))
    if not isinstance(outcome, Saved):
        return redirect(url_for("phase.start"), 303)
    after = _after("removed", outcome)
    if outcome.arrived:
        after = undoing.offer(url_for("phase.put_back", marking_id=marking_id), {}, after)
    return redirect(after, 303)


@blueprint.post("/<marking_id>/back")
def put_back(marking_id: str) -> ResponseReturnValue:
    """Put back what was taken away just now."""
    if undoing.taken(request.form.get(undoing.FIELD, "")) is None:
        flash(_(TOO_LATE), "attention")
        return redirect(url_for("phase.start"), 303)
    outcome = _tried(lambda: markings.restore(marking_id))
    if not isinstance(outcome, Saved):
        return redirect(url_for("phase.start"), 303)
    undoing.forget()
    start = url_for("phase.start")
    return redirect(undoing.undone(start) if outcome.arrived else waiting(start), 303)


def _tried(do: Callable[[], Saved]) -> Saved | None:
    """Do something with one marking, or say on the next page why it was not done; 404 where there is no such one."""
    try:
        outcome = tried(do, {error: (NOT_DONE, status) for error, (_sentence, status) in TROUBLES.items()})
    except NotFound:
        abort(404)
    except markings.ChangedMeanwhile:
        flash(_(CHANGED), "attention")
        return None
    if isinstance(outcome, Trouble):
        flash(outcome.sentence, "attention")
        return None
    return outcome


def _after(mark: str, saved: Saved) -> str:
    address = url_for("phase.start", saved=mark)
    return address if saved.arrived else waiting(address)


# --- the page -------------------------------------------------------------------------------------------------------


def _editing(key: str) -> editing.Editing[Found, Marking]:
    """Return how the marking of the form with this key is loaded and saved."""
    return editing.Editing(
        load=markings.load,
        document=lambda found: found.marking(key),
        change=lambda merge, first: merged(merge, first, again=markings.load, write=markings.save),
        sketch_of=lambda _found: "phase",
        made=lambda found, made: found.record(made) is not None,
        templates=("phase/start.html", "phase/clash.html"),
        place=lambda: current.records().place_for("Observation"),
    )


def _form(key: str, found: Found) -> Form:
    """Return what is asked. It opens empty: what was chosen last is no proposal."""
    shown = views.Shown(
        # What was chosen before is the client's to read, and not who types with them.
        before=() if with_client.goes_on() else views.before(found.kept),
        saved=_saved(),
        on_its_way=found.on_its_way,
        cut=found.cut,
    )
    return Form(
        _("Where am I now?"),
        views.fields(),
        Link(_("Back to my plan"), url_for("plan.start")),
        url_for("phase.start", saved="marked"),
        key=key,
        made_once=True,
        more={"shown": shown},
    )


def _saved() -> str:
    """Return the sentence about what was done just now; "" where nothing was, or where it did not get through."""
    if request.method != "GET" or (request.args.get("waits") and current.records().is_stopped({"Observation"})):
        return ""
    if request.args.get(undoing.DONE):
        return _("It is as it was before.")
    mark = request.args.get("saved", "")
    return _(SAVED[mark]) if mark in SAVED else ""
