"""The names of the person and of the user, and the day of birth: read at sign-in, and once more if they did not come.

They are for people to see whose record this is. Nothing waits for them but the sign-in itself, which asks for both at
once; a later look for one that is missing goes beside the page, and the page after it has the name.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from mappers.birth import birth_date_of
from mappers.human_name import name_of
from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.bulkheads import budget
from smartapp.fhir.store import Forbidden, Gone, NotFound, RecordError, RecordStore
from smartapp.services import Services
from smartapp.storage.launches import Launch, Person

MOST_TRIES = 3
FIRST_PAUSE_SECONDS = 30
"""Between two looks for the names of one launch; it doubles."""
_MOST_REMEMBERED = 10_000
"""Launches whose looks are counted: more can only be launches that ended long ago."""

_NEVER_TOLD = (Forbidden, Gone, NotFound)


def person_of(ehr: RecordStore, reference: str, today: dt.date) -> Person | None:
    """Return name and birth date of a person; "" where the EHR does not tell them, None where it gave no answer."""
    type_, _, id_ = reference.partition("/")
    try:
        return known_as(reference, ehr.read(type_, id_).resource, today)
    except _NEVER_TOLD:
        return Person(reference, "")
    except RecordError:
        return None


def known_as(reference: str, resource: Resource | None, today: dt.date) -> Person:
    """Return name and birth date of a person by their resource; "" where there is none, or it does not tell them.

    The name is that of the day `today`: people change theirs.
    """
    if resource is None:
        return Person(reference, "")
    # A PractitionerRole has no name of its own, but says whose it is.
    name = name_of(resource, today)
    display = name.full or text_in(object_in(resource, "practitioner"), "display")
    return Person(reference, display, birth_date_of(resource), name.called)


def missing_names(launch: Launch) -> frozenset[str]:
    """Return the references of those of this launch whose name is not known."""
    return frozenset(one.reference for one in (launch.patient, launch.user) if one.reference and not one.display)


class LaterNames:
    """Looks again for names that a sign-in did not get: a few times per launch, with pauses that double."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="verstel-names")
        self._tried: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def look(self, launch: Launch) -> Future[None] | None:
        """Ask for the missing names of a launch beside the request at hand; None if there is nothing to do now."""
        missing = missing_names(launch)
        return self._pool.submit(self._read, launch, missing) if missing and self._due(launch.id) else None

    def _due(self, launch_id: str) -> bool:
        now = self._services.clock()
        with self._lock:
            tries, next_at = self._tried.get(launch_id, (0, 0.0))
            if tries >= MOST_TRIES or now < next_at:
                return False
            if len(self._tried) >= _MOST_REMEMBERED:
                self._tried.clear()
            self._tried[launch_id] = tries + 1, now + FIRST_PAUSE_SECONDS * 2**tries
        return True

    def _read(self, launch: Launch, missing: Iterable[str]) -> None:
        try:
            ehr = self._services.ehr(launch)
        except RecordError:
            return
        with budget():  # of its own: the page that began this is not kept waiting
            today = self._services.today()
            found = {reference: person_of(ehr, reference, today) for reference in missing}
        if None not in found.values():
            with self._lock:
                self._tried[launch.id] = MOST_TRIES, 0.0
        told = {reference: person for reference, person in found.items() if person is not None and person.display}
        if told:
            self._services.launches.name(launch.id, told)
