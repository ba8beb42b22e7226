"""The questions of a form about a team as fields of one page, and what was typed in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import request

from questionnaires.model import Instrument, Item
from smartapp.i18n import message
from smartapp.web import typed
from smartapp.web.dates import NOT_A_DATE, iso_date
from smartapp.web.fields import Field, FieldOption, problems_in
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of

NOTHING_TYPED: Final = message("Nothing is filled in yet.")
NOT_A_CHOICE: Final = message("Choose one of these.")
EARLIEST: Final = "1900"
"""Of an earlier year a date is half typed: a calendar makes 0026 of somebody's 26."""
VERSION: Final = "version"
KEY: Final = "key"
LOOK: Final = "look"


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under a heading."""

    title: str
    fields: tuple[Field, ...]


def sections(form: Instrument, *, without: Collection[str] = ()) -> tuple[Section, ...]:
    """Return the questions of a form under the titles of its groups; `without` are linkIds that nobody is asked."""
    made = (
        Section(text_of(group.title), tuple(_field(item) for item in group.items if item.link_id not in without))
        for group in form.groups
    )
    return tuple(one for one in made if one.fields)


def _field(item: Item) -> Field:
    options = tuple(FieldOption(one.code, text_of(one.text)) for one in item.scale.options) if item.scale else ()
    if options:  # what was chosen can be undone without a script: no radio button goes off by itself
        options = (*options, FieldOption("", _("No answer")))
    return Field(
        name=item.link_id,
        label=text_of(item.text),
        kind="choices" if item.scale else "area",
        help=text_of(item.help),
        options=options,
        rows=3,
    )


def filled(
    asked: Iterable[Section], values: Mapping[str, str], problems: Mapping[str, str] | None = None
) -> tuple[Section, ...]:
    """Return sections with values in their fields, and with what is wrong (English keys)."""
    said = problems or {}
    return tuple(
        Section(
            one.title,
            tuple(
                each.filled(values.get(each.name, ""), "", _(said[each.name]) if each.name in said else "")
                for each in one.fields
            ),
        )
        for one in asked
    )


def fields_of(asked: Iterable[Section]) -> tuple[Field, ...]:
    """Return all fields of sections."""
    return tuple(each for one in asked for each in one.fields)


def posted(asked: Iterable[Section]) -> dict[str, str]:
    """Return what was sent in these fields, as it is kept; fields that were left open are not there."""
    sent = ((one.name, typed.clean(request.form.get(one.name, ""))) for one in fields_of(asked))
    return {name: text for name, text in sent if text}


def problems(asked: Iterable[Section], values: Mapping[str, str], needed: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with values, by the name of a field, as English keys; `needed` says what has to be there."""
    found = {name: says for name, says in needed.items() if not values.get(name)}
    for one in fields_of(asked):
        value = values.get(one.name, "")
        if len(value) > typed.LONGEST:
            found[one.name] = typed.TOO_LONG
        elif one.kind == "choices" and value and value not in {option.value for option in one.options}:
            found[one.name] = NOT_A_CHOICE
        elif one.kind == "date" and value and (iso_date(value) or "") < EARLIEST:
            found[one.name] = NOT_A_DATE
    return found


def summary(asked: Iterable[Section]) -> tuple[dict[str, str], ...]:
    """Return what has to be put right, for the summary at the top of a page."""
    return problems_in(fields_of(asked))


def day_in(text: str) -> dt.date | None:
    """Return the day in a text that `problems` found nothing wrong with; None for none."""
    day = iso_date(text)
    return dt.date.fromisoformat(day) if day else None
