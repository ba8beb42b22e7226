"""What the pages use to read and write FHIR resources, for one launch, wherever those live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from smartapp.records.drafts import Drafts
from smartapp.records.store import NotFound, Query, RecordStore, Resource, Stored, Write

if TYPE_CHECKING:
    from smartapp.launches import Launch

Place = Literal["ehr", "companion", "own"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Record:
    """A resource, its version tag, and the place where it lives."""

    resource: Resource
    etag: str | None
    place: Place

    @property
    def reference(self) -> str:
        """Return the relative reference, `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


class Records:
    """The records of one launch. Every method raises RecordError of `smartapp.records.store` and nothing else."""

    def __init__(self, launch: Launch, stores: Mapping[Place, RecordStore], *, drafts: Drafts) -> None:
        self.launch = launch
        self.drafts = drafts
        self._stores = stores
        self._seen: dict[tuple[str, str], Place] = {}

    def place_for(self, type: str) -> Place:  # noqa: A002, ARG002
        """Return where a new resource of this type will be stored."""
        return "ehr"

    def search(self, *queries: Query) -> list[list[Record]]:
        """Run all queries at all places at once and return the matches of each query, in its order."""
        jobs = [(number, place, query) for number, query in enumerate(queries) for place in self._stores]
        found = _in_parallel([partial(self._search, place, query) for _, place, query in jobs])
        results: list[list[Record]] = [[] for _ in queries]
        for (number, _, _), records in zip(jobs, found, strict=True):
            results[number].extend(records)
        return results

    def read(self, type: str, id: str) -> Record:  # noqa: A002
        """Return one resource from the place that has it. Raises NotFound."""
        for place, store in self._stores.items():
            try:
                return self._record(place, store.read(type, id))
            except NotFound:
                continue
        raise NotFound(f"{type}/{id} is at none of the places where this app keeps records.")

    def save(self, writes: Sequence[Write]) -> list[Record]:
        """Write one unit: all of it or nothing. Raises Conflict with what is stored now, or Refused."""
        place = self.place_for(writes[0].resource["resourceType"])
        return [self._record(place, stored) for stored in self._stores[place].write_all(writes)]

    def _search(self, place: Place, query: Query) -> list[Record]:
        return [self._record(place, stored) for stored in self._stores[place].search(query)]

    def _record(self, place: Place, stored: Stored) -> Record:
        self._seen[stored.resource["resourceType"], stored.resource["id"]] = place
        return Record(stored.resource, stored.etag, place)


def _in_parallel(jobs: Sequence[Callable[[], _T]]) -> list[_T]:
    if len(jobs) < 2:
        return [job() for job in jobs]
    with ThreadPoolExecutor(max_workers=min(8, len(jobs))) as pool:
        return list(pool.map(lambda job: job(), jobs))
