"""When each questionnaire was last sent in, so that nobody fills it in twice without meaning to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask import session

from mappers.answers import asked_in, is_finished
from mappers.tolerant import text_in
from questionnaires.catalogue import Catalogue
from smartapp.fhir.store import Query, Unreachable
from smartapp.pages.course import found as courses
from smartapp.records import Record, Records
from smartapp.records.overlay import on_their_way
from smartapp.web import current
from smartapp.web.language import day_of

MOST: Final = 80
"""How many responses are asked for, the newest: more than anyone fills in between two times of one questionnaire."""


@dataclass(frozen=True, slots=True)
class Before:
    """The last time: `authored` a FHIR dateTime, and the id of the response; `arrived` False: it is on its way."""

    authored: str
    response_id: str
    arrived: bool = True

    @property
    def today(self) -> bool:
        """Tell whether that was today, where the organisation is."""
        return str(day_of(self.authored)) == current.today()


def in_reach(records: Records) -> tuple[list[Record], list[Record]] | None:
    """Return the Tasks and the newest responses of this person, in one round trip; None if the record does not answer.

    Filling in goes on without it.
    """
    patient = records.launch.patient.reference
    sent = Query.newest(MOST, "QuestionnaireResponse", "authored", patient=patient)
    try:
        tasks, responses, care_plans = records.search(Query.of("Task", patient=patient), sent, courses.query(patient))
    except Unreachable:
        return None
    return courses.tasks_as_decided(care_plans, tasks), responses


def sent_here(records: Records) -> list[Record]:
    """Return the responses that this user sent in and that have not arrived: known also while the record is away."""
    return [
        one for one in on_their_way(records.waiting())[0] if one.resource["resourceType"] == "QuestionnaireResponse"
    ]


def last_sent(responses: Iterable[Record], catalogue: Catalogue) -> dict[str, Before]:
    """Return by the id of each instrument when it was last sent in; those that never were are left out."""
    found: dict[str, Before] = {}
    for record in responses:
        authored = text_in(record.resource, "authored")
        if record.state == "refused":  # it did not get through, and its own page says so
            continue
        if not is_finished(record.resource) or day_of(authored) is None:
            continue
        instrument = asked_in(record.resource, catalogue)
        if instrument is None:
            continue
        known = found.get(instrument.id)
        if known is None or str(day_of(known.authored)) <= str(day_of(authored)):
            found[instrument.id] = Before(authored, record.resource["id"], arrived=record.state == "stored")
    return found


# --- in this session ----------------------------------------------------------------------------------------------


def remember_sent(instrument_id: str, response_id: str) -> None:
    """Remember, in this launch, that a questionnaire was sent in just now."""
    session[_key(instrument_id)] = response_id


def just_sent(instrument_id: str) -> str:
    """Return the id of the response that was sent in here and after which nothing new was begun, "" for none.

    Who goes back after sending in finds the questions empty: this is how those pages know why.
    """
    sent = str(session.get(_key(instrument_id), ""))
    return sent if sent and current.records().drafts.get(instrument_id) is None else ""


def _key(instrument_id: str) -> str:
    return f"sent-{current.launch().id}-{instrument_id}"
