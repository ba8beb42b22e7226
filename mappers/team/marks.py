"""Marks that clients give a team (rapportcijfers): a mean per theme and round, and in their words why.

A form of marks has a group per theme; in it the first choice is the mark, `…-why` and `…-more` are the words. Of a
round that is not over nothing is shown. A theme that fewer than `FEWEST` people gave a mark has no number and no words.
Words never stand beside a mark, and stand in the order of the alphabet, which says nothing of who wrote them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from mappers.answers import Answers
from mappers.small_cells import enough
from mappers.team.model import Round, Team
from mappers.team.responses import about_team, day_of
from questionnaires.catalogue import Catalogue
from questionnaires.model import Group, Instrument, Item, Text

FORM: Final = "team-marks"


@dataclass(frozen=True, slots=True)
class ThemeMarks:
    """The marks for one theme in one round; `people` and `mean` (1–10) are None where too few people gave one."""

    id: str
    theme: Text
    people: int | None
    mean: float | None
    why: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundMarks:
    """A round that is over, with the themes of the form and those that were answered.

    So it is the same whether nobody answered or too few did: that somebody did would be said of them.
    """

    round: Round
    themes: tuple[ThemeMarks, ...]


def marks_of(
    responses: Iterable[Any], team: Team, rounds: Iterable[Round], catalogue: Catalogue, *, today: dt.date
) -> tuple[RoundMarks, ...]:
    """Return the marks of each round that was over before `today`, the oldest first.

    A response counts for the round that its day is in; of rounds that overlap, for the first of them only: of two that
    share people, what one more of them said would follow by subtraction. Rounds that are not over count for that too.
    """
    found = about_team(responses, team, FORM, catalogue)
    ordered = sorted(rounds, key=lambda one: (one.start, one.end, one.name))
    given: dict[int, list[Answers]] = {number: [] for number in range(len(ordered))}
    for each in found:
        number = next((number for number, one in enumerate(ordered) if _in(each, one)), None)
        if number is not None:
            given[number].append(each)
    form = catalogue.instruments.get(FORM)
    return tuple(
        RoundMarks(one, _themes(form, given[number])) for number, one in enumerate(ordered) if one.is_over(today)
    )


def _in(answers: Answers, round_: Round) -> bool:
    day = day_of(answers)
    return day is not None and round_.has(day)


def _themes(form: Instrument | None, answers: Sequence[Answers]) -> tuple[ThemeMarks, ...]:
    # A place may have changed its themes during a round: each is shown, by the newest words for it.
    groups: dict[str, Group] = {}
    for one in (*([form] if form else []), *(each.instrument for each in answers)):
        groups |= {group.link_id: group for group in one.groups if _mark_of(group)}
    return tuple(_theme(group, answers) for group in groups.values())


def _mark_of(group: Group) -> Item | None:
    return next((item for item in group.items if item.scale is not None), None)


def _theme(group: Group, answers: Sequence[Answers]) -> ThemeMarks:
    asked = _mark_of(group)
    gave = [(one, mark) for one in answers if asked and (mark := _number(asked, one)) is not None]
    if not enough(len(gave)):
        return ThemeMarks(group.link_id, group.title, None, None)
    return ThemeMarks(
        id=group.link_id,
        theme=group.title,
        people=len(gave),
        mean=fmean(mark for _, mark in gave),
        why=_words([one for one, _ in gave], group, "-why"),
        more=_words([one for one, _ in gave], group, "-more"),
    )


def _number(item: Item, answers: Answers) -> int | None:
    code = answers.values.get(item.link_id)
    option = item.scale.option(code) if item.scale and isinstance(code, str) else None
    return option.value if option else None


def _words(answers: Sequence[Answers], group: Group, ending: str) -> tuple[str, ...]:
    asked = [item.link_id for item in group.items if item.scale is None and item.link_id.endswith(ending)]
    values = (one.values.get(link_id) for one in answers for link_id in asked)
    return tuple(sorted((value.strip() for value in values if isinstance(value, str) and value.strip()), key=_alphabet))


def _alphabet(words: str) -> tuple[str, str]:
    return words.casefold(), words
