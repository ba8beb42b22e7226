"""A living form on paper: what is written in it, in the order of its page, as compact as can be read with ease."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from questionnaires.model import Instrument
from smartapp.pages.living.views import AnswerView, GroupView, LivingPage, RowView
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.pdf import heading_lines, lines, pdf

TEMPLATE = Path(__file__).with_name("templates") / "living" / "document.typ"


def paper(page: LivingPage, *, client: Person, made: dt.datetime) -> bytes:
    """Return what is written in a form as a PDF, in the language of the reader. Raises NotTypeset."""
    return pdf(text_of(page.form.title), TEMPLATE, contents(page, client.display), person=client, made=made)


def file_name(form: Instrument) -> str:
    """Return what a file of a form is called, in the language of the reader: by its title, and nobody's name."""
    return "-".join(re.findall(r"\w+", text_of(form.title).lower())) or form.id


def contents(page: LivingPage, client: str) -> dict[str, Any]:
    """Return what the template puts on paper: the groups in which something is written, with answers and rows."""
    changed = _("Last changed on %(when)s", when=format_date(page.view.changed)) if page.view.changed else ""
    return {
        "about": [one for one in (_("These are the words of %(name)s.", name=client), changed) if one],
        "nothing-here": _("Nothing written yet."),
        "groups": [_group(group) for group in page.groups if group.written],
    }


def _group(group: GroupView) -> dict[str, Any]:
    return {
        "title": group.title,
        "answers": [_answer(answer) for answer in group.answers if answer.texts],
        "rows": [_row(row) for row in group.rows],
    }


def _answer(answer: AnswerView) -> dict[str, Any]:
    return {
        "question": answer.question,
        "whose": answer.whose,
        "many": answer.many,
        "texts": [lines(text) for text in answer.texts],
    }


def _row(row: RowView) -> dict[str, Any]:
    return {"title": heading_lines(row.title), "answers": [_answer(answer) for answer in row.answers]}
