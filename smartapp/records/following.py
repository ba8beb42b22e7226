"""What is done when a unit has arrived: the assignments that a response answers are marked as answered.

Not a part of the unit: a clinician who changes or withdraws the assignment meanwhile must not hold up the answers, and
what a Task says is read at the moment that it is changed. Doing it twice does nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from mappers.assignment import answered, asks_for
from mappers.tolerant import text_in
from questionnaires.fhir import Resource
from smartapp.fhir.store import Conflict, Forbidden, NotFound, Query, Refused, Unreachable, Write
from smartapp.records.overlay import Record
from smartapp.records.parcels import Unit
from smartapp.records.placement import Place

_MOST_TRIES: Final = 3


def answers(instrument: str, title: str) -> Resource:
    """Return the follow-up of a response: the assignments of its instrument are closed, and call it by its title."""
    return {"instrument": instrument, "title": title}


def answered_instrument(unit: Unit) -> str:
    """Return the id of the instrument whose assignments a unit closes when it has arrived, "" for none."""
    return text_in(unit.follow_up, "instrument")


class RecordsOfOne(Protocol):
    """The records of one person, wherever they are kept; see `records.Records`."""

    def search(self, *queries: Query) -> Sequence[Sequence[Record]]:
        """Return the matches of each query."""

    def write_now(self, write: Write, place: Place) -> None:
        """Write one thing at once."""


def follow(records: RecordsOfOne, patient: str, unit: Unit, follow_up: Resource) -> None:
    """Close the assignments of a patient that a response answers. Raises RecordError where that has to wait."""
    arrived = (one.stored.reference for one in unit.parcels if one.stored and one.type == "QuestionnaireResponse")
    response = next(arrived, "")
    for _ in range(_MOST_TRIES):
        [tasks] = records.search(Query.of("Task", patient=patient))
        asked = [one for one in tasks if one.state == "stored" and asks_for(one.resource, follow_up["instrument"])]
        try:
            for task in asked:
                closed = answered(task.resource, response, follow_up["title"])
                records.write_now(Write("update", closed, if_match=task.etag), task.place)
        except Conflict:  # changed between reading and writing: read again
            continue
        except (Forbidden, Refused, NotFound):
            # An EHR may keep this from its clients. Their words have arrived, and the clinician finds them there.
            return
        return
    raise Unreachable("An assignment is changed all the time. It is marked as answered later.")
