"""From stored score Observations, and answers that have none, to lines over time.

A trend is one score by one version of its rule: numbers that were computed in different ways never share a line,
because the step between them would look like a change in the person.

A response that another program saved has no scores of ours: they are computed when it is read. A score that another
program extracted is in the line when it says by which rule it was made, or when its answers give the same number.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mappers.observations import ScorePoint
from mappers.read_scores import Origin, ReadScore, read_scores
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, ScoreRule


@dataclass(frozen=True, slots=True)
class Measurement:
    """One score on one day."""

    day: dt.date
    value: float | None  # None: no score, and `reason` says why, in the words that are stored
    reason: str
    response_id: str  # "" if the response is not at hand
    answered: int | None = None  # how many of the rule's items; None if the response is not at hand
    corrected: bool = False
    origin: Origin = "stored"
    filled_in_elsewhere: bool = False
    """Another program made its response; False if the response is not at hand."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One score by one version of its rule, oldest first; `current` if that is how it is computed today."""

    instrument: Instrument
    rule: ScoreRule
    measurements: tuple[Measurement, ...]
    current: bool = True

    @property
    def id(self) -> str:
        """Return a name to use as an id in HTML."""
        return f"{self.rule.code}-{self.rule.version}"

    @property
    def scored(self) -> tuple[Measurement, ...]:
        """Return the measurements that can be drawn: those with a score within the published range."""
        return tuple(one for one in self.measurements if one.value is not None and self.fits(one.value))

    def fits(self, value: float) -> bool:
        """Tell whether a value is within the published range; one outside it cannot be this score."""
        return self.rule.low <= value <= self.rule.high


@dataclass(frozen=True, slots=True)
class Measurements:
    """All trends of one instrument."""

    instrument: Instrument
    shown: tuple[Trend, ...] = ()  # by today's default rules
    alternatives: tuple[Trend, ...] = ()  # by today's other rules, such as a total beside a mean
    earlier: tuple[Trend, ...] = ()  # by older versions of a rule
    not_ours: tuple[ScorePoint, ...] = ()
    """Scores by a rule version that we do not know. They get a table of their own and no line: we know no range.

    A score that another program made of answers that do not give it is one of these.
    """

    @property
    def leading(self) -> Trend | None:
        """Return the score that stands for the instrument: its first by today's default rules, else what there is."""
        return next(iter((*self.shown, *self.alternatives, *self.earlier)), None)

    @property
    def parts_scored(self) -> int:
        """Return of how many parts the newest answers give a score, where they give none for the whole; else 0."""
        whole, *parts = self.shown or (None,)
        if whole is None or whole.measurements[-1] in whole.scored:
            return 0
        newest = whole.measurements[-1].day
        return sum(1 for part in parts if part.scored and part.scored[-1].day == newest)

    @property
    def last_day(self) -> dt.date:
        """Return the day of the newest measurement. Raises ValueError if all scores are `not_ours`."""
        return max(one.day for trend in (*self.shown, *self.alternatives, *self.earlier) for one in trend.measurements)


def measured(
    observations: Iterable[Resource],
    responses: Iterable[Resource],
    catalogue: Catalogue,
    day_of: Callable[[str], dt.date | None],
    *,
    computes: bool,
) -> list[Measurements]:
    """Return what was measured, one entry per instrument, the most recently measured first.

    `responses` tell how many questions were answered, which for a score whose response is not among them is unknown;
    of those that are finished and have no scores, the scores are computed here, if `computes`: not for whoever may see
    the answers and not the scores.
    `day_of` turns a FHIR dateTime into the day it was where the client lives, or None if it cannot be read: without a
    day a score has no place on a line, and is left out.
    """
    dated = [
        (day, one)
        for one in read_scores(observations, responses, catalogue)
        if (computes or one.origin != "answers") and (day := day_of(one.point.date))
    ]
    found: list[Measurements] = []
    for instrument in catalogue.scored.values():
        codes = {rule.code for rule in instrument.scores}
        mine = [(day, one) for day, one in dated if one.point.code in codes]
        if mine:
            found.append(_of_instrument(instrument, mine, catalogue))
    return sorted(found, key=lambda one: one.last_day if one.shown or one.earlier else dt.date.min, reverse=True)


def _of_instrument(
    instrument: Instrument, dated: Sequence[tuple[dt.date, ReadScore]], catalogue: Catalogue
) -> Measurements:
    # The newest definition last, so that it wins where two versions of an instrument share a version of a rule.
    rules = {
        (rule.code, rule.version): rule
        for version in reversed(catalogue.versions(instrument.id))
        for rule in version.scores
    } | {(rule.code, rule.version): rule for rule in instrument.scores}
    today = {(rule.code, rule.version) for rule in instrument.scores}
    shown: list[Trend] = []
    alternatives: list[Trend] = []
    earlier: list[Trend] = []
    not_ours: list[ScorePoint] = []
    # groupby needs equals side by side; within that, the scores keep the order of the instrument.
    order = [rule.code for rule in instrument.scores]
    dated = sorted(dated, key=lambda one: (order.index(one[1].point.code), one[1].point.rule_version))
    for key, group in itertools.groupby(dated, key=lambda one: (one[1].point.code, one[1].point.rule_version)):
        if key not in rules:
            not_ours += [one.point for _day, one in group]
            continue
        measurements = tuple(
            sorted((_measurement(day, one, rules[key]) for day, one in group), key=lambda one: one.day)
        )
        trend = Trend(instrument, rules[key], measurements, current=key in today)
        (earlier if not trend.current else shown if trend.rule.default else alternatives).append(trend)
    return Measurements(instrument, tuple(shown), tuple(alternatives), tuple(earlier), tuple(not_ours))


def _measurement(day: dt.date, one: ReadScore, rule: ScoreRule) -> Measurement:
    point, values = one.point, one.answers.values if one.answers else None
    return Measurement(
        day=day,
        value=point.value,
        reason=point.reason,
        response_id=one.answers.response.reference.rpartition("/")[2] if one.answers else "",
        answered=None if values is None else sum(1 for link_id in rule.items if link_id in values),
        corrected=point.status == "corrected",
        origin=one.origin,
        filled_in_elsewhere=one.answers is not None and not one.answers.response.identifier,
    )
