"""How a living form is named, wherever it is: its title, whether something is written, whether it asks for a look.

The client's pages, the overview and a conversation name the same forms, and must not describe them differently.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from flask import url_for

from mappers.living import Content
from mappers.living.linking import goal_names
from mappers.said_in import SaidIn
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument, Place
from smartapp.storage.not_now import was_still_so
from smartapp.web import forms
from smartapp.web.language import text_of
from smartapp.web.living import StoredForm
from smartapp.web.written import FirstWords, WrittenGroup, first_words, is_dated, short, written_groups

MOST_ANSWERS: Final = 24
"""Of one form that stand open on a page of something else."""
MOST_MISTAKES: Final = 9
"""How many goals that began with the same words, and were taken out as a mistake, are looked past."""


@dataclass(frozen=True, slots=True)
class FormView:
    """A living form as it is named anywhere: its title, whether something is written, and since when."""

    form: Instrument
    href: str
    written: bool
    changed: str
    asks: bool  # it asks to be looked at again

    @property
    def looks_back(self) -> bool:
        """Tell whether it looks back on goals: what is said of each has its day, and is said again."""
        return any(group.per == "goal" and is_dated(group) for group in self.form.groups)


@dataclass(frozen=True, slots=True)
class WrittenForm:
    """A form to read, under the heading that others than its owner see: in short (`first`), and whole (`groups`)."""

    view: FormView
    title: str
    empty: str
    """What is said while nothing is written, "" for nothing."""
    first: FirstWords | None
    groups: tuple[WrittenGroup, ...]

    @property
    def story(self) -> str:
        """Return the words that the form begins with, where it asks for a text first, such as a story; else ""."""
        first = self.groups[0].answers[:1] if self.groups else ()
        return next((one.texts[0] for one in first if not (one.plain or one.many or one.whose)), "")

    @property
    def is_long(self) -> bool:
        """Tell whether more is written than a page of something else has room for: there it stands folded."""
        rows = [row for group in self.groups for row in group.rows]
        answers = sum(len(group.answers) for group in self.groups) + sum(1 + len(row.answers) for row in rows)
        return answers > MOST_ANSWERS

    @property
    def listed(self) -> tuple[str, ...]:
        """Return what its rows are called, where it begins with those."""
        return tuple(row.title for row in self.groups[0].rows) if self.groups else ()


def written_form(stored: StoredForm, content: Content, known: Catalogue, today: dt.date) -> WrittenForm:
    """Return a form to read; `content` is what is written in it, with the words that goals have now."""
    shown = stored.form.living.overview if stored.form.living else None
    return WrittenForm(
        view=form_view(stored, today),
        title=text_of(shown.title if shown else stored.form.title),
        empty=text_of(shown.empty) if shown else "",
        first=first_words(content, known),
        groups=written_groups(content, known),
    )


def began_at(said: SaidIn | None, name: str, forms: Mapping[str, StoredForm]) -> str:
    """Return the address of the words of a living form that a goal began with; "" where it began elsewhere.

    `said` is the way back that the goal keeps, `name` its own identifier, which tells in which row they are.
    """
    records = ((one, one.record.resource) for one in forms.values() if one.record)
    stored = next((one for one, resource in records if said and said.is_of(resource)), None)
    if stored is None or said is None:
        return ""
    form, key = stored.form, _row_of(name, said.link_id, stored)
    return url_for("living.form", form_id=form.id, _anchor=f"row-{key}" if key else short(form, said.link_id))


def _row_of(name: str, link_id: str, stored: StoredForm) -> str:
    items = [item for item in stored.form.items if item.link_id == link_id]
    for row in stored.content.all_rows:
        for item in items:
            for text in row.answers.get(item.link_id, ()):
                if name in islice(goal_names(stored.identifier, item, row.key, text), MOST_MISTAKES):
                    return row.key
    return ""


def form_view(stored: StoredForm, today: dt.date) -> FormView:
    """Return a form as other pages name it."""
    form = stored.form
    return FormView(
        form=form,
        href=url_for("living.form", form_id=form.id),
        written=bool(stored.content),
        changed=stored.changed,
        asks=asks_to_be_looked_at(stored, today)
        and asks_to_be_looked_at(stored, today, looked=was_still_so(forms.sketches(), about_asking(form.id))),
    )


def about_asking(form_id: str) -> str:
    """Return the digest under which is kept what the reader said when a form asked to be looked at."""
    return forms.sketch_name(f"not now/{form_id}")


def asks_to_be_looked_at(stored: StoredForm, today: dt.date, *, looked: str = "") -> bool:
    """Tell whether a form asks to be looked at again: on the day that its owner wrote, else so long after a change.

    Who changed it on that day or later did look at it: then that day is over. So did who found it still so on the day
    `looked` (a FHIR date, "" for never).
    """
    review = stored.form.living.review if stored.form.living else None
    if review is None or not stored.content:
        return False
    own = stored.content.of(f"{stored.form.id}-{review.item}") if review.item else ""
    changed = max(stored.changed[: len("2026-05-31")], looked)
    if own and changed[: len(own)] < own:
        return own <= today.isoformat()[: len(own)]
    return bool(changed) and changed <= _months_before(today, review.months).isoformat()


def _months_before(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, 28))


def forms_in(forms: Mapping[str, StoredForm], place: Place, today: dt.date) -> tuple[FormView, ...]:
    """Return the living forms that are shown at a place, written or not, in their order."""
    return tuple(form_view(one, today) for one in shown_in(forms, place))


def shown_in(forms: Mapping[str, StoredForm], place: Place) -> tuple[StoredForm, ...]:
    """Return the living forms that belong at a place, written or not, in their order."""
    return tuple(one for one in forms.values() if one.form.living and place in one.form.living.shown_in)
