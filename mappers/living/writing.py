"""What is written in a form → its QuestionnaireResponse, on top of what is stored now."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM, PROFILE
from mappers.conversation import Conversation, as_encounter
from mappers.living.content import Answer, Content, Row
from mappers.living.reading import GOAL_URL, answer_in, key_of
from mappers.plan.model import PersonRef
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource, translated
from questionnaires.model import Group, Instrument, Item

_GOAL_SYSTEM: Final = identifier_system("goal")


@dataclass(frozen=True, slots=True)
class Written:
    """Who typed (`author`), whose words these are (`source`, always the client), when (a FHIR dateTime), where."""

    client: PersonRef
    author: PersonRef
    when: str
    language: str = "nl"
    conversation: Conversation | None = None


def form_identifier(issuer: str, patient: str, form: Instrument) -> str:
    """Return the identifier of what one person writes in one form: the same in two tabs, so that they write one."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{issuer}|{patient}|living|{form.id}"))


def response_of(content: Content, written: Written, *, identifier: str, existing: Resource | None = None) -> Resource:
    """Write a form as a QuestionnaireResponse, on top of the stored one.

    What others put into it stays, and an answer that is not changed stays as it was written. It is `completed` when it
    is written first and `amended` from then on: there is nothing to wait for, and it is never closed.
    """
    language = text_in(existing, "language") or written.language
    writer = _Writer(content.goals, language)
    stored = objects_in(existing, "item")
    made: Resource = {
        **(existing or {}),
        "resourceType": "QuestionnaireResponse",
        "meta": {**object_in(existing, "meta"), "profile": _profiles(existing)},
        "language": language,
        "identifier": object_in(existing, "identifier") or {"system": IDENTIFIER_SYSTEM, "value": identifier},
        "questionnaire": content.form.canonical,
        "status": "amended" if existing else "completed",
        "subject": object_in(existing, "subject") or written.client.as_reference(language),
        "authored": written.when,
        "author": written.author.as_reference(language),
        "source": written.client.as_reference(language),
        "item": writer.items(content, stored),
    }
    if written.conversation is not None:
        made["encounter"] = as_encounter(written.conversation, language)
    return {name: value for name, value in made.items() if value not in ([], None)}


def _profiles(existing: Resource | None) -> list[str]:
    there = object_in(existing, "meta").get("profile")
    others = [one for one in there if isinstance(one, str) and one != PROFILE] if isinstance(there, list) else []
    return [PROFILE, *others]


@dataclass(frozen=True, slots=True)
class _Writer:
    goals: Mapping[str, str]
    language: str

    def items(self, content: Content, stored: list[Resource]) -> list[Resource]:
        form = content.form
        known = {group.link_id for group in form.groups} | {item.link_id for item in form.items}
        single = _by_link_id(stored, {group.link_id for group in form.groups if group.many})
        made: list[Resource] = []
        for group in form.groups:
            there = [one for one in stored if text_in(one, "linkId") == group.link_id]
            if group.many:
                made += self.rows(group, content.rows_of(group.link_id), there)
                continue
            answered = [
                self.item(item, answer, single.get(item.link_id))
                for item in group.items
                if (answer := content.answers.get(item.link_id))
            ]
            others = [inner for one in there for inner in objects_in(one, "item") if _is_other(inner, known)]
            if answered or others:
                made.append({**self.head(group, there[0] if there else None), "item": [*answered, *others]})
        return [*made, *(one for one in stored if _is_other(one, known))]

    def rows(self, group: Group, rows: Iterable[Row], stored: list[Resource]) -> list[Resource]:
        there: dict[str, Resource] = {}
        for at, one in enumerate(stored):
            there[key_of(one, at, set(there))] = one
        known = {item.link_id for item in group.items}
        made = []
        for row in rows:
            before = there.get(row.key)
            singles = _by_link_id(objects_in(before, "item"), set())
            answered = [
                self.item(item, answer, singles.get(item.link_id))
                for item in group.items
                if (answer := row.answers.get(item.link_id))
            ]
            others = [inner for inner in objects_in(before, "item") if _is_other(inner, known)]
            made.append({"id": row.key, **self.head(group, before), "item": [*answered, *others]})
        return made

    def head(self, group: Group, before: Resource | None) -> Resource:
        kept = {name: value for name, value in (before or {}).items() if name not in ("id", "item", "text", "_text")}
        return {**kept, "linkId": group.link_id, **translated("text", group.asked, self.language)}

    def item(self, item: Item, answer: Answer, before: Resource | None) -> Resource:
        if before is not None and answer_in(before, item, {}) == answer and item.kind != "goal":
            # As it was written: a server may write the same answer in another way, and add what it wants to it.
            return before
        head = {"linkId": item.link_id, **translated("text", item.asked, self.language)}
        return {**head, "answer": [self.value(item, one) for one in answer]}

    def value(self, item: Item, text: str) -> Resource:
        if item.scale is not None:
            option = item.scale.option(text)
            display = option.text.get(self.language) if option else text
            return {"valueCoding": {"system": item.scale.system, "code": text, "display": display}}
        if item.kind == "boolean":
            return {"valueBoolean": text == "true"}
        if item.kind == "date":
            return {"valueDate": text}
        if item.kind == "goal" and text in self.goals:
            goal = {"type": "Goal", "identifier": {"system": _GOAL_SYSTEM, "value": text}, "display": self.goals[text]}
            return {"extension": [{"url": GOAL_URL, "valueReference": goal}], "valueString": self.goals[text]}
        return {"valueString": text}


def _by_link_id(items: list[Resource], rows: set[str]) -> dict[str, Resource]:
    """Return items by linkId, however deep; rows, which have their own, are left out."""
    found: dict[str, Resource] = {}
    for one in items:
        if text_in(one, "linkId") in rows:
            continue
        found.setdefault(text_in(one, "linkId"), one)
        found = {**_by_link_id(objects_in(one, "item"), rows), **found}
    return found


def _is_other(item: Any, known: set[str]) -> bool:
    return text_in(item, "linkId") not in known
