"""What is done when a unit has arrived: assignments that a response answers are closed, former documents superseded.

Or without a unit: words are taken out of the record that its owner no longer shares there (`taking_out`).

Not a part of the unit: a clinician who changes or withdraws the assignment meanwhile must not hold up the answers, and
a document holds until the one that replaces it is in the chart. What is changed is read at the moment that it is
changed. Doing it twice does nothing more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

from mappers.assignment import answered, asks_for
from mappers.identity import own_identifier
from mappers.plan.document import TYPE, edition_of, superseded
from mappers.tolerant import text_in
from questionnaires.fhir import Resource
from smartapp.fhir.references import with_references
from smartapp.fhir.store import Conflict, Forbidden, NotFound, Query, Refused, Unreachable, Write
from smartapp.records.overlay import Record
from smartapp.records.parcels import Parcel, Unit
from smartapp.records.placement import Place

_MOST_TRIES: Final = 3


def answers(instrument: str, title: str) -> Resource:
    """Return the follow-up of a response: the assignments of its instrument are closed, and call it by its title."""
    return {"instrument": instrument, "title": title}


def replaces_documents() -> Resource:
    """Return the follow-up of a plan's document: the former ones in the same chart no longer hold."""
    return {"replaces": "DocumentReference"}


def answered_instrument(unit: Unit) -> str:
    """Return the id of the instrument whose assignments a unit closes when it has arrived, "" for none."""
    return text_in(unit.follow_up, "instrument")


class RecordsOfOne(Protocol):
    """The records of one person, wherever they are kept; see `records.Records`."""

    def search(self, *queries: Query) -> Sequence[Sequence[Record]]:
        """Return the matches of each query."""

    def is_private(self, resource: Resource) -> bool:
        """Tell whether only our own store may get a resource."""

    def take_out(self) -> object:
        """Take out of the record what its owner no longer shares there."""

    def write_now(self, write: Write, place: Place) -> None:
        """Write one thing at once."""


def follow(
    records: RecordsOfOne, patient: str, unit: Unit, follow_up: Resource, *, base: str, zone: dt.tzinfo = dt.UTC
) -> None:
    """Do what follows when a patient's unit has arrived; `base` is the EHR's address, `zone` is the place's.

    Raises RecordError where that has to wait.
    """
    changes: Callable[[RecordsOfOne], _Changes]
    if "takes-out" in follow_up:
        records.take_out()
        return
    if "instrument" in follow_up:
        changes = partial(_answered, patient, unit, follow_up, base=base, zone=zone)
    else:
        changes = partial(_former, patient, unit)
    for _ in range(_MOST_TRIES):
        try:
            for write, place in changes(records):
                records.write_now(write, place)
        except Conflict:  # changed between reading and writing: read again
            continue
        except (Forbidden, Refused, NotFound):
            # An EHR may keep this from its clients. Their words have arrived, and the clinician finds them there.
            return
        return
    raise Unreachable("What follows on this is changed all the time. It is done later.")


_Changes = Iterator[tuple[Write, Place]]


def _answered(
    patient: str, unit: Unit, follow_up: Resource, records: RecordsOfOne, *, base: str, zone: dt.tzinfo
) -> _Changes:
    """Yield the assignments that a response answers, closed."""
    arrived = (parcel for parcel in unit.parcels if parcel.type == "QuestionnaireResponse")
    response = next(((parcel, parcel.stored) for parcel in arrived if parcel.stored is not None), None)
    if response is None:  # its author threw the answers away
        return
    parcel, there = response
    if records.is_private(there.resource):  # an assignment that is answered would tell that there are answers
        return
    day = _day(text_in(there.resource, "authored"), zone)
    [tasks] = records.search(Query.of("Task", patient=patient))
    for task in tasks:
        if task.state == "stored" and asks_for(task.resource, follow_up["instrument"], day):
            closed = answered(task.resource, there.reference, follow_up["title"])
            named = partial(named_at, task.place, parcel, there.reference, base)
            yield Write("update", with_references(closed, named), if_match=task.etag), task.place


def _day(moment: str, zone: dt.tzinfo) -> str:
    """Return the day of a FHIR dateTime where the client lives: a server may write it in another zone."""
    try:
        read = dt.datetime.fromisoformat(moment)
        return (read.astimezone(zone) if read.tzinfo else read).date().isoformat()
    except (ValueError, OverflowError):
        return moment[:10]


def named_at(place: Place, parcel: Parcel, reference: str, base: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reference to a response as it can stand at a place that knows only what it has itself.

    What is at the EHR (`base`) is named in full elsewhere; the EHR is told which response it is by its identifier.
    """
    if given["reference"] != reference or place in (parcel.place, "own"):
        return dict(given)
    if parcel.place == "ehr":
        return {**given, "reference": f"{base}/{reference}"}
    ours = own_identifier(parcel.write.resource)
    rest = {name: value for name, value in given.items() if name != "reference"}
    return {**rest, **({"identifier": ours.as_fhir()} if ours else {})}


def _former(patient: str, unit: Unit, records: RecordsOfOne) -> _Changes:
    """Yield the documents that the one in this unit replaces, superseded; none where it did not reach the chart."""
    arrived = (one for one in unit.parcels if one.stored and one.type == "DocumentReference" and one.place == "ehr")
    new = next((edition_of(one.write.resource) for one in arrived), None)
    if new is None:
        return
    [documents] = records.search(Query.of("DocumentReference", patient=patient, type=TYPE, status="current"))
    for one in documents:
        old = edition_of(one.resource)
        if one.state == "stored" and one.place == "ehr" and old and old.plan == new.plan and old.number < new.number:
            yield Write("update", superseded(one.resource), if_match=one.etag), one.place
