"""What the pages of living forms show: one dataclass per page, its fields in the order a person reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from flask import url_for

from mappers.living import Content, Row, field_name
from mappers.living.content import group_of
from mappers.plan import Goal
from questionnaires.catalogue import Catalogue
from questionnaires.living import GOAL
from questionnaires.model import Group, Instrument, Item, Who
from smartapp.offer import Offered, offered_at
from smartapp.pages.living.service import Opened
from smartapp.pages.living.steps import ALL, first_open, is_asked
from smartapp.pages.living.to_plan import going_on, is_worth_it
from smartapp.pages.living.words import Words, left_for, stands_in, target_of, words_in
from smartapp.records import Place
from smartapp.web.fields import Link, OfferView, offer_views
from smartapp.web.language import gettext as _
from smartapp.web.language import text_of
from smartapp.web.living_views import FormView, form_view
from smartapp.web.typed import digest
from smartapp.web.written import (
    WHOSE_PART,
    AnswerView,
    RowView,
    Thread,
    WrittenGroup,
    answer_view,
    common_whose,
    is_dated,
    is_list,
    newest_first,
    row_view,
    short,
    whose_words,
    written_groups,
)


@dataclass(frozen=True, slots=True)
class TakeAll:
    """Words of an item that can be put on a list of another form in one press, and are not there yet.

    `words` has a digest of each, so that a press is about what the page showed and nothing else.
    """

    label: str
    action: str
    source: str
    words: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group: its answers, or its rows. `add` makes a row, `offers` make one for each domain or goal without one.

    `threads` has rows that have their day, together by what they are about: then they say how that went over time.
    """

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
    theme: str  # where two people look at it as a card
    threads: tuple[Thread, ...] = ()
    take_all: tuple[TakeAll, ...] = ()
    needs: Link | None = None  # where a goal is made, without which there is nothing to write here
    is_list: bool = False  # each of its rows is a name, with what that is

    @property
    def whose(self) -> str:
        """Return whose part all that is written in it is, "" for the client's, and where not all is of one person."""
        return common_whose(self.answers)

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
    whose: str = ""  # whose words these are, "" while nothing is written, and where all are the reader's own
    to_plan: str = ""  # where words of several answers go on to other forms at once, "" where there are none

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
    own_parts: Collection[Who] = ()  # of a professional who types with the client
    offer: Sequence[Offered] = ()  # what the place has

    @property
    def content(self) -> Content:
        return self.opened.content

    @property
    def form(self) -> Instrument:
        return self.opened.stored.form

    @property
    def domains(self) -> tuple[str, ...]:
        return domains_in(self.opened)

    def answer(self, item: Item) -> AnswerView:
        given = self.content.answers.get(item.link_id, ())
        step = url_for("living.step", form_id=self.form.id, step=short(self.form, item.link_id))
        mine = self.own and (item.who == "client" or item.who in self.own_parts)
        return replace(
            answer_view(item, given, self.content, self.known),
            change=step if mine else "",
            own_part=bool(self.own_parts) and item.who != "client",
            takes=self.takes(item),
            offered=self.offered(item, given),
        )

    def offered(self, item: Item, given: Iterable[str]) -> tuple[tuple[OfferView, ...], ...]:
        """Return what the place has of each answer, () where it has nothing of any, or where some of it was chosen."""
        if any(self.content.answers.get(one.link_id) for one in self.form.items if one.from_offer):
            return ()
        found = tuple(offer_views(offered_at(item, code, self.offer)) for code in given)
        return found if any(found) else ()

    def takes(self, item: Item, key: str = "") -> tuple[Link, ...]:
        """Return for each text of an answer where it can be taken, or where it was, without typing it again."""
        if not item.becomes or not self.own:
            return ()
        return tuple(link for words in words_in(self.opened.stored, [item], key) if (link := self.take(words)))

    def take(self, words: Words) -> Link | None:
        if words.item.becomes == GOAL:
            return self.goal_of(words)
        target = target_of(words.item, self.known)
        if target is None:
            return None
        form, item = target
        title = text_of(form.title)
        if stands_in(words.text, item, self.opened.plan.content_of(form.id)):
            name = short(form, group_of(form, item).link_id)
            return Link(_("It is under “%(form)s”", form=title), url_for("living.form", form_id=form.id, _anchor=name))
        address = url_for("living.take", form_id=form.id, link_id=item.link_id, source=words.source)
        return Link(_("Put this under “%(form)s”", form=title), address)

    def goal_of(self, words: Words) -> Link:
        """Return the way to the goal that began with words, or to where one is made of them."""
        goal = words.goal(self.opened.plan)
        if goal is not None:
            return Link(_("It is a goal in your plan"), url_for("plan.goal", goal_id=goal.id))
        name = field_name(words.item.link_id, words.key)
        address = url_for("living.goal_from_words", form_id=self.form.id, name=name, at=words.at or None)
        return Link(_("Make a goal of this"), address)

    def group(self, group: Group) -> GroupView:
        name, rows = short(self.form, group.link_id), self.content.rows_of(group.link_id)
        items = [item for item in group.items if is_asked(item, self.content, offer=bool(self.offer))]
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
            theme=url_for("living.theme", form_id=self.form.id, group_id=name),
            threads=self.threads(group) if group.per and is_dated(group) else (),
            is_list=is_list(group),
            take_all=tuple(found for item in group.items if self.own and (found := self.take_all(item))),
            needs=self.needs(group) if self.own else None,
        )

    def take_all(self, item: Item) -> TakeAll | None:
        """Return how several words of an item go on a list of another form at once; None where that is no list."""
        target = target_of(item, self.known)
        left = left_for(self.opened, item, *target) if target else ()
        if target is None or len(left) < 2:
            return None
        form, to = target
        return TakeAll(
            _("Put all of these under “%(form)s”", form=text_of(form.title)),
            url_for("living.take_all", form_id=form.id, link_id=to.link_id),
            f"{self.form.id}/{item.link_id}",
            " ".join(digest(words.text) for words in left),
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

    def needs(self, group: Group) -> Link | None:
        """Return the way to the plan where a group is about its goals, and none is worked on."""
        if group.per != "goal" or self.choices(group):
            return None
        return Link(_("To my plan"), url_for("plan.start"))

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
        total = len(self.content.rows_of(group.link_id))
        where: dict[str, Any] = {
            "form_id": self.form.id,
            "group_id": short(self.form, group.link_id),
            "key": row.key,
        }
        can_move = group.ordered and self.own
        view = row_view(group, row, self.content, self.known)
        items = {short(self.form, item.link_id): item for item in group.items}
        return replace(
            view,
            answers=tuple(
                replace(
                    one,
                    takes=self.takes(items[one.id], row.key),
                    offered=self.offered(items[one.id], row.answers.get(items[one.id].link_id, ())),
                )
                for one in view.answers
            ),
            about=self.goal_in(group, row) if self.own else None,
            changes_goal=self.after_looking_back(group, row, "changes_goal"),
            ends_goal=self.after_looking_back(group, row, "ends_goal"),
            change=url_for("living.row", **where) if self.own else "",
            up=url_for("living.move", **where, way="up") if can_move and at else "",
            down=url_for("living.move", **where, way="down") if can_move and at + 1 < total else "",
            top=url_for("living.move", **where, way="top") if can_move and at > 1 else "",
            takes=self.takes(group.items[0], row.key),
            parts=self.parts(group, row),
        )

    def parts(self, group: Group, row: Row) -> tuple[Link, ...]:
        """Return where a professional writes what is theirs in a row: a part for each party that has one."""
        where: dict[str, Any] = {
            "form_id": self.form.id,
            "group_id": short(self.form, group.link_id),
            "key": row.key,
        }
        others = dict.fromkeys(item.who for item in group.items if item.who in self.own_parts)
        return tuple(Link(_(WHOSE_PART[who]), url_for("living.part_of_row", **where, part=who)) for who in others)

    def goal_in(self, group: Group, row: Row) -> Link | None:
        """Return the way to the goal that a row is about."""
        goal = self.goal_of_row(group, row)
        return Link(_("To this goal"), url_for("plan.goal", goal_id=goal.id)) if goal else None

    def goal_of_row(self, group: Group, row: Row) -> Goal | None:
        names = (row.of(item.link_id) for item in group.items if item.kind == "goal")
        goals = (goal for name in names if name and (goal := self.opened.plan.goal_named(name)))
        return next(goals, None)

    def after_looking_back(self, group: Group, row: Row, what: Literal["changes_goal", "ends_goal"]) -> Link | None:
        """Return where the goal of a row is changed or ended, where the client said last that they want that."""
        if not self.own or not any(_says(item, row, what) for item in group.items):
            return None
        goal, first = self.goal_of_row(group, row), group.items[0].link_id
        rows = newest_first(group, self.content.rows_of(group.link_id))
        last = next(one for one in rows if one.of(first) == row.of(first))
        if goal is None or not goal.active or last.key != row.key:
            return None
        where: dict[str, Any] = {"goal_id": goal.id, "form_id": self.form.id}
        if what == "ends_goal":
            return Link(_("Stop with this goal"), url_for("plan.let_go", **where))
        return Link(_("Change this goal"), url_for("plan.goal_words", **where, key=row.key))

    def threads(self, group: Group) -> tuple[Thread, ...]:
        rows = newest_first(group, self.content.rows_of(group.link_id))
        first = group.items[0].link_id
        by_subject: dict[str, list[RowView]] = {}
        for row in rows:
            by_subject.setdefault(row.of(first), []).append(self.row(group, row, 0))
        return tuple(Thread(views[0].title, tuple(views), views[0].about) for views in by_subject.values())


def _says(item: Item, row: Row, what: Literal["changes_goal", "ends_goal"]) -> bool:
    code = item.changes_goal if what == "changes_goal" else item.ends_goal
    return bool(code) and row.of(item.link_id) == code


def domains_in(opened: Opened) -> tuple[str, ...]:
    """Return the codes of the life domains in the plan that a form belongs to."""
    return tuple(answers.domain for answers in opened.plan.plan.domains)


def _whose(written: Sequence[WrittenGroup], client: str, own: bool) -> str:
    """Return whose words these are, where their reader needs to be told."""
    others = any(group.has_other_words for group in written)
    return whose_words(written, client) if others or (written and not own) else ""


def living_page(
    opened: Opened,
    known: Catalogue,
    today: dt.date,
    *,
    own: bool,
    place: Place,
    saved: str,
    own_parts: Collection[Who] = (),
    offer: Sequence[Offered] = (),
    client: str = "",
) -> LivingPage:
    """Return the page of one form; `own_parts` are those of a professional who types with the client.

    `offer` is what the place has, which stands below what was chosen of it. `client` is what the client is called.
    """
    page, form = _Page(opened, known, own, own_parts, offer), opened.stored.form
    written = written_groups(opened.content, known)
    begin = first_open(form, opened.content, offer=bool(offer)) if own else None
    if begin and page.needs(begin.group):
        begin = None
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
        whose=_whose(written, client, own),
        to_plan=url_for("living.take_along", form_id=form.id) if own and is_worth_it(going_on(opened, known)) else "",
    )


def _is_worth_it(groups: Iterable[Group]) -> bool:
    return sum(1 for group in groups for item in group.items if item.who == "client") > 1
