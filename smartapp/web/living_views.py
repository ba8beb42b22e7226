"""How a living form is named, wherever it is: its title, whether something is written, whether it asks for a look.

The client's pages, the overview and a conversation name the same forms, and must not describe them differently.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from flask import url_for

from questionnaires.model import Instrument, Place
from smartapp.web.living import StoredForm


@dataclass(frozen=True, slots=True)
class FormView:
    """A living form as it is named anywhere: its title, whether something is written, and since when."""

    form: Instrument
    href: str
    written: bool
    changed: str
    asks: bool  # it asks to be looked at again


def form_view(stored: StoredForm, today: dt.date) -> FormView:
    """Return a form as other pages name it."""
    form = stored.form
    return FormView(
        form=form,
        href=url_for("living.form", form_id=form.id),
        written=bool(stored.content),
        changed=stored.changed,
        asks=asks_to_be_looked_at(stored, today),
    )


def asks_to_be_looked_at(stored: StoredForm, today: dt.date) -> bool:
    """Tell whether a form asks to be looked at again: on the day that its owner wrote, else so long after a change."""
    review = stored.form.living.review if stored.form.living else None
    if review is None or not stored.content:
        return False
    own = stored.content.of(f"{stored.form.id}-{review.item}") if review.item else ""
    if own:
        return own <= today.isoformat()[: len(own)]
    changed = stored.changed[: len("2026-05-31")]
    return bool(changed) and changed <= _months_before(today, review.months).isoformat()


def _months_before(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, 28))


def forms_in(forms: Mapping[str, StoredForm], place: Place, today: dt.date) -> tuple[FormView, ...]:
    """Return the living forms that are shown at a place, written or not, in their order."""
    there = (one for one in forms.values() if one.form.living and place in one.form.living.shown_in)
    return tuple(form_view(one, today) for one in there)
