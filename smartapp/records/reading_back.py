"""Looking whether something that was sent has arrived after all, when no answer said so."""

from __future__ import annotations

from typing import Any, Final

from mappers.identity import Identifier, carries, own_identifier
from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Capability
from smartapp.fhir.store import Query, RecordStore, Stored
from smartapp.records.parcels import Parcel

_OF_THE_SERVER: Final = frozenset({"meta", "text"})
"""Elements of a resource that a server may write anew: versions and the narrative."""


def landed(parcel: Parcel, sent: Resource, store: RecordStore, capability: Capability) -> Stored | None:
    """Return what is stored of a parcel, None if it is not there; `sent` is its resource as that store was given it.

    A create is found by the identifier we gave it. An update has arrived when the resource says all that was sent: its
    version would not tell, as someone else may have written after us. Raises RecordError where the store cannot say.
    """
    if parcel.write.method == "update":
        current = store.read(parcel.type, parcel.write.resource["id"])
        told = {name: value for name, value in sent.items() if name not in _OF_THE_SERVER}
        return current if _says(current.resource, told) else None
    ours = own_identifier(parcel.write.resource)
    if ours is None:
        return None
    # What a search gives is not proof: a server that ignores a parameter it does not know answers with everything.
    found = store.search(_query(parcel, ours, capability))
    return next((one for one in found if carries(one.resource, ours)), None)


def person_of(resource: Resource) -> str:
    """Return the reference to the person whom a resource is about, "" if it names none."""
    return text_in(object_in(resource, "subject") or object_in(resource, "for"), "reference")


def _query(parcel: Parcel, ours: Identifier, capability: Capability) -> Query:
    if parcel.place != "ehr" or capability.offered.searches_by(parcel.type, "identifier"):
        return Query.of(parcel.type, identifier=ours.token)
    return Query.of(parcel.type, patient=person_of(parcel.write.resource))


def _says(current: Any, sent: Any) -> bool:
    """Tell whether what is stored says everything that was sent; a server may add to it."""
    if isinstance(sent, dict):
        return isinstance(current, dict) and all(_says(current.get(name), value) for name, value in sent.items())
    if isinstance(sent, list):
        return (
            isinstance(current, list)
            and len(current) == len(sent)
            and all(_says(one, other) for one, other in zip(current, sent, strict=True))
        )
    return bool(current == sent)
