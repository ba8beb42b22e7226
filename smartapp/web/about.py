"""What is written in living forms about one goal or one life domain, for the page of that goal or domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from flask import url_for

from mappers.living import Content, Row
from questionnaires.catalogue import Catalogue
from questionnaires.living import LIFE_DOMAIN
from questionnaires.model import Group, Instrument, Item
from smartapp.web.fields import Link
from smartapp.web.language import text_of
from smartapp.web.written import RowView, is_dated, newest_first, row_view, short


@dataclass(frozen=True, slots=True)
class Subject:
    """A goal or a life domain, and how answers name it: by its own name first, then in ways that others may use."""

    kind: Literal["goal", "domain"]
    names: tuple[str, ...]

    def is_named_by(self, item: Item) -> bool:
        """Tell whether an item asks for such a thing."""
        return item.kind == "goal" if self.kind == "goal" else item.scale is not None and item.scale.id == LIFE_DOMAIN

    def is_in(self, row: Row, items: Iterable[Item]) -> bool:
        """Tell whether a row names it."""
        return any(name in row.answers.get(item.link_id, ()) for item in items for name in self.names)


@dataclass(frozen=True, slots=True)
class AboutView:
    """What one group of a form says about a goal or a life domain: its rows, the newest first where they have a day.

    `per`: a row of it is about that alone. Else the rows are called by what they say. `write` is where one more is
    written, None where there is one already, or where nobody writes now. `add` is where a row is made that hangs on it,
    and that is there for more than that; None likewise.
    """

    form: Instrument
    title: str
    href: str
    per: bool
    dated: bool
    rows: tuple[RowView, ...]
    write: Link | None
    add: Link | None = None


def about(subject: Subject, contents: Iterable[Content], known: Catalogue, *, writes: bool) -> tuple[AboutView, ...]:
    """Return what forms say about a goal or a life domain; `writes`: also where something can be written about it."""
    groups = ((content, group) for content in contents for group in content.form.groups if group.many)
    found = (_about(subject, group, content, known, writes=writes) for content, group in groups)
    return tuple(one for one in found if one.rows or one.write or one.add)


def _about(subject: Subject, group: Group, content: Content, known: Catalogue, *, writes: bool) -> AboutView:
    form, living = content.form, content.form.living
    naming = [item for item in group.items if subject.is_named_by(item)]
    rows = [row for row in content.rows_of(group.link_id) if subject.is_in(row, naming)]
    per, dated = group.per == subject.kind, is_dated(group)
    where: dict[str, Any] = {"form_id": form.id, "group_id": short(form, group.link_id)}
    label = living.change if rows and living else living.write if living else form.title
    may_write = writes and per and (dated or not rows)
    may_add = writes and not group.per and any(_takes(subject, item, content) for item in naming)
    new = url_for("living.new_row", **where, about=subject.names[0]) if subject.names else ""
    title = text_of(form.title) if len(form.groups) == 1 else f"{text_of(form.title)}: {text_of(group.title)}"
    left = {short(form, item.link_id) for item in naming}
    return AboutView(
        form=form,
        title=title,
        href=url_for("living.form", form_id=form.id),
        per=per,
        dated=dated,
        rows=tuple(
            _row(row_view(group, row, content, known), left, url_for("living.row", **where, key=row.key))
            for row in (newest_first(group, rows) if dated else rows)
        ),
        write=Link(text_of(label), new) if may_write else None,
        add=Link(title, new) if may_add else None,
    )


def _takes(subject: Subject, item: Item, content: Content) -> bool:
    """Tell whether a client can choose it in an item; a goal of another program may have no name of ours."""
    return item.who == "client" and (subject.kind == "domain" or subject.names[0] in content.goals)


def _row(view: RowView, left: set[str], change: str) -> RowView:
    """Return a row without the answer that says what it is about: that is what the page is about."""
    return replace(view, answers=tuple(one for one in view.answers if one.id not in left), change=change)
