"""What a client sent in on paper: the questions in the order asked, with the answer of now and of the time before."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from pathlib import Path
from typing import Any

from smartapp.pages.answers.views import Line, ResponsePage
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, format_datetime
from smartapp.web.language import gettext as _
from smartapp.web.pdf import heading_lines, lines, pdf

TEMPLATE = Path(__file__).with_name("templates") / "answers" / "paper.typ"


def paper(page: ResponsePage, *, client: Person, made: dt.datetime) -> bytes:
    """Return one response as a PDF, in the language of the reader. Raises NotTypeset."""
    return pdf(page.title or _("Answers"), TEMPLATE, contents(page), person=client, made=made)


def contents(page: ResponsePage) -> dict[str, Any]:
    """Return what the template puts on paper; choices of one group are a table, own words stand on their own."""
    before = format_date(page.beside.authored) if page.beside else ""
    return {
        "about": [
            sentence
            for sentence in (
                _("Filled in on %(day)s.", day=format_datetime(page.authored)),
                _("Typed by %(name)s.", name=page.typed_by) if page.typed_by else "",
                _("Filled in together with %(name)s.", name=page.helper) if page.helper else "",
                _("Filled in on another form. Here the answers stand with our questions.") if page.mapped else "",
                "" if page.groups else _("We do not know this questionnaire. Here is what it says."),
            )
            if sentence
        ],
        "marked-title": _("You want to talk about this") if page.own else _("The client wants to talk about this"),
        "marked": [{"question": line.question, "answer": lines(line.answer)} for line in page.marked],
        "columns": [_("Question"), format_date(page.authored), *([before] if before else [])],
        "nothing": _("No answer"),
        "groups": [
            {
                "title": group.title,
                "stem": group.stem,
                "parts": [
                    {
                        "choices": [] if own else [_choice(line, before) for line in found],
                        "words": [_own_words(line, before) for line in found] if own else [],
                    }
                    for own, part in groupby(group.lines, key=lambda line: line.own_words)
                    for found in [list(part)]
                ],
            }
            for group in page.groups
        ],
        "unread": [{"question": heading_lines(question), "answer": lines(answer)} for question, answer in page.unread],
    }


def _choice(line: Line, before: str) -> list[str]:
    asked = f"{line.number}. {line.question}"
    return [asked, line.answer or _("No answer"), *([line.before or _("No answer")] if before else [])]


def _own_words(line: Line, before: str) -> dict[str, Any]:
    return {
        "question": f"{line.number}. {line.question}",
        "answer": lines(line.answer) if line.answer else None,
        "before": {"day": before, "text": lines(line.before)} if line.before else None,
    }
