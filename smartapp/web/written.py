"""What is written in a living form, as a person reads it: on its own pages, in the plan, the overview, a conversation.

No form is known by its name here: what a page says follows from the definition and from what is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mappers.living import Content, Row, field_name
from questionnaires.catalogue import Catalogue
from questionnaires.living import LIFE_DOMAIN
from questionnaires.model import Group, Instrument, Item
from smartapp.i18n import message
from smartapp.offer import Offered, offered_as
from smartapp.web import current
from smartapp.web.fields import Link, OfferView
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _

TYPED: Final = ("text", "line")
"""The kinds of items whose answers are somebody's own words."""
WHOSE_PART: Final = {
    "peer-worker": message("The peer worker's part"),
    "professional": message("The professional's part"),
}


def short(form: Instrument, link_id: str) -> str:
    """Return a linkId as addresses have it: without the form."""
    return link_id.removeprefix(f"{form.id}-")


# --- answers ----------------------------------------------------------------------------------------------------


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
    whose: str  # whose part it is and in whose words, "" for the client's
    change: str = ""
    takes: tuple[Link, ...] = ()
    offered: tuple[tuple[OfferView, ...], ...] = ()  # of each text, what the place has of that
    pages: tuple[str, ...] = ()  # of each text, the page of what the place has under that name, "" without one
    own_part: bool = False  # it is the reader's own to write, who is not the client
    column: int = 0  # its place among the columns of its row, from 1; 0 where those stand below each other


@dataclass(frozen=True, slots=True)
class RowView:
    """One row: what it is called, its answers, and where it is changed, moved and removed.

    `day` is when it was written, where it has its day; `about` leads to the goal that it is about. `changes_goal` leads
    to where the words of that goal are changed, and a press on `ends_goal` ends it, where the row says so.
    """

    key: str
    title: str
    answers: tuple[AnswerView, ...]
    day: str = ""
    about: Link | None = None
    parts: tuple[Link, ...] = ()  # where the reader, a professional, writes a part of their own in it
    changes_goal: Link | None = None
    ends_goal: Link | None = None
    change: str = ""
    up: str = ""
    down: str = ""
    top: str = ""
    takes: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """What was written about one subject over time: its rows, the newest first. `about` leads to that goal."""

    title: str
    rows: tuple[RowView, ...]
    about: Link | None = None


def answer_view(item: Item, given: Sequence[str], content: Content, known: Catalogue, key: str = "") -> AnswerView:
    """Return one answer, to read; `key` is that of its row, "" for none."""
    return AnswerView(
        id=short(content.form, item.link_id),
        question=text_of(item.text),
        texts=shown(item, given, content, known),
        many=item.many,
        plain=item.kind not in TYPED,
        whose=whose_part(item, content.authors.get(field_name(item.link_id, key), "")),
        pages=tuple(_page_of(name) for name in given) if item.from_offer else (),
    )


def whose_part(item: Item, author: str = "") -> str:
    """Return whose part of a form an item is, and in whose words where that is known; "" for the client's."""
    if item.who not in WHOSE_PART:
        return ""
    part = _(WHOSE_PART[item.who])
    return _("%(part)s, in the words of %(name)s", part=part, name=author) if author else part


def _page_of(name: str) -> str:
    entry = offered_as(name, current.services().settings.offer)
    return entry.url if entry else ""


def chosen_name(name: str, offer: Sequence[Offered]) -> str:
    """Return what was chosen from the place's offer, as a person reads it: by its name, also when it is there no more.

    Nothing is said of a place that tells no offer at all: it may well have it.
    """
    entry = offered_as(name, offer)
    if entry is not None:
        return text_of(entry.name)
    return _("%(name)s (no longer offered)", name=name) if offer else name


def row_view(group: Group, row: Row, content: Content, known: Catalogue, *, named: bool = True) -> RowView:
    """Return one row, to read: its first answer is what it is called, and its day stands apart.

    `named` False: the first answer is one like the others.
    """
    first, *others = group.items
    others = others if named else [first, *others]
    columns = [item for item in others if not item.today] if group.columns and named else []
    title = shown(first, row.answers.get(first.link_id, ()), content, known)
    return RowView(
        key=row.key,
        title=", ".join(title) or text_of(group.title),
        answers=tuple(
            replace(
                answer_view(item, row.answers[item.link_id], content, known, row.key),
                column=columns.index(item) + 1 if item in columns else 0,
            )
            for item in others
            if item.link_id in row.answers and not item.today
        ),
        day=day_of(group, row),
    )


def shown(item: Item, answer: Iterable[str], content: Content, known: Catalogue) -> tuple[str, ...]:
    """Return an answer as a person reads it, one text for each that was given."""
    return tuple(_shown(item, text, content, known) for text in answer)


def _shown(item: Item, text: str, content: Content, known: Catalogue) -> str:
    if item.from_offer:
        return chosen_name(text, current.services().settings.offer)
    if item.kind == "goal":
        return content.goals.get(text, text)
    if item.kind == "boolean":
        return _("Yes") if text == "true" else _("No")
    if item.kind == "date":
        return _date(text)
    if item.scale is not None and item.scale.id == LIFE_DOMAIN:
        return next((text_of(domain.name) for domain in known.life_domains if domain.code == text), text)
    option = item.scale.option(text) if item.scale is not None else None
    return text_of(option.text) if option else text


def _date(text: str) -> str:
    try:
        return format_date(text)
    except ValueError:  # a year or a month, as another program may write it
        return text


# --- rows -------------------------------------------------------------------------------------------------------


def is_dated(group: Group) -> bool:
    """Tell whether each row has the day on which it was written: then it says how it was then, and more may follow."""
    return any(item.today for item in group.items)


def day_of(group: Group, row: Row) -> str:
    """Return the day on which a row was written, a FHIR date; "" where it has none."""
    return next((row.of(item.link_id) for item in group.items if item.today and row.of(item.link_id)), "")


def is_list(group: Group) -> bool:
    """Tell whether each row is a name with what that is: such as who was there, and as what. It reads as one line."""
    kinds = [(item.kind, item.many) for item in group.items]
    plain = not (group.per or group.ordered or any(item.becomes or item.who != "client" for item in group.items))
    return group.many and plain and kinds == [("line", False), ("choice", False)]


def newest_first(group: Group, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return rows that have their day, the newest first; of one day, what was written last comes first."""
    dated = sorted(rows, key=lambda row: day_of(group, row))
    return tuple(dated[::-1])


# --- whole ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WrittenGroup:
    """What is written in one group, to read: its answers, or its rows."""

    title: str
    answers: tuple[AnswerView, ...]
    rows: tuple[RowView, ...]
    is_list: bool = False  # each of its rows is a name, with what that is

    @property
    def whose(self) -> str:
        """Return whose part all of it is, "" for the client's, and where not all is of one person."""
        return common_whose(self.answers)

    @property
    def has_other_words(self) -> bool:
        """Tell whether something in it is the part of somebody else than the client."""
        return any(answer.whose for answer in _all_answers(self.answers, self.rows))


def common_whose(answers: Iterable[AnswerView]) -> str:
    """Return whose part all these answers are, in whose words; "" for the client's, and where they are of several.

    A question of the client without an answer is the client's too, where it is shown.
    """
    found = {answer.whose for answer in answers if answer.texts or not answer.whose}
    return next(iter(found)) if len(found) == 1 else ""


def _all_answers(answers: Iterable[AnswerView], rows: Iterable[RowView]) -> Iterator[AnswerView]:
    yield from answers
    for row in rows:
        yield from row.answers


def whose_words(groups: Iterable[WrittenGroup], client: str) -> str:
    """Return whose words a form has: the client's, but for what is said to be of somebody else."""
    if any(group.has_other_words for group in groups):
        return _("These are the words of %(name)s, except where it says whose they are.", name=client)
    return _("These are the words of %(name)s.", name=client)


def written_groups(content: Content, known: Catalogue) -> tuple[WrittenGroup, ...]:
    """Return all that is written in a form, to read, in its order."""
    found = (_written_group(group, content, known) for group in content.form.groups)
    return tuple(group for group in found if group.answers or group.rows)


def _written_group(group: Group, content: Content, known: Catalogue) -> WrittenGroup:
    rows = content.rows_of(group.link_id)
    answers = content.answers if not group.many else {}
    return WrittenGroup(
        title=text_of(group.title),
        answers=tuple(
            answer_view(item, answers[item.link_id], content, known) for item in group.items if item.link_id in answers
        ),
        rows=tuple(
            row_view(group, row, content, known) for row in (newest_first(group, rows) if is_dated(group) else rows)
        ),
        is_list=is_list(group),
    )


# --- in short ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What a form begins with: the words, whether those are the client's own, and how many things stand beside it."""

    text: str
    own: bool
    more: int = 0


def first_words(content: Content, known: Catalogue) -> FirstWords | None:
    """Return what a form begins with of what the client wrote, in the order of the form; None where nothing is."""
    for group in content.form.groups:
        rows = content.rows_of(group.link_id)
        if rows:
            [first, *_others] = group.items
            texts = shown(first, rows[0].answers.get(first.link_id, ()), content, known)
            if texts:
                return FirstWords(texts[0], first.kind in TYPED, len(rows) - 1)
        for item in group.items:
            given = content.answers.get(item.link_id, ())
            if given and item.who == "client":
                return FirstWords(shown(item, given, content, known)[0], item.kind in TYPED, len(given) - 1)
    return None
