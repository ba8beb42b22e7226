"""Scores on paper: the panels of their page, from the same rows, each with all its numbers in one table below it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from mappers.own_notes import OwnNote
from mappers.trends import Measurements
from smartapp.pages.scores.panels import Panel, Row, TableMoment, TableRow, panel_of, row_of, strange_lines
from smartapp.storage.launches import Person
from smartapp.web.language import format_date, text_of
from smartapp.web.language import gettext as _
from smartapp.web.pdf import lines, pdf

TEMPLATE = Path(__file__).with_name("templates") / "scores" / "paper.typ"
DAYS_IN_A_TABLE: Final = 4
"""More moments than these go into another table below."""


def paper_of_all(
    found: Sequence[Measurements], *, about: str, cut: str, client: Person, made: dt.datetime, title: str
) -> bytes:
    """Return the leading score of every instrument as a PDF; `about` says what a score is. Raises NotTypeset."""
    panels = [panel_data(panel) for one in found if (panel := _leading_panel(one))]
    data = {"about": [about, cut], "panels": panels}
    return _paper(title, data, client, made)


def paper_of_chart(
    found: Sequence[Measurements],
    notes: Mapping[str, Sequence[OwnNote]],
    *,
    about: str,
    cut: str,
    client: Person,
    made: dt.datetime,
    title: str,
) -> bytes:
    """Return every panel of every instrument as a PDF, with own notes, for the care team. Raises NotTypeset."""
    data = {"about": [about, cut], "panels": all_panels(found, notes, own=False)}
    return _paper(title, data, client, made)


def all_panels(
    found: Sequence[Measurements], notes: Mapping[str, Sequence[OwnNote]], *, own: bool
) -> list[dict[str, Any]]:
    """Return every panel of every instrument for a template, with own notes (by instrument); `own`: for the client."""
    panels = []
    strange = (
        _("These numbers are in your record. We do not know how they were calculated, so we draw no line.")
        if own
        else _("These numbers are in the record. We do not know how they were calculated, so we draw no picture.")
    )
    for one in found:
        panels += _panels(one, text_of(one.instrument.title), notes.get(one.instrument.id, ()), own=own)
        panels += _strange(one, strange)
    return panels


def paper_of_one(
    found: Measurements, notes: Sequence[OwnNote], *, cut: str, client: Person, made: dt.datetime
) -> bytes:
    """Return what the page of one instrument shows as a PDF, and below it the lines that are folded on the page.

    Raises NotTypeset.
    """
    instrument = found.instrument
    working = text_of(instrument.wording_note) if instrument.wording == "working" else ""
    charts = [(row.title, row.line) for trend in found.shown if (row := row_of(trend)).line]
    several = any(len(trend.scored) > 1 for trend in found.shown)
    data = {
        "about": [_("How your scores changed. Only you know what that means for you."), working, cut],
        "panels": [
            *_panels(found, _("First and last time") if several else _("Your numbers"), (), own=True),
            *_strange(
                found,
                _("These numbers are in your record. We do not know how they were calculated, so we draw no line."),
            ),
        ],
        "own": _own(notes),
        "over-time": {
            "title": _("Over time"),
            "charts": [{**asdict(line), "heading": title, "no-score": _("no score")} for title, line in charts if line],
        },
    }
    return _paper(text_of(instrument.title), data, client, made)


def _paper(title: str, data: dict[str, Any], client: Person, made: dt.datetime) -> bytes:
    data["about"] = [sentence for sentence in data["about"] if sentence]
    return pdf(title, TEMPLATE, data, person=client, made=made)


def _leading_panel(one: Measurements) -> Panel | None:
    shown = [one.leading] if one.leading else []
    return panel_of(shown, id=one.instrument.id, title=text_of(one.instrument.title), own=False)


def _panels(found: Measurements, title: str, notes: Sequence[OwnNote], *, own: bool) -> list[dict[str, Any]]:
    """Return the panels by the rules of today and by older ones; own notes stand at the end of the first."""
    older = _("%(name)s, by older rules", name=text_of(found.instrument.title))
    shown = panel_of(found.shown, id=found.instrument.id, title=title, own=own)
    earlier = panel_of(found.earlier, id=f"{found.instrument.id}-earlier", title=older, own=own)
    made = [panel_data(panel) for panel in (shown, earlier) if panel]
    return [{**made[0], "own": _own(notes)}, *made[1:]] if made else made


def _own(notes: Sequence[OwnNote]) -> dict[str, Any]:
    return {
        "title": _("What this means to me"),
        "notes": [{"date": format_date(one.written_on), "text": lines(one.text)} for one in notes],
    }


def panel_data(panel: Panel) -> dict[str, Any]:
    """Return what `panel` in `sheet.typ` shows of a panel."""
    moments = panel.moments
    return {
        "title": panel.title,
        "level": 1,
        "when": " ".join([panel.when, *panel.origins]),
        "key": key_data(between=panel.between) if panel.several else [],
        "scale": panel.scale,
        "rows": [row_data(row) for row in panel.rows],
        "words": f"{panel.rows[0].title}: {panel.rows[0].words}",
        "about": _("About"),
        "tables": [_table(panel, moments[at : at + DAYS_IN_A_TABLE]) for at in range(0, len(moments), DAYS_IN_A_TABLE)],
    }


def key_data(*, between: bool) -> list[tuple[str, str]]:
    """Return what the dots of a row mean, for `legend` in `sheet.typ`."""
    key = [("first", _("first time")), ("between", _("in between")), ("last", _("last time"))]
    return [(kind, words) for kind, words in key if between or kind != "between"]


def row_data(row: Row) -> dict[str, Any]:
    """Return what `row` in `sheet.typ` shows of a scale: its picture with words for who can't see it, and numbers."""
    return {
        "title": row.title,
        "scale": row.scale,
        "picture": asdict(row.picture) if row.picture else None,
        "alt": f"{row.title}. {row.words}",
        "numbers": " → ".join(part for part in (row.first, row.last) if part) or _("none"),
        "words": row.words,
        "notes": row.notes,
    }


def _table(panel: Panel, moments: Sequence[TableMoment]) -> dict[str, Any]:
    """Return numbers as a row per scale and a column per moment, the newest first."""
    titles = list(dict.fromkeys(row.title for row in panel.rows))
    return {
        "days": [moment.day for moment in moments],
        "rows": [
            [title, *([_cell(row) for row in one.rows if row.title == title] for one in moments)] for title in titles
        ],
    }


def _cell(row: TableRow) -> dict[str, str]:
    why = ". ".join(part for part in (_("No score"), row.reason) if part)
    beside = (row.answered if row.value else "", _("corrected") if row.corrected else "", row.origin)
    return {"value": row.value or why, "about": ", ".join(part for part in beside if part)}


def _strange(found: Measurements, about: str) -> list[dict[str, Any]]:
    rows = strange_lines(found)
    return [{"title": _("Calculated in a way we do not know"), "about": about, "strange": rows}] if rows else []
