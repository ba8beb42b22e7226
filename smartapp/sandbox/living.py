"""What a made-up person wrote in a living form: from their file to the answers that the app would have made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mappers.living import Content, Row
from mappers.living.content import Answer
from questionnaires.model import Group, Instrument, Item
from smartapp.sandbox.person_files import Day, LivingAnswer, LivingEntry, SeedError


@dataclass(frozen=True, slots=True)
class FormReader:
    """Reads what stands in a file about one form.

    `goals` are the words of the person's goals by their identifiers, `day` gives the date of so many days ago, `key`
    the key of the row at a place, and `where` says which file and form this is.
    """

    form: Instrument
    goals: Mapping[str, str]
    day: Callable[[float], str]
    key: Callable[[str, int], str]
    where: str

    def content(self, entry: LivingEntry) -> Content:
        """Return what the person wrote in the form. Raises SeedError for what the form can't have."""
        singles = [item for group in self.form.groups if not group.many for item in group.items]
        rows = {}
        for name, found in entry.rows.items():
            group = self._group(name)
            read = (self._answers(row, group.items) for row in found)
            rows[group.link_id] = tuple(
                Row(self.key(name, number), {**self._dated(group, entry), **answers})
                for number, answers in enumerate(read, start=1)
            )
        return Content(self.form, self._answers(entry.answers, singles), rows, self.goals)

    def _group(self, name: str) -> Group:
        many = {group.link_id: group for group in self.form.groups if group.many}
        if f"{self.form.id}-{name}" not in many:
            raise SeedError(f"{self.where}: rows.{name} is no group with rows; those are {self._short(many)}")
        return many[f"{self.form.id}-{name}"]

    def _dated(self, group: Group, entry: LivingEntry) -> dict[str, Answer]:
        """Return the day on which a row was written, where it has one."""
        return {item.link_id: (self.day(entry.days_ago),) for item in group.items if item.today}

    def _answers(self, given: Mapping[str, LivingAnswer], items: Iterable[Item]) -> dict[str, Answer]:
        asked = {item.link_id: item for item in items}
        for name in given:
            if f"{self.form.id}-{name}" not in asked:
                raise SeedError(f"{self.where}: {name} is not asked here; what is asked is {self._short(asked)}")
        return {link_id: self._answer(asked[link_id], value) for link_id, value in self._named(given)}

    def _named(self, given: Mapping[str, LivingAnswer]) -> Iterable[tuple[str, LivingAnswer]]:
        return ((f"{self.form.id}-{name}", value) for name, value in given.items())

    def _answer(self, item: Item, value: LivingAnswer) -> Answer:
        values = value if isinstance(value, tuple) else (value,)
        if len(values) > 1 and not item.many:
            raise SeedError(f"{self.where}: {item.link_id} takes one answer; {len(values)} are given")
        return tuple(self._one(item, one) for one in values)

    def _one(self, item: Item, value: str | bool | Day) -> str:
        if item.kind == "date" and isinstance(value, Day):
            return self.day(value.days_ago if value.days_ago is not None else -(value.in_days or 0))
        if item.kind == "boolean" and isinstance(value, bool):
            return "true" if value else "false"
        if item.kind in ("text", "line", "choice", "goal") and isinstance(value, str):
            if item.scale is not None and item.scale.option(value) is None:
                raise SeedError(f"{self.where}: {item.link_id} has no option {value!r}")
            return self._goal(item, value) if item.kind == "goal" else value
        raise SeedError(f"{self.where}: {item.link_id} is a {item.kind}, and {value!r} is none")

    def _goal(self, item: Item, words: str) -> str:
        found = [name for name, goal in self.goals.items() if goal.startswith(words)]
        if len(found) != 1:
            problem = f"{len(found)} goals begin with {words!r}; it must be one"
            raise SeedError(f"{self.where}: {item.link_id}: {problem}")
        return found[0]

    def _short(self, names: Iterable[str]) -> str:
        return ", ".join(name.removeprefix(f"{self.form.id}-") for name in names) or "none"
