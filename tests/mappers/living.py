"""Living forms to test with: strategies that draw what is written in one, and servers that change what they keep."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from mappers.living import Content, Row, Written, response_of
from mappers.plan.model import PersonRef
from questionnaires.catalogue import catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Group, Instrument, Item
from tests.new_form import garden

FORMS = [garden(), *catalogue().living.values()]
ANNA = PersonRef("Patient/anna", "Anna de Vries")
ON_MONDAY = Written(ANNA, ANNA, "2026-05-04T10:00:00+02:00")
ON_FRIDAY = Written(ANNA, PersonRef("Practitioner/karim", "Karim Aziz"), "2026-05-08T10:00:00+02:00", "en")
GOALS = {"11111111-0000-4000-8000-000000000001": "Zwemmen", "11111111-0000-4000-8000-000000000002": "Een kat"}

# What people type: more than one line, signs of markup, and now and then nothing that can be seen.
_WORDS = st.text(min_size=1, max_size=12) | st.sampled_from(["Ja.\n\nEn nee.", "<b>", "  spaties ", "🚲", "a,b"])


def answer_to(item: Item) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw an answer to one item."""
    if item.scale is not None:
        one: st.SearchStrategy[str] = st.sampled_from([option.code for option in item.scale.options])
    else:
        one = _OF_KIND.get(item.kind, _WORDS)
    return st.lists(one, min_size=1, max_size=3 if item.many else 1).map(tuple)


_OF_KIND: dict[str, st.SearchStrategy[str]] = {
    "boolean": st.sampled_from(["true", "false"]),
    "date": st.dates().map(str) | st.sampled_from(["2027", "2027-03"]),
    "goal": st.sampled_from([*GOALS, "Iets"]),
}


def answers_to(items: Sequence[Item]) -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    """Draw answers to some of these items."""
    if not items:
        return st.just({})
    some = st.lists(st.sampled_from(items), max_size=4, unique_by=lambda item: item.link_id)
    return some.flatmap(lambda chosen: st.fixed_dictionaries({item.link_id: answer_to(item) for item in chosen}))


def rows_of(group: Group, first: bool) -> st.SearchStrategy[tuple[Row, ...]]:
    """Draw rows of a group; `first`: the first question of each is answered, as the app demands."""
    named = st.fixed_dictionaries({group.items[0].link_id: answer_to(group.items[0])} if first else {})
    answers = st.builds(lambda one, more: {**more, **one}, named, answers_to(group.items))
    row = st.builds(Row, st.sampled_from("abcd"), answers)
    if first:  # words of which nothing can be seen are none
        row = row.filter(lambda one: bool(one.of(group.items[0].link_id)))
    return st.lists(row, max_size=3, unique_by=lambda one: one.key).map(tuple)


def content_for(form: Instrument, first: bool = True) -> st.SearchStrategy[Content]:
    """Draw what is written in a form: answers to some questions, and some rows."""
    singles = [item for group in form.groups if not group.many for item in group.items]
    rows = st.fixed_dictionaries({group.link_id: rows_of(group, first) for group in form.groups if group.many})
    return st.builds(Content, st.just(form), answers_to(singles), rows, st.just(GOALS))


def full(form: Instrument, words: str = "Ja", goals: Mapping[str, str] = GOALS) -> Content:
    """Return a form with an answer to everything, and one row of each group with rows; `goals` has one at least."""

    def said(group: Group) -> dict[str, tuple[str, ...]]:
        by_kind = {"boolean": "true", "date": "2026-05-01", "goal": next(iter(goals))}
        codes = {item.link_id: item.scale.options[0].code for item in group.items if item.scale}
        return {item.link_id: (codes.get(item.link_id, by_kind.get(item.kind, words)),) for item in group.items}

    singles = {name: answer for group in form.groups if not group.many for name, answer in said(group).items()}
    return Content(form, singles, {one.link_id: (Row("a", said(one)),) for one in form.groups if one.many}, goals)


def written(content: Content, existing: Resource | None = None, by: Written = ON_MONDAY) -> Resource:
    """Return the response, as a store gives it back."""
    made = response_of(content, by, identifier="r-1", existing=existing)
    return {"id": "1", **copy.deepcopy(made)}


def answers_alone(content: Content) -> tuple[Any, Any]:
    """Return what is written without the keys of rows, which a server may have dropped."""
    return content.answers, {group: [row.answers for row in rows] for group, rows in content.rows.items()}


# ---- servers ---------------------------------------------------------------------------------------------------------

Server = Callable[[Resource], Resource]


def _each(response: Resource, change: Callable[[dict[str, Any]], Any]) -> Resource:
    def walk(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**change(item), **({"item": walk(item["item"])} if "item" in item else {})} for item in items]

    return {**response, "item": walk(response["item"])} if "item" in response else response


def without_ids(response: Resource) -> Resource:
    """Drop the ids of items."""
    return _each(response, lambda item: {name: value for name, value in item.items() if name != "id"})


def without_groups(response: Resource) -> Resource:
    """Put all answers in one list, as a server does that knows no groups."""

    def flat(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = []
        for item in items:
            found += flat(item["item"]) if "item" in item else [item]
        return found

    return {**response, "item": flat(response.get("item", []))}


def without_systems(response: Resource) -> Resource:
    """Drop the code system and the words of each code."""

    def bare(item: dict[str, Any]) -> dict[str, Any]:
        answers = [
            {"valueCoding": {"code": one["valueCoding"]["code"]}} if "valueCoding" in one else one
            for one in item.get("answer", [])
        ]
        return {**item, "answer": answers} if answers else item

    return _each(response, bare)


def with_times(response: Resource) -> Resource:
    """Make a moment of each whole day."""

    def timed(item: dict[str, Any]) -> dict[str, Any]:
        answers = [
            {"valueDateTime": f"{one['valueDate']}T00:00:00Z"} if len(one.get("valueDate", "")) == 10 else one
            for one in item.get("answer", [])
        ]
        return {**item, "answer": answers} if answers else item

    return _each(response, timed)


def item_per_answer(response: Resource) -> Resource:
    """Give each answer an item of its own."""

    def split(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = []
        for item in items:
            if "answer" in item:
                found += [{**item, "answer": [one]} for one in item["answer"]]
            else:
                found.append({**item, "item": split(item["item"])})
        return found

    return {**response, "item": split(response.get("item", []))}


def in_pages(response: Resource) -> Resource:
    """Put everything in one more group, as a portal does that shows a form in pages."""
    page = {"linkId": "page-1", "text": "Pagina 1", "item": response.get("item", [])}
    return {**response, "item": [page]} if page["item"] else response


SERVERS: list[Server] = [without_ids, without_groups, without_systems, with_times, item_per_answer, in_pages]
