"""Scores on paper: what their page shows, two beside each other, each line with all its numbers in a table below it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mappers.observations import ScorePoint
from mappers.own_notes import OwnNote
from mappers.trends import Measurements, Trend
from smartapp.pages.scores import trends
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, format_number, text_of
from smartapp.web.language import gettext as _
from smartapp.web.pdf import lines, pdf

TEMPLATE = Path(__file__).with_name("templates") / "scores" / "paper.typ"


def paper_of_all(
    found: Sequence[Measurements], *, about: str, cut: str, client: Person, made: dt.datetime, title: str
) -> bytes:
    """Return the leading score of every instrument as a PDF; `about` says what a score is. Raises NotTypeset."""
    leading = [(one, one.leading) for one in found if one.leading is not None]
    data = {
        "about": [about, cut],
        "scores": [score_data(text_of(one.instrument.title), lead) for one, lead in leading],
    }
    return _paper(title, data, client, made)


def paper_of_one(
    found: Measurements, notes: Sequence[OwnNote], *, cut: str, client: Person, made: dt.datetime
) -> bytes:
    """Return what the page of one instrument shows unfolded as a PDF: own notes, scores of today and of earlier rules.

    Raises NotTypeset.
    """
    instrument, older = found.instrument, _("calculated with an older rule")
    working = text_of(instrument.wording_note) if instrument.wording == "working" else ""
    data = {
        "about": [_("How your scores changed. Only you know what that means for you."), working, cut],
        "notes": {
            "title": _("What this means to me"),
            "notes": [{"date": format_date(one.written_on), "text": lines(one.text)} for one in notes],
        },
        "scores": [
            *(score_data(text_of(trend.rule.title), trend) for trend in found.shown),
            *(score_data(f"{text_of(one.rule.title)} ({older})", one) for one in found.earlier),
        ],
        "not-ours": {
            "title": _("Calculated in a way we do not know"),
            "about": _(
                "These numbers are in your record. We do not know how they were calculated, so we draw no line."
            ),
            "rows": [_not_ours(point) for point in found.not_ours],
        },
    }
    return _paper(text_of(instrument.title), data, client, made)


def _paper(title: str, data: dict[str, Any], client: Person, made: dt.datetime) -> bytes:
    data["about"] = [sentence for sentence in data["about"] if sentence]
    return pdf(title, TEMPLATE, data, person=client, made=made)


def score_data(title: str, trend: Trend, *, level: int = 1) -> dict[str, Any]:
    """Return what `score` in `sheet.typ` shows of a trend, below a heading of a level."""
    chart = trends.chart_of(trend)
    return {
        "title": title,
        "level": level,
        "columns": [_("Date"), _("Score"), _("Answered")],
        "change": trends.change_sentence(trend),
        "range": trends.range_sentence(trend.rule),
        "chart": {**asdict(chart), "no-score": _("no score")} if chart else None,
        "rows": [_row(row) for row in trends.rows_of(trend)],
    }


def _not_ours(point: ScorePoint) -> str:
    value = _("No score") if point.value is None else format_number(point.value)
    version = _("Version %(version)s", version=point.rule_version or "?")
    return f"{format_date(point.date)}: {value} ({point.code}, {version})"


def _row(row: dict[str, Any]) -> dict[str, str]:
    value = row["value"] or ". ".join(part for part in (_("No score"), row["reason"]) if part)
    corrected = f" ({_('corrected')})" if row["corrected"] else ""
    return {"date": row["date"], "value": value + corrected, "answered": row["answered"]}
