"""A QuestionnaireResponse, or a CarePlan of before there were living forms → what is written in a form.

Read from anyone: a portal that fills in our published form, a server that drops ids, flattens groups or forgets code
systems. What can't be read as an answer counts as not given here, and is kept when the form is written again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from mappers.living.content import Answer, Content, Row
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Group, Instrument, Item

GOAL_URL: Final = structure_url("about-goal")
"""The extension of an answer that says which goal its words are."""
_KEY: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def content_of(response: Any, form: Instrument) -> Content:
    """Read what is written in a form; whatever is not an answer to it counts as absent."""
    goals: dict[str, str] = {}
    singles: dict[str, Answer] = {}
    rows: dict[str, list[Row]] = {group.link_id: [] for group in form.groups if group.many}
    groups = {group.link_id: group for group in form.groups if group.many}
    for item in _flat(response, frozenset(groups)):
        link_id = text_in(item, "linkId")
        if link_id in groups:
            rows[link_id].append(_row(item, groups[link_id], rows[link_id], goals))
        elif (asked := _item(form, link_id)) is not None:
            singles.setdefault(link_id, answer_in(item, asked, goals))
    return Content(form, singles, {group: tuple(there) for group, there in rows.items()}, goals)


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


def was_in_plan(form: Instrument) -> frozenset[str]:
    """Return the addresses of the CarePlan's extensions that had the words of this form before."""
    return frozenset(structure_url(item.was) for item in form.items if item.was)


def answer_in(item: Resource, asked: Item, goals: dict[str, str]) -> Answer:
    """Return the answer that a response's item gives; the words of goals that it names are put into `goals`."""
    given = tuple(text for answer in objects_in(item, "answer") if (text := _value(answer, asked, goals)))
    return given if asked.many else given[:1]


def key_of(item: Resource, at: int, taken: set[str]) -> str:
    """Return the key of the row that an item is: its id; where it has none, its place, or the next that is free."""
    own = text_in(item, "id")
    if _KEY.fullmatch(own) and own not in taken:
        return own
    number = at + 1
    while f"n{number}" in taken:
        number += 1
    return f"n{number}"


def _flat(response: Any, groups: frozenset[str]) -> Iterator[Resource]:
    """Yield rows whole and all other items one by one, however deep a server has put them."""
    for item in objects_in(response, "item"):
        yield item
        if text_in(item, "linkId") not in groups:
            yield from _flat(item, groups)


def _row(item: Resource, group: Group, before: list[Row], goals: dict[str, str]) -> Row:
    answers: dict[str, Answer] = {}
    asked = {one.link_id: one for one in group.items}
    for inner in _flat(item, frozenset()):
        link_id = text_in(inner, "linkId")
        if link_id in asked:
            answers.setdefault(link_id, answer_in(inner, asked[link_id], goals))
    return Row(key_of(item, len(before), {row.key for row in before}), answers)


def _item(form: Instrument, link_id: str) -> Item | None:
    try:
        return form.item(link_id)
    except KeyError:
        return None


def _value(answer: Resource, asked: Item, goals: dict[str, str]) -> str:
    if asked.kind == "choice":
        return _code(answer, asked)
    if asked.kind == "boolean":
        value = answer.get("valueBoolean")
        return ("true" if value else "false") if isinstance(value, bool) else ""
    if asked.kind == "date":
        # A server may have made a dateTime of it.
        day = text_in(answer, "valueDate") or text_in(answer, "valueDateTime")[: len("2026-05-31")]
        return day if _DATE.fullmatch(day) else ""
    words = text_in(answer, "valueString")
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
