"""Looking what stands at a place of something that was sent, when no answer said so."""

from __future__ import annotations

import contextlib

from mappers.identity import Identifier, carries, own_identifier
from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Offered
from smartapp.fhir.store import NotFound, Query, RecordStore, Stored
from smartapp.records.parcels import Parcel


def standing(parcel: Parcel, store: RecordStore, offered: Offered, *, new_id: str | None = None) -> Stored | None:
    """Return what a place has of a parcel, whatever it says; None if it has nothing.

    A create is found under the id we chose (`new_id`), or by the identifier we gave it: it may have been sent without
    that id, by an older version or after the server refused it. Raises RecordError where the store cannot say.
    """
    if parcel.known is not None:
        return store.read(parcel.type, parcel.known.resource["id"])
    if parcel.write.method == "update":
        return store.read(parcel.type, parcel.write.resource["id"])
    if new_id is not None:
        with contextlib.suppress(NotFound):
            return store.read(parcel.type, new_id)
    ours = own_identifier(parcel.write.resource)
    if ours is None:
        return None
    # What a search gives is not proof: a server that ignores a parameter it does not know answers with everything.
    found = store.search(_query(parcel, ours, offered))
    return next((one for one in found if carries(one.resource, ours)), None)


def person_of(resource: Resource) -> str:
    """Return the reference to the person whom a resource is about, "" if it names none."""
    return text_in(object_in(resource, "subject") or object_in(resource, "for"), "reference")


def _query(parcel: Parcel, ours: Identifier, offered: Offered) -> Query:
    if parcel.place != "ehr" or offered.searches_by(parcel.type, "identifier"):
        return Query.of(parcel.type, identifier=ours.token)
    return Query.of(parcel.type, patient=person_of(parcel.write.resource))
