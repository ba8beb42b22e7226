"""The sheet of a conversation, for both: today's while it goes on, and those of earlier days."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smartapp.pages.together import screens, views
from smartapp.pages.together.found import Found, days_in, visit_on
from smartapp.pages.together.paper import paper
from smartapp.pages.together.session import Sessions
from smartapp.pages.together.topics import topics_of
from smartapp.pages.together.views import Link, Screen
from smartapp.web import current
from smartapp.web.language import format_date
from smartapp.web.language import gettext as _
from smartapp.web.pdf import download
from smartapp.web.roles import role


@role("clinician")
def report() -> ResponseReturnValue:
    """Show the sheet of today, and what of this conversation is not on it yet."""
    return _report(current.today(), screens.found(), screens.sessions())


@role("clinician")
def earlier_report(day: str) -> ResponseReturnValue:
    """Show the sheet of an earlier day."""
    return _report(day, screens.found(), None)


@role("clinician")
def report_as_pdf(day: str) -> Response:
    """Give the sheet of a day as a PDF."""
    return _as_pdf(day)


@role("client")
def visit_as_pdf(day: str) -> Response:
    """Give the sheet of one of my conversations as a PDF."""
    return _as_pdf(day)


def _as_pdf(day: str) -> Response:
    page = _report_page(day, screens.found(), None)
    if page.empty:
        abort(404)
    content = paper(page, client=current.launch().patient, made=current.now())
    return download(content, _("conversation"))


def _report(day: str, found: Found, sessions: Sessions | None) -> ResponseReturnValue:
    page = _report_page(day, found, sessions)
    if sessions is None and page.empty:
        abort(404)
    screen = screens.screen("report")
    if sessions is None:
        screen = replace(screen, count="", back=Link(_("Back"), url_for("together.report")))
    return render_template("together/report.html", page=page, screen=screen)


def _report_page(day: str, found: Found, sessions: Sessions | None) -> views.ReportPage:
    here = current.launch()
    own = here.user.role == "client"
    visit = visit_on(day, found, screens.day)
    address = "together.visit" if own else "together.earlier_report"
    topics = topics_of(sessions.get(), found) if sessions else ()
    records = [one.record for one in visit.decisions] + [one.record for one in visit.agreements]
    remarked = {agreement.key for agreement, _remark in visit.remarks}
    return views.ReportPage(
        name=here.patient.display,
        visit=visit,
        went=tuple(
            one.agreement
            for one in reversed(found.agreements)
            if one.agreement.key in remarked or day in map(screens.day, one.agreement.talked_of)
        ),
        kept=visit.agreements,
        unrecorded=tuple(one for one in topics if one.decided is None),
        unsaved=sessions.get().unsaved if sessions else (),
        earlier=tuple(
            Link(format_date(one), url_for(address, day=one)) for one in days_in(found, screens.day) if one != day
        ),
        going_on=bool(sessions and sessions.goes_on()),
        own=own,
        waiting=any(one.state != "stored" for one in records),
    )


@role("clinician")
def finish() -> ResponseReturnValue:
    """Close the conversation; what is typed and not in the record is let go only where somebody says so."""
    sessions = screens.sessions()
    talk = sessions.get()
    left = any(one.decided is None for one in topics_of(talk, screens.found()))
    if (left or talk.unsaved) and "let-go" not in request.form:
        return redirect(url_for("together.report"), 303)
    sessions.end()
    return redirect(url_for("together.report", saved="ended"), 303)


@role("client")
def visit(day: str) -> ResponseReturnValue:
    """Show the sheet of one of my conversations."""
    page = _report_page(day, screens.found(), None)
    if page.empty:
        abort(404)
    screen = Screen(title="", count="", back=Link(_("Back to my conversations"), url_for("together.visits")), next=None)
    return render_template("together/report.html", page=page, screen=screen)
