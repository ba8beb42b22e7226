"""The parts of a living form that a page can edit: which fields they have, how they are read, checked and put back.

A field is called by the linkId of its item, also where it stands in a row: a page is about one row.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from mappers.living import Content, Row, field_name
from questionnaires.model import Group, Item
from smartapp.i18n import message
from smartapp.web.dates import NOT_A_DATE, as_date, is_date_or
from smartapp.web.typed import Part

NOT_OFFERED = message("Choose one of the answers that are here.")
GONE = message("This was taken out meanwhile. What you typed stays here.")
NEEDS_WORDS = message("Write something here, or leave this page without saving.")
NEEDS_CHOICE = message("Choose what this is about, or leave this page without saving.")
MOST_LINES = 100
TOO_MANY_LINES = message("That is too much at once. Save at most 100 things at a time.")
MOST_ROWS = 500  # far more than anybody reads, and what a page can still show
FULL = message("There are 500 things here already. Take some out first.")
TO_COME = message("This day is still to come. Choose today, or a day before.")
OVER = message("This day is over. Choose today, or a day after.")
NEEDS_ANSWER = message("Answer one of these questions, or leave this page without saving.")


@dataclass(frozen=True, slots=True)
class RowBack:
    """A row that was taken out and is put back, at its place (`at`) where that is known.

    `goals` has the words of the goals that it names, of which nothing else may know any more.
    """

    row: Row
    at: int | None = None
    goals: Mapping[str, str] = field(default_factory=dict)

    def put_into(self, content: Content, group: Group) -> Content:
        """Return the content with the row; the same where it is there already."""
        if content.row(group.link_id, self.row.key) is not None:
            return content
        last = len(content.rows_of(group.link_id))
        there = replace(content, goals={**self.goals, **content.goals}).with_row(group.link_id, self.row)
        return there if self.at is None else there.moved(group.link_id, self.row.key, self.at - last)


def answers(items: Collection[Item], today: str = "") -> Part[Content]:
    """Return the section of items that stand in no row.

    `today` tells which days have been and which are still to come, "" where neither is asked for: what is put back was
    good once.
    """
    by_name = {item.link_id: item for item in items}

    def read(content: Content) -> dict[str, str]:
        return {name: content.field(name) for name in by_name}

    def apply(content: Content, fields: Mapping[str, str]) -> Content:
        return content.with_fields(_tidied(by_name, fields))

    def check(content: Content, fields: Mapping[str, str]) -> dict[str, str]:
        return _problems(by_name, content, fields, read(content), today)

    return Part(tuple(by_name), read, apply, check)


def row(
    group: Group, key: str, items: Collection[Item], today: str, back: RowBack | None = None, *, any_day: bool = False
) -> Part[Content]:
    """Return the section of one row, which is made where it is not there yet; `today` is its date where it has one.

    `back` is what it was, where it is put back: with that it gets what its form does not have, and its place. With
    `any_day` it is not asked whether a day has been or is still to come.
    """
    by_name = {item.link_id: item for item in items}
    first = group.items[0]
    others = [name for name in by_name if name != first.link_id]

    def read(content: Content) -> dict[str, str]:
        return {name: content.field(field_name(name, key)) for name in by_name}

    def apply(content: Content, fields: Mapping[str, str]) -> Content:
        there = content if back is None else back.put_into(content, group)
        changed = there.with_fields({field_name(name, key): text for name, text in _tidied(by_name, fields).items()})
        return _with_day(there, changed, group, key, today)

    def new(content: Content) -> bool:
        return back is None and content.row(group.link_id, key) is None

    def check(content: Content, fields: Mapping[str, str]) -> dict[str, str]:
        there = content if back is None else back.put_into(content, group)
        problems = _problems(by_name, there, fields, read(there), "" if any_day else today)
        named = fields.get(first.link_id, content.field(field_name(first.link_id, key)))
        if first.link_id not in by_name:  # somebody's part of a row that the client made
            return {**problems, **({next(iter(by_name)): GONE} if new(content) else {})}
        if not named.strip():
            problems[first.link_id] = NEEDS_CHOICE if first.kind in ("choice", "goal") else NEEDS_WORDS
        elif new(content) and len(content.rows_of(group.link_id)) >= MOST_ROWS:
            problems[first.link_id] = FULL
        elif new(content) and group.per and others and not _says(others, fields):
            # What it is about was filled in beforehand: with nothing more, nothing is said.
            problems[others[0]] = NEEDS_ANSWER
        return problems

    return Part(tuple(by_name), read, apply, check)


def _with_day(before: Content, after: Content, group: Group, key: str, today: str) -> Content:
    """Return the content with a row that has its day, where it has one; as it was `before`, where that has the row."""
    row = after.row(group.link_id, key)
    if row is None:
        return after
    dates = {item.link_id: (today,) for item in group.items if item.today and not row.of(item.link_id)}
    dated = replace(row, answers={**row.answers, **dates})
    there = before.rows_of(group.link_id)
    if before.row(group.link_id, key) is None and _stands_in(there, dated):
        return before
    return after.with_row(group.link_id, dated)


def _stands_in(rows: Iterable[Row], made: Row) -> bool:
    """Tell whether a row was made before by the same form, sent twice, at a server that drops what rows are called."""
    return any(row.is_called_by_place and row.answers == made.answers for row in rows)


def lines(group: Group, key: str) -> Part[Content]:
    """Return the section that makes a row of each line that is typed: for things that are written down quickly.

    A line that is a row already makes none. The rows are called after the form (`key`), so that it makes them once.
    """
    first = group.items[0]

    def new(content: Content, text: str) -> dict[int, str]:
        there = {row.of(first.link_id) for row in content.rows_of(group.link_id)}
        numbers = {line.strip(): number for number, line in reversed([*enumerate(text.splitlines())])}
        return {numbers[line]: line for line in sorted(numbers, key=numbers.__getitem__) if line and line not in there}

    def apply(content: Content, fields: Mapping[str, str]) -> Content:
        made = content
        for number, line in new(content, fields[first.link_id]).items():
            name = str(uuid.uuid5(uuid.UUID(key), str(number)))
            made = made.with_row(group.link_id, Row(name, {first.link_id: (line,)}))
        return made

    def check(content: Content, fields: Mapping[str, str]) -> dict[str, str]:
        text = fields.get(first.link_id, "")
        made, there = len(new(content, text)), len(content.rows_of(group.link_id))
        if not text.strip():
            return {first.link_id: NEEDS_WORDS}
        if made > MOST_LINES:
            return {first.link_id: TOO_MANY_LINES}
        return {first.link_id: FULL} if made and there + made > MOST_ROWS else {}

    return Part((first.link_id,), lambda _content: {first.link_id: ""}, apply, check)


def takes_lines(group: Group) -> bool:
    """Tell whether rows of a group can be made by typing lines: where a few words name a row, and no more is needed."""
    return group.many and not group.per and group.items[0].kind == "line"


def _says(names: Collection[str], fields: Mapping[str, str]) -> bool:
    return any(fields.get(name, "").strip() for name in names)


def _tidied(items: Mapping[str, Item], fields: Mapping[str, str]) -> dict[str, str]:
    """Return what a form says with dates as FHIR writes them."""
    return {
        name: as_date(text) if items[name].kind == "date" else text for name, text in fields.items() if name in items
    }


def _problems(
    items: Mapping[str, Item], content: Content, fields: Mapping[str, str], before: Mapping[str, str], today: str
) -> dict[str, str]:
    problems = {}
    for name, text in fields.items():
        item = items[name]
        if item.kind == "date" and not is_date_or(text, before[name]):
            problems[name] = NOT_A_DATE
        elif item.day and today and text != before[name] and (problem := _day_problem(item, as_date(text), today)):
            problems[name] = problem
        elif not _is_offered(item, content, text):
            problems[name] = NOT_OFFERED
    return problems


def _day_problem(item: Item, day: str, today: str) -> str:
    if item.day == "been" and day > today:
        return TO_COME
    return OVER if item.day == "coming" and day and day < today else ""


def _is_offered(item: Item, content: Content, text: str) -> bool:
    if not text:
        return True
    if item.scale is not None:
        return all(item.scale.option(code) for code in (text.split(",") if item.many else [text]))
    if item.kind == "boolean":
        return text in ("true", "false")
    if item.kind == "goal":
        return text in content.goals or any(text in row.answers.get(item.link_id, ()) for row in content.all_rows)
    return True
