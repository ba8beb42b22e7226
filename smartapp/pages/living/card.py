"""The card of a living form, the size of a bank card: what its definition marks, large on a page and small on paper."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mappers.living import Content, Row
from mappers.living.content import Answer
from questionnaires.catalogue import Catalogue
from questionnaires.model import Group, Item
from smartapp.pages.living.service import Opened
from smartapp.pages.living.steps import is_asked
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.pdf import lines, pdf, told_by
from smartapp.web.written import shown, whose_part

TEMPLATE: Final = Path(__file__).with_name("templates") / "living" / "card.typ"
# Two sides of eighteen lines in the smallest type: what is more can't stand there, so nobody measures it.
_MOST_LINES: Final = 40
_MOST_CHARACTERS: Final = 6_000


@dataclass(frozen=True, slots=True)
class CardPart:
    """What stands together on the card: the answer to one question, or what is marked of one row.

    `name` is what it is called where it does not fit. `head` names the row, "" where there is none.
    """

    name: str
    group: str
    label: str
    head: str
    texts: tuple[str, ...]

    @property
    def may_fit(self) -> bool:
        """Tell whether it is worth the while to measure it."""
        return len(self.texts) <= _MOST_LINES and len(self.head) + sum(map(len, self.texts)) <= _MOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on the card of a form, in the order of the form, and when that was changed last.

    `off` has what its owner wrote down and an answer keeps off it, each with that answer.
    """

    title: str
    changed: str
    parts: tuple[CardPart, ...]
    off: tuple[tuple[str, str], ...] = ()


def card_of(opened: Opened, known: Catalogue) -> Card:
    """Return the card of a form."""
    form = opened.stored.form
    off = tuple(_kept_off(opened, known))
    return Card(text_of(form.title), opened.stored.changed, tuple(_parts(opened, known)), off)


def on_card(content: Content) -> Content:
    """Return of what is written in a form only what stands on its card; of a row also what names it."""
    answers: dict[str, Answer] = {}
    rows: dict[str, tuple[Row, ...]] = {}
    for group in content.form.groups:
        marked = {item.link_id for item in group.items if item.card}
        if group.many and marked:
            marked.add(group.items[0].link_id)
            there = [row for row in content.rows_of(group.link_id) if _off_card(group, row) is None]
            rows[group.link_id] = tuple(replace(row, answers=_only(row.answers, marked)) for row in there)
        else:
            asked = {item.link_id for item in group.items if item.link_id in marked and is_asked(item, content)}
            answers |= _only(content.answers, asked)
    return replace(content, answers=answers, rows=rows)


def _only(answers: Mapping[str, Answer], names: Collection[str]) -> dict[str, Answer]:
    return {name: answer for name, answer in answers.items() if name in names}


def card_pdf(card: Card, *, client: Person, made: dt.datetime) -> bytes:
    """Return the card on a sheet of A4, to be cut out and folded, in the language of the reader. Raises NotTypeset."""
    return pdf(_title(card), TEMPLATE, contents(card, client.display), person=client, made=made)


def left_out(card: Card, *, client: Person, made: dt.datetime) -> tuple[str, ...]:
    """Return the names of the parts for which there is no room on the card. Raises NotTypeset."""
    told = told_by(_title(card), TEMPLATE, contents(card, client.display), "<card>", person=client, made=made)
    return tuple(json.loads(told)["left-out"])


def contents(card: Card, client: str) -> dict[str, Any]:
    """Return what the template puts on the card, and says beside it."""
    short = [part for part in card.parts if part.may_fit][:_MOST_LINES]
    return {
        "how": [
            _("Print this at its real size (100%%)."),
            _("Cut along the dashes, and fold it in the middle with the words outside."),
        ],
        "front": _("Front of the card"),
        "back": _("Back of the card"),
        "does-not-fit": _("This does not fit on the card"),
        "name": client,
        "about": [card.title, *([format_date(card.changed)] if card.changed else [])],
        "parts": [_part(part) for part in short],
        "too-long": [part.name for part in card.parts if part not in short],
    }


def _title(card: Card) -> str:
    return _("Card: %(form)s", form=card.title)


def _part(part: CardPart) -> dict[str, Any]:
    return {
        "name": part.name,
        "group": part.group,
        "label": part.label,
        "head": lines(part.head) if part.head else None,
        "dot": not part.head and len(part.texts) > 1,
        "texts": [lines(text) for text in part.texts],
    }


def _parts(opened: Opened, known: Catalogue) -> Iterator[CardPart]:
    content = opened.content
    for group in content.form.groups:
        marked = [item for item in group.items if item.card]
        if group.many and marked:
            rows = (row for row in content.rows_of(group.link_id) if _off_card(group, row) is None)
            yield from (_row(opened, known, group, marked, row) for row in rows)
        elif not group.many:
            for item in marked:
                if is_asked(item, content) and (texts := _shown(opened, known, item)):
                    yield CardPart(text_of(item.text), text_of(group.title), _asked(opened, item), "", texts)


def _asked(opened: Opened, item: Item) -> str:
    """Return a question; of what is not the client's part, also whose that is."""
    whose = whose_part(item, opened.content.authors.get(item.link_id, ""))
    return f"{text_of(item.text)} ({whose})" if whose else text_of(item.text)


def _kept_off(opened: Opened, known: Catalogue) -> Iterator[tuple[str, str]]:
    for group in opened.content.form.groups:
        for row in opened.content.rows_of(group.link_id):
            if said := _off_card(group, row):
                name = ", ".join(_shown(opened, known, group.items[0], row))
                yield name or text_of(group.title), ", ".join(_shown(opened, known, said, row))


def _off_card(group: Group, row: Row) -> Item | None:
    """Return the item whose answer keeps a row off the card, None where it may stand on it."""
    return next((item for item in group.items if item.off_card and row.of(item.link_id) == item.off_card), None)


def _row(opened: Opened, known: Catalogue, group: Group, marked: list[Item], row: Row) -> CardPart:
    """Return a row as one line: what names it, then whatever else is marked."""
    title, first = text_of(group.title), group.items[0]
    name = ", ".join(_shown(opened, known, first, row))
    texts = tuple(text for item in marked if item != first for text in _shown(opened, known, item, row))
    return CardPart(f"{title}: {name}" if name else title, title, "", name, (" · ".join(texts),))


def _shown(opened: Opened, known: Catalogue, item: Item, row: Row | None = None) -> tuple[str, ...]:
    given = (row.answers if row else opened.content.answers).get(item.link_id, ())
    return shown(item, given, opened.content, known)
