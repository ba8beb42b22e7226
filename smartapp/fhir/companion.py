"""A general FHIR server beside the EHR, for what the EHR does not take.

The people live in the EHR, so references to them are absolute there and relative everywhere else in the app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from questionnaires.fhir import Resource
from smartapp.fhir.references import renamed
from smartapp.fhir.store import Conflict, Found, Query, RecordStore, Stored, Write, is_cut

_T = TypeVar("_T")

_SEPARATE = re.compile(r"(?<!\\),")
"""Between two values of one parameter; a comma that is a part of one is escaped."""

AT_THE_EHR = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization", "Encounter", "Appointment"}
    | {"MedicationRequest", "MedicationStatement"}
)


class CompanionStore:
    """Another store's resources, with references to the EHR at `ehr_base` translated on the way out and back."""

    def __init__(self, store: RecordStore, ehr_base: str) -> None:
        self._store = store
        self._base = ehr_base.rstrip("/") + "/"

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        return self._store.capabilities()

    def read(self, type: str, id: str, /) -> Stored:
        """Return one resource, or raise NotFound or Gone."""
        return self._inward(self._store.read(type, id))

    def history(self, type: str, id: str, /) -> list[Stored]:
        """Return the versions of one resource, the newest first."""
        return [self._inward(one) for one in self._store.history(type, id)]

    def search(self, query: Query, /) -> list[Stored]:
        """Return every match."""
        params = tuple((name, self._each_out(name, value)) for name, value in query.params)
        found = self._store.search(replace(query, params=params))
        return Found(map(self._inward, found), cut=is_cut(found))

    def write(self, write: Write, /) -> Stored:
        """Write one resource."""
        return self._guarded(lambda: self._inward(self._store.write(self._outward(write))))

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        """Write all or nothing."""
        out = [self._outward(write) for write in writes]
        return self._guarded(lambda: [self._inward(stored) for stored in self._store.write_all(out)])

    def _guarded(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except Conflict as error:
            current = self._inward(error.current) if error.current else None
            raise Conflict(error.message, current, status=error.status, outcome=error.outcome) from error

    def _outward(self, write: Write) -> Write:
        return replace(write, resource=renamed(write.resource, self._reference_out))

    def _inward(self, stored: Stored) -> Stored:
        return replace(stored, resource=renamed(stored.resource, lambda text: text.removeprefix(self._base)))

    def _reference_out(self, text: str) -> str:
        return f"{self._base}{text}" if text.partition("/")[0] in AT_THE_EHR and "/" in text else text

    def _each_out(self, name: str, value: str) -> str:
        """Return the value of a parameter as it is said there; of several, each."""
        return ",".join(self._reference_out(self._typed(name, one)) for one in _SEPARATE.split(value))

    @staticmethod
    def _typed(name: str, value: str) -> str:
        """Return the value of `patient=7` as `Patient/7`: an absolute reference needs the type."""
        return f"Patient/{value}" if name == "patient" and "/" not in value else value
