"""Taking words out of the record: what its owner no longer shares with who reads there goes on in our own store.

Done at once when the owner chooses so, and as a follow-up (`following`) where the record did not answer then. Doing it
twice does nothing more. Each thing is saved as it is: on its way it is found to be private, so our own store gets it
and the record keeps which thing it was (`delivery`, `moving`). What had moved before, and could not be closed where it
was, is closed now.

What was sent in stays where it was sent: answers, scores, conversations and what was asked. Others wrote those too, or
act on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from mappers.answers import kind_of
from mappers.course import is_course
from mappers.identity import former, own_identifier
from mappers.plan.moving import CLOSED, STATUS, is_withdrawn, withdrawn, words_in
from mappers.plan.shapes import IDENTIFIER_SYSTEMS
from mappers.sharing import part_of
from mappers.sharing.parts import NOTES, WHERE_NOW
from mappers.tolerant import text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.references import references
from smartapp.fhir.store import Conflict, Forbidden, NotFound, Query, Refused, Unreachable, Write
from smartapp.records.overlay import Record
from smartapp.records.placement import TOGETHER, Place

_T = TypeVar("_T")

TYPES: Final = ("CarePlan", "Goal", "Task", "QuestionnaireResponse", "Observation")
_ALONE: Final = frozenset({"QuestionnaireResponse", "Observation"})
"""What moves by itself; the parts of a plan move together."""
_MOST_TRIES: Final = 3


class RecordsOfOne(Protocol):
    """The records of one person; see `records.Records`."""

    def outside(self, *queries: Query) -> list[Record]:
        """Return what stands outside our own store, each thing at each place where it stands."""

    def here(self, *queries: Query) -> list[Record]:
        """Return what our own store has, and what is on its way anywhere."""

    def is_private(self, resource: Resource) -> bool:
        """Tell whether only our own store may get a resource."""

    def is_being_sent(self) -> bool:
        """Tell whether something private was sent, and nobody knows whether it arrived."""

    def histories(self, records: Sequence[Record]) -> list[list[Record] | None]:
        """Return the versions of each, the newest first."""

    def save(self, writes: Sequence[Write], *, follow_up: Resource | None = None) -> list[Record]:
        """Write one unit."""

    def write_now(self, write: Write, place: Place) -> None:
        """Write one thing at once."""


@dataclass(frozen=True, slots=True)
class Left:
    """What stands outside our own store (`there`) of what goes on in it (`here`)."""

    there: Record
    here: Record


@dataclass(frozen=True, slots=True)
class Exposed:
    """What others than the readers of a private part can read outside our own store.

    `units` are what still goes on there, each with what has to move together; `left` is what moved, and of which the
    words could not be taken away yet.
    """

    units: tuple[tuple[Record, ...], ...] = ()
    left: tuple[Left, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.units or self.left)


def takes_out() -> Resource:
    """Return the follow-up that takes out of the record what its owner no longer shares there."""
    return {"takes-out": True}


def exposed(records: RecordsOfOne, patient: str, known: Catalogue) -> Exposed:
    """Return what is private by now and stands outside our own store. Raises Unreachable where that can't be seen."""
    queries = [Query.of(type_, patient=patient) for type_ in TYPES]
    ours, there = records.here(*queries), [one for one in records.outside(*queries) if not is_withdrawn(one.resource)]
    moved = {address for one in ours for address in former(one.resource)}
    private = [one for one in ours if one.state == "stored" and records.is_private(one.resource)]
    of_plan = (one.resource for one in private if not is_course(one.resource))
    if any(one["resourceType"] in ("CarePlan", "Goal") for one in of_plan):  # a plan is one thing
        private += [one for one in ours if one.state == "stored" and one.resource["resourceType"] in TOGETHER]
    copies = {address: one for one in private for address in former(one.resource)}
    going_on = [one for one in there if (one.place, one.reference) not in moved]
    left = [
        Left(one, copies[one.place, one.reference])
        for one in there
        if (one.place, one.reference) in copies and _is_taken_out(one.resource, known)
    ]
    return Exposed(tuple(_units(going_on, records, known)), tuple(left))


def _units(there: Sequence[Record], records: RecordsOfOne, known: Catalogue) -> Iterator[tuple[Record, ...]]:
    private = [one for one in there if records.is_private(one.resource)]
    goals = [one for one in private if one.resource["resourceType"] == "Goal"]
    named = {one.reference for one in goals}
    for plan in there:
        if plan.resource["resourceType"] == "CarePlan" and _is_our_plan(plan.resource):
            hangs_on = named & set(references(plan.resource))
            if hangs_on or plan in private:
                yield (plan, *(one for one in goals if one.reference in hangs_on and one.place == plan.place))
    for one in private:
        if one.resource["resourceType"] in _ALONE and _is_taken_out(one.resource, known):
            yield (one,)


def _is_our_plan(plan: Resource) -> bool:
    ours = own_identifier(plan)
    return ours is not None and ours.system in IDENTIFIER_SYSTEMS


def _is_taken_out(resource: Resource, known: Catalogue) -> bool:
    """Tell whether it is of what its owner alone wrote and changes, and not of what was sent in or agreed."""
    kind = resource["resourceType"]
    if kind == "QuestionnaireResponse":
        return kind_of(resource, known) == "living"
    return kind != "Observation" or part_of(resource, known) in (NOTES, WHERE_NOW)


def take_out(records: RecordsOfOne, patient: str, known: Catalogue) -> Exposed:
    """Take out what is private; return what stands there afterwards all the same. Raises Unreachable: it has to wait.

    What its place does not let us take out stays there, and what somebody changes all the time.
    """
    away: list[Unreachable] = []
    for _ in range(_MOST_TRIES):
        found = exposed(records, patient, known)
        changed = [_tried(away, _moved, records, unit) for unit in found.units]
        changed += [_tried(away, _withdrawn, records, one) for one in found.left]
        if not any(changed):
            break
    if away or records.is_being_sent():
        raise Unreachable("Something of this is still on its way to the record. It is looked at again later.")
    return exposed(records, patient, known)


def _tried(away: list[Unreachable], do: Callable[[RecordsOfOne, _T], bool], records: RecordsOfOne, thing: _T) -> bool:
    """Do something for one thing, so that one that has to wait holds up no other."""
    try:
        return do(records, thing)
    except Unreachable as error:
        away.append(error)
        return False


def _moved(records: RecordsOfOne, unit: Sequence[Record]) -> bool:
    """Save a unit as it is, which moves it; tell whether something may have changed by it."""
    writes = [
        Write("update", one.resource, if_match=one.etag, living=one.resource["resourceType"] == "QuestionnaireResponse")
        for one in unit
    ]
    try:
        records.save(writes)
    except Conflict:  # changed between reading and writing: it is read again
        return True
    except (Forbidden, Refused, NotFound):
        return False
    return True


def _withdrawn(records: RecordsOfOne, left: Left) -> bool:
    """Take the words away where something moved from; False where that can't be done."""
    there, here = left.there, left.here
    try:
        if not _is_copied(records, left):
            # Somebody saved it there in the moment that it moved. Where both changed since, nobody's words go.
            if words_in(here.resource) != words_in(_first(records, here)):
                return False
            rest = {name: value for name, value in here.resource.items() if name not in words_in(here.resource)}
            records.save([Write("update", {**rest, **words_in(there.resource)}, if_match=here.etag)])
        records.write_now(Write("update", withdrawn(there.resource), if_match=there.etag), there.place)
    except Conflict:
        return True
    except (Forbidden, Refused, NotFound):
        return False
    return True


def _is_copied(records: RecordsOfOne, left: Left) -> bool:
    """Tell whether all that stands there has come here; what was closed there was, and the closing says so in it."""
    there = left.there.resource
    closed = text_in(there, STATUS.get(there["resourceType"], "status")) == CLOSED
    return closed or words_in(there) in (words_in(left.here.resource), words_in(_first(records, left.here)))


def _first(records: RecordsOfOne, here: Record) -> Resource:
    """Return something of our own store as it came there."""
    [versions] = records.histories([here])
    return (versions or [here])[-1].resource
