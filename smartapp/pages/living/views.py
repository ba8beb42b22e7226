"""What the pages of living forms show: one dataclass per page, its fields in the order a person reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import url_for

from mappers.living import Content, Row, field_name
from questionnaires.catalogue import Catalogue
from questionnaires.model import Group, Instrument, Item
from smartapp.pages.living.fields import shown
from smartapp.pages.living.service import Opened
from smartapp.pages.living.steps import ALL, first_open, is_asked, short
from smartapp.records import Place
from smartapp.web.fields import Link
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.living_views import FormView, form_view


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A question with what is written: several texts where several were given, none where nothing is written yet.

    `change` is where it is changed, "" where the reader may not; `takes` are the places that its words can be taken to.
    """

    id: str
    question: str
    texts: tuple[str, ...]
    many: bool
    plain: bool  # a choice or a date: not words of their own
    whose: str  # whose part it is, "" for the client's
    change: str
    takes: tuple[Link, ...] = ()
    own_part: bool = False  # it is the reader's own to write, who is not the client


@dataclass(frozen=True, slots=True)
class RowView:
    """One row: what it is called, its answers, and where it is changed, moved and removed."""

    key: str
    title: str
    answers: tuple[AnswerView, ...]
    change: str
    up: str
    down: str
    takes: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group: its answers, or its rows. `add` makes a row, `offers` make one for each domain or goal without one."""

    id: str
    title: str
    help: str
    many: bool
    ordered: bool
    answers: tuple[AnswerView, ...]
    rows: tuple[RowView, ...]
    add: Link | None
    offers: tuple[Link, ...]
    open: str  # where the group is filled in as a whole

    @property
    def written(self) -> bool:
        """Tell whether something is written in it."""
        return bool(self.rows) or any(answer.texts for answer in self.answers)


@dataclass(frozen=True, slots=True)
class LivingPage:
    """One living form, to read."""

    view: FormView
    groups: tuple[GroupView, ...]
    own: bool  # the reader may write in it
    begin: str  # the first question without an answer, "" where there is none
    all: str  # all questions on one page
    place: Place
    on_its_way: bool
    saved: str
    typist: str = ""  # who typed it last, where that was not the client

    @property
    def form(self) -> Instrument:
        """Return the form."""
        return self.view.form


@dataclass(frozen=True, slots=True)
class RowsPage:
    """One group of rows, as a step of its form."""

    page: LivingPage
    group: GroupView
    after: Link


@dataclass(frozen=True, slots=True)
class _Page:
    """What the views of one form share."""

    opened: Opened
    known: Catalogue
    own: bool
    with_client: bool = False  # the reader is a professional, who types with the client

    @property
    def content(self) -> Content:
        return self.opened.content

    @property
    def form(self) -> Instrument:
        return self.opened.stored.form

    @property
    def domains(self) -> tuple[str, ...]:
        return domains_in(self.opened)

    def answer(self, item: Item, row: Row | None = None) -> AnswerView:
        given = (row.answers if row else self.content.answers).get(item.link_id, ())
        step = url_for("living.step", form_id=self.form.id, step=short(self.form, item.link_id))
        mine = self.own and (item.who == "client" or self.with_client)
        return AnswerView(
            id=short(self.form, item.link_id),
            question=text_of(item.text),
            texts=tuple(shown(item, given, self.content, self.known, self.domains)),
            many=item.many,
            plain=item.kind not in ("text", "line"),
            whose="" if item.who == "client" else _WHOSE_PART[item.who](),
            change=step if mine and row is None else "",
            own_part=self.with_client and item.who != "client",
            takes=self.takes(item, row) if given and self.own else (),
        )

    def takes(self, item: Item, row: Row | None) -> tuple[Link, ...]:
        """Return where the words of an answer can be taken, without typing them again."""
        if not item.becomes:
            return ()
        name = field_name(item.link_id, row.key if row else "")
        if item.becomes == "goal":
            address = url_for("living.goal_from_words", form_id=self.form.id, name=name)
            return (Link(_("Make a goal of this"), address),)
        target = form_with(self.known, item.becomes)
        if target is None:
            return ()
        address = url_for("living.take", form_id=target.id, link_id=item.becomes, source=f"{self.form.id}/{name}")
        return (Link(_("Put this under “%(form)s”", form=text_of(target.title)), address),)

    def group(self, group: Group) -> GroupView:
        name, rows = short(self.form, group.link_id), self.content.rows_of(group.link_id)
        items = [item for item in group.items if is_asked(item, self.content)]
        return GroupView(
            id=name,
            title=text_of(group.title),
            help=text_of(group.help) if group.help else "",
            many=group.many,
            ordered=group.ordered and len(rows) > 1 and self.own,
            answers=() if group.many else tuple(self.answer(item) for item in items),
            rows=tuple(self.row(group, row, at) for at, row in enumerate(rows)),
            add=self.add(group),
            offers=self.offers(group) if self.own else (),
            open=url_for("living.step", form_id=self.form.id, step=name) if self.own else "",
        )

    def add(self, group: Group) -> Link | None:
        if not self.own or not group.many or group.per:
            return None
        label = text_of(group.add) if group.add else _("Add one")
        address = url_for("living.new_row", form_id=self.form.id, group_id=short(self.form, group.link_id))
        return Link(label, address)

    def offers(self, group: Group) -> tuple[Link, ...]:
        """Return a link for each domain of the plan, or each goal that is worked on, that has no row of today yet."""
        if not group.per:
            return ()
        first = group.items[0].link_id
        dated = any(item.today for item in group.items)
        there = set() if dated else {row.of(first) for row in self.content.rows_of(group.link_id)}
        name = short(self.form, group.link_id)
        return tuple(
            Link(label, url_for("living.new_row", form_id=self.form.id, group_id=name, about=code))
            for code, label in self.choices(group)
            if code not in there
        )

    def choices(self, group: Group) -> list[tuple[str, str]]:
        plan = self.opened.plan
        if group.per == "goal":
            going_on = {goal.text for goal in plan.plan.goals if goal.active and not goal.later}
            return [(name, words) for name, words in plan.goal_names.items() if words in going_on]
        chosen = set(self.domains)
        every = [one for one in self.known.life_domains if not one.family or one.code in chosen]
        first = sorted(every, key=lambda one: one.code not in chosen)
        return [(one.code, text_of(one.name)) for one in first]

    def row(self, group: Group, row: Row, at: int) -> RowView:
        form, name, first = self.form.id, short(self.form, group.link_id), group.items[0]
        total = len(self.content.rows_of(group.link_id))
        where: dict[str, Any] = {"form_id": form, "group_id": name, "key": row.key}
        can_move = group.ordered and self.own
        return RowView(
            key=row.key,
            title=row_title(self.opened, self.known, group, row),
            answers=tuple(self.answer(item, row) for item in group.items[1:] if row.answers.get(item.link_id)),
            change=url_for("living.row", **where) if self.own else "",
            up=url_for("living.move", **where, way="up") if can_move and at else "",
            down=url_for("living.move", **where, way="down") if can_move and at + 1 < total else "",
            takes=self.takes(first, row) if self.own else (),
        )


_WHOSE_PART = {
    "peer-worker": lambda: _("The peer worker's part"),
    "professional": lambda: _("The professional's part"),
}


def form_with(known: Catalogue, link_id: str) -> Instrument | None:
    """Return the living form that has an item."""
    return next((one for one in known.living.values() if any(item.link_id == link_id for item in one.items)), None)


def domains_in(opened: Opened) -> tuple[str, ...]:
    """Return the codes of the life domains in the plan that a form belongs to."""
    return tuple(answers.domain for answers in opened.plan.plan.domains)


def row_title(opened: Opened, known: Catalogue, group: Group, row: Row) -> str:
    """Return what a row is called: its first answer, else its group."""
    first = group.items[0]
    title = shown(first, row.answers.get(first.link_id, ()), opened.content, known, domains_in(opened))
    return ", ".join(title) or text_of(group.title)


def living_page(
    opened: Opened,
    known: Catalogue,
    today: dt.date,
    *,
    own: bool,
    place: Place,
    saved: str,
    with_client: bool = False,
) -> LivingPage:
    """Return the page of one form; `with_client`: its reader is a professional, who types with the client."""
    page, form = _Page(opened, known, own, with_client), opened.stored.form
    begin = first_open(form, opened.content) if own else None
    singles = [group for group in form.groups if not group.many]
    return LivingPage(
        view=form_view(opened.stored, today),
        groups=tuple(page.group(group) for group in form.groups),
        own=own,
        begin=url_for("living.step", form_id=form.id, step=begin.name) if begin else "",
        all=url_for("living.step", form_id=form.id, step=ALL) if own and _is_worth_it(singles) else "",
        place=opened.stored.place or place,
        on_its_way=opened.stored.on_its_way,
        saved=saved,
        typist=opened.stored.typist,
    )


def _is_worth_it(groups: Iterable[Group]) -> bool:
    return sum(1 for group in groups for item in group.items if item.who == "client") > 1
