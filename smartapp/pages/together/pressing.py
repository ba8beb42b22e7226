"""My conversations, and how it went with what we agreed, which the client says without anybody beside them.

One press says it, there and on the start page, and one press takes it back. What is typed along with it is kept while
it is typed, and stays in its field until it is in the record.
"""

from __future__ import annotations

from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.agreements import Agreement
from smartapp.errors import BadRequest
from smartapp.fhir.store import NotFound
from smartapp.i18n import message
from smartapp.pages.together import keeping, screens, session, taking_back, views
from smartapp.pages.together.by_visit import visits_in
from smartapp.pages.together.found import Found
from smartapp.pages.together.session import Session, Sessions
from smartapp.pages.together.sheet import sheets
from smartapp.web import current, typed, undoing
from smartapp.web.forms import Trouble, is_autosave, posted
from smartapp.web.language import gettext as _

CHANGED_ALONE: Final = message(
    "Somebody else changed this in the meantime. That stays as it is. Read it once more, and then choose again."
)
PAGES: Final = {"visits": "together.visits", "home": "home.index"}
"""The pages with agreements to press, by the mark in `from`: who presses there stays there."""


def notes() -> Sessions:
    """Return where the client's own words about agreements are kept while they are typed; no conversation is begun."""
    return screens.sessions("agreements")


# --- my conversations -----------------------------------------------------------------------------------------------


def visits() -> ResponseReturnValue:
    """Show my conversations, and what we agreed."""
    found = screens.found()
    return _visits_page(found, screens.talk_of(notes(), found))


def _visits_page(
    found: Found, talk: Session, *, agreement: str = "", problem: str = "", trouble: str = "", status: int = 200
) -> ResponseReturnValue:
    settled = sorted(
        (one.agreement for one in found.agreements if one.agreement.settled), key=lambda one: one.changed, reverse=True
    )
    page = views.VisitsPage(
        days=sheets("together.visit", visits_in(found, screens.day)),
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
        settled=tuple(views.SettledAgreement(one, _may_say(one)) for one in settled[: views.MOST_SETTLED]),
        going_on=screens.others(),
    )
    screen = screens.around(trouble=trouble)
    return render_template(
        "together/visits.html", page=page, screen=screen, went=views.WENT_TEXTS, **undoing.said()
    ), status


def _may_say(agreement: Agreement) -> bool:
    return agreement.is_of(current.launch().patient.reference)


# --- how it went ----------------------------------------------------------------------------------------------------


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
    # Words that stand in another tab are not said by a press in this one, which does not show them.
    other_tab = _(screens.TYPED_ELSEWHERE) if screens.shows_otherwise(talk, [name]) else ""
    problem = _(typed.TOO_LONG) if len(words) > typed.LONGEST else ""
    if problem or other_tab:
        status, found = 422 if problem else 409, screens.found()
        return _visits_page(found, talk, agreement=agreement_id, problem=problem, trouble=other_tab, status=status)
    try:
        outcome = screens.save(
            lambda: keeping.keep_progress(
                current.records(), agreement_id, went, words, was=request.form.get("was", ""), who=screens.typist()
            )
        )
    except keeping.ChangedMeanwhile:
        return _not_said(page, talk, _(CHANGED_ALONE), 409)
    except NotFound:
        abort(404)
    if isinstance(outcome, Trouble):
        return _not_said(page, talk, outcome.sentence, outcome.status)
    if words:
        sketch.change(lambda now: session.after_saying(now, agreement_id, words, arrived=outcome.kept.arrived))
    return redirect(after(outcome, agreement_id, page), 303)


def after(said: keeping.Said, agreement_id: str, page: str) -> str:
    """Return the address of the page after how it went was said, which offers to take it back where that can be."""
    marks: dict[str, Any] = {"saved": screens.mark(said.kept, "progress")}
    if page == "home":
        marks |= {"agreement": agreement_id, "_anchor": f"agreement-{agreement_id}"}
    address = url_for(PAGES[page], **marks)
    return taking_back.offered(said, url_for("together.say_back", agreement_id=agreement_id, page=page), address)


def _not_said(page: str, talk: Session, sentence: str, status: int) -> ResponseReturnValue:
    """Say why it is not saved: on the page with the words that were typed, else on the page where it was pressed."""
    if page == "home":
        flash(sentence, "attention")
        return redirect(url_for(PAGES[page]), 303)
    return _visits_page(screens.found(), talk, trouble=sentence, status=status)


def say_back(agreement_id: str) -> ResponseReturnValue:
    """Take back what was just said; its words stand in their field again."""
    page = request.args.get("page", "visits")
    if page not in PAGES:
        raise BadRequest(code="page")
    return taking_back.taken_back(agreement_id, notes(), url_for(PAGES[page]))
