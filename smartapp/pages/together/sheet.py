"""The sheet of a conversation, for both: while it goes on, and afterwards."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smartapp.pages.together import screens, views
from smartapp.pages.together.by_visit import Visit, name_of, visit_called, visits_in
from smartapp.pages.together.found import Found
from smartapp.pages.together.paper import paper
from smartapp.pages.together.session import Sessions
from smartapp.pages.together.topics import topics_of
from smartapp.web import current
from smartapp.web.fields import Link
from smartapp.web.language import format_date, format_datetime
from smartapp.web.language import gettext as _
from smartapp.web.pdf import download


def report() -> ResponseReturnValue:
    """Show the sheet of the conversation at hand, and what of it is not there yet; else the newest of today."""
    found, sessions = screens.found(), screens.sessions()
    visits, visit = _at_hand(found, sessions)
    page = _report_page(visit, visits, topics_of(screens.talk_of(sessions, found), found), sessions)
    return render_template("together/report.html", page=page, screen=screens.screen("report"))


def _at_hand(found: Found, sessions: Sessions) -> tuple[list[Visit], Visit]:
    """Return all conversations, and the one at hand, or the newest of today; an empty one where there is none."""
    today = current.today()
    here = sessions.get().conversation
    going_on = Visit(today, here.key, here.begun, current.launch().user.reference) if sessions.goes_on() else None
    visits = visits_in(found, screens.day, going_on)
    mine = (one for one in visits if one.day == today and (going_on is None or one.key == going_on.key))
    return visits, next(mine, Visit(today))


def earlier_report(day: str) -> ResponseReturnValue:
    """Show the sheet of an earlier conversation."""
    page = _page_called(day)
    screen = replace(screens.screen("report"), count="", back=Link(_("Back"), url_for("together.report")))
    return render_template("together/report.html", page=page, screen=screen)


def report_as_pdf(day: str) -> Response:
    """Give the sheet of a conversation as a PDF."""
    return _as_pdf(day)


def visit_as_pdf(day: str) -> Response:
    """Give the sheet of one of my conversations as a PDF."""
    return _as_pdf(day)


def _as_pdf(day: str) -> Response:
    content = paper(_page_called(day), client=current.launch().patient, made=current.now())
    return download(content, _("conversation"))


def _page_called(name: str) -> views.ReportPage:
    """Return the sheet of a name: a day, or a day with what tells its conversations apart; 404 where there is none."""
    visits = visits_in(screens.found(), screens.day)
    visit = visit_called(name, visits)
    if visit is None:
        abort(404)
    return _report_page(visit, visits)


def _report_page(
    visit: Visit, visits: list[Visit], topics: tuple[views.Topic, ...] = (), sessions: Sessions | None = None
) -> views.ReportPage:
    here = current.launch()
    own = here.user.role == "client"
    records = [one.record for one in visit.decisions] + [one.record for one in visit.agreements]
    written = [one for one in visits if not one.empty]
    return views.ReportPage(
        name=here.patient.display,
        visit=visit,
        when=when(visit, written),
        called=name_of(visit, written),
        kept=visit.agreements,
        unrecorded=tuple(one for one in topics if one.decided is None),
        unsaved=sessions.get().unsaved if sessions else (),
        earlier=sheets("together.visit" if own else "together.earlier_report", written, without=visit),
        going_on=bool(sessions and sessions.goes_on()),
        own=own,
        waiting=any(one.state != "stored" for one in records),
    )


def when(visit: Visit, visits: list[Visit]) -> str:
    """Return when a conversation was: its day, and its time where that day has another."""
    others = any(one.day == visit.day and one is not visit for one in visits)
    return format_datetime(visit.begun) if others and visit.begun else format_date(visit.day)


def sheets(address: str, visits: list[Visit], *, without: Visit | None = None) -> tuple[Link, ...]:
    """Return a link to the sheet of each conversation, given all of them, `without` the one that is shown already."""
    return tuple(
        Link(when(one, visits), url_for(address, day=name_of(one, visits))) for one in visits if one is not without
    )


def finish() -> ResponseReturnValue:
    """Close the conversation; what is typed and not in the record is let go only where somebody says so."""
    sessions, found = screens.sessions(), screens.found()
    talk = sessions.get()
    left = any(one.decided is None for one in topics_of(talk, found))
    if (left or talk.unsaved) and "let-go" not in request.form:
        return redirect(url_for("together.report"), 303)
    visits, visit = _at_hand(found, sessions)
    sessions.end()
    if visit.empty:
        return redirect(url_for("together.report", saved="ended"), 303)
    return redirect(url_for("together.earlier_report", day=name_of(visit, visits), saved="ended"), 303)


def visit(day: str) -> ResponseReturnValue:
    """Show the sheet of one of my conversations."""
    back = Link(_("Back to my conversations"), url_for("together.visits"))
    return render_template("together/report.html", page=_page_called(day), screen=screens.around(back=back))
