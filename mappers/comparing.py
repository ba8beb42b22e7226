"""Two responses to one questionnaire beside each other: the same questions, what was answered then and now.

Nothing here says whether a difference is good: an answer of one more or less means what the person says it means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mappers.answers import Answers
from questionnaires.model import Item, Option

MOST_CHANGED = 5


@dataclass(frozen=True, slots=True)
class Change:
    """A question that was answered both times, and differently. `by` is in steps of its answers, 1 or more."""

    item: Item
    before: Option
    now: Option
    by: int


def before_of(item: Item, earlier: Answers | None) -> str | bool | None:
    """Return the earlier answer to the same question: the same linkId, asked in the same way; else None.

    Another version may have another question, or other answers, under the same linkId: that is no earlier answer.
    """
    if earlier is None:
        return None
    same = next((one for one in earlier.instrument.items if one.link_id == item.link_id), None)
    if same is None or (same.kind, same.text, same.scale) != (item.kind, item.text, item.scale):
        return None
    return earlier.values.get(item.link_id)


def most_changed(now: Answers, earlier: Answers | None, most: int = MOST_CHANGED) -> tuple[Change, ...]:
    """Return the questions whose answers differ most, the largest difference first, and else in the order asked.

    Only answers that count for a number can be compared: "not applicable" cannot, nor can words.
    """
    return _by_size(now, earlier)[:most]


def as_much_changed(now: Answers, earlier: Answers | None, most: int = MOST_CHANGED) -> int:
    """Return how many questions more differ as much as the last of `most_changed`: only their order left them out."""
    sizes = [change.by for change in _by_size(now, earlier)]
    return sizes[most:].count(sizes[most - 1]) if len(sizes) > most else 0


def _by_size(now: Answers, earlier: Answers | None) -> tuple[Change, ...]:
    found = [change for item in now.instrument.items if (change := _change(item, now, earlier)) is not None]
    return tuple(sorted(found, key=lambda change: -change.by))


def _change(item: Item, now: Answers, earlier: Answers | None) -> Change | None:
    options = [_option(item, value) for value in (before_of(item, earlier), now.values.get(item.link_id))]
    before, after = options
    if before is None or after is None or before.value is None or after.value is None or before.value == after.value:
        return None
    return Change(item, before, after, abs(after.value - before.value))


def _option(item: Item, value: str | bool | None) -> Option | None:
    return item.scale.option(value) if item.scale is not None and isinstance(value, str) else None


def previous_of(answers: Answers, others: Iterable[Answers]) -> Answers | None:
    """Return the newest of `others` that answers the same questionnaire and was filled in before; None without one."""
    return next(iter(earlier_of(answers, others)), None)


def earlier_of(answers: Answers, others: Iterable[Answers]) -> Sequence[Answers]:
    """Return those of `others` that answer the same questionnaire, of any version, and are older, newest first."""
    mine = (one for one in others if one.instrument.id == answers.instrument.id)
    older = (one for one in mine if one.response.authored < answers.response.authored)
    return sorted(older, key=lambda one: one.response.authored, reverse=True)
