"""The ROPI of a team: a round a year, in which two auditors score apart and then agree.

Three responses at most: of the first auditor, of the second, and what they agreed on. Who they are is in none of them.
The number of a dimension is that of the agreement, by the score rules of the form that it was written on; until there
is one, a dimension has none. Nothing here is about clients, so no number is too small to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mappers.answers import Answers
from mappers.scoring import Score, score
from mappers.team.model import Team
from mappers.team.responses import about_team, day_of, text_of
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument, Item, ScoreRule, Text

FORM: Final = "ropi"
Scorer = Literal["first", "second", "agreed"]
SCORERS: Final[Mapping[str, Scorer]] = {"1": "first", "2": "second", "3": "agreed"}
"""The codes of the question whose scores these are."""


@dataclass(frozen=True, slots=True)
class ItemScores:
    """One item as each scored it (1–5, None where it was left open), and what each wrote to have seen."""

    item: Item
    first: int | None = None
    second: int | None = None
    agreed: int | None = None
    seen: Mapping[Scorer, str] | None = None

    @property
    def difference(self) -> int | None:
        """Return how far the two auditors are apart, 0 to 4; None until both scored it."""
        return None if self.first is None or self.second is None else abs(self.first - self.second)


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: its means (1–5) as each scored it, and its items. The mean of the agreement is the outcome."""

    rule: ScoreRule
    first: float | None
    second: float | None
    agreed: float | None
    items: tuple[ItemScores, ...]


@dataclass(frozen=True, slots=True)
class AuditRound:
    """The ROPI of one year: the dimensions in the order of the form, what kind of team it was, what was used."""

    year: int
    dimensions: tuple[Dimension, ...]
    setting: Text | None
    information: str
    there: frozenset[Scorer]
    """Whose scores are there: with both and no agreement, it is time to agree."""

    @property
    def differ(self) -> tuple[ItemScores, ...]:
        """Return the items that the two auditors scored differently, in the order of the form."""
        return tuple(item for one in self.dimensions for item in one.items if item.difference)


def audits_of(responses: Iterable[Any], team: Team, catalogue: Catalogue) -> tuple[AuditRound, ...]:
    """Return the ROPI of each year in which a team has one, the oldest first.

    Of one year the newest response of each counts. One that does not say whose scores it has is left out.
    """
    years: dict[int, dict[Scorer, Answers]] = {}
    for answers in about_team(responses, team, FORM, catalogue):
        day, scorer = day_of(answers), SCORERS.get(text_of(answers, "scorer"))
        if day is not None and scorer is not None:
            years.setdefault(day.year, {})[scorer] = answers  # the oldest come first
    return tuple(_round(year, years[year]) for year in sorted(years))


def _round(year: int, given: Mapping[Scorer, Answers]) -> AuditRound:
    # The form of the agreement, for its number stands; else the newest, which has the most of the official items.
    newest = max(given.values(), key=lambda one: one.response.authored)
    leading = given.get("agreed", newest)
    means = {scorer: {one.rule.code: one for one in score(a.instrument, a.values)} for scorer, a in given.items()}
    return AuditRound(
        year=year,
        dimensions=tuple(_dimension(rule, leading.instrument, given, means) for rule in leading.instrument.scores),
        setting=_setting(leading),
        information=text_of(leading, "information"),
        there=frozenset(given),
    )


def _dimension(
    rule: ScoreRule,
    form: Instrument,
    given: Mapping[Scorer, Answers],
    means: Mapping[Scorer, Mapping[str, Score]],
) -> Dimension:
    def mean(scorer: Scorer) -> float | None:
        made = means.get(scorer, {}).get(rule.code)
        # By another rule it would be another number under the same name.
        return made.value if made and made.rule.version == rule.version else None

    return Dimension(
        rule=rule,
        first=mean("first"),
        second=mean("second"),
        agreed=mean("agreed"),
        items=tuple(_item(form.item(link_id), given) for link_id in rule.items),
    )


def _item(item: Item, given: Mapping[Scorer, Answers]) -> ItemScores:
    def number(scorer: Scorer) -> int | None:
        code = given[scorer].values.get(item.link_id) if scorer in given else None
        option = item.scale.option(code) if item.scale and isinstance(code, str) else None
        return option.value if option else None

    wrote = {scorer: answers.values.get(f"{item.link_id}-seen") for scorer, answers in given.items()}
    return ItemScores(
        item=item,
        first=number("first"),
        second=number("second"),
        agreed=number("agreed"),
        seen={scorer: words.strip() for scorer, words in wrote.items() if isinstance(words, str) and words.strip()},
    )


def _setting(answers: Answers) -> Text | None:
    item = next((one for one in answers.instrument.items if one.link_id.endswith("-setting")), None)
    option = item.scale.option(text_of(answers, "setting")) if item and item.scale else None
    return option.text if option else None
