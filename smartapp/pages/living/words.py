"""Words that go on elsewhere without being typed again: from a living form into another one, or into a goal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mappers.identity import URN
from mappers.living import Content, Row, field_name
from mappers.living.content import group_of
from mappers.living.linking import goal_names
from mappers.plan import Goal
from questionnaires.catalogue import Catalogue
from questionnaires.living import LIFE_DOMAIN
from questionnaires.model import Group, Instrument, Item
from smartapp.pages.living.service import Opened
from smartapp.pages.plan.stored import StoredPlan
from smartapp.web.living import StoredForm


@dataclass(frozen=True, slots=True)
class Words:
    """Words that somebody gave as an answer, alone or as one of several (`at`), and the form that they are in.

    `key` is that of their row, "" for none; `domain` the life domain of that row, "" for none.
    """

    text: str
    item: Item
    stored: StoredForm
    at: int = 0
    key: str = ""
    domain: str = ""

    @property
    def source(self) -> str:
        """Return how an address names them: `form/linkId.row`, and which where an answer has several."""
        name = f"{self.stored.form.id}/{field_name(self.item.link_id, self.key)}"
        return f"{name}/{self.at}" if self.at else name

    def goal_name(self, plan: StoredPlan) -> str:
        """Return the name by which the plan knows the goal that began with these words, or the one that will.

        So one goal is made of them, however often that is asked. Only where it was taken out of the plan, as a mistake,
        another one can begin here.
        """
        names = goal_names(self.stored.identifier, self.item, self.key, self.text)
        return next(name for name in names if plan.taken_out("Goal", f"{URN}{name}") is None)

    def goal(self, plan: StoredPlan) -> Goal | None:
        """Return the goal that began with these words, or that goes on and says the same; None where there is none."""
        alike = (goal for goal in plan.plan.goals if goal.active and same_words(goal.text) == same_words(self.text))
        return plan.goal_named(self.goal_name(plan)) or next(alike, None)


def words_in(stored: StoredForm, items: Iterable[Item] = (), key: str | None = None) -> Iterator[Words]:
    """Yield all words in a form, or those in answers to these items alone, in the order in which they stand there.

    With a `key` only those of one row, or ("") of none.
    """
    wanted, content = {item.link_id for item in items or stored.form.items}, stored.content
    for group in stored.form.groups:
        asked = [item for item in group.items if item.link_id in wanted]
        for row in content.rows_of(group.link_id) if asked else ():
            for item in asked if key in (None, row.key) else ():
                for at, text in enumerate(row.answers.get(item.link_id, ())):
                    yield Words(text, item, stored, at, row.key, _domain_of(group, row))
        for item in () if key else asked:
            for at, text in enumerate(content.answers.get(item.link_id, ())):
                yield Words(text, item, stored, at)


def words_of(source: str, opened: Opened) -> Words | None:
    """Return the words that an address names (see `Words.source`); None where there are none."""
    stored = opened.plan.forms.get(source.partition("/")[0])
    return next((one for one in words_in(stored) if one.source == source), None) if stored else None


def target_of(item: Item, known: Catalogue) -> tuple[Instrument, Item] | None:
    """Return the form and the item that words of an answer can go to, None where that is no living form."""
    found = ((form, each) for form in known.living.values() for each in form.items if each.link_id == item.becomes)
    return next(found, None)


def stands_in(text: str, item: Item, content: Content) -> bool:
    """Tell whether words stand in an answer to an item already: as one of several or in a row, else within a text."""
    sought, group = same_words(text), group_of(content.form, item)
    there = [row.of(item.link_id) for row in content.rows_of(group.link_id)]
    if group.many or item.many:
        return sought in map(same_words, [*there, *content.answers.get(item.link_id, ())])
    return sought in same_words(content.of(item.link_id))


def left_for(opened: Opened, item: Item, form: Instrument, target: Item) -> tuple[Words, ...]:
    """Return the words of an item that can go on a list of another form and are not on it yet, each once.

    `target` is the item of that form that they go to; none where its group is no list that they could name rows of.
    """
    group = group_of(form, target)
    if not group.many or group.items[0] != target:
        return ()
    there = opened.plan.content_of(form.id)
    found: dict[str, Words] = {}
    for words in words_in(opened.stored, [item]):
        if not stands_in(words.text, target, there):
            found.setdefault(same_words(words.text), words)
    return tuple(found.values())


def proposed_from(source: str, opened: Opened, items: Iterable[Item]) -> dict[str, str]:
    """Return what a form opens with: the words that an address names, after what is there, and their life domain."""
    words = words_of(source, opened) if source else None
    if words is None:
        return {}
    wanted = list(items)
    target = next((item for item in wanted if item.link_id == words.item.becomes), None)
    if target is None:
        return {}
    there = opened.content.answers.get(target.link_id, ())
    between = "\n" if target.many else "\n\n"
    proposed = {target.link_id: between.join([*there, as_answer(words.text, target)])}
    domain = next((item for item in wanted if _is_domain(item)), None)
    return {**proposed, domain.link_id: words.domain} if domain and words.domain else proposed


def as_answer(text: str, item: Item) -> str:
    """Return words as an answer to an item has them: on one line, where that has one."""
    return " ".join(text.split()) if item.kind == "line" or item.many else text


def row_of(words: Words, group: Group, key: str, today: str) -> Row:
    """Return a new row of a group that begins with words: with their life domain, and its day, where it has those."""
    first, *others = group.items
    domain = {item.link_id: (words.domain,) for item in others if _is_domain(item)}
    dates = {item.link_id: (today,) for item in others if item.today}
    return Row(key, {first.link_id: (as_answer(words.text, first),), **domain, **dates})


def same_words(text: str) -> str:
    """Return what is equal for words that differ in spaces, line ends and capitals only."""
    return " ".join(text.split()).casefold()


def _is_domain(item: Item) -> bool:
    return item.scale is not None and item.scale.id == LIFE_DOMAIN


def _domain_of(group: Group, row: Row) -> str:
    """Return the life domain that stands in a row, "" for none."""
    return next((row.of(item.link_id) for item in group.items if _is_domain(item) and row.of(item.link_id)), "")
