"""The scores of one questionnaire beside each other: a row per scale, from the first time to the last, and one table.

The rows keep the order of the instrument, whichever changed more. Nothing here says whether a change is good.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.answers import Answers, answers_of, asked_in, is_finished
from mappers.comparing import Change as AnswerChange
from mappers.comparing import as_much_changed, most_changed, previous_of
from mappers.errors import RefusedResponse
from mappers.observations import moment_of
from mappers.trends import Measurements, Trend
from questionnaires.catalogue import Catalogue
from questionnaires.model import Instrument, ScoreRule
from smartapp.pages.scores import trends
from smartapp.web.components.chart import Change, Chart, change_of
from smartapp.web.language import _, day_of, format_date, format_list, format_number, ngettext, text_of

MOST_DAYS_NAMED: Final = 3
"""The moments that the sentence above a panel names one by one; of more, only the first and the last."""
LINE_FROM: Final = 3
"""The number of scores from which a row has a line over time behind it: two are all said by the row itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """One scale: `first` is "" with a single score, and both numbers are "" without any. `words` say the same."""

    id: str
    title: str
    scale: str  # from where to where it runs, where the rows of the panel differ in that; else ""
    picture: Change | None
    first: str
    last: str
    words: str
    notes: tuple[str, ...]  # what the picture cannot show: measurements without a score
    line: Chart | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """One score as a number; `value` is "" without one, and `reason` says why."""

    title: str
    value: str
    reason: str
    answered: str
    corrected: bool
    origin: str
    """Where it comes from, in words; "" where it was filled in and stored here."""


@dataclass(frozen=True, slots=True)
class TableMoment:
    """All scores of one day's answers; `response_id` is "" if the answers are not at hand."""

    day: str
    response_id: str
    rows: tuple[TableRow, ...]

    @property
    def origin(self) -> str:
        """Return where all of them come from; "" where they differ in that."""
        origins = {row.origin for row in self.rows}
        return origins.pop() if len(origins) == 1 else ""


@dataclass(frozen=True, slots=True)
class Made:
    """How the number of a row is made; `verified`: every published fact behind it was read in its source."""

    title: str
    how: str
    minimum_answered: int
    version: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """The scores of one instrument; `moments` are newest first."""

    id: str
    title: str
    when: str
    scale: str  # from where to where every row runs; "" if they differ
    several: bool  # whether any row has a first and a last
    between: bool  # whether any row has more than these two
    rows: tuple[Row, ...]
    moments: tuple[TableMoment, ...]
    made: tuple[Made, ...]
    sources: tuple[str, ...]
    origins: tuple[str, ...]
    """How often it was not filled in and stored here but otherwise, a sentence each."""


@dataclass(frozen=True, slots=True)
class ChangedSentences:
    """The questions whose answers differ most between the last time and the time before.

    `as_much`: how many more differ as much as the last of these.
    """

    before: str
    now: str
    rows: tuple[ChangedSentence, ...]
    as_much: int = 0


@dataclass(frozen=True, slots=True)
class ChangedSentence:
    """One of them, with both answers in words."""

    question: str
    before: str
    now: str


def panel_of(drawn: Sequence[Trend], *, id: str, title: str, own: bool) -> Panel | None:
    """Lay out trends of one instrument for the client (`own`) or the care team; None without any."""
    if not drawn:
        return None
    ranges = {(trend.rule.low, trend.rule.high) for trend in drawn}
    alike = len(ranges) == 1
    most = max(len(trend.scored) for trend in drawn)
    moments = _moments(drawn)
    return Panel(
        id=id,
        title=title,
        when=when_sentence(drawn),
        scale=trends.range_sentence(drawn[0].rule) if alike else "",
        several=most > 1,
        between=most > 2,
        rows=tuple(row_of(trend, own_scale=not alike) for trend in drawn),
        moments=moments,
        made=tuple(_made(trend.rule, own=own) for trend in drawn),
        sources=tuple(dict.fromkeys(source.citation for trend in drawn for source in trend.rule.sources)),
        origins=_origins(moments),
    )


def _made(rule: ScoreRule, *, own: bool) -> Made:
    how = trends.how_sentence(rule) if own else text_of(rule.method)
    return Made(text_of(rule.title), how, rule.minimum_answered, rule.version, rule.verified)


def row_of(trend: Trend, *, own_scale: bool = True, title: str = "") -> Row:
    """Lay out one scale; `own_scale` says in the row itself from where to where it runs."""
    rule, scored = trend.rule, trend.scored
    numbers = [trends.score_text(rule, one.value) for one in scored if one.value is not None]
    shown = [one.value if one.value is not None and trend.fits(one.value) else None for one in trend.measurements]
    return Row(
        id=trend.id,
        title=title or text_of(rule.title),
        scale=_("%(low)s to %(high)s", low=format_number(rule.low), high=format_number(rule.high)) if own_scale else "",
        picture=change_of(shown, low=rule.low, high=rule.high) if scored else None,
        first=numbers[0] if len(numbers) > 1 else "",
        last=numbers[-1] if numbers else "",
        words=trends.change_sentence(trend),
        notes=_notes(trend),
        line=trends.chart_of(trend) if len(scored) >= LINE_FROM else None,
    )


def leading_row(one: Measurements) -> Row:
    """Lay out the score that stands for an instrument, under the instrument's name.

    Raises ValueError if nothing of it can be drawn.
    """
    if one.leading is None:
        raise ValueError(f"{one.instrument.id} has no score of ours.")
    row = row_of(one.leading, title=text_of(one.instrument.title))
    notes = [*row.notes, trends.origin_sentence(one.leading)]
    if one.parts_scored:
        notes.append(
            ngettext("There is a score for %(num)s part.", "There is a score for %(num)s parts.", one.parts_scored)
        )
    return replace(row, notes=tuple(filter(None, notes)))


def strange_lines(found: Measurements) -> list[str]:
    """Say each score of an instrument of which we do not know how it was calculated, the oldest first."""
    titles = {rule.code: text_of(rule.title) for rule in found.instrument.scores}
    lines = []
    for one in sorted(found.not_ours, key=lambda each: moment_of(each.date)):
        value = _("No score") if one.value is None else format_number(one.value)
        rule = _("Version %(version)s", version=one.rule_version) if one.rule_version else _("rule not stated")
        lines.append(f"{format_date(one.date)}: {titles[one.code]}, {value} ({rule})")
    return lines


def changed_sentences(
    instrument: Instrument, responses: Iterable[dict[str, Any]], known: Catalogue
) -> ChangedSentences | None:
    """Compare the newest finished answers to an instrument with those before them; None if there are no two."""
    given = sorted(_answers(instrument, responses, known), key=lambda one: one.response.authored)
    before = previous_of(given[-1], given[:-1]) if given else None
    if before is None:
        return None
    now = given[-1]
    stems = {item.link_id: text_of(group.help) for group in now.instrument.groups for item in group.items}
    return ChangedSentences(
        before=format_date(day_of(before.response.authored)),
        now=format_date(day_of(now.response.authored)),
        rows=tuple(_sentence(change, stems[change.item.link_id]) for change in most_changed(now, before)),
        as_much=as_much_changed(now, before),
    )


def _sentence(change: AnswerChange, help_text: str) -> ChangedSentence:
    question = text_of(change.item.text)
    # The help of a group that ends in dots is the beginning of each sentence in it.
    whole = f"{help_text.removesuffix('…').rstrip()} {question}" if help_text.endswith("…") else question
    return ChangedSentence(whole, text_of(change.before.text), text_of(change.now.text))


def _answers(instrument: Instrument, responses: Iterable[dict[str, Any]], known: Catalogue) -> list[Answers]:
    found = []
    for response in responses:
        asked = asked_in(response, known)
        if asked is not None and asked.id == instrument.id and is_finished(response):
            try:
                found.append(answers_of(response, known))
            except RefusedResponse:  # its page says so; here it has nothing to compare
                continue
    return found


def when_sentence(drawn: Sequence[Trend]) -> str:
    """Say how often, and when, an instrument was filled in."""
    days = sorted({one.day for trend in drawn for one in trend.measurements})
    number = max(len(trend.measurements) for trend in drawn)
    times = ngettext("Filled in %(num)s time", "Filled in %(num)s times", number)
    if len(days) > MOST_DAYS_NAMED:
        first, last = format_date(days[0]), format_date(days[-1])
        return _("%(times)s, from %(first)s to %(last)s.", times=times, first=first, last=last)
    return f"{times}: {format_list([format_date(day) for day in days])}."


def _notes(trend: Trend) -> tuple[str, ...]:
    without = [row for row in trends.rows_of(trend) if not row["value"]]
    if len(without) > 1:
        return (
            ngettext(
                "No score %(num)s time. The table says why.",
                "No score %(num)s times. The table says why.",
                len(without),
            ),
        )
    return tuple(
        _("%(day)s: no score. %(reason)s", day=row["date"], reason=row["reason"] or "").rstrip() for row in without
    )


def _origins(moments: Iterable[TableMoment]) -> tuple[str, ...]:
    met = Counter(origin for one in moments for origin in dict.fromkeys(row.origin for row in one.rows) if origin)
    return tuple(
        ngettext("%(num)s time: %(origin)s.", "%(num)s times: %(origin)s.", times, origin=origin)
        for origin, times in met.items()
    )


def _moments(drawn: Sequence[Trend]) -> tuple[TableMoment, ...]:
    """Put the scores of all trends together per response, the newest first; without a response, per day."""
    found: dict[tuple[dt.date, str], list[TableRow]] = {}
    for trend in drawn:
        title = text_of(trend.rule.title)
        # Both are the same measurements; the rows come newest first.
        for one, row in zip(reversed(trend.measurements), trends.rows_of(trend), strict=True):
            found.setdefault((one.day, one.response_id), []).append(
                TableRow(title, row["value"], row["reason"] or "", row["answered"], row["corrected"], row["origin"])
            )
    newest = sorted(found.items(), key=lambda one: one[0][0], reverse=True)
    return tuple(TableMoment(format_date(day), response_id, tuple(rows)) for (day, response_id), rows in newest)
