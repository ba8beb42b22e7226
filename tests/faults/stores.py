"""What is stored at all places of a world, and what of that a reader would take for true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mappers.identity import former, own_identifier, values_in
from mappers.plan.moving import is_closed
from mappers.successors import first_of
from questionnaires.canonical import identifier_system
from questionnaires.catalogue import catalogue
from smartapp.fhir.references import references
from smartapp.fhir.store import Query
from smartapp.records.outbox import OUTBOX
from smartapp.records.parcels import Unit, unpacked
from tests.faults.ledger import Slot
from tests.faults.model_ehr import Resource
from tests.faults.world import PATIENTS, World

TYPES = ("QuestionnaireResponse", "Observation", "CarePlan", "Goal", "Task", "DocumentReference")
PLAN = ("CarePlan", "Goal", "Task")
TYPE_OF = {
    "story": "QuestionnaireResponse",
    "goal": "Goal",
    "note": "Goal",
    "step": "Task",
    "task": "Task",
    "taken back": "Task",
    "response": "QuestionnaireResponse",
}
"""In which resources a kind of slot is."""


@dataclass(frozen=True)
class There:
    """A resource at a place."""

    place: str
    resource: Resource

    @property
    def reference(self) -> str:
        """Return `Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


def everything(world: World) -> list[There]:
    """Return every resource that is stored now, at all places."""
    found = [There("ehr", kept.resource) for kept in world.ehr.current()]
    found += [There("companion", kept.resource) for kept in world.other.current()]
    return [*found, *own(world)]


def own(world: World, types: Sequence[str] = TYPES) -> list[There]:
    """Return what Verstel's own store holds of these types."""
    process = next((one for one in world.processes if one.alive), world.processes[0])
    if not process.alive:
        process.begin()
    store = process.services.own_store(world.fhir)
    queries = [Query.of(type_, patient=f"Patient/{patient}") for type_ in types for patient in PATIENTS]
    kill, process.kill_in = process.kill_in, None  # this is the checker asking, not the app
    found = [There("own", stored.resource) for query in queries for stored in store.search(query)]
    process.kill_in = kill
    return found


def living(found: Sequence[There]) -> list[There]:
    """Return what counts: without what a move has closed, or has left behind."""
    left = {address for one in found for address in former(one.resource)}
    return [
        one
        for one in found
        if one.resource["resourceType"] in TYPES
        and (one.place, one.reference) not in left
        and not (one.resource["resourceType"] in PLAN and is_closed(one.resource))
    ]


def in_plans(found: Sequence[There]) -> list[There]:
    """Return what people can find again: of goals and steps those that a plan at the same place names."""
    plans = [one for one in found if one.resource["resourceType"] == "CarePlan"]
    named = {(plan.place, reference) for plan in plans for reference in references(plan.resource)}
    return [one for one in found if not _is_part(one.resource) or (one.place, one.reference) in named]


def _is_part(resource: Resource) -> bool:
    return bool(values_in(resource, identifier_system("goal")) or values_in(resource, identifier_system("step")))


def contents(slot: Slot, resources: Sequence[Resource]) -> list[Any]:
    """Return what these resources say about a slot."""
    return [said for resource in resources for said in _said(slot, resource)]


def _said(slot: Slot, resource: Resource) -> Iterator[Any]:
    kind, key = slot[0], slot[1]
    type_ = resource["resourceType"]
    match kind, type_:
        case "story", "QuestionnaireResponse" if (
            resource.get("subject", {}).get("reference", "").endswith(f"Patient/{key}")
        ):
            yield from (text for link_id, text in _answers(resource) if link_id == "story-story")
        case "goal", "Goal" if _is(resource, "goal", key):
            yield resource["description"]["text"]
        case "note", "Goal" if _is(resource, "goal", key):
            yield from (one["text"] for one in resource.get("note", []))
        case "step", "Task" if _is(resource, "step", key):
            yield resource.get("description", "")
        case "task", "Task" if _is(resource, "assignment", key):
            yield from (one["text"] for one in resource.get("note", []))
        case "taken back", "Task" if _is(resource, "assignment", key):
            yield resource["status"]
        case "response", "QuestionnaireResponse":
            found = own_identifier(resource)
            if found is not None and first_of(found).value == key:
                yield frozenset(_answers(resource))


def is_living(resource: Resource) -> bool:
    """Tell whether a resource is what somebody wrote in a living form."""
    form = str(resource.get("questionnaire", "")).partition("|")[0]
    return form in {one.url for one in catalogue().living.values()}


def _whose(resource: Resource) -> str:
    return str(resource.get("subject", {}).get("reference", ""))


def _is(resource: Resource, system: str, key: str) -> bool:
    return key in values_in(resource, identifier_system(system))


def _answers(node: Resource) -> Iterator[tuple[str, str]]:
    for item in node.get("item", []):
        for answer in item.get("answer", []):
            value = next(value for name, value in answer.items() if name.startswith("value"))
            yield item["linkId"], value["code"] if isinstance(value, dict) else str(value)
        yield from _answers(item)


def was_stored(world: World, place: str, slot: Slot, content: Any) -> bool:
    """Tell whether a place has, or ever had, this content in this slot."""
    if place == "own":
        return content in contents(slot, [one.resource for one in own(world, (TYPE_OF[slot[0]],))])
    log = (world.ehr if place == "ehr" else world.other).log
    return content in contents(slot, [kept.resource for kept in log])


def units(world: World) -> list[Unit]:
    """Return what is in the outbox of this world, whatever its state."""
    process = next(one for one in world.processes if one.alive)
    with process.services.engine.connect() as connection:
        rows = connection.execute(sa.select(OUTBOX).where(OUTBOX.c.issuer == world.fhir)).all()
    return [unpacked(row.id, process.services.vault.open(row.sealed)) for row in rows]


def waiting(world: World) -> int:
    """Return how many units are in the outbox of this world, whatever their state."""
    process = next(one for one in world.processes if one.alive)
    with process.services.engine.connect() as connection:
        theirs = OUTBOX.c.issuer == world.fhir
        return int(connection.execute(sa.select(sa.func.count()).select_from(OUTBOX).where(theirs)).scalar() or 0)
