"""A client's own scores: all instruments on one page, and a page for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, render_template

from mappers.observations import SCORE_SYSTEM
from mappers.own_notes import OwnNote, notes_about
from mappers.tolerant import code_in, text_in
from mappers.trends import Measurements, measured
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.pages.scores import asking, trends
from smartapp.pages.scores.notes import note, notes_of
from smartapp.pages.scores.paper import paper_of_all, paper_of_one
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import day_of
from smartapp.web.pdf import download
from smartapp.web.roles import role

blueprint = Blueprint("scores", __name__, url_prefix="/scores", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A response to a questionnaire without scores, such as a prepared visit."""

    instrument: Instrument
    response_id: str
    authored: str


@dataclass(frozen=True, slots=True)
class ScoresPage:
    """What was measured, newest first; finished questionnaires without scores; scored ones never filled in."""

    measured: list[Measurements]
    conversations: list[Conversation]
    not_yet: list[Instrument]
    cut: str
    """The sentence that says that there is more than was asked for, else ""."""


@dataclass(frozen=True, slots=True)
class InstrumentPage:
    """One instrument; `measured` is None if there is nothing yet."""

    instrument: Instrument
    measured: Measurements | None
    place: str
    """Where its scores are stored, or "waiting" or "refused" for the outbox; "" without scores."""
    cut: str
    notes: tuple[OwnNote, ...] = ()
    """What the client wrote beside the scores, newest first."""


@blueprint.get("/")
@role("client")
def index() -> str:
    """Show the leading trend of every instrument."""
    observations, responses, _notes = _records()
    found = _measured(observations, responses)
    known = {one.instrument.id for one in found}
    cut = asking.cut_sentence(current.records().cut)
    page = ScoresPage(
        measured=found,
        conversations=_conversations([record.resource for record in responses]),
        # What was not asked for may have been filled in long ago.
        not_yet=[one for one in catalogue().instruments.values() if one.scores and one.id not in known and not cut],
        cut=cut,
    )
    return render_template("scores/index.html", page=page, trends=trends)


@blueprint.get("/<instrument_id>/")
@role("client")
def instrument(instrument_id: str) -> str:
    """Show every score of one instrument over time."""
    chosen = catalogue().instruments.get(instrument_id)
    if chosen is None or not chosen.scores:
        abort(404)
    observations, responses, notes = _records([chosen])
    mine = next((one for one in _measured(observations, responses) if one.instrument.id == chosen.id), None)
    codes = {rule.code for rule in chosen.scores}
    places = [
        record.place if record.state == "stored" else record.state
        for record in observations
        if code_in(record.resource, "code", SCORE_SYSTEM) in codes
    ]
    page = InstrumentPage(
        chosen,
        mine,
        places[-1] if places else "",
        asking.cut_sentence(current.records().cut),
        notes_about([one.resource for one in notes], chosen.id),
    )
    return render_template("scores/instrument.html", page=page, trends=trends)


@blueprint.get("/scores.pdf")
@role("client")
def as_pdf() -> Response:
    """Give the leading trend of every instrument as a PDF."""
    observations, responses, _notes = _records()
    found = _measured(observations, responses)
    cut = asking.cut_sentence(current.records().cut)
    content = paper_of_all(found, cut=cut, client=current.launch().patient, made=current.now())
    return download(content, "scores")


@blueprint.get("/<instrument_id>/scores.pdf")
@role("client")
def instrument_as_pdf(instrument_id: str) -> Response:
    """Give every score of one instrument as a PDF."""
    chosen = catalogue().instruments.get(instrument_id)
    if chosen is None or not chosen.scores:
        abort(404)
    observations, responses, notes = _records([chosen])
    mine = next((one for one in _measured(observations, responses) if one.instrument.id == chosen.id), None)
    if mine is None:
        abort(404)
    content = paper_of_one(
        mine,
        notes_about([one.resource for one in notes], chosen.id),
        cut=asking.cut_sentence(current.records().cut),
        client=current.launch().patient,
        made=current.now(),
    )
    return download(content, f"scores-{instrument_id}")


def _records(instruments: list[Instrument] | None = None) -> tuple[list[Record], list[Record], list[Record]]:
    """Fetch scores, responses and own notes in one round trip; scores of some instruments, or of all."""
    patient = current.launch().patient.reference
    observations, responses, notes = current.records().search(
        asking.scores_of(patient, instruments), asking.responses_of(patient), notes_of(patient)
    )
    return observations, responses, notes


def _measured(observations: list[Record], responses: list[Record]) -> list[Measurements]:
    scores, answers = [one.resource for one in observations], [one.resource for one in responses]
    return measured(scores, answers, catalogue(), day_of)


def _conversations(responses: list[dict[str, Any]]) -> list[Conversation]:
    """Return the finished responses to questionnaires without scores, the newest first."""
    without = {one.url: one for one in catalogue().asked.values() if not one.scores}
    found = [
        Conversation(without[url], text_in(response, "id"), text_in(response, "authored"))
        for response in responses
        for url in [text_in(response, "questionnaire").partition("|")[0]]
        if url in without and text_in(response, "status") in {"completed", "amended"}
    ]
    return sorted(found, key=lambda one: one.authored, reverse=True)


blueprint.add_url_rule("/<instrument_id>/note", view_func=note, methods=["GET", "POST"])
