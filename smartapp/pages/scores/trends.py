"""Scores over time as a person reads them: a line, its table, and sentences with numbers but without a verdict."""

from __future__ import annotations

from typing import Any, Final

from mappers.read_scores import Origin
from mappers.scoring import reason_of
from mappers.trends import Measurement, Trend
from questionnaires.model import ScoreRule
from smartapp.i18n import message
from smartapp.web.components.chart import Chart, ChartValue, line_chart
from smartapp.web.language import _, format_date, format_list, format_month, format_number, text_of

ORIGINS: Final[dict[Origin, str]] = {
    "stored": "",
    "answers": message("calculated from the answers"),
    "elsewhere": message("calculated by another program"),
}


def score_text(rule: ScoreRule, value: float) -> str:
    """Write a score: a mean always with two decimals, a sum as the whole number that it is."""
    return format_number(value, fixed=rule.aggregate == "mean")


def chart_of(trend: Trend) -> Chart | None:
    """Lay out a trend; None if it has no score to draw."""
    if not trend.scored:
        return None
    title = text_of(trend.rule.title)
    # A value outside the range leaves a gap here and gets a reason in the table: it cannot be this score.
    return line_chart(
        [
            ChartValue(one.day, one.value, score_text(trend.rule, one.value))
            if one.value is not None and trend.fits(one.value)
            else ChartValue(one.day, None)
            for one in trend.measurements
        ],
        low=trend.rule.low,
        high=trend.rule.high,
        id=f"chart-{trend.id}",
        title=_("%(score)s over time", score=title),
        summary=change_sentence(trend),
        caption=range_sentence(trend.rule),
        number=format_number,
        month=format_month,
    )


def range_sentence(rule: ScoreRule) -> str:
    """Say between which numbers a score can be."""
    return _("The scale runs from %(low)s to %(high)s.", low=format_number(rule.low), high=format_number(rule.high))


def how_sentence(rule: ScoreRule) -> str:
    """Say what is done with the answers, to the person who gave them; `rule.method` says it in full, with its code."""
    count = len(rule.items)
    said = {
        "sum": _("Your %(count)s answers, added up.", count=count),
        "mean": _("The mean of your %(count)s answers.", count=count),
        "mean-times-n": _("The mean of your %(count)s answers, times %(count)s.", count=count),
    }[rule.aggregate]
    turned = [link_id.rsplit("-", 1)[1].lstrip("0") for link_id in rule.items if link_id in rule.reversed]
    if turned:
        counted = _("Counted the other way round: %(questions)s.", questions=format_list(turned))
        said = f"{said} {counted}"
    return said


def last_sentence(trend: Trend) -> str:
    """Give the newest score with its day."""
    if not trend.scored:
        return _("There is no score yet.")
    last = trend.scored[-1]
    return _("Last, on %(day)s: %(score)s.", day=format_date(last.day), score=score_text(trend.rule, last.value or 0))


def change_sentence(trend: Trend) -> str:
    """Give the first and the last score and the difference between them, as numbers and nothing more.

    The difference is taken between the numbers as shown, so that a reader who subtracts them gets the same.
    """
    if not trend.scored:
        return _("There is no score yet.")
    first, last = trend.scored[0], trend.scored[-1]
    one, two = round(first.value or 0, 2), round(last.value or 0, 2)
    when, rule = format_date(first.day), trend.rule
    if len(trend.scored) == 1:
        return _("On %(day)s: %(score)s.", day=when, score=score_text(rule, one))
    both = _(
        "First, on %(day)s: %(score)s. Last, on %(last_day)s: %(last_score)s.",
        day=when,
        score=score_text(rule, one),
        last_day=format_date(last.day),
        last_score=score_text(rule, two),
    )
    difference = score_text(rule, abs(round(two - one, 2)))
    if two == one:
        return f"{both} {_the_same()}"
    higher = _("That is %(number)s higher.", number=difference)
    lower = _("That is %(number)s lower.", number=difference)
    return f"{both} {higher if two > one else lower}"


def _the_same() -> str:
    return _("That is the same.")


def origin_words(one: Measurement) -> str:
    """Say where a score comes from, "" for one that was filled in and stored here."""
    made = ORIGINS[one.origin]
    said = (_("filled in elsewhere") if one.filled_in_elsewhere else "", _(made) if made else "")
    return ", ".join(filter(None, said))


def origin_sentence(trend: Trend) -> str:
    """Say where the newest score comes from, "" for one that was filled in and stored here."""
    words = origin_words(trend.scored[-1]) if trend.scored else ""
    return _("Last time: %(origin)s.", origin=words) if words else ""


def rows_of(trend: Trend) -> list[dict[str, Any]]:
    """Return the rows of the table below the chart, the newest first."""
    rows = []
    for one in reversed(trend.measurements):
        outside = one.value is not None and not trend.fits(one.value)
        reason = _("The stored number is outside the scale.") if outside else _reason(one)
        value = "" if one.value is None or outside else score_text(trend.rule, one.value)
        rows.append(
            {
                "date": format_date(one.day, "medium"),
                "value": value,
                "reason": reason,
                "answered": _answered(one, trend.rule),
                "response_id": one.response_id,
                "corrected": one.corrected,
                "origin": origin_words(one),
            }
        )
    return rows


def _reason(measurement: Measurement) -> str:
    """Return why there is no score in the reader's language: the record has it in that of who sent the answers in."""
    return text_of(reason_of(measurement.reason)) or measurement.reason


def _answered(measurement: Measurement, rule: ScoreRule) -> str:
    if measurement.answered is None:
        return ""
    return _("%(number)s of %(all)s", number=measurement.answered, all=len(rule.items))
