"""Stored score Observations → lines over time.

One trend is one score by one version of its rule: numbers that were computed in different ways never share a line.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mappers.answers import answers_of
from mappers.errors import RefusedResponse
from mappers.observations import ScorePoint, scores_from
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, ScoreRule


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement. `value` None: no score, `reason` says why. `answered` None: the answers are not in reach."""

    day: dt.date
    value: float | None
    reason: str
    response_id: str
    answered: int | None = None
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """One score by one rule version, oldest first. `current` tells whether this is how we compute it today."""

    instrument: Instrument
    rule: ScoreRule
    measurements: tuple[Measurement, ...]
    current: bool = True

    @property
    def id(self) -> str:
        """Return a name for use in the page."""
        return f"{self.rule.code}-{self.rule.version}"

    @property
    def scored(self) -> tuple[Measurement, ...]:
        """Return the measurements that have a score within the range."""
        return tuple(one for one in self.measurements if one.value is not None and self.fits(one.value))

    def fits(self, value: float) -> bool:
        """Tell whether a value lies in the published range; one outside it cannot be this score."""
        return self.rule.low <= value <= self.rule.high


@dataclass(frozen=True, slots=True)
class Measurements:
    """All trends of one instrument: the scores we show, named alternatives, and older ways of computing."""

    instrument: Instrument
    shown: tuple[Trend, ...] = ()
    alternatives: tuple[Trend, ...] = ()
    earlier: tuple[Trend, ...] = ()
    not_ours: tuple[ScorePoint, ...] = field(default=())
    """Stored scores by a rule version that we do not know: they stand in a table of their own, without a line."""

    @property
    def last_day(self) -> dt.date:
        """Return the day of the newest measurement."""
        return max(one.day for trend in (*self.shown, *self.alternatives, *self.earlier) for one in trend.measurements)


def measured(
    observations: Iterable[Resource],
    responses: Iterable[Resource],
    catalogue: Catalogue,
    day_of: Callable[[str], dt.date | None],
) -> list[Measurements]:
    """Return what was measured per instrument, the newest first.

    `responses` tell how many questions were answered; a score whose response is not among them stays without.
    `day_of` turns a FHIR dateTime into the day it was where the client lives, or None where it cannot be read: such a
    score has no place in time and is left out.
    """
    given = _answers(responses, catalogue)
    dated = [(day, point) for point in scores_from(observations) if (day := day_of(point.date))]
    found: list[Measurements] = []
    for instrument in catalogue.instruments.values():
        codes = {rule.code for rule in instrument.scores}
        mine = [(day, point) for day, point in dated if point.code in codes]
        if mine:
            found.append(_of_instrument(instrument, mine, given, catalogue))
    return sorted(found, key=lambda one: one.last_day if one.shown or one.earlier else dt.date.min, reverse=True)


def _of_instrument(
    instrument: Instrument,
    dated: Sequence[tuple[dt.date, ScorePoint]],
    given: Mapping[str, Mapping[str, Any]],
    catalogue: Catalogue,
) -> Measurements:
    rules = {
        (rule.code, rule.version): rule
        for version in reversed(catalogue.versions(instrument.id))
        for rule in version.scores
    } | {(rule.code, rule.version): rule for rule in instrument.scores}
    now = {(rule.code, rule.version) for rule in instrument.scores}
    shown: list[Trend] = []
    alternatives: list[Trend] = []
    earlier: list[Trend] = []
    not_ours: list[ScorePoint] = []
    order = [rule.code for rule in instrument.scores]
    dated = sorted(dated, key=lambda one: (order.index(one[1].code), one[1].rule_version))
    for key, group in itertools.groupby(dated, key=lambda one: (one[1].code, one[1].rule_version)):
        if key not in rules:
            not_ours += [point for _day, point in group]
            continue
        measurements = tuple(
            sorted((_measurement(day, point, rules[key], given) for day, point in group), key=lambda one: one.day)
        )
        trend = Trend(instrument, rules[key], measurements, current=key in now)
        (earlier if not trend.current else shown if trend.rule.default else alternatives).append(trend)
    return Measurements(instrument, tuple(shown), tuple(alternatives), tuple(earlier), tuple(not_ours))


def _answers(responses: Iterable[Resource], catalogue: Catalogue) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for response in responses:
        try:
            found[f"QuestionnaireResponse/{response.get('id', '')}"] = answers_of(response, catalogue).values
        except RefusedResponse:
            continue
    return found


def _measurement(
    day: dt.date, point: ScorePoint, rule: ScoreRule, given: Mapping[str, Mapping[str, Any]]
) -> Measurement:
    values = given.get(point.response_reference)
    return Measurement(
        day=day,
        value=point.value,
        reason=point.reason,
        response_id=point.response_reference.rpartition("/")[2] if values is not None else "",
        answered=None if values is None else sum(1 for link_id in rule.items if link_id in values),
        corrected=point.status == "corrected",
    )
