"""The pages of a response that was sent in: reading it back, and correcting it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mappers.tolerant import text_in
from questionnaires.catalogue import catalogue
from questionnaires.model import Instrument
from smartapp.fhir.store import NotFound
from smartapp.pages.questionnaire.before import remember_sent
from smartapp.pages.questionnaire.drafting import about
from smartapp.pages.questionnaire.filling import OtherVersion, draft_of, filling_of
from smartapp.pages.questionnaire.sending import correctable, own_response
from smartapp.pages.questionnaire.views import SentPage, answer_groups
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import language


def response(response_id: str) -> ResponseReturnValue:
    """Thank for what was sent in just now; read back later, it is on the page of sent answers."""
    record = _own_response(response_id)
    if "sent" not in request.args:
        return redirect(url_for("answers.response", response_id=record.resource["id"]), 303)
    if current.records().is_stopped(["QuestionnaireResponse"], record.resource["id"]):
        record = replace(record, state="refused")
    try:
        instrument = catalogue().by_canonical(text_in(record.resource, "questionnaire"))
        filling = filling_of(instrument, record.resource, catalogue())
    except (LookupError, OtherVersion):
        return redirect(url_for("answers.response", response_id=record.resource["id"]), 303)
    if record.state != "refused":
        remember_sent(instrument.id, record.resource["id"])
    page = SentPage(
        instrument=instrument,
        groups=answer_groups(filling),
        authored=text_in(record.resource, "authored"),
        place=record.place if record.state == "stored" else record.state,
        scored=bool(instrument.scores),
        response_id=record.resource["id"],
    )
    return render_template("questionnaire/sent.html", page=page)


def correct(response_id: str) -> ResponseReturnValue:
    """Open a response once more as a draft of its own; sending that in amends the response and its scores."""
    record = _own_response(response_id)
    instrument = _by_canonical(text_in(record.resource, "questionnaire"))
    if instrument is None:
        abort(404)
    try:
        sent = filling_of(instrument, record.resource, catalogue())
    except OtherVersion:  # another program made something of it that we cannot read
        abort(404)
    if not correctable(current.records(), record, sent.answers):
        abort(404)

    # A draft that another tab began meanwhile goes first: it holds answers that are nowhere else.
    def update(draft: dict[str, Any] | None) -> dict[str, Any]:
        return draft or draft_of(sent, about(current.launch(), current.now(), language()))

    current.records().drafts.change(instrument.id, update)
    return redirect(url_for(".review", instrument_id=instrument.id), 303)


def _own_response(response_id: str) -> Record:
    try:
        return own_response(current.records(), response_id)
    except NotFound:
        abort(404)


def _by_canonical(canonical: str) -> Instrument | None:
    """Return the instrument that a response answers, if that version is still the one to fill in."""
    return next((one for one in catalogue().asked.values() if one.canonical == canonical), None)
