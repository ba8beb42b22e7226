"""The sheet of a conversation on paper: what its page shows both, in the same order."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from mappers.agreements import Agreement
from mappers.decisions import Decision
from smartapp.pages.together.views import ReportPage
from smartapp.storage.launches import Person
from smartapp.web.language import format_date
from smartapp.web.language import gettext as _
from smartapp.web.pdf import heading_lines, lines, pdf

TEMPLATE = Path(__file__).with_name("templates") / "together" / "paper.typ"


def paper(page: ReportPage, *, client: Person, made: dt.datetime) -> bytes:
    """Return the sheet of one day as a PDF, in the language of the reader. Raises NotTypeset."""
    title = _("Our conversation of %(day)s", day=page.when)
    return pdf(title, TEMPLATE, contents(page), person=client, made=made)


def contents(page: ReportPage) -> dict[str, Any]:
    """Return what the template puts on paper: how it went, what came of each topic, and what was said of medicines."""
    visit = page.visit
    agreed = {kept.agreement.key: kept.agreement for kept in page.kept}
    waits = _("Part of this has not arrived in the record yet. It goes there by itself.")
    return {
        "waiting": waits if page.waiting else "",
        "went-title": _("How it went with what we agreed"),
        "went": [
            {
                "text": heading_lines(agreement.text),
                "said": [lines(remark.text) for about, remark in visit.remarks if about.key == agreement.key],
                "now": _now(agreement),
            }
            for agreement in visit.went
        ],
        "topics": [_topic(one.decision, agreed.get(one.key)) for one in visit.decisions],
        "medicines-title": _("Medicines"),
        "medicines": [
            {
                "name": heading_lines(one.medicine.name),
                "said": [
                    {"question": question, "text": lines(text)}
                    for question, text in (
                        (_("How I use it"), one.use),
                        (_("What it brings"), one.benefit),
                        (_("What bothers me"), one.burden),
                    )
                    if text
                ],
            }
            for one in visit.experiences
        ],
    }


def _now(agreement: Agreement) -> str:
    return {"done": _("Now: done"), "stopped": _("Now: stopped")}.get(agreement.status, _("Now: goes on"))


def _topic(decision: Decision, agreement: Agreement | None) -> dict[str, Any]:
    """Return what came of a topic; who does it and by when belong to what both agree on."""
    later = _("We come back to this") if decision.outcome == "later" else ""
    views = (
        (_("How the client sees it"), decision.client_view),
        (_("How the professional sees it"), decision.professional_view),
    )
    return {
        "topic": heading_lines(decision.topic),
        "outcome": _("We see it differently") if decision.outcome == "differ" else later,
        "views": [{"question": whose, "text": lines(text or _("(empty)"))} for whose, text in views]
        if decision.outcome == "differ" or decision.client_view or decision.professional_view
        else [],
        "words": lines(decision.words) if decision.words and decision.outcome not in ("differ", "later") else None,
        "who": _who(agreement) if agreement and decision.outcome == "agreed" else [],
        "options": [
            {
                "what": lines(option.what or _("Option %(number)s", number=number)),
                "about": [
                    lines(sentence)
                    for sentence in (
                        _("brings me: %(what)s", what=option.brings) if option.brings else "",
                        _("costs me: %(what)s", what=option.costs) if option.costs else "",
                    )
                    if sentence
                ],
            }
            for number, option in enumerate(decision.weighed, start=1)
        ],
    }


def _who(agreement: Agreement) -> list[dict[str, Any]]:
    due = _("By %(date)s", date=format_date(agreement.due)) if agreement.due else ""
    return [lines(part) for part in (agreement.who, due) if part]
