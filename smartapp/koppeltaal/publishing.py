"""What we offer in a domain, put there: our Endpoint first, then a definition for each activity of the settings."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mappers.koppeltaal.activities import (
    ENDPOINT,
    IDENTIFIER_SYSTEM,
    PLAN,
    definition_of,
    endpoint_at,
    name_of,
    named_in,
    origin_of,
    renewed,
    withdrawn,
)
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from smartapp.fhir.store import Query, RecordStore, Refused, Stored, Write
from smartapp.settings import Koppeltaal

Outcome = Literal["create", "update", "withdraw", "unchanged"]
_NOT_THERE: Final = "Endpoint/not-yet"
"""How a dry run calls our Endpoint before it is there."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one thing of ours, by its name; in a dry run what would."""

    name: str
    outcome: Outcome


def publish(
    store: RecordStore, domain: Koppeltaal, known: Catalogue, address: str, *, dry_run: bool = False
) -> Iterator[Published]:
    """Bring a domain to what the settings offer, and yield each thing when it is there.

    A second run changes nothing. What is offered no more is retired, and never deleted: Tasks refer to it. Raises
    RecordError at the first that the domain refuses; what came before it is there.
    """
    activities = (PLAN, *known.asked)
    ours = _ours(store, domain, "Endpoint", [ENDPOINT])
    endpoint = yield from _put(store, ENDPOINT, ours.get(ENDPOINT), endpoint_at(address), dry_run=dry_run)
    there = _ours(store, domain, "ActivityDefinition", [name_of(one) for one in activities])
    for activity in activities:
        name, found = name_of(activity), there.get(name_of(activity))
        if activity in domain.activities:
            wanted = definition_of(
                activity,
                known,
                endpoint=endpoint,
                publisher=domain.publisher_id,
                clients_start=activity in domain.clients_start,
            )
            yield from _put(store, name, found, wanted, dry_run=dry_run)
        elif found is not None and (changed := withdrawn(found.resource)) is not None:
            _update(store, changed, found, dry_run=dry_run)
            yield Published(name, "withdraw")


def _ours(store: RecordStore, domain: Koppeltaal, type_: str, names: list[str]) -> Mapping[str, Stored]:
    """Return what we put there earlier, by its name; what another application put there under our names is not ours."""
    asked = ",".join(f"{IDENTIFIER_SYSTEM}|{name}" for name in names)
    found = store.search(Query.of(type_, identifier=asked))
    return {named_in(one.resource): one for one in found if origin_of(one.resource) in ("", domain.device)}


def _put(
    store: RecordStore, name: str, found: Stored | None, wanted: Resource, *, dry_run: bool
) -> Generator[Published, None, str]:
    """Create or update one thing, yield what became of it, and return its reference."""
    if found is None:
        reference = _NOT_THERE if dry_run else store.write(Write("create", wanted)).reference
        yield Published(name, "create")
        return reference
    changed = renewed(found.resource, wanted)
    if changed is not None:
        _update(store, changed, found, dry_run=dry_run)
    yield Published(name, "unchanged" if changed is None else "update")
    return found.reference


def _update(store: RecordStore, changed: Resource, found: Stored, *, dry_run: bool) -> None:
    if found.etag is None:
        raise Refused(f"The domain gave {found.resource['resourceType']} without a version, so it is not changed.")
    if not dry_run:
        store.write(Write("update", changed, if_match=found.etag))
