"""What was agreed before: the theme with which a conversation opens."""

from __future__ import annotations

from typing import Final

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.agreements import Agreement
from smartapp.fhir.store import NotFound
from smartapp.i18n import message
from smartapp.pages.plan.service import load
from smartapp.pages.together import keeping, screens, session, taking_back, views
from smartapp.pages.together.by_visit import visits_in
from smartapp.pages.together.found import Found, KeptDecision
from smartapp.pages.together.session import Session
from smartapp.pages.together.writing import offer
from smartapp.web import current, handing_over, typed, undoing, with_client
from smartapp.web.forms import Trouble, is_autosave, posted
from smartapp.web.language import gettext as _

NO_STATUS: Final = message("Choose how it goes with this agreement.")


def start() -> ResponseReturnValue:
    """Open with what was agreed before, and how it went."""
    found = screens.found()
    return _start_page(found, screens.talk_of(screens.sessions(), found))


def _start_page(
    found: Found, talk: Session, *, agreement: str = "", problem: str = "", trouble: str = "", status: int = 200
) -> ResponseReturnValue:
    settled = [one.agreement for one in found.agreements if one.agreement.settled]
    settled = sorted(settled, key=lambda one: one.changed, reverse=True)
    alone = tuple(one for one in settled if one.changed not in one.talked_of and _is_new(one, found))
    today = tuple(
        one for one in settled if one.changed in one.talked_of and screens.day(one.changed) == current.today()
    )
    before = [one for one in settled if one not in alone and one not in today]
    first = not (found.agreements or found.decisions)
    plan = load() if first else None
    page = views.StartPage(
        open=tuple(
            views.AgreementView(
                one.agreement,
                screens.field(talk, went),
                screens.field(talk, note),
                screens.place(one.record, "Task"),
                problem if one.agreement.id == agreement else "",
            )
            for one in found.open
            for went, note in [session.progress_fields(one.agreement.id)]
        ),
        alone=alone,
        today=today,
        before=tuple(before[: views.MOST_SETTLED]),
        unsettled=tuple(one for one in found.unsettled if not is_of(talk, one)),
        first=first,
        offer=offer(plan) if plan is not None and not plan.begun else None,
        client=with_client.client_called(),
        handed=handing_over.by_me(),
    )
    screen = screens.screen("start", trouble=trouble)
    return render_template(
        "together/start.html", page=page, screen=screen, went=_went_options(), **undoing.said()
    ), status


def _is_new(agreement: Agreement, found: Found) -> bool:
    """Tell whether how an agreement went was said since the conversation before today's."""
    days = (one.day for one in visits_in(found, screens.day) if one.day != current.today())
    return screens.day(agreement.changed) >= next(days, "")


def is_of(talk: Session, decision: KeptDecision) -> bool:
    """Tell whether a decision was made in this conversation."""
    return decision.key in {talk.topic_key(number) for number in talk.topics}


def _went_options() -> list[dict[str, str]]:
    return [{"value": value, "label": _(text)} for value, text in views.WENT_TEXTS.items()]


def progress(agreement_id: str) -> ResponseReturnValue:
    """Say how one agreement went."""
    if request.method == "GET":  # as after a change of language on a page that a form answered with
        return redirect(url_for("together.start"), 303)
    sessions, names = screens.sessions(), session.progress_fields(agreement_id)
    talk = sessions.keep(posted(), names)
    if is_autosave():
        return screens.kept_answer(talk, names)
    went = next((one for one in views.WENT if one == talk.text(names[0])), None)
    # The press that says that something still goes on has no field for words, so it sends none that stand in one.
    words = talk.text(names[1]) if names[1] in request.form else ""
    problem = NO_STATUS if went is None else typed.TOO_LONG if len(words) > typed.LONGEST else ""
    other_tab = _(screens.TYPED_ELSEWHERE) if screens.shows_otherwise(talk, names[1:]) else ""
    if went is None or problem or other_tab:
        mend, status = _(problem) if problem else "", 422 if problem else 409
        found = screens.found()
        return _start_page(found, talk, agreement=agreement_id, problem=mend, trouble=other_tab, status=status)
    try:
        outcome = screens.save(
            lambda: keeping.keep_progress(
                current.records(), agreement_id, went, words, was=request.form.get("was", ""), who=screens.typist()
            )
        )
    except keeping.ChangedMeanwhile:
        return _start_page(screens.found(), talk, trouble=_(screens.CHANGED), status=409)
    except NotFound:
        abort(404)
    if isinstance(outcome, Trouble):
        return _start_page(screens.found(), talk, trouble=outcome.sentence, status=outcome.status)
    if outcome.kept.arrived:
        sessions.change(lambda now: session.without_fields(now, [name for name in names if name in request.form]))
    if words:
        sessions.change(lambda now: session.after_saying(now, agreement_id, words, arrived=outcome.kept.arrived))
    return redirect(_after(outcome, agreement_id), 303)


def _after(said: keeping.Said, agreement_id: str) -> str:
    """Return the address of this theme after how it went was said, which offers to take that back where it can be."""
    address = url_for("together.start", saved=screens.mark(said.kept, "progress"))
    return taking_back.offered(said, url_for("together.progress_back", agreement_id=agreement_id), address)


def progress_back(agreement_id: str) -> ResponseReturnValue:
    """Take back what was just said about an agreement; its words stand in their field again."""
    return taking_back.taken_back(agreement_id, screens.sessions(), url_for("together.start"))
