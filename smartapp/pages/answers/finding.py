"""Finding what was sent in: every response of this person that is finished, and who opened it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mappers.answers import Answers, answers_of, is_finished, kind_of
from mappers.errors import RefusedResponse
from mappers.tolerant import object_in, text_in
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import NotFound, Query
from smartapp.pages.questionnaire.sending import own_response
from smartapp.pages.scores import asking
from smartapp.records import Record
from smartapp.web import current
from smartapp.web.language import place_zone

PAGES_OF_ONE: Final = frozenset({"answers.response", "answers.as_pdf"})
"""The page that shows one response, and that page on paper, as the log of access calls them."""
MOST_LOOKS: Final = 500
"""How many rows of the log are looked through for who read a response: the newest."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A finished response, and its answers; None where it is of a questionnaire, or in a form, that we cannot read."""

    record: Record
    answers: Answers | None

    @property
    def authored(self) -> str:
        """Return when it was filled in, a FHIR dateTime."""
        return text_in(self.record.resource, "authored")


@dataclass(frozen=True, slots=True)
class Reading:
    """The last time that one person opened a response."""

    name: str
    on: dt.datetime


def find() -> tuple[list[Sent], list[Record]]:
    """Return what this person sent in, newest first, and their Tasks: in one round trip."""
    patient = current.launch().patient.reference
    responses, tasks = current.records().search(asking.responses_of(patient), Query.of("Task", patient=patient))
    return sent_in(responses), tasks


def sent_in(responses: Iterable[Record]) -> list[Sent]:
    """Return the finished ones, newest first. What is still being filled in is nobody's to read but its writer's.

    What two people wrote down in a conversation was sent in by nobody: its sheet shows it. Nor is a living form, which
    has pages of its own.
    """
    finished = [
        Sent(one, readable(one))
        for one in responses
        if is_finished(one.resource) and kind_of(one.resource, catalogue()) in (None, "questionnaire")
    ]
    return sorted(finished, key=lambda one: one.authored, reverse=True)


def one_of(sent: Sequence[Sent], response_id: str) -> Sent | None:
    """Return a response by its id, or by our identifier; also one that is older than what was asked for.

    Of someone else, or unfinished, there is none.
    """
    sought = response_id
    for each in sent:
        id_, named = each.record.resource["id"], text_in(object_in(each.record.resource, "identifier"), "value")
        if response_id not in (id_, named):
            continue
        # Newer answers over these that did not get through go first: a search brings what is in the record.
        if not {id_, named} & _stopped():
            return each
        sought = named or id_
    try:
        record = own_response(current.records(), sought)
    except NotFound:
        return None
    return next(iter(sent_in([record])), None)


def _stopped() -> set[str]:
    """Return the ids and names of the responses of which something that this user saved did not get through."""
    parcels = (one.unit.parcels[number] for one in current.records().stopped() for number in one.unit.pending)
    found = [one.write.resource for one in parcels if one.type == "QuestionnaireResponse"]
    names = {text_in(object_in(one, "identifier"), "value") for one in found}
    return (names | {text_in(one, "id") for one in found}) - {""}


def readable(record: Record) -> Answers | None:
    """Return the answers of a response, None where we cannot tell what they say."""
    try:
        return answers_of(record.resource, catalogue())
    except RefusedResponse:
        return None


def readings() -> Mapping[str, Sequence[Reading]]:
    """Return by response (`QuestionnaireResponse/7`) who of the care team opened it, each with the last time."""
    launch = current.launch()
    looks = current.services().audit.looks(launch.issuer_key, launch.patient.reference)
    found: dict[str, dict[str, Reading]] = {}
    for _number, entry in islice(looks, MOST_LOOKS):
        if entry.event == "read" and len(entry.objects) > 1 and entry.objects[0] in PAGES_OF_ONE:
            moment = dt.datetime.fromtimestamp(entry.recorded, place_zone())
            # Newest first, so the first time that a reader is met is their last.
            found.setdefault(entry.objects[1], {}).setdefault(entry.user, Reading(entry.user_name, moment))
    return {response: tuple(readers.values()) for response, readers in found.items()}
