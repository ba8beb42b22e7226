"""A QuestionnaireResponse, or a CarePlan of before there were living forms → what is written in a form.

Read from anyone: a portal that fills in our published form, a server that drops ids, flattens groups or forgets code
systems. What can't be read as an answer counts as not given here, and is kept when the form is written again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.fhir_text import typed
from mappers.living.content import Answer, Content, Row, field_name
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, Item

GOAL_URL: Final = structure_url("about-goal")
"""The extension of an answer that says which goal its words are."""
AUTHOR_URL: Final = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-author"
"""HL7's extension of an item that says who gave its answer: of what is not the client's part."""
_KEY: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def content_of(response: Any, form: Instrument) -> Content:
    """Read what is written in a form; whatever is not an answer to it counts as absent."""
    goals: dict[str, str] = {}
    stored = stored_in(response, form)
    asked = {item.link_id: item for item in form.items}
    singles = {link_id: answer_in(items, asked[link_id], goals) for link_id, items in stored.singles.items()}
    rows = {
        group: tuple(
            Row(row.key, {name: answer_in(items, asked[name], goals) for name, items in row.items.items()})
            for row in there
        )
        for group, there in stored.rows.items()
    }
    return Content(form, singles, rows, goals, dict(_authors(stored, asked)))


def _authors(stored: StoredItems, asked: Mapping[str, Item]) -> Iterator[tuple[str, str]]:
    """Yield each field that is not the client's part, with what its writer is called where the response says so."""
    found = [(field_name(name), name, items) for name, items in stored.singles.items()]
    for rows in stored.rows.values():
        found += [(field_name(name, row.key), name, items) for row in rows for name, items in row.items.items()]
    for name, link_id, items in found:
        links = (one for item in items for one in objects_in(item, "extension") if one.get("url") == AUTHOR_URL)
        written_by = (typed(text_in(object_in(one, "valueReference"), "display")).strip() for one in links)
        if asked[link_id].who != "client" and (author := next(filter(None, written_by), "")):
            yield name, author


def from_plan(care_plan: Any, form: Instrument) -> Content:
    """Read what a CarePlan has of this form in its extensions, where it was kept before there were living forms."""
    answers: dict[str, Answer] = {}
    rows: dict[str, tuple[Row, ...]] = {}
    for group in form.groups:
        for item in group.items:
            if not item.was:
                continue
            url = structure_url(item.was)
            found = objects_in(care_plan, "extension")
            texts = tuple(text for one in found if one.get("url") == url and (text := text_in(one, "valueString")))
            if group.many:
                named = enumerate(texts, start=1)
                rows[group.link_id] = tuple(Row(f"{item.was}-{at}", {item.link_id: (text,)}) for at, text in named)
            else:
                answers[item.link_id] = texts if item.many else texts[:1]
    return Content(form, answers, rows)


def answer_in(items: Iterable[Resource], asked: Item, goals: dict[str, str]) -> Answer:
    """Return the answer that a response's items give, of which a server may have made one for each text.

    The words of goals that it names are put into `goals`.
    """
    answers = (answer for item in items for answer in objects_in(item, "answer"))
    given = tuple(text for answer in answers if (text := value_of(answer, asked, goals)))
    return given if asked.many else given[:1]


# ---- where the answers are -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it is stored: its own item ({} where a server put its answers loose), and its items by linkId."""

    key: str
    item: Resource
    items: Mapping[str, list[Resource]]


@dataclass(frozen=True, slots=True)
class StoredItems:
    """The items of a form in a response, however deep they are: by linkId, and the rows by their group."""

    groups: Mapping[str, list[Resource]]
    singles: Mapping[str, list[Resource]]
    rows: Mapping[str, list[StoredRow]]


def stored_in(response: Any, form: Instrument) -> StoredItems:
    """Return where a response has what the form asks."""
    walk = _Walk(form)
    walk.visit(response)
    return StoredItems(walk.groups, walk.singles, walk.rows)


class _Walk:
    """Goes through the items of a response, and sorts those that the form knows."""

    def __init__(self, form: Instrument) -> None:
        self.groups: dict[str, list[Resource]] = {group.link_id: [] for group in form.groups if not group.many}
        self.rows: dict[str, list[StoredRow]] = {group.link_id: [] for group in form.groups if group.many}
        self.singles: dict[str, list[Resource]] = {}
        self._home = {item.link_id: group for group in form.groups for item in group.items}

    def visit(self, parent: Any) -> None:
        for item in objects_in(parent, "item"):
            link_id = text_in(item, "linkId")
            if link_id in self.rows:
                self._add_row(link_id, item, self._inside(item, link_id))
                continue
            if link_id in self.groups:
                self.groups[link_id].append(item)
            elif link_id in self._home:
                self._add_answer(link_id, item)
            self.visit(item)

    def _add_answer(self, link_id: str, item: Resource) -> None:
        group = self._home[link_id]
        if not group.many:
            self.singles.setdefault(link_id, []).append(item)
            return
        # Loose, as a server leaves it that forgets groups: a row begins with its name, or with what the last one has.
        there = self.rows[group.link_id]
        if not there or there[-1].item or link_id == group.items[0].link_id or link_id in there[-1].items:
            self._add_row(group.link_id, {}, {})
        self.rows[group.link_id][-1] = replace(there[-1], items={**there[-1].items, link_id: [item]})

    def _add_row(self, group: str, item: Resource, items: Mapping[str, list[Resource]]) -> None:
        there = self.rows[group]
        there.append(StoredRow(_key_of(item, len(there), {row.key for row in there}), item, items))

    def _inside(self, parent: Resource, group: str) -> dict[str, list[Resource]]:
        """Return the items of a row, however deep, by linkId."""
        found: dict[str, list[Resource]] = {}
        for item in objects_in(parent, "item"):
            link_id = text_in(item, "linkId")
            if link_id in self._home and self._home[link_id].link_id == group:
                found.setdefault(link_id, []).append(item)
            for name, items in self._inside(item, group).items():
                found.setdefault(name, []).extend(items)
        return found


def _key_of(item: Resource, at: int, taken: set[str]) -> str:
    """Return the key of the row that an item is: its id; where it has none, its place, or the next that is free."""
    own = text_in(item, "id")
    if _KEY.fullmatch(own) and own not in taken:
        return own
    number = at + 1
    while f"n{number}" in taken:
        number += 1
    return f"n{number}"


# ---- one answer ------------------------------------------------------------------------------------------------------


def value_of(answer: Resource, asked: Item, goals: dict[str, str]) -> str:
    """Return what one answer says, "" where it is none to this item."""
    if asked.kind == "choice":
        return _code(answer, asked)
    if asked.kind == "boolean":
        value = answer.get("valueBoolean")
        return ("true" if value else "false") if isinstance(value, bool) else ""
    if asked.kind == "date":
        # A server may have made a dateTime of it.
        day = text_in(answer, "valueDate") or text_in(answer, "valueDateTime")[: len("2026-05-31")]
        return day if _DATE.fullmatch(day) else ""
    words = typed(text_in(answer, "valueString"))
    if asked.kind == "goal" and words:
        links = (one for one in objects_in(answer, "extension") if one.get("url") == GOAL_URL)
        named = (text_in(object_in(object_in(one, "valueReference"), "identifier"), "value") for one in links)
        if goal := next((one for one in named if one), ""):
            goals[goal] = words
            return goal
    return words


def _code(answer: Resource, asked: Item) -> str:
    if asked.scale is None:
        return ""
    coding = object_in(answer, "valueCoding")
    code = text_in(coding, "code")
    # Another system's code means another thing, whatever it looks like; some servers drop ours.
    if coding.get("system") not in (None, asked.scale.system) or asked.scale.option(code) is None:
        return ""
    return code
