"""My conversations, and how it went with what we agreed, which the client says without anybody beside them.

One press says it, there and on the start page, and one press takes it back. What is typed along with it is kept while
it is typed, and stays in its field until it is in the record.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.agreements import Agreement, Progress
from smartapp.errors import BadRequest
from smartapp.fhir.store import NotFound, RecordError, Unauthorized
from smartapp.i18n import message
from smartapp.pages.together import keeping, screens, session, views
from smartapp.pages.together.found import Found, days_in
from smartapp.pages.together.session import Session, Sessions
from smartapp.pages.together.views import Link
from smartapp.web import current, typed, undoing
from smartapp.web.forms import Trouble, is_autosave, posted
from smartapp.web.language import format_date
from smartapp.web.language import gettext as _
from smartapp.web.roles import role

PAGES: Final = {"visits": "together.visits", "home": "home.index"}
"""The pages with agreements to press, by the mark in `from`: who presses there stays there."""
MOST_SETTLED: Final = 20
"""Agreements that are done or stopped, of which the page offers the way back; the sheets have all of them."""
NOT_TAKEN_BACK: Final = message("This is not taken back: something else was said about it since. Read it once more.")
NOT_SAVED: Final = message("This is not saved. Please try again in a moment.")


def notes() -> Sessions:
    """Return where the client's own words about agreements are kept while they are typed; no conversation is begun."""
    return screens.sessions("agreements")


# --- my conversations -----------------------------------------------------------------------------------------------


@role("client")
def visits() -> ResponseReturnValue:
    """Show my conversations, and what we agreed."""
    return _visits_page(screens.found(), notes().get())


def _visits_page(
    found: Found, talk: Session, *, agreement: str = "", problem: str = "", trouble: str = "", status: int = 200
) -> ResponseReturnValue:
    settled = sorted(
        (one.agreement for one in found.agreements if one.agreement.settled), key=lambda one: one.changed, reverse=True
    )
    page = views.VisitsPage(
        days=tuple(Link(format_date(day), url_for("together.visit", day=day)) for day in days_in(found, screens.day)),
        open=tuple(
            views.OwnAgreement(
                one.agreement,
                screens.field(talk, session.progress_fields(one.agreement.id)[1]),
                _may_say(one.agreement),
                screens.place(one.record, "Task"),
                problem if one.agreement.id == agreement else "",
            )
            for one in found.open
        ),
        settled=tuple(views.SettledAgreement(one, _may_say(one)) for one in settled[:MOST_SETTLED]),
    )
    screen = screens.around(trouble=trouble)
    return render_template(
        "together/visits.html", page=page, screen=screen, went=views.WENT_TEXTS, **undoing.said()
    ), status


def _may_say(agreement: Agreement) -> bool:
    return agreement.is_of(current.launch().patient.reference)


# --- how it went ----------------------------------------------------------------------------------------------------


@role("client")
def say(agreement_id: str) -> ResponseReturnValue:
    """Say how an agreement went (`went`), with words or without; `was` is the status that the page showed."""
    if request.method == "GET":  # as after a change of language on a page that a form answered with
        return redirect(url_for("together.visits"), 303)
    sketch, name = notes(), session.progress_fields(agreement_id)[1]
    talk = sketch.keep(posted(), [name])
    if is_autosave():
        return screens.kept_answer(talk, [name])
    page = request.form.get("from", "visits")
    went = next((one for one in views.WENT if one == request.form.get("went")), None)
    if went is None or page not in PAGES:
        raise BadRequest(code="went")
    words = talk.text(name) if name in request.form else ""
    if len(words) > typed.LONGEST:
        return _visits_page(screens.found(), talk, agreement=agreement_id, problem=_(typed.TOO_LONG), status=422)
    try:
        outcome = screens.save(
            lambda: keeping.keep_progress(
                current.records(), agreement_id, went, words, was=request.form.get("was", ""), who=screens.typist()
            )
        )
    except keeping.ChangedMeanwhile:
        return _not_said(page, talk, _(screens.CHANGED), 409)
    except NotFound:
        abort(404)
    if isinstance(outcome, Trouble):
        return _not_said(page, talk, outcome.sentence, outcome.status)
    if outcome.kept.arrived and words:
        sketch.change(lambda now: session.without_fields(now, [name]))
    return redirect(after(outcome, agreement_id, page), 303)


def after(said: keeping.Said, agreement_id: str, page: str) -> str:
    """Return the address of the page after how it went was said, which offers to take it back where that can be."""
    marks: dict[str, Any] = {"saved": screens.mark(said.kept, "progress")}
    if page == "home":
        marks |= {"agreement": agreement_id, "_anchor": f"agreement-{agreement_id}"}
    address = url_for(PAGES[page], **marks)
    if said.progress is None or not said.kept.arrived:
        return address
    return undoing.offer(
        url_for("together.say_back", agreement_id=agreement_id, page=page), needs(said.progress), address
    )


def needs(progress: Progress) -> dict[str, str]:
    """Return what it takes to take something back; who said it is who takes it back."""
    return {name: value for name, value in asdict(progress).items() if name != "by"}


def taken() -> Progress | None:
    """Return what this request takes back, None where that is no longer known."""
    known = undoing.taken(request.form.get(undoing.FIELD, ""))
    return Progress(by=current.launch().user.reference, **known) if known is not None else None


def _not_said(page: str, talk: Session, sentence: str, status: int) -> ResponseReturnValue:
    """Say why it is not saved: on the page with the words that were typed, else on the page where it was pressed."""
    if page == "home":
        flash(sentence, "attention")
        return redirect(url_for(PAGES[page]), 303)
    return _visits_page(screens.found(), talk, trouble=sentence, status=status)


@role("client")
def say_back(agreement_id: str) -> ResponseReturnValue:
    """Take back what was just said; its words stand in their field again."""
    page = request.args.get("page", "visits")
    if page not in PAGES:
        raise BadRequest(code="page")
    return taken_back(agreement_id, notes(), url_for(PAGES[page]))


def taken_back(agreement_id: str, sketch: Sessions, page: str) -> ResponseReturnValue:
    """Take back how an agreement went, put its words into the sketch, and go to a page that says so."""
    progress = taken()
    if progress is None:
        flash(_(NOT_TAKEN_BACK), "attention")
        return redirect(page, 303)
    try:
        kept, words = keeping.take_back_progress(current.records(), agreement_id, progress)
    except Unauthorized:
        raise
    except keeping.ChangedMeanwhile:
        flash(_(NOT_TAKEN_BACK), "attention")
        return redirect(page, 303)
    except NotFound:
        abort(404)
    except RecordError:
        flash(_(NOT_SAVED), "attention")
        return redirect(page, 303)
    undoing.forget()
    name = session.progress_fields(agreement_id)[1]
    if words:
        sketch.change(lambda now: now if now.text(name) else session.with_fields(now, {name: words}))
    return redirect(undoing.undone(page) if kept.arrived else f"{page}?saved=waits", 303)
