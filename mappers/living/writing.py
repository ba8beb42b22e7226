"""What is written in a form → its QuestionnaireResponse, on top of what is stored now."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mappers.answers import IDENTIFIER_SYSTEM, PROFILE
from mappers.conversation import Conversation, as_encounter
from mappers.living.content import Answer, Content
from mappers.living.reading import AUTHOR_URL, GOAL_URL, StoredItems, StoredRow, answer_in, stored_in, value_of
from mappers.plan.model import PersonRef
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource, translated
from questionnaires.model import Group, Instrument, Item, Text

_GOAL_SYSTEM: Final = identifier_system("goal")


@dataclass(frozen=True, slots=True)
class Written:
    """Who typed (`author`), whose words these are (`source`, always the client), when (a FHIR dateTime), where.

    A professional's part of a form is in the words of who typed that, and says so itself.
    """

    client: PersonRef
    author: PersonRef
    when: str
    language: str = "nl"
    conversation: Conversation | None = None


def form_identifier(issuer: str, patient: str, form: Instrument, number: int = 1) -> str:
    """Return the identifier of what one person writes in one form: the same in two tabs, so that they write one.

    `number` is the next one where what had the name before was taken out of the record as a mistake.
    """
    again = f"|{number}" if number > 1 else ""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{issuer}|{patient}|living|{form.id}{again}"))


def response_of(content: Content, written: Written, *, identifier: str, existing: Resource | None = None) -> Resource:
    """Write a form as a QuestionnaireResponse, on top of the stored one.

    What others put into it stays, with what can't be read as an answer, and an answer that is not changed stays as it
    was written. It is `completed` when it is written first and `amended` from then on: there is nothing to wait for,
    and it is never closed.
    """
    language = text_in(existing, "language") or written.language
    other = written.author if written.author.reference != written.client.reference else None
    writer = _Writer(content, stored_in(existing, content.form), language, other)
    made: Resource = {
        # Without the narrative of others: it would go on saying what is changed or taken out.
        **{name: value for name, value in (existing or {}).items() if name not in ("text", "_text")},
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
        "item": [*writer.items(), *_others(existing, writer.known)],
    }
    if written.conversation is not None:
        made["encounter"] = as_encounter(written.conversation, language)
    return {name: value for name, value in made.items() if value not in ([], None)}


def _profiles(existing: Resource | None) -> list[str]:
    there = object_in(existing, "meta").get("profile")
    others = [one for one in there if isinstance(one, str) and one != PROFILE] if isinstance(there, list) else []
    return [PROFILE, *others]


@dataclass(frozen=True)
class _Writer:
    """Writes the items of a form on top of those that are stored; `other` types, where that is not the client."""

    content: Content
    stored: StoredItems
    language: str
    other: PersonRef | None

    @property
    def known(self) -> set[str]:
        form = self.content.form
        return {group.link_id for group in form.groups} | {item.link_id for item in form.items}

    def items(self) -> Iterator[Resource]:
        for group in self.content.form.groups:
            if group.many:
                yield from self.rows(group)
                continue
            before = self.stored.groups[group.link_id]
            inside = [
                one
                for item in group.items
                for one in self.answered(
                    item, self.content.answers.get(item.link_id, ()), self.stored.singles.get(item.link_id, [])
                )
            ]
            inside += [other for one in before for other in _others(one, self.known)]
            if inside:
                yield {**self.head(group, before[0] if before else {}), "item": inside}

    def rows(self, group: Group) -> list[Resource]:
        before = {row.key: row for row in self.stored.rows[group.link_id]}
        made = [
            (row.key, self.row(group, before.get(row.key, StoredRow(row.key, {}, {})), row.answers))
            for row in self.content.rows_of(group.link_id)
        ]
        # A row without an answer of ours is the work of others: nobody saw it here, so nobody took it out.
        ahead = ""
        for key, stored in before.items():
            keys = [one for one, _item in made]
            if stored.item and key not in keys and not self.is_read(group, stored):
                made.insert(keys.index(ahead) + 1 if ahead in keys else 0, (key, stored.item))
                keys.append(key)
            ahead = key if key in keys else ahead
        return [item for _key, item in made]

    def row(self, group: Group, before: StoredRow, answers: Mapping[str, Answer]) -> Resource:
        inside = [
            one
            for item in group.items
            for one in self.answered(item, answers.get(item.link_id, ()), before.items.get(item.link_id, []))
        ]
        # What is of another group and stands in a row is read by nobody, so it stays as well.
        others = _others(before.item, {item.link_id for item in group.items})
        return {**self.head(group, before.item), "id": before.key, "item": [*inside, *others]}

    def is_read(self, group: Group, row: StoredRow) -> bool:
        return any(answer_in(row.items.get(item.link_id, []), item, {}) for item in group.items)

    def head(self, group: Group, before: Resource) -> Resource:
        return {**_without(before, "item"), "linkId": group.link_id, **self.words(group.asked)}

    def words(self, text: Text) -> Resource:
        return translated("text", text, self.language)

    def answered(self, item: Item, answer: Answer, before: Sequence[Resource]) -> list[Resource]:
        """Return the items that say this; as they are stored, where they say it already."""
        if answer_in(before, item, {}) == answer:
            # As it was written: a server may write the same answer in another way, and add what it wants to it.
            return [self.alone(one) for one in before]
        there = [one for one in before for one in objects_in(one, "answer")]
        known = {value_of(one, item, {}): one for one in reversed(there)}
        # Of several answers, those that are not changed stay as they were written.
        said = [known.get(one) or self.value(item, one) for one in answer]
        unread = [one for one in there if not value_of(one, item, {})] if item.many else []
        gone = [one for one in there if one not in said and one not in unread]
        others = [other for one in before for other in _others(one, self.known)]
        loose = [other for one in gone for other in _others(one, self.known)]
        answers = _with_items([*said, *unread], loose)
        if not answers:  # what others wrote below an answer stays, also where the answer itself is taken away
            others += loose
            if not others:
                return []
        first = before[0] if before else {}
        made = {**_without(first, "item", "answer"), "linkId": item.link_id, **self.words(item.asked)}
        if item.who != "client":
            made = self.signed(made)
        return [{**made, **({"answer": answers} if answers else {}), **({"item": others} if others else {})}]

    def signed(self, item: Resource) -> Resource:
        """Return an item that is not the client's part with who wrote it; with nobody, where the client typed it."""
        there = [one for one in objects_in(item, "extension") if one.get("url") != AUTHOR_URL]
        rest = {name: value for name, value in item.items() if name != "extension"}
        if self.other is not None:
            there.append({"url": AUTHOR_URL, "valueReference": self.other.as_reference(self.language)})
        return {**rest, "extension": there} if there else rest

    def alone(self, item: Resource) -> Resource:
        """Return a stored item without items inside it that the form knows, which are written by themselves."""
        inside = list(_others(item, self.known))
        if inside == objects_in(item, "item"):
            return item
        rest = {name: value for name, value in item.items() if name != "item"}
        return {**rest, "item": inside} if inside else rest

    def value(self, item: Item, text: str) -> Resource:
        if item.scale is not None:
            option = item.scale.option(text)
            display = option.text.get(self.language) if option else text
            return {"valueCoding": {"system": item.scale.system, "code": text, "display": display}}
        if item.kind == "boolean":
            return {"valueBoolean": text == "true"}
        if item.kind == "date":
            return {"valueDate": text}
        if item.kind == "goal" and text in self.content.goals:
            words = self.content.goals[text]
            goal = {"type": "Goal", "identifier": {"system": _GOAL_SYSTEM, "value": text}, "display": words}
            return {"extension": [{"url": GOAL_URL, "valueReference": goal}], "valueString": words}
        return {"valueString": text}


def _with_items(answers: list[Resource], items: Sequence[Resource]) -> list[Resource]:
    """Return answers with these items below the first; the same where there is nothing to put, or nowhere."""
    if not answers or not items:
        return answers
    first, *rest = answers
    return [{**first, "item": [*objects_in(first, "item"), *items]}, *rest]


def _others(parent: Resource | None, known: set[str]) -> Iterator[Resource]:
    """Yield the items inside one that are not known, without those inside them that are.

    What is known is written where it belongs. Left where it was too, it would come back once it is taken out.
    """
    for one in objects_in(parent, "item"):
        if text_in(one, "linkId") in known:
            continue
        inside = list(_others(one, known))
        if inside == objects_in(one, "item"):
            yield one
            continue
        rest = {name: value for name, value in one.items() if name != "item"}
        # What only held together what is known now holds nothing.
        if inside or rest.keys() - {"linkId", "id", "definition", "text", "_text"}:
            yield {**rest, **({"item": inside} if inside else {})}


def _without(item: Resource, *names: str) -> Resource:
    """Return an item without these elements, and without its words: those are said anew."""
    return {name: value for name, value in item.items() if name not in (*names, "text", "_text")}
