"""The scores of a team's clients in a year, as three numbers: how many people, their mean and how far they spread.

One measurement per person and year counts, the newest. Fewer than `FEWEST` people are not shown. Beside all teams
together, one team that is left out could be found by subtraction; so the teams that are left out are none, or several
with at least `FEWEST` people between them: where they would be fewer, the smallest of the others is left out too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from mappers.small_cells import enough


@dataclass(frozen=True, slots=True)
class Measured:
    """One score of one person: who (any name that is the same each time), in which team, on which day, its value."""

    person: str
    team: str
    day: dt.date
    value: float


@dataclass(frozen=True, slots=True)
class Figure:
    """How many people, the mean of their scores and the standard deviation (n − 1); all None where it is left out."""

    people: int | None = None
    mean: float | None = None
    spread: float | None = None

    @property
    def is_shown(self) -> bool:
        """Tell whether it says anything."""
        return self.people is not None


@dataclass(frozen=True, slots=True)
class YearFigures:
    """A year: each team of which somebody was measured, by its reference, and all of them together."""

    year: int
    teams: Mapping[str, Figure]
    together: Figure


def latest_per_year(measured: Iterable[Measured]) -> dict[int, dict[str, Measured]]:
    """Return by year what counts of each person: their newest score, of one day the last one given."""
    years: dict[int, dict[str, Measured]] = {}
    for one in measured:
        people = years.setdefault(one.day.year, {})
        if one.person not in people or one.day >= people[one.person].day:
            people[one.person] = one
    return years


def yearly(measured: Iterable[Measured]) -> tuple[YearFigures, ...]:
    """Return the figures of each year, the oldest first; teams in the order of their references, never by number."""
    years = latest_per_year(measured)
    return tuple(_year(year, years[year].values()) for year in sorted(years))


def _year(year: int, people: Iterable[Measured]) -> YearFigures:
    values: dict[str, list[float]] = {}
    for one in people:
        values.setdefault(one.team, []).append(one.value)
    shown = _shown({team: len(given) for team, given in values.items()})
    return YearFigures(
        year=year,
        teams={team: _figure(values[team]) if team in shown else Figure() for team in sorted(values)},
        together=_figure([value for given in values.values() for value in given]),
    )


def _shown(people: Mapping[str, int]) -> frozenset[str]:
    """Return the teams of which a figure can stand beside that of all together."""
    shown = sorted((team for team, number in people.items() if enough(number)), key=lambda team: (people[team], team))
    hidden = [team for team in people if team not in shown]
    while hidden and shown and (len(hidden) < 2 or not enough(sum(people[team] for team in hidden))):
        hidden.append(shown.pop(0))
    return frozenset(shown)


def _figure(values: list[float]) -> Figure:
    return Figure(len(values), fmean(values), stdev(values)) if enough(len(values)) else Figure()
