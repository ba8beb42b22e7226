"""My programme: what was, what is now and what comes; to begin one, and to pause, move, decline or stop it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.course import Course, NotPossible, declined, moved, paused, resumed, stopped, taken_back
from questionnaires.programmes import Programme
from smartapp.fhir.store import Forbidden, NotFound, Refused, Unreachable
from smartapp.i18n import message
from smartapp.pages.course import choosing, service, views
from smartapp.pages.course.found import Followed, digest_of
from smartapp.pages.course.service import BegunBefore, ChangedMeanwhile, Decide, Done, GoesOn
from smartapp.web import current, typed, undoing
from smartapp.web.dates import NOT_A_DATE, iso_date
from smartapp.web.forms import Trouble, Troubles, tried
from smartapp.web.language import gettext as _

blueprint = Blueprint("course", __name__, url_prefix="/course", template_folder="templates")

MOST_SHOWN: Final = 3
"""Moments that come, or were, which are shown at once."""
FARTHEST: Final = dt.timedelta(days=3 * 366)
"""How far from today something may be moved."""
NEWS: Final[Mapping[str, str]] = {
    "begun": message("The programme has begun. The client sees it on their own page."),
    "paused": message("The programme is paused. Nothing is asked now."),
    "resumed": message("The programme goes on. What was not over comes as much later as the pause took."),
    "stopped": message("The programme is stopped. What was, stays."),
    "moved": message("It is moved."),
    "declined": message("It is not asked this time. The rest of the programme stays as it is."),
    "taken-back": message("It is asked after all."),
}
ON_ITS_WAY: Final = message("We cannot reach the record right now. It is kept here and sent as soon as we can.")
AS_BEFORE: Final = message("It is as it was before.")

NOT_REACHED: Final = message("We cannot reach the record, so nothing has changed. Please try again in a moment.")
NOT_TAKEN: Final = message("The record did not take this, so nothing has changed. Please tell its managers.")
NOT_ALLOWED: Final = message("You may not change this here, so nothing has changed.")
TROUBLES: Final[Troubles] = {
    Unreachable: (NOT_REACHED, 503),
    Refused: (NOT_TAKEN, 422),
    Forbidden: (NOT_ALLOWED, 403),
}
MEANWHILE: Final = message("Something else was decided meanwhile. Here is how it is now. You can choose again.")
TOO_LATE: Final = message("This can no longer be taken back here. You can choose again.")
NOT_POSSIBLE: Final[Mapping[str, str]] = {
    "not-going-on": message("This programme does not go on now, so this is not possible."),
    "not-paused": message("This programme is not paused."),
    "no-such-moment": message("This is no longer in the programme."),
    "moment-over": message("These days are over, so this cannot be changed any more."),
    "before-start": message("Choose today or a later day, not before the programme begins."),
    "after-end": message("The programme does not last that long. Choose an earlier day."),
    "not-declined": message("Nobody said no to this."),
    "already-declined": message("Somebody said no to this already."),
}

Back = Callable[[str], ResponseReturnValue]
"""Leads to a page that says a sentence."""

GOES_ON: Final = message("The client follows this programme already. It can be stopped or moved on its own page.")
BEGUN_BEFORE: Final = message("The client began with this on the same day before. Choose another day.")


# --- the programme --------------------------------------------------------------------------------------------------


@blueprint.get("/")
def index() -> str:
    """Show the programmes of this client: those that go on first, and then what is over."""
    today, own = current.now().date(), current.launch().user.role == "client"
    found = [views.course_view(one, today, own=own) for one in service.load(current.records())]
    return render_template(
        "course/index.html",
        going_on=[one for one in found if not one.over],
        over=[one for one in found if one.over],
        most=MOST_SHOWN,
        own=own,
        news=_news(),
        undo=undoing.offered(),
    )


def _news() -> str:
    """Return the sentence about what was decided just now, or ""."""
    if request.args.get(undoing.DONE):
        return _(AS_BEFORE)
    if request.args.get("waits"):
        return _(ON_ITS_WAY)
    mark = request.args.get("news", "")
    return _(NEWS[mark]) if mark in NEWS else ""


@blueprint.get("/<identifier>/moments/<moment_id>")
def moment(identifier: str, moment_id: str) -> ResponseReturnValue:
    """Show one moment, to move it or to say no to it."""
    return _moment_page(identifier, moment_id)


def _moment_page(identifier: str, moment_id: str, opens: str = "", problem: str = "") -> ResponseReturnValue:
    found = _found(identifier)
    planned = found.course.moment(moment_id)
    if planned is None:
        return _back(problem) if problem else abort(404)
    today, own = current.now().date(), current.launch().user.role == "client"
    shown = views.course_view(found, today, own=own)
    view = next(one for one in (*shown.now, *shown.next, *shown.before) if one.id == moment_id)
    if not view.change:
        return _back(problem) if problem else redirect(url_for("course.index"), 303)
    page = render_template(
        "course/moment.html",
        course=shown,
        moment=view,
        opens=opens or planned.opens.isoformat(),
        days=(planned.closes - planned.opens).days + 1,
        later=[one for one in shown.next if one.id in _later(found.course, moment_id, today)],
        problem=problem,
    )
    return (page, 422) if problem else page


def _later(course: Course, moment_id: str, today: dt.date) -> set[str]:
    """Return what moves along where all that comes after a moment does."""
    one, until = course.moment(moment_id), course.paused_since or today
    return {each.id for each in course.planned if one and each.opens > one.opens and each.closes >= until}


def _found(identifier: str) -> Followed:
    found = next((one for one in service.load(current.records()) if one.course.identifier == identifier), None)
    if found is None or not identifier:
        abort(404)
    return found


# --- deciding -------------------------------------------------------------------------------------------------------


@blueprint.post("/<identifier>/pause")
def pause(identifier: str) -> ResponseReturnValue:
    """Let nothing be asked until the programme goes on again."""
    return _decided(identifier, "paused", paused, is_so=lambda course: course.status == "on-hold")


@blueprint.post("/<identifier>/resume")
def resume(identifier: str) -> ResponseReturnValue:
    """Go on after a pause."""
    return _decided(identifier, "resumed", resumed, is_so=lambda course: course.status == "active")


@blueprint.post("/<identifier>/stop")
def stop(identifier: str) -> ResponseReturnValue:
    """Stop for good."""
    return _decided(identifier, "stopped", stopped, is_so=lambda course: course.status == "revoked")


@blueprint.post("/<identifier>/moments/<moment_id>/decline")
def decline(identifier: str, moment_id: str) -> ResponseReturnValue:
    """Say no to one moment."""
    return _decided(
        identifier,
        "declined",
        lambda course, today, by: declined(course, moment_id, today, by),
        is_so=lambda course: (one := course.moment(moment_id)) is not None and one.declined,
    )


@blueprint.post("/<identifier>/moments/<moment_id>/take-back")
def take_back(identifier: str, moment_id: str) -> ResponseReturnValue:
    """Take back a no to one moment."""
    return _decided(
        identifier,
        "taken-back",
        lambda course, today, by: taken_back(course, moment_id, today, by),
        is_so=lambda course: (one := course.moment(moment_id)) is not None and not one.declined,
    )


@blueprint.post("/<identifier>/moments/<moment_id>/move")
def move(identifier: str, moment_id: str) -> ResponseReturnValue:
    """Let a moment begin on another day, and what comes after it too where that is chosen."""
    given = typed.clean(request.form.get("opens", ""))
    day, today = iso_date(given), current.now().date()
    if day is None:
        return _moment_page(identifier, moment_id, given, _(NOT_A_DATE))
    opens, along = dt.date.fromisoformat(day), "along" in request.form
    if opens > today + FARTHEST:
        return _moment_page(identifier, moment_id, given, _(choosing.TOO_FAR))
    return _decided(
        identifier,
        "moved",
        lambda course, today, by: moved(course, moment_id, opens, today, by, with_later=along),
        is_so=lambda course: (one := course.moment(moment_id)) is not None and one.opens == opens,
        # With the day that was chosen: nobody has to look for it again.
        back=lambda sentence: _moment_page(identifier, moment_id, given, sentence),
    )


@blueprint.post("/<identifier>/undo")
def undo(identifier: str) -> ResponseReturnValue:
    """Take back what was decided last, by who decided it."""
    needs = undoing.taken(request.form.get(undoing.FIELD, ""))
    if needs is None:
        return _back(_(TOO_LATE))

    def restore(course: Course, _today: dt.date, _by: Mapping[str, str]) -> Course:
        return service.as_before(course, needs["was"])

    outcome = _tried(lambda: service.change(identifier, needs["seen"], restore, is_so=_never), _back)
    if not isinstance(outcome, Done):
        return outcome
    undoing.forget()
    after = url_for("course.index")
    return redirect(undoing.undone(after) if outcome.arrived else url_for("course.index", waits="1"), 303)


def _never(_course: Course) -> bool:
    return False


def _decided(
    identifier: str, mark: str, decide: Decide, *, is_so: Callable[[Course], bool], back: Back | None = None
) -> ResponseReturnValue:
    """Save a decision and lead to the page that says so, with the way back.

    `back` is where somebody reads that it was not done; by default the page of all programmes.
    """
    seen = request.form.get("seen", "")
    outcome = _tried(lambda: service.change(identifier, seen, decide, is_so=is_so), back or _back)
    if not isinstance(outcome, Done):
        return outcome
    if not outcome.arrived:
        return redirect(url_for("course.index", waits="1"), 303)
    after, undo_at = url_for("course.index", news=mark), url_for("course.undo", identifier=identifier)
    if outcome.before is None:  # pressed twice: what the first press did can be taken back
        return redirect(undoing.offer_again(undo_at, after), 303)
    needs = {"was": service.former(outcome.before), "seen": digest_of(outcome.course)}
    return redirect(undoing.offer(undo_at, needs, after), 303)


def _tried(do: Callable[[], Done], back: Back) -> Done | ResponseReturnValue:
    """Decide something, or lead `back` to a page as it is now, with the sentence why it was not done."""
    try:
        outcome = tried(do, TROUBLES)
    except NotFound:
        abort(404)
    except ChangedMeanwhile:
        return back(_(MEANWHILE))
    except NotPossible as error:
        return back(_(NOT_POSSIBLE[error.code]))
    return back(outcome.sentence) if isinstance(outcome, Trouble) else outcome


def _back(sentence: str) -> ResponseReturnValue:
    flash(sentence, "attention")
    return redirect(url_for("course.index"), 303)


# --- beginning ------------------------------------------------------------------------------------------------------


@blueprint.route("/begin", methods=["GET", "POST"])
def begin() -> ResponseReturnValue:
    """Choose a programme and a day, read all that comes of it, and begin it."""
    if request.method == "GET":
        return _begin_page({"start": current.today()})
    form = choosing.posted()
    looks, problems = "look" in request.form, choosing.problems(form)  # in another language: nothing is begun yet
    if problems or (looks and not request.form.get("seen")):
        return _begin_page(form, problems={} if looks else problems)
    programme, start = choosing.chosen(form)
    course = service.planned(current.launch().patient.reference, programme, start, form["group"])
    # What is begun is what was read: a choice that was changed since is shown once more.
    if "begin" not in request.form or request.form.get("seen") != choosing.seen(form):
        return _coming_page(form, programme, course)
    outcome = tried(lambda: _begun(course), TROUBLES)
    if isinstance(outcome, Trouble):
        return _begin_page(form, trouble=outcome)
    return redirect(url_for("course.index", news="begun", waits=None if outcome.arrived else "1"), 303)


def _begun(course: Course) -> Done | Trouble:
    try:
        return service.begin(current.records(), course)
    except GoesOn:
        return Trouble(_(GOES_ON), 409)
    except BegunBefore:
        return Trouble(_(BEGUN_BEFORE), 409)


def _coming_page(form: Mapping[str, str], programme: Programme, course: Course) -> ResponseReturnValue:
    moments = tried(lambda: service.foreseen_now(current.records(), course), TROUBLES)
    if isinstance(moments, Trouble):
        return _begin_page(form, trouble=moments)
    return _begin_page(form, coming=views.coming(programme, course, moments, current.now().date(), choosing.seen(form)))


def _begin_page(
    form: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    trouble: Trouble | None = None,
    coming: views.Coming | None = None,
) -> ResponseReturnValue:
    page = views.BeginPage(
        choices=views.choices(choosing.offered().values()),
        typed=form,
        problems=problems or {},
        trouble=trouble.sentence if trouble else "",
        coming=coming,
    )
    status = trouble.status if trouble else 422 if problems else 200
    return render_template("course/begin.html", page=page), status
