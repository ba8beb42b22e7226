"""The page "Where am I now?": one form, and under it what the client chose before, each to take back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smartapp.fhir.store import NotFound
from smartapp.i18n import message
from smartapp.pages.phase import markings, views
from smartapp.pages.phase.markings import PART, Found
from smartapp.web import current, typed, undoing
from smartapp.web.editing import form_key, waiting
from smartapp.web.fields import both_versions
from smartapp.web.forms import TROUBLES, Saved, Sketch, Trouble, merged, posted, tried
from smartapp.web.language import gettext as _
from smartapp.web.roles import role

blueprint = Blueprint("phase", __name__, url_prefix="/phase", template_folder="templates")

blueprint.context_processor(undoing.said)

SAVED: Final[Mapping[str, str]] = {
    "marked": message("What you chose is saved."),
    "removed": message("It is taken away. Your care team no longer sees it in Verstel either."),
}
"""What is said after saving, by the mark in `?saved=`."""
NOT_DONE: Final = message("This is not done. Please try again in a moment.")
CHANGED: Final = message("This was changed somewhere else. Read it once more, and then choose again.")
TOO_LATE: Final = message("This can no longer be taken back. You can choose again.")


@blueprint.route("/", methods=["GET", "POST"])
@role("client")
def start() -> ResponseReturnValue:
    """Mark where I am now, or read what I marked before."""
    sketch = Sketch("phase", PART.fields, posted())
    if (answer := sketch.answered()) is not None:
        return answer
    key, found = form_key(), markings.load()
    if request.method == "GET":
        return _opened(sketch, found, key)
    sent = typed.submitted(PART, sketch.form)
    outcome = sketch.take(
        lambda: merged(
            lambda now: typed.merge_form(PART, now.marking(key), sent), found, again=markings.load, write=markings.save
        )
    )
    if isinstance(outcome, Saved):
        return redirect(_after("marked", outcome), 303)
    if isinstance(outcome, typed.Clash):
        page = views.ClashPage(both_versions(outcome, views.fields()), key)
        return render_template("phase/clash.html", page=page), 409
    if isinstance(outcome, Trouble):
        return _page(found, key, sent.values, sent.based_on, trouble=outcome.sentence), outcome.status
    return _page(found, key, sent.values, sent.based_on, problems=outcome.problems), 422


@blueprint.post("/<marking_id>/remove")
@role("client")
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
@role("client")
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


def _opened(sketch: Sketch, found: Found, key: str) -> str:
    """Show the form: empty, for what was chosen last is no proposal; or with what was typed before and not saved."""
    opened = sketch.opened({}, new=True)
    if not opened.draft or (opened.key and found.record(opened.key)):
        return _page(found, key, {}, typed.digests(PART, found.marking(key)))
    # With a new key, saving these words now and the same words from another tab would mark it twice.
    return _page(found, opened.key or key, opened.values, opened.based_on, draft=True)


def _page(
    found: Found,
    key: str,
    values: Mapping[str, str],
    based_on: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    trouble: str = "",
    draft: bool = False,
) -> str:
    page = views.PhasePage(
        fields=views.fields(values, based_on, problems),
        key=key,
        before=views.before(found.kept),
        place=current.records().place_for("Observation"),
        saved=_saved(),
        on_its_way=found.on_its_way,
        cut=found.cut,
        trouble=trouble,
        draft=draft,
    )
    return render_template("phase/start.html", page=page)


def _saved() -> str:
    """Return the sentence about what was done just now; "" where nothing was, or where it did not get through."""
    if request.method != "GET" or (request.args.get("waits") and current.records().is_stopped({"Observation"})):
        return ""
    if request.args.get(undoing.DONE):
        return _("It is as it was before.")
    mark = request.args.get("saved", "")
    return _(SAVED[mark]) if mark in SAVED else ""
