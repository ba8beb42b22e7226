"""A living form on paper: what is written in it, in the order of its page, as compact as can be read with ease."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument
from smartapp.pages.living.service import Opened
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.pdf import heading_lines, lines, pdf
from smartapp.web.written import AnswerView, RowView, WrittenGroup, whose_words, written_groups

TEMPLATE: Final = Path(__file__).with_name("templates") / "living" / "document.typ"


def paper(opened: Opened, known: Catalogue, *, client: Person, made: dt.datetime) -> bytes:
    """Return what is written in a form as a PDF, in the language of the reader. Raises NotTypeset."""
    form = opened.stored.form
    called = form.living.summary if form.living else None
    groups = written_groups(opened.content, known)
    data = contents(groups, opened.stored.changed, client.display, text_of(called) if called else "")
    carried = form.living.carried if form.living else None
    data["carried"] = text_of(carried) if carried else ""
    return pdf(text_of(form.title), TEMPLATE, data, person=client, made=made)


def file_name(form: Instrument) -> str:
    """Return what a file of a form is called, in the language of the reader: by its title, and nobody's name."""
    return "-".join(re.findall(r"\w+", text_of(form.title).lower())) or form.id


def contents(groups: Sequence[WrittenGroup], changed: str, client: str, called: str = "") -> dict[str, Any]:
    """Return what the template puts on paper: the groups in which something is written, with answers and rows.

    `called` says what sheet it is, below its title; "" where the title says enough.
    """
    when = _("Last changed on %(when)s", when=format_date(changed)) if changed else ""
    return {
        "called": called,
        "about": [one for one in (whose_words(groups, client), when) if one],
        "nothing-here": _("Nothing written yet."),
        "groups": [
            {
                "title": group.title,
                "whose": group.whose,
                "answers": [_answer(answer, group.whose) for answer in group.answers],
                "rows": [_row(row, is_list=group.is_list) for row in group.rows],
            }
            for group in groups
        ],
    }


def _answer(answer: AnswerView, said: str = "") -> dict[str, Any]:
    """Return an answer; whose it is where that is not `said` of its whole group."""
    return {
        "question": answer.question,
        "whose": "" if answer.whose == said else answer.whose,
        "many": answer.many,
        "column": answer.column,
        "texts": [lines(text) for text in answer.texts],
    }


def _row(row: RowView, *, is_list: bool) -> dict[str, Any]:
    return {
        "is-list": is_list,
        "title": heading_lines(row.title),
        "day": format_date(row.day),
        "answers": [_answer(answer) for answer in row.answers],
    }
