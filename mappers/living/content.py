"""What is written in a living form: answers, and rows of answers where a group is there more than once.

Every answer is a tuple of texts, as many as were given: words as typed; the code of an option; "true" or "false"; a
FHIR date; for a goal, the identifier that it keeps, or its words where no goal is known. What is not answered is not in
it.

A *field* is one answer as a form on a page has it: one text, under a name that says which item it is of, and in which
row (`staying-well-sign`, `staying-well-sign.4b1c`). Several texts are lines, several codes stand between commas; names
of what a place has to offer too, each as a `tick`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mappers.fhir_text import typed
from questionnaires.model import Group, Instrument, Item

Answer = tuple[str, ...]
_PLACE: Final = re.compile(r"n\d+")
# What would part a name, or be changed by a browser. The first is what the others are written with.
_IN_TICK: Final = {"%": "%25", ",": "%2C", "\r": "%0D", "\n": "%0A"}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in a group that is there more than once, such as a sign with what to do then.

    `key` tells it from the others, also when it changes its place: ours are UUIDs, and what another program made is
    called by its place.
    """

    key: str
    answers: Mapping[str, Answer]

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", _tidied(self.answers))

    @property
    def is_called_by_place(self) -> bool:
        """Tell whether the record does not say which row it is: another program made it, or a server dropped its id."""
        return _PLACE.fullmatch(self.key) is not None

    def of(self, link_id: str) -> str:
        """Return the first answer to an item, "" where there is none."""
        return next(iter(self.answers.get(link_id, ())), "")


@dataclass(frozen=True, slots=True)
class Content:
    """All that is written in one form. `rows` are by the linkId of their group.

    `goals` has the words of the goals that answers name, by their identifier: as they were when that was written.
    `authors` says of what is not the client's part what its writer is called, by the field; nothing where nobody says.
    """

    form: Instrument
    answers: Mapping[str, Answer] = field(default_factory=dict)
    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    goals: Mapping[str, str] = field(default_factory=dict, compare=False)
    authors: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", _tidied(self.answers))
        kept = {group: tuple(row for row in rows if row.answers) for group, rows in self.rows.items()}
        object.__setattr__(self, "rows", {group: rows for group, rows in kept.items() if rows})

    def __bool__(self) -> bool:
        return bool(self.answers or self.rows)

    # --- reading

    def of(self, link_id: str) -> str:
        """Return the first answer to an item that stands in no row, "" where there is none."""
        return next(iter(self.answers.get(link_id, ())), "")

    def rows_of(self, group: str) -> tuple[Row, ...]:
        """Return the rows of a group, in their order."""
        return self.rows.get(group, ())

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """Return the rows of all groups."""
        return tuple(row for rows in self.rows.values() for row in rows)

    def row(self, group: str, key: str) -> Row | None:
        """Return one row of a group, None where there is no such row (any more)."""
        return next((row for row in self.rows_of(group) if row.key == key), None)

    def field(self, name: str) -> str:
        """Return what a field holds; KeyError for a field that this form can't have."""
        item, key = self._named(name)
        if not key:
            return as_field(item, self.answers.get(item.link_id, ()))
        row = self.row(group_of(self.form, item).link_id, key)
        return as_field(item, row.answers.get(item.link_id, ())) if row else ""

    # --- changing

    def with_fields(self, fields: Mapping[str, str]) -> Content:
        """Return the content with some fields replaced; a row that is not there yet is added after the others."""
        answers, rows = dict(self.answers), {group: list(rows) for group, rows in self.rows.items()}
        for name, text in fields.items():
            item, key = self._named(name)
            if not key:
                answers[item.link_id] = from_field(item, text, self.answers.get(item.link_id, ()))
                continue
            there = rows.setdefault(group_of(self.form, item).link_id, [])
            at = next((at for at, row in enumerate(there) if row.key == key), len(there))
            before = there[at] if at < len(there) else Row(key, {})
            answer = from_field(item, text, before.answers.get(item.link_id, ()))
            there[at : at + 1] = [replace(before, answers={**before.answers, item.link_id: answer})]
        return replace(self, answers=answers, rows={group: tuple(rows) for group, rows in rows.items()})

    def with_row(self, group: str, row: Row) -> Content:
        """Return the content with one more row, after the others; with its answers, where the row is there already."""
        there = self.rows_of(group)
        if any(one.key == row.key for one in there):
            changed = tuple(row if one.key == row.key else one for one in there)
        else:
            changed = (*there, row)
        return replace(self, rows={**self.rows, group: changed})

    def without_row(self, group: str, key: str) -> Content:
        """Return the content without a row; the same content where it is not there."""
        return replace(self, rows={**self.rows, group: tuple(row for row in self.rows_of(group) if row.key != key)})

    def moved(self, group: str, key: str, by: int) -> Content:
        """Return the content with a row so many places down (`by` > 0) or up; at most to the end of its group."""
        there = list(self.rows_of(group))
        at = next((at for at, row in enumerate(there) if row.key == key), None)
        if at is None:
            return self
        row = there.pop(at)
        there.insert(min(max(0, at + by), len(there)), row)
        return replace(self, rows={**self.rows, group: tuple(there)})

    def _named(self, name: str) -> tuple[Item, str]:
        link_id, _, key = name.partition(".")
        item = self.form.item(link_id)
        if group_of(self.form, item).many != bool(key):
            raise KeyError(f"{name!r}: an item of a group that repeats is named with its row, and no other is")
        return item, key


def group_of(form: Instrument, item: Item) -> Group:
    """Return the group that an item stands in."""
    return next(group for group in form.groups if item in group.items)


def field_name(link_id: str, key: str = "") -> str:
    """Return the name of the field of an item, in one row where there are rows."""
    return f"{link_id}.{key}" if key else link_id


def field_names(items: Iterable[Item], key: str = "") -> tuple[str, ...]:
    """Return the names of the fields of some items."""
    return tuple(field_name(item.link_id, key) for item in items)


def as_field(item: Item, answer: Answer) -> str:
    """Return an answer as one text, as a form has it."""
    if item.from_offer:
        return ",".join(map(tick, answer))
    return ("," if item.kind == "choice" else "\n").join(answer)


def tick(name: str) -> str:
    """Return a name as a box to tick has it: it may have commas of its own."""
    for sign, code in _IN_TICK.items():
        name = name.replace(sign, code)
    return name


def _ticked(value: str) -> str:
    for sign, code in reversed(_IN_TICK.items()):
        value = value.replace(code, sign)
    return value.strip()


def from_field(item: Item, text: str, before: Answer = ()) -> Answer:
    """Return the answer that a form's text is; `before`, what the form showed, comes back as it was where it is equal.

    So a text with a line end in it, as another program may have written, does not become two when it is sent back.
    """
    if text == as_field(item, before):
        return before
    if not item.many:
        return (text,)
    if item.from_offer:
        return tuple(_ticked(part) for part in text.split(","))
    return tuple(part.strip() for part in (text.split(",") if item.kind == "choice" else text.splitlines()))


def _tidied(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return the answers fit for FHIR, without those that say nothing."""
    tidied = {link_id: tuple(filter(None, map(typed, answer))) for link_id, answer in answers.items()}
    return {link_id: answer for link_id, answer in tidied.items() if answer}
