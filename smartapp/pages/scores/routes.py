"""The scores of a person: all instruments on one page and, for the client, a page for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from mappers.answers import asked_in, is_finished
from mappers.observations import SCORE_SYSTEM
from mappers.own_notes import OwnNote, notes_about
from mappers.tolerant import code_in, text_in
from mappers.trends import Measurements
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.pages.scores import asking
from smartapp.pages.scores.keeping import NEWS, Unkept, keep, mark_of, unkept_in
from smartapp.pages.scores.notes import note, notes_of
from smartapp.pages.scores.panels import (
    ChangedSentences,
    Panel,
    Row,
    changed_sentences,
    leading_row,
    panel_of,
    strange_lines,
)
from smartapp.pages.scores.paper import paper_of_all, paper_of_chart, paper_of_one
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import _, text_of
from smartapp.web.pdf import download

blueprint = Blueprint("scores", __name__, url_prefix="/scores", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A response to a questionnaire without scores, such as a prepared visit."""

    instrument: Instrument
    response_id: str
    authored: str


@dataclass(frozen=True, slots=True)
class InstrumentScores:
    """One instrument: its panels, by today's default rules, by its other rules and by earlier ones."""

    instrument: Instrument
    shown: Panel | None
    alternatives: Panel | None
    earlier: Panel | None
    strange: list[str]
    """Its scores of which we do not know how they were calculated, a line each."""
    changed: ChangedSentences | None
    notes: tuple[OwnNote, ...]
    """What the client wrote beside the scores, newest first."""
    place: str
    """Where its scores are stored, or "waiting" or "refused" for the outbox."""


@dataclass(frozen=True, slots=True)
class LeadingRow:
    """One instrument in the list of all: its leading score."""

    instrument: Instrument
    row: Row


@dataclass(frozen=True, slots=True)
class ScoresPage:
    """What was measured, newest first; finished questionnaires without scores; scored ones never filled in."""

    rows: list[LeadingRow]
    strange: list[Instrument]
    """Those of which there are scores that were calculated in a way that we do not know."""
    conversations: list[Conversation]
    not_yet: list[Instrument]
    unkept: list[Unkept]
    """Responses whose scores are not in the record; `seen` is the mark of them."""
    seen: str
    cut: str
    """The sentence that says that there is more than was asked for, else ""."""
    news: str
    """What just happened, in a sentence, or ""."""


@blueprint.get("/")
def index() -> str:
    """Show a client the leading score of every instrument, and the care team all scores of all of them."""
    records = _records()
    found = _measured(records)
    cut = asking.cut_sentence(current.records().cut)
    if current.launch().user.role != "client":
        return render_template("scores/chart.html", all=[_scores_of(one, records) for one in found], cut=cut)
    known = {one.instrument.id for one in found}
    unkept = unkept_in(records.scores, records.responses)
    news = NEWS.get(request.args.get("news", ""))
    page = ScoresPage(
        rows=[LeadingRow(one.instrument, leading_row(one)) for one in found if one.leading],
        strange=[one.instrument for one in found if one.not_ours],
        conversations=_conversations([record.resource for record in records.responses]),
        # What was not asked for may have been filled in long ago.
        not_yet=[one for one in catalogue().scored.values() if one.id not in known and not cut],
        unkept=unkept,
        seen=mark_of(unkept),
        cut=cut,
        news=_(news) if news else "",
    )
    return render_template("scores/index.html", page=page)


@blueprint.get("/<instrument_id>/")
def instrument(instrument_id: str) -> str:
    """Show a client every score of one instrument over time."""
    chosen, records, mine = _of(instrument_id)
    return render_template(
        "scores/instrument.html",
        instrument=chosen,
        scores=_scores_of(mine, records) if mine else None,
        cut=asking.cut_sentence(current.records().cut),
    )


def _of(instrument_id: str) -> tuple[Instrument, _Records, Measurements | None]:
    """Return an instrument with scores, what the record has of it, and what was measured by it."""
    chosen = catalogue().scored.get(instrument_id) or abort(404)
    records = _records([chosen])
    return chosen, records, next((one for one in _measured(records) if one.instrument.id == chosen.id), None)


def _scores_of(mine: Measurements, records: _Records) -> InstrumentScores:
    codes = {rule.code for rule in mine.instrument.scores}
    places = [
        record.place if record.state == "stored" else record.state
        for record in records.scores
        if code_in(record.resource, "code", SCORE_SYSTEM) in codes
    ]
    id, title, own = mine.instrument.id, text_of(mine.instrument.title), current.launch().user.role == "client"
    differently, older = _("%(name)s, added up differently", name=title), _("%(name)s, by older rules", name=title)
    return InstrumentScores(
        instrument=mine.instrument,
        shown=panel_of(mine.shown, id=id, title=title, own=own),
        alternatives=panel_of(mine.alternatives, id=f"{id}-others", title=differently, own=own),
        earlier=panel_of(mine.earlier, id=f"{id}-earlier", title=older, own=own),
        strange=strange_lines(mine),
        changed=changed_sentences(mine.instrument, [record.resource for record in records.responses], catalogue()),
        notes=notes_about([record.resource for record in records.notes], id),
        place=places[-1] if places else "",
    )


@blueprint.get("/scores.pdf")
def as_pdf() -> Response:
    """Give what the page of scores shows as a PDF: a client the leading scores, the care team all of them."""
    records, launch = _records(), current.launch()
    found = _measured(records)
    cut = asking.cut_sentence(current.records().cut)
    if launch.user.role == "client":
        title = _("My scores")
        about = _("A score is a number that comes from your own answers. It does not say who you are.")
        content = paper_of_all(found, title=title, about=about, cut=cut, client=launch.patient, made=current.now())
    else:
        title = _("Scores")
        about = _("Numbers from the client's own answers. What a change means is for the conversation.")
        observations = [one.resource for one in records.notes]
        notes = {one.instrument.id: notes_about(observations, one.instrument.id) for one in found}
        content = paper_of_chart(
            found, notes, title=title, about=about, cut=cut, client=launch.patient, made=current.now()
        )
    return download(content, "scores")


@blueprint.get("/<instrument_id>/scores.pdf")
def instrument_as_pdf(instrument_id: str) -> Response:
    """Give every score of one instrument as a PDF."""
    chosen, records, mine = _of(instrument_id)
    if mine is None:
        abort(404)
    content = paper_of_one(
        mine,
        notes_about([one.resource for one in records.notes], chosen.id),
        cut=asking.cut_sentence(current.records().cut),
        client=current.launch().patient,
        made=current.now(),
    )
    return download(content, f"scores-{instrument_id}")


@dataclass(frozen=True, slots=True)
class _Records:
    scores: list[Record]
    responses: list[Record]
    notes: list[Record]


def _records(instruments: list[Instrument] | None = None) -> _Records:
    """Fetch scores, responses and own notes in one round trip; scores of some instruments, or of all."""
    patient = current.launch().patient.reference
    return _Records(
        *current.records().search(
            asking.scores_of(patient, instruments), asking.responses_of(patient), notes_of(patient)
        )
    )


def _measured(records: _Records) -> list[Measurements]:
    return asking.measured_here(records.scores, records.responses)


def _conversations(responses: list[dict[str, Any]]) -> list[Conversation]:
    """Return the finished responses to questionnaires without scores, the newest first."""
    without = {one.id: one for one in catalogue().asked.values() if not one.scores}
    found = [
        Conversation(without[asked.id], text_in(response, "id"), text_in(response, "authored"))
        for response in responses
        if is_finished(response) and (asked := asked_in(response, catalogue())) and asked.id in without
    ]
    return sorted(found, key=lambda one: one.authored, reverse=True)


blueprint.add_url_rule("/keep", view_func=keep, methods=["POST"])
blueprint.add_url_rule("/<instrument_id>/note", view_func=note, methods=["GET", "POST"])
