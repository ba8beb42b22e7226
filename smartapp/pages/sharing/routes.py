"""The pages about who reads what: all parts in a list, and one part to choose for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.errors import PlanError
from mappers.sharing import Choice
from smartapp.fhir.store import RecordError, Unauthorized
from smartapp.i18n import message
from smartapp.pages.plan.service import load as load_plan
from smartapp.pages.sharing import keeping, views
from smartapp.pages.sharing import reuse as reusing
from smartapp.pages.sharing.keeping import ChangedMeanwhile
from smartapp.web import current, reading, undoing
from smartapp.web.language import gettext as _

blueprint = Blueprint("sharing", __name__, url_prefix="/sharing", template_folder="templates")

blueprint.context_processor(undoing.said)

SAVED: Final[Mapping[str, str]] = {
    "saved": message("What you chose is saved. It holds from now on."),
    "waits": message("What you chose holds in Verstel. The words leave your record as soon as that answers."),
    "stays": message(
        "What you chose holds in Verstel. Your record did not let us take all words out. There they can still be read."
    ),
}
CHANGED: Final = message("This was chosen anew somewhere else. Read it once more, and then choose again.")
NOT_DONE: Final = message("This is not done. Please try again in a moment.")
TOO_LATE: Final = message("This can no longer be taken back. You can choose again.")
NOBODY_CHOSEN: Final = message("Choose who reads this, or choose “only me”.")
NONE_CHOSEN: Final = message("Choose one of these. Nothing is changed yet.")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show all parts, and who reads each of them."""
    kept, chosen = keeping.load(), request.args.get("part", "")
    linked = chosen in reading.parts() and views.linked(chosen, kept.sharing.of(chosen))
    groups = views.groups(kept, _written())
    return render_template("sharing/index.html", groups=groups, saved=_saved(), linked=linked)


@blueprint.get("/reuse/")
def reuse() -> ResponseReturnValue:
    """Ask, of who came here by themselves, whether their answers may help with research."""
    said = reusing.said()
    seen = reusing.digest_of(said)
    return render_template("sharing/reuse.html", said=said, seen=seen, place=_place(), saved=_saved())


@blueprint.post("/reuse/")
def choose_reuse() -> ResponseReturnValue:
    """Keep for what answers may be used; with nothing chosen, it is taken back."""
    after = url_for("sharing.reuse")
    try:
        reusing.say(request.form.getlist("purpose"), request.form.get("seen", ""))
    except ChangedMeanwhile:
        flash(_(CHANGED), "attention")
        return redirect(after, 303)
    except Unauthorized:
        raise
    except RecordError:
        flash(_(NOT_DONE), "attention")
        return redirect(after, 303)
    return redirect(url_for("sharing.reuse", saved="saved"), 303)


def _place() -> str:
    known = current.services().settings.issuer(current.launch().issuer)
    return known.name if known else ""


@blueprint.get("/<part>")
def part(part: str) -> ResponseReturnValue:
    """Show what can be chosen for one part."""
    kept, name = keeping.load(), _part_or_404(part)
    choice = kept.sharing.of(name)
    left = "" if choice.record else keeping.still_there()
    return render_template("sharing/part.html", page=views.page_of(name, kept, choice, left=left), saved=_saved())


@blueprint.post("/<part>")
def choose(part: str) -> ResponseReturnValue:
    """Keep a choice for one part: from its own page, or with one press in the list."""
    name, sent, kept = _part_or_404(part), request.form, keeping.load()
    quick = keeping.QUICK.get(sent.get("press", ""))
    reads, types = ([*sent.getlist(what), *sent.getlist(f"{what}-role")] for what in ("reads", "types"))
    choice = quick or views.chosen(name, kept, sent.get("who", ""), reads, types)
    if choice is None:
        who = sent.get("who", "")
        error = _(NOBODY_CHOSEN) if who == "chosen" else _(NONE_CHOSEN)
        page = views.page_of(name, kept, kept.sharing.of(name), left="", error=error, who=who)
        return render_template("sharing/part.html", page=page, saved=""), 422
    before, after = kept.sharing.of(name), url_for("sharing.index" if quick else "sharing.part", part=name)
    return _chosen(name, choice, sent.get("seen", ""), after, before)


def _chosen(part: str, choice: Choice, seen: str, after: str, before: Choice) -> ResponseReturnValue:
    try:
        outcome = keeping.choose(part, choice, seen)
    except ChangedMeanwhile:
        flash(_(CHANGED), "attention")
        return redirect(url_for("sharing.part", part=part), 303)
    except Unauthorized:
        raise
    except RecordError:
        flash(_(NOT_DONE), "attention")
        return redirect(after, 303)
    said = f"{after}{'&' if '?' in after else '?'}saved={outcome or 'saved'}"
    needs = {"before": keeping.packed(before), "seen": keeping.digest_of(choice)}
    return redirect(undoing.offer(url_for("sharing.put_back", part=part), needs, said), 303)


@blueprint.post("/<part>/back")
def put_back(part: str) -> ResponseReturnValue:
    """Take back what was chosen just now; words that left the record stay with us."""
    name, needs = _part_or_404(part), undoing.taken(request.form.get(undoing.FIELD, ""))
    after = url_for("sharing.part", part=name)
    if needs is None:
        flash(_(TOO_LATE), "attention")
        return redirect(after, 303)
    try:
        keeping.choose(name, keeping.unpacked(needs["before"]), needs["seen"])
    except ChangedMeanwhile:
        flash(_(CHANGED), "attention")
        return redirect(after, 303)
    undoing.forget()
    return redirect(undoing.undone(after), 303)


@blueprint.post("/<part>/take-out")
def take_out(part: str) -> ResponseReturnValue:
    """Try once more to take out of the record what is shared there no longer."""
    outcome = keeping.take_out()
    return redirect(url_for("sharing.part", part=_part_or_404(part), saved=outcome or "saved"), 303)


def _part_or_404(part: str) -> str:
    return part if part in reading.parts() else abort(404)


def _saved() -> str:
    if request.args.get(undoing.DONE):
        return _("It is as it was before. Words that left your record stay in Verstel.")
    mark = request.args.get("saved", "")
    return _(SAVED[mark]) if mark in SAVED else ""


def _written() -> Iterator[str]:
    """Yield the areas of life in which something is written; none while the record does not say so."""
    with contextlib.suppress(RecordError, PlanError):
        plan = load_plan().plan
        yield from (f"domain.{one.domain}" for one in plan.domains)
        yield from (f"domain.{goal.domain}" for goal in plan.goals if goal.domain)
