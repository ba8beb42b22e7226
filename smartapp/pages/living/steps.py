"""The steps through a living form: one question at a time, one group at a time where there are rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mappers.living import Content
from questionnaires.living import STEP_OF_ALL
from questionnaires.model import Group, Instrument, Item, Who
from smartapp.web.written import short

ALL = STEP_OF_ALL
"""The step with all questions on one page."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in the address, its group, and the items that are asked in it."""

    name: str
    group: Group
    items: tuple[Item, ...]

    @property
    def is_rows(self) -> bool:
        """Tell whether it is a group that is there once for each thing that is written."""
        return self.group.many


def steps(form: Instrument, content: Content, who: Who = "client", *, offer: bool = True) -> tuple[Step, ...]:
    """Return the steps for one of those who fill in the form, without what is not asked with these answers.

    `offer`: the place has something to choose from; without, nobody is asked what they choose of it.
    """
    return tuple(_steps(form, content, who, offer))


def _steps(form: Instrument, content: Content, who: Who, offer: bool) -> Iterator[Step]:
    by_card = form.living is not None and form.living.cards
    for group in form.groups:
        items = tuple(item for item in group.items if item.who == who and is_asked(item, content, offer=offer))
        if not items:
            continue
        if group.many or by_card:
            yield Step(short(form, group.link_id), group, items)
        else:
            yield from (Step(short(form, item.link_id), group, (item,)) for item in items)


def step_of(form: Instrument, content: Content, name: str, who: Who = "client", *, offer: bool = True) -> Step | None:
    """Return the step with this name, None where there is none; a group without rows is one too, and so is `all`."""
    found = next((step for step in steps(form, content, who, offer=offer) if step.name == name), None)
    if found is not None:
        return found
    singles = [group for group in form.groups if not group.many]
    asked = tuple(item for group in singles for item in _asked_whole(group, content, who, offer))
    if name == ALL and asked:
        return Step(ALL, singles[0], asked)
    for group in singles:
        items = _asked_whole(group, content, who, offer)
        if short(form, group.link_id) == name and items:
            return Step(name, group, items)
        for item in items:
            if short(form, item.link_id) == name:
                return Step(name, group, (item,))
    return None


def _asked_whole(group: Group, content: Content, who: Who, offer: bool) -> tuple[Item, ...]:
    """Return what is asked where a group is asked at once: also what depends on an answer, which may come just then."""
    return tuple(item for item in group.items if item.who == who and _has_choices(item, content, offer))


def following(
    form: Instrument, content: Content, step: Step, who: Who = "client", *, offer: bool = True
) -> Step | None:
    """Return the step after one, None after the last and after the page with all of them."""
    every = steps(form, content, who, offer=offer)
    here = [one.name for one in every]
    if step.name not in here:
        return None
    at = here.index(step.name) + 1
    return every[at] if at < len(here) else None


def first_open(form: Instrument, content: Content, who: Who = "client", *, offer: bool = True) -> Step | None:
    """Return the first step in which nothing is written yet."""
    return next((step for step in steps(form, content, who, offer=offer) if not is_written(step, content)), None)


def is_written(step: Step, content: Content) -> bool:
    """Tell whether something is written in a step."""
    if step.is_rows:
        return bool(content.rows_of(step.group.link_id))
    return any(content.answers.get(item.link_id) for item in step.items)


def is_asked(item: Item, content: Content, *, offer: bool = True) -> bool:
    """Tell whether an item is asked, by the answer that it depends on; in a row it always is.

    What is chosen from the place's offer is asked where there is one (`offer`), or where something was chosen before.
    """
    if not _has_choices(item, content, offer):
        return False
    when = item.enable_when
    if when is None or any(item in group.items for group in content.form.groups if group.many):
        return True
    wanted = when.answer if isinstance(when.answer, str) else str(when.answer).lower()
    return wanted in content.answers.get(when.item, ())


def _has_choices(item: Item, content: Content, offer: bool) -> bool:
    return offer or not item.from_offer or bool(content.answers.get(item.link_id))
