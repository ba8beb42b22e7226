"""A living form on paper: what is written in it, in the order of its page, as compact as can be read with ease."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument
from smartapp.pages.living.service import Opened
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.pdf import heading_lines, lines, pdf
from smartapp.web.written import AnswerView, RowView, WrittenGroup, written_groups

TEMPLATE: Final = Path(__file__).with_name("templates") / "living" / "document.typ"


def paper(opened: Opened, known: Catalogue, *, client: Person, made: dt.datetime) -> bytes:
    """Return what is written in a form as a PDF, in the language of the reader. Raises NotTypeset."""
    form = opened.stored.form
    data = contents(written_groups(opened.content, known), opened.stored.changed, client.display)
    carried = form.living.carried if form.living else None
    data["carried"] = text_of(carried) if carried else ""
    return pdf(text_of(form.title), TEMPLATE, data, person=client, made=made)


def file_name(form: Instrument) -> str:
    """Return what a file of a form is called, in the language of the reader: by its title, and nobody's name."""
    return "-".join(re.findall(r"\w+", text_of(form.title).lower())) or form.id


def contents(groups: Iterable[WrittenGroup], changed: str, client: str) -> dict[str, Any]:
    """Return what the template puts on paper: the groups in which something is written, with answers and rows."""
    when = _("Last changed on %(when)s", when=format_date(changed)) if changed else ""
    return {
        "about": [one for one in (_("These are the words of %(name)s.", name=client), when) if one],
        "nothing-here": _("Nothing written yet."),
        "groups": [
            {
                "title": group.title,
                "answers": [_answer(answer) for answer in group.answers],
                "rows": [_row(row) for row in group.rows],
            }
            for group in groups
        ],
    }


def _answer(answer: AnswerView) -> dict[str, Any]:
    return {
        "question": answer.question,
        "whose": answer.whose,
        "many": answer.many,
        "column": answer.column,
        "texts": [lines(text) for text in answer.texts],
    }


def _row(row: RowView) -> dict[str, Any]:
    return {
        "title": heading_lines(row.title),
        "day": format_date(row.day),
        "answers": [_answer(answer) for answer in row.answers],
    }
