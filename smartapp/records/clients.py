"""What a professional's own clients have, read for all of them at once, by a token that is about nobody.

Two rounds, however many clients there are: who is theirs, and then what each of them has, by lists of people. What
comes is sorted by whom it is about; what is about nobody, or about several people, is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from mappers.assignment import WAITING
from mappers.course import CATEGORY
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Capability
from smartapp.fhir.own.index import patients_of
from smartapp.fhir.own.search import definitions
from smartapp.fhir.store import Forbidden, Query, RecordStore, Refused, Stored
from smartapp.records.overlay import Record, each_once
from smartapp.records.parallel import in_parallel
from smartapp.records.placement import PLACES, Place

IDS_AT_ONCE: Final = 100
LONGEST_LIST: Final = 4_000
"""Characters of a list of people in an address; servers take eight thousand, with a token beside it."""
AT_ONCE: Final = 32
PAGE: Final = ("_count", "500")
"""Asked of each search, since each page more is a round more; a server gives as many as it likes."""
KEPT: Final = ("Task", "QuestionnaireResponse", "CarePlan")
RESPONSE: Final = ("meta", "identifier", "questionnaire", "status", "subject", "authored", "author", "source")
"""What is needed of a response: its answers stay where they are, unless the server gives all of it anyway."""


@dataclass(slots=True)
class Clients:
    """Asks the places of one launch about nobody. `bases` are the addresses of its EHR, to know its people by.

    Raises Unreachable and Unauthorized. What a place does not let us search is left out, and the EHR's is `refused`.
    """

    stores: Mapping[Place, RecordStore]
    capability: Capability
    bases: Sequence[str]
    refused: set[str] = field(default_factory=set)
    """What the EHR would not let us search, whatever it said before, by type and parameter; a page may say so."""
    kept_back: set[str] = field(default_factory=set)
    """Those of them that it says it can be asked: something may be there that did not come."""

    def ties(self, names: Sequence[str], since: str, until: str) -> tuple[list[Resource], ...]:
        """Return the care teams, the Patients and, between two days, the Appointments that name a professional."""
        who = ",".join(names)
        asked = (
            Query("CareTeam", (("participant", who), PAGE)),
            Query("Patient", (("general-practitioner", who), PAGE)),
            Query("Appointment", (("actor", who), ("date", f"ge{since}"), ("date", f"le{until}"), PAGE)),
        )
        found = in_parallel([partial(self._of_the_ehr, query) for query in asked], AT_ONCE)
        return tuple([one.resource for one in each] for each in found)

    def people(self, ids: Sequence[str], teams_of: Sequence[str], since: str, own: Sequence[str]) -> Found:
        """Return what is there of clients: of all of them what is asked, sent in and followed, of `ids` who they are.

        `own` are all of them, `teams_of` those whose care teams are not known yet; what was sent in since a day.
        """
        kept = list(_kept(own, since))
        away: list[tuple[Place, Query]] = [
            *(("ehr", query) for query in (*_of(ids, "Patient", "_id"), *_of(teams_of, "CareTeam", "patient"), *kept)),
            *(("companion", query) for query in kept if "companion" in self.stores),
        ]
        ours = [*_of(own, "Consent", "patient"), *_of(own, "CareTeam", "patient"), *kept]
        here = [self.stores["own"].search(query) for query in ours]
        answers = in_parallel([partial(self._at, place, query) for place, query in away], AT_ONCE)
        found: list[tuple[str, Place, Stored]] = []
        for (place, query), each in zip(away, answers, strict=True):
            found += [(query.type, place, stored) for stored in each]
        for query, each in zip(ours, here, strict=True):
            found += [(query.type, "own", stored) for stored in each]
        return self._sorted(found)

    def _sorted(self, found: Iterable[tuple[str, Place, Stored]]) -> Found:
        kept: dict[tuple[str, Place, str], dict[str, Record]] = defaultdict(dict)
        for type_, place, stored in found:
            who = self._whose(stored.resource)
            if who and stored.resource["resourceType"] == type_:
                kept[who, place, type_].setdefault(stored.reference, Record(stored.resource, stored.etag, place))
        return Found({key: tuple(records.values()) for key, records in kept.items()})

    def _whose(self, resource: Resource) -> str:
        """Return the id of the one person whom a resource is about; "" for nobody, for several, and for no id."""
        if resource.get("resourceType") not in definitions() or not isinstance(resource.get("id"), str):
            return ""
        patients = patients_of(resource, *self.bases)
        return next(iter(patients)).partition("/")[2] if len(patients) == 1 else ""

    def _at(self, place: Place, query: Query) -> list[Stored]:
        return self._of_the_ehr(query) if place == "ehr" else self.stores[place].search(query)

    def _of_the_ehr(self, query: Query) -> list[Stored]:
        """Ask the EHR, where it lets us search for this by what we have; nothing where it does not."""
        by, offered = query.params[0][0], self.capability.offered
        has = offered.offers(query.type, "search-type") and offered.searches_by(query.type, by)
        if not (has and self.capability.can(query.type, "search-type")):
            # By which ties its clients are found is for a place to choose; a line does not say which it was.
            return self._refused(f"{query.type}.{by}", kept_back=has and query.type in KEPT)
        params = tuple(pair for pair in query.params if offered.searches_by(query.type, pair[0]))
        try:
            return self.stores["ehr"].search(Query(query.type, params))
        except (Forbidden, Refused):
            return self._refused(f"{query.type}.{by}", kept_back=True)

    def _refused(self, what: str, *, kept_back: bool) -> list[Stored]:
        self.refused.add(what)
        if kept_back:
            self.kept_back.add(what)
        return []


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of each client, by their id, the place, and the type."""

    kept: Mapping[tuple[str, Place, str], tuple[Record, ...]]

    def at(self, client: str, place: Place, type_: str) -> tuple[Record, ...]:
        """Return what a place has of a type."""
        return self.kept.get((client, place, type_), ())

    def of(self, client: str, *types: str) -> list[Record]:
        """Return what all places have of some types: the EHR's first, what is kept at two of them once."""
        return each_once([one for place in PLACES for type_ in types for one in self.at(client, place, type_)])


def _kept(ids: Sequence[str], since: str) -> Iterator[Query]:
    """Yield the queries for what is asked of some people, was done, was sent in since a day, and goes on."""
    yield from _of(ids, "Task", "patient", ("status", ",".join(WAITING)))
    yield from _of(ids, "Task", "patient", ("status", "completed"), ("_lastUpdated", f"ge{since}"))
    sent = (("status", "completed,amended"), ("authored", f"ge{since}"), ("_elements", ",".join(RESPONSE)))
    yield from _of(ids, "QuestionnaireResponse", "patient", *sent)
    yield from _of(ids, "CarePlan", "patient", ("category", CATEGORY), ("status", "active,on-hold"))


def _of(ids: Sequence[str], type_: str, by: str, *more: tuple[str, str]) -> Iterator[Query]:
    """Yield the queries about some people, by lists of them that an address can hold."""
    return (Query(type_, ((by, ",".join(some)), *more, PAGE)) for some in lists_of(ids))


def lists_of(ids: Sequence[str]) -> Iterator[list[str]]:
    """Yield ids in lists that an address can hold."""
    some: list[str] = []
    length = 0
    for one in ids:
        if some and (len(some) == IDS_AT_ONCE or length + len(one) + 3 > LONGEST_LIST):
            yield some
            some, length = [], 0
        some.append(one)
        length += len(one) + 3  # a comma takes three in an address
    if some:
        yield some
