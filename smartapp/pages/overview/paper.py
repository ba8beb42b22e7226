"""The overview on paper: the same order as its page, with the steps of each goal and each line over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smartapp.pages.overview.consult import ConsultPage, NewLine
from smartapp.pages.overview.views import OpenAssignment, OverviewPage, first_lines
from smartapp.pages.plan.paper import goal_data
from smartapp.pages.scores.panels import leading_row
from smartapp.pages.scores.paper import key_data, row_data
from smartapp.storage.launches import Person
from smartapp.web.language import coming, format_date
from smartapp.web.language import gettext as _
from smartapp.web.living_views import WrittenForm
from smartapp.web.pdf import lines, pdf

TEMPLATE = Path(__file__).with_name("templates") / "overview" / "paper.typ"


def paper(page: ConsultPage, *, client: Person, made: dt.datetime) -> bytes:
    """Return the overview as a PDF, in the language of the reader. Raises NotTypeset."""
    return pdf(_("Overview"), TEMPLATE, contents(page), person=client, made=made)


def contents(page: ConsultPage) -> dict[str, Any]:
    """Return what the template puts on paper. A long story is cut where its reader would pause, and says so."""
    everything = page.all
    return {
        "parts": [_form(one) for one in everything.forms if one.view.written],
        "phase": _phase(everything),
        "visit": {
            "title": _("For this conversation"),
            "day": _("filled in on %(day)s", day=format_date(everything.visit.authored)) if everything.visit else "",
            "must-title": _("Must be discussed"),
            "must": [lines(words) for words in page.must],
            "then": [{"question": line.question, "text": lines(line.answer)} for line in page.then],
            "nothing": _("No preparation of a conversation stands here."),
        },
        "news": {
            "title": _("New since %(when)s", when=page.looked) if page.looked else _("The newest"),
            "news": [_new(one) for one in page.news],
            "nothing": _("Nothing new."),
            "waiting-title": _("Asked for, not filled in yet"),
            "waiting": _waiting(everything.waiting),
        },
        "goals-title": _("Goals"),
        "goals": [goal_data(one.view) for one in page.goals],
        "no-goals": _("No goals stand here."),
        "scores-title": _("Scores"),
        "about-scores": [
            sentence
            for sentence in (
                _("Numbers from the client's own answers. What a change means is for the conversation."),
                everything.cut,
            )
            if sentence
        ],
        "key": key_data(between=any(len(one.lead.scored) > 2 for one in everything.measured)),
        "scores": [row_data(leading_row(one.measurements)) for one in everything.measured],
    }


def _phase(everything: OverviewPage) -> dict[str, str] | None:
    said = everything.phase
    if said is None:
        return None
    who = _("%(name)s says:", name=everything.called) if everything.called else _("The client says:")
    return {"who": who, "title": said.title, "day": format_date(said.marked_on) if said.marked_on else ""}


def _form(form: WrittenForm) -> dict[str, Any]:
    """Return a living form in short: its story, or what its rows are called, else what it begins with; and its day."""
    changed, first = form.view.changed, [form.first.text] if form.first else []
    texts = [_cut(form.story)] if form.story else form.listed or first
    return {
        "title": form.title,
        "many": not form.story,
        "texts": [lines(text) for text in texts],
        "day": _("Last changed on %(when)s", when=format_date(changed)) if changed else "",
    }


def _cut(text: str) -> str:
    folded = first_lines(text)
    return f"{folded.first.rstrip()} …" if folded.rest else text


def _new(one: NewLine) -> dict[str, Any]:
    return {"text": one.text, "words": lines(one.words) if one.words else None, "day": one.day}


def _waiting(waiting: Sequence[OpenAssignment]) -> list[str]:
    return [
        f"{one.title} ({_('By %(date)s', date=format_date(day))})" if (day := coming(one.assignment.due)) else one.title
        for one in waiting
    ] or [_("Nothing is waiting.")]
