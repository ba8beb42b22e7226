"""Our own FHIR store: versioned resources in SQL, one or more records (`tenant`) side by side.

It keeps what an EHR does not take, and is what the sandbox serves over HTTP as "the EHR".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from questionnaires.fhir import Resource
from smartapp.fhir.own.finding import Finder, SearchPage
from smartapp.fhir.own.matching import meets
from smartapp.fhir.own.renewing import renew
from smartapp.fhir.own.sealing import Sealing, Tenant, Unsealed
from smartapp.fhir.own.search import Search, definition, definitions, understand
from smartapp.fhir.own.sql import compartment_term, has_term, question, starting_at
from smartapp.fhir.own.statement import capability_statement
from smartapp.fhir.own.tables import CURRENT, kept_by, named, resource_versions, resources, row_of
from smartapp.fhir.own.writes import Permit, Writer
from smartapp.fhir.store import MOST_RESULTS, Found, NotFound, Query, Refused, Stored, Write
from smartapp.storage.database import reading, writing

EACH_AT_ONCE = 500


def _now() -> datetime:
    return datetime.now(UTC)


class OwnStore:
    """Keeps resources of one `tenant` (whose default is the base address). Implements RecordStore.

    `base_url` is the address under which references may name our resources; `vault` seals what is kept, and without one
    everything lies open, which is for made-up people only; `clock` gives the time of a write.
    """

    def __init__(
        self,
        engine: Engine,
        base_url: str,
        *,
        tenant: str | None = None,
        vault: Sealing | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.engine = engine
        self.base_url = base_url.rstrip("/")
        self.tenant = tenant or self.base_url
        self._clock = clock
        self._kept = Tenant(self.tenant, self.base_url, vault or Unsealed())

    def renew(self) -> int:
        """Bring what another version of Verstel, or another key, left behind to what this one reads; see `renewing`."""
        return renew(self.engine, self._kept)

    # ---- the seam

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement: every type of `search_parameters.toml`, all that this store does."""
        return capability_statement(self.base_url)

    def read(self, type: str, id: str, /) -> Stored:
        """Return the current version, or raise NotFound."""
        definition(type)
        with self._reading() as connection:
            row = row_of(connection, self.tenant, type, id)
        if row is None:
            raise _absent(type, id)
        return self._kept.stored(row.content)

    def search(self, query: Query, /) -> list[Stored]:
        """Return the matches and what they include. See `RecordStore` for how many."""
        if query.most is not None:
            return self._newest(understand(query), min(query.most, MOST_RESULTS))
        page = self.find(understand(query), count=MOST_RESULTS)
        if page.total > MOST_RESULTS:
            raise Refused(
                f"The search for {query.type} has {page.total} results, more than {MOST_RESULTS}. Narrow it.",
                status=400,
            )
        return [*page.matches, *page.included]

    def _newest(self, search: Search, most: int) -> Found:
        with self._reading() as connection:
            # One more tells whether there are more; how many more, nobody asked.
            page = Finder(connection, self._kept).page(search, count=most + 1, counted=False)
        return Found(page.matches[:most], cut=len(page.matches) > most)

    def write(self, write: Write, /) -> Stored:
        """Write one resource. Raises Conflict (stale `if_match`), NotFound or Refused."""
        return self.put_all([write])[0]

    def write_all(self, writes: Sequence[Write], /) -> list[Stored]:
        """Write all or nothing, in the order given."""
        return self.put_all(writes)

    # ---- what the sandbox's HTTP face needs beside it

    def read_version(self, type: str, id: str, version: str) -> Stored:
        """Return one version of a resource, or raise NotFound."""
        for one in self.history(type, id):
            if one.resource["meta"]["versionId"] == version:
                return one
        raise NotFound(f"There is no version {version[:20]!r} of {type}/{id[:64]}. Its history lists what there is.")

    def history(self, type: str, id: str, /) -> list[Stored]:
        """Return all versions of a resource, newest first, or raise NotFound."""
        definition(type)
        with self._reading() as connection:
            rows = connection.execute(
                sa.select(resource_versions.c.content)
                .join(resources, resources.c.key == resource_versions.c.resource)
                .where(named(self.tenant, type, id))
                .order_by(resource_versions.c.version.desc())
            ).all()
        if not rows:
            raise _absent(type, id)
        return [self._kept.stored(row.content) for row in rows]

    def belongs_to(self, type: str, id: str, patient: str) -> bool:
        """Say whether a resource is part of a patient's record (`Patient/<id>`)."""
        term = compartment_term(self._kept, type, patient)
        here = sa.select(resources.c.key).where(named(self.tenant, type, id), has_term([term]))
        with self._reading() as connection:
            return connection.execute(here).first() is not None

    def find(self, search: Search, *, count: int, offset: int = 0, patient: str | None = None) -> SearchPage:
        """Return one page of a search; with `patient` (`Patient/<id>`) only what is in that person's record.

        What is shared by all (practitioners, definitions) is found with any `patient`; that holds for what is
        included too: an include never reaches into another person's record.
        """
        with self._reading() as connection:
            return Finder(connection, self._kept, patient).page(search, count=count, offset=offset)

    def each(self, search: Search, *, at_once: int = EACH_AT_ONCE) -> Iterator[Stored]:
        """Yield every match, the oldest first, however many there are: in blocks, so that memory stays constant.

        Nothing is locked between two blocks. What is written meanwhile may be there or not; nothing comes twice.
        """
        asked, last = question(search, self._kept), 0
        chosen = CURRENT.where(asked.condition, resources.c.key > sa.bindparam("last")).order_by(resources.c.key)
        while True:
            with self._reading() as connection:
                rows = connection.execute(chosen.limit(at_once), {**asked.values, "last": last}).all()
            found = (self._kept.stored(row.content) for row in rows)
            yield from (one for one in found if meets(one.resource, asked.judged, self._kept.base))
            if len(rows) < at_once:
                return
            last = rows[-1].key

    def put_all(self, writes: Sequence[Write], permit: Permit | None = None) -> list[Stored]:
        """Write all or nothing and say of each whether it was `created`; `permit` may refuse each one (see Permit)."""
        self.renew()
        with writing(self.engine, on=self.tenant) as connection:
            return Writer(connection, self._kept, self._clock).put_all(writes, permit)

    def erase(self, patient: str) -> int:
        """Delete everything in a patient's record (`Patient/<id>`), with all its versions; return how many resources.

        What was a part of the record once and is no longer stays: it is somebody else's now.
        """
        self.renew()
        theirs = starting_at(compartment_term(self._kept, type_, patient) for type_ in definitions())
        person = named(self.tenant, *patient.split("/"))
        with writing(self.engine, on=self.tenant) as connection:
            # What hangs on a resource goes with it: its versions, and what it is found by.
            return connection.execute(resources.delete().where(kept_by(self.tenant), theirs | person)).rowcount

    def _reading(self) -> AbstractContextManager[Connection]:
        self.renew()  # by other terms than those that are kept, nothing would be found
        return reading(self.engine)


def _absent(type_: str, id_: str) -> NotFound:
    return NotFound(f"There is no {type_}/{id_[:64]} here. Check the id, or search for it.")
