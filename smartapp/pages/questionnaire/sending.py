"""Sending in: the response and its scores as one unit, and finding what was sent before.

What is written is made by `mappers.submission`; here it becomes `Write`s and goes to the records of one launch. Nothing
here knows of a request: the same calls could send answers in from a command.
"""

from __future__ import annotations

from mappers.answers import FHIR_ID, IDENTIFIER_SYSTEM, Answers, is_finished
from mappers.identity import Identifier
from mappers.submission import submission_of
from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.store import NotFound, Unreachable, Write
from smartapp.records import Record, Records
from smartapp.records.following import answers as answers_follow_up


def send(records: Records, answers: Answers) -> Record:
    """Send completed answers in, and return the response as it is stored, or as it waits to be.

    The assignments that they answer are closed after that. If an earlier try arrived, perhaps without our hearing of
    it, and its answers differ from these, then these amend it.

    Raises RecordError; then nothing of the unit was sent.
    """
    title = answers.instrument.title.get(answers.response.language)
    saved = records.save(writes_of(answers), follow_up=answers_follow_up(answers.instrument.id, title))
    return saved[0]


def send_later(records: Records, answers: Answers) -> None:
    """Keep completed answers until whose token sends them signs in again; see `send`. Raises RecordError."""
    title = answers.instrument.title.get(answers.response.language)
    records.later(writes_of(answers), follow_up=answers_follow_up(answers.instrument.id, title))


def writes_of(answers: Answers) -> list[Write]:
    """Return the unit that sends answers in: the response and its scores."""
    return [
        Write.once(entry.resource, identifier=entry.identifier, full_url=entry.full_url)
        for entry in submission_of(answers)
    ]


def already_sent(records: Records, identifier: str) -> Record | None:
    """Return the response with this identifier of ours: a second press of the same button finds what the first sent.

    Where it could not be amended it is the one that succeeded it, with the newest answers. None if there is none, and
    for an identifier that a form made up: a comma or bar in it would ask the server for something else.
    """
    if not FHIR_ID.fullmatch(identifier):
        return None
    return records.made("QuestionnaireResponse", Identifier(IDENTIFIER_SYSTEM, identifier))


def corrected_on(records: Records, identifier: str) -> str | None:
    """Return when the response was filled in (a FHIR dateTime) that a draft with this identifier corrects.

    None for the draft of a new response, and if the record does not answer: the review goes on without it.
    """
    try:
        sent = already_sent(records, identifier)
    except Unreachable:
        return None
    return text_in(sent.resource, "authored") or None if sent else None


def own_response(records: Records, response_id: str) -> Record:
    """Return a response of this person. Raises NotFound, also for a response of anyone else.

    `response_id` may be our identifier: a page made while the response was still on its way has an address with that,
    and by now it may have arrived under an id that the server gave it.
    """
    try:
        record = records.read("QuestionnaireResponse", response_id)
    except NotFound:
        sent = already_sent(records, response_id)
        if sent is None:
            raise
        record = sent
    if text_in(object_in(record.resource, "subject"), "reference") != records.launch.patient.reference:
        raise NotFound("This response is not about the person of this launch.")
    return record


def correctable(records: Records, record: Record, answers: Answers) -> bool:
    """Tell whether the client may change this response: theirs, arrived, of today's version, in a store that lets us.

    An unfinished questionnaire of the same kind goes first: a correction would have to replace it. What another program
    answered beside ours would be lost by it, for a response is written anew.
    """
    response, instrument = record.resource, answers.instrument
    theirs = text_in(object_in(response, "author"), "reference") == records.launch.user.reference
    # Without an identifier of ours, sending the correction could not find what it corrects.
    ours = bool(FHIR_ID.fullmatch(_our_identifier(response))) and response.get("questionnaire") == instrument.canonical
    whole = not answers.others
    allowed = record.place != "ehr" or records.capability().can("QuestionnaireResponse", "update")
    free = records.drafts.get(instrument.id) is None
    return record.state == "stored" and theirs and ours and whole and is_finished(response) and allowed and free


def _our_identifier(response: Resource) -> str:
    identifier = object_in(response, "identifier")
    return text_in(identifier, "value") if identifier.get("system") == IDENTIFIER_SYSTEM else ""
