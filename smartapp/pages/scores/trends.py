"""From stored score Observations to lines over time. Pure functions, except that words follow the reader's language.

One trend is one score by one version of its rule: numbers that were computed in different ways never share a line.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mappers.answers import answers_of
from mappers.errors import RefusedResponse
from mappers.observations import ScorePoint, scores_from
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument, ScoreRule
from smartapp.web.components.chart import Chart, Measured, line_chart
from smartapp.web.language import _, day_of, format_date, format_number, language, text_of

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
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
    moments: tuple[Moment, ...]
    current: bool = True

    @property
    def id(self) -> str:
        """Return a name for use in the page."""
        return f"{self.rule.code}-{self.rule.version}"

    @property
    def scored(self) -> tuple[Moment, ...]:
        """Return the moments that have a score within the range."""
        return tuple(one for one in self.moments if one.value is not None and self.fits(one.value))

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
        return max(one.day for trend in (*self.shown, *self.alternatives, *self.earlier) for one in trend.moments)


def measurements(
    observations: Iterable[Resource], responses: Iterable[Resource], catalogue: Catalogue
) -> list[Measurements]:
    """Return what was measured per instrument, the newest first.

    `responses` tell how many questions were answered; a score whose response is not among them stays without. A score
    without a day that can be read has no place in time and is left out.
    """
    given = _answers(responses, catalogue)
    points = sorted((one for one in scores_from(observations) if day_of(one.date)), key=lambda point: point.code)
    found: list[Measurements] = []
    for instrument in catalogue.instruments.values():
        codes = {rule.code for rule in instrument.scores}
        mine = [point for point in points if point.code in codes]
        if mine:
            found.append(_of_instrument(instrument, mine, given, catalogue))
    return sorted(found, key=lambda one: one.last_day if one.shown or one.earlier else dt.date.min, reverse=True)


def _of_instrument(
    instrument: Instrument,
    points: Sequence[ScorePoint],
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
    points = sorted(points, key=lambda point: (order.index(point.code), point.rule_version))
    for key, group in itertools.groupby(points, key=lambda point: (point.code, point.rule_version)):
        if key not in rules:
            not_ours += list(group)
            continue
        moments = tuple(sorted((_moment(one, rules[key], given) for one in group), key=lambda one: one.day))
        trend = Trend(instrument, rules[key], moments, current=key in now)
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


def _moment(point: ScorePoint, rule: ScoreRule, given: Mapping[str, Mapping[str, Any]]) -> Moment:
    values = given.get(point.response_reference)
    return Moment(
        day=day_of(point.date) or dt.date.min,  # never the latter: `measurements` left those out
        value=point.value,
        reason=point.reason,
        response_id=point.response_reference.rpartition("/")[2] if values is not None else "",
        answered=None if values is None else sum(1 for link_id in rule.items if link_id in values),
        corrected=point.status == "corrected",
    )


# ---- in words ----------------------------------------------------------------------------------------------------


def chart_of(trend: Trend) -> Chart | None:
    """Lay out a trend; None where there is no score to draw."""
    if not trend.scored:
        return None
    title = text_of(trend.rule.title)
    return line_chart(
        [
            Measured(one.day, one.value if one.value is not None and trend.fits(one.value) else None)
            for one in trend.moments
        ],
        low=trend.rule.low,
        high=trend.rule.high,
        id=f"chart-{trend.id}",
        title=_("%(score)s over time", score=title),
        summary=change_in_words(trend),
        caption=range_in_words(trend.rule),
        number=format_number,
        month=_month,
    )


def range_in_words(rule: ScoreRule) -> str:
    """Return between which numbers a score lies."""
    return _("The scale runs from %(low)s to %(high)s.", low=format_number(rule.low), high=format_number(rule.high))


def last_in_words(trend: Trend) -> str:
    """Return the newest score with its day."""
    if not trend.scored:
        return _("There is no score yet.")
    last = trend.scored[-1]
    return _("Last, on %(day)s: %(score)s.", day=format_date(last.day), score=format_number(last.value or 0))


def change_in_words(trend: Trend) -> str:
    """Return the first and the last score and the difference, as numbers and nothing more.

    The difference is that of the numbers as shown, so that the reader's own sum comes out the same.
    """
    if not trend.scored:
        return _("There is no score yet.")
    first, last = trend.scored[0], trend.scored[-1]
    one, two = round(first.value or 0, 2), round(last.value or 0, 2)
    when = format_date(first.day)
    if len(trend.scored) == 1:
        return _("On %(day)s: %(score)s.", day=when, score=format_number(one))
    both = _(
        "First, on %(day)s: %(score)s. Last, on %(last_day)s: %(last_score)s.",
        day=when,
        score=format_number(one),
        last_day=format_date(last.day),
        last_score=format_number(two),
    )
    difference = format_number(abs(round(two - one, 2)))
    if two == one:
        return f"{both} {_the_same()}"
    higher = _("That is %(number)s higher.", number=difference)
    lower = _("That is %(number)s lower.", number=difference)
    return f"{both} {higher if two > one else lower}"


def _the_same() -> str:
    return _("That is the same.")


def rows_of(trend: Trend) -> list[dict[str, Any]]:
    """Return the table beside the chart, newest first."""
    rows = []
    for one in reversed(trend.moments):
        outside = one.value is not None and not trend.fits(one.value)
        reason = _("The number that is stored lies outside the scale.") if outside else one.reason
        value = "" if one.value is None or outside else format_number(one.value)
        rows.append(
            {
                "date": format_date(one.day, "medium"),
                "value": value,
                "reason": reason,
                "answered": _answered(one, trend.rule),
                "response_id": one.response_id,
                "corrected": one.corrected,
            }
        )
    return rows


def _answered(moment: Moment, rule: ScoreRule) -> str:
    if moment.answered is None:
        return ""
    return _("%(number)s of %(all)s", number=moment.answered, all=len(rule.items))


def _month(day: dt.date) -> str:
    names = {
        "nl": ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
        "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    }
    return f"{names[language()][day.month - 1]} {day.year}"
