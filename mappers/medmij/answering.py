"""The answer to each query of a PGO, from one person's record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from mappers.errors import NotAsked
from mappers.medmij.documents import Paper, binary_of, reference_of
from mappers.medmij.help import help_of
from mappers.medmij.measurements import measurements_of
from mappers.medmij.participation import participation_of
from mappers.medmij.person import person_of
from mappers.medmij.queries import DOCUMENTS, PgoQuery, query_of
from mappers.medmij.record import OwnRecord
from mappers.medmij.shapes import date_time, searchset
from mappers.medmij.team import teams_of
from mappers.plan import Plan
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource

_FILTERS: Final = ("status", "indexed")
_DAY: Final = len("2026-11-28")


def answer(
    service: str,
    asked: str,
    parameters: Sequence[tuple[str, str]],
    record: OwnRecord,
    catalogue: Catalogue,
    *,
    base: str,
    path: str,
) -> Resource:
    """Return the Bundle that answers a query of a service: empty where nothing of it is ours, or is there.

    `asked` is what is asked for (`Observation/$lastn`), `parameters` are decoded; `path` is all of it as it came, which
    the answer says again. Who the person is comes with the record: a PGO asks for nobody.

    Raises NotAsked for what is none of the queries.
    """
    wanted: Callable[[Paper], bool] = _every
    query = query_of(service, asked, parameters)
    if query is None and (service, asked) == (DOCUMENTS, "DocumentReference"):
        wanted, query = _filter(parameters), query_of(service, asked, ())
    if query is None:
        raise NotAsked("this is none of the queries of this service", advice="docs/integrators.md has them")
    return searchset(_found(query, record, catalogue, wanted), base=base, path=path)


def binary(id_: str, record: OwnRecord) -> Resource | None:
    """Return the content of the paper with this id; None for no such."""
    return next((binary_of(one) for one in record.papers if one.id == id_), None)


def _found(
    query: PgoQuery, record: OwnRecord, catalogue: Catalogue, wanted: Callable[[Paper], bool]
) -> Sequence[Resource]:
    client, plan = record.client, record.plan or Plan("")
    ours: dict[str, Callable[[], list[Resource]]] = {
        "patient": lambda: [person_of(record.client_id, client.display, record.birth_date)],
        "generalMeasurement": lambda: measurements_of(record.observations, record.responses, catalogue, client=client),
        "helpFromOthers": lambda: help_of(plan, record.plan_name, catalogue, client=client),
        "participationInSociety": lambda: participation_of(plan, record.plan_name, client=client),
        "careteam": lambda: teams_of(record.teams, client=client, now=record.now),
        "documentReference": lambda: [reference_of(one, client=client) for one in record.papers if wanted(one)],
    }
    return ours[query.id]() if query.ours != "no" else []


def _every(_paper: Paper) -> bool:
    return True


def _filter(parameters: Sequence[tuple[str, str]]) -> Callable[[Paper], bool]:
    """Return which papers are asked for by status and by when they were made. Raises NotAsked for any other filter."""
    for name, value in parameters:
        if name not in _FILTERS or (name == "indexed" and not _is_bound(value)):
            raise NotAsked("documents are found by status, and by indexed with ge or le and a date", where="parameters")
    statuses = [set(value.split(",")) for name, value in parameters if name == "status"]
    bounds = [(value[:2], value[2:]) for name, value in parameters if name == "indexed"]
    # What is served here holds: a former document is not among it.
    current = all("current" in one for one in statuses)
    return lambda paper: current and all(_is_within(paper.made, *bound) for bound in bounds)


def _is_bound(value: str) -> bool:
    prefix, bound = value[:2], value[2:]
    if prefix not in ("ge", "le") or len(bound) < _DAY or not date_time(bound):
        return False
    return len(bound) == _DAY or datetime.fromisoformat(bound).tzinfo is not None


def _is_within(made: str, prefix: str, bound: str) -> bool:
    """Tell on which side of a bound a moment is; a day without a time is all of it, where the document was made."""
    if len(bound) == _DAY:
        return made[:_DAY] >= bound if prefix == "ge" else made[:_DAY] <= bound
    there, asked = datetime.fromisoformat(made), datetime.fromisoformat(bound)
    return there >= asked if prefix == "ge" else there <= asked
