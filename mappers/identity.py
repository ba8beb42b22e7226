"""Which resource is which: the identifiers that make one thing recognisable wherever it is kept, and under any id.

A server gives a resource its id, another server gives its copy another one, and what has not arrived has none. So
everything we make carries an identifier of our own, which decides what is the same. A resource that was elsewhere
before says where, with an identifier of `use` "old" (HL7: no longer considered valid, but may be relevant for search);
a QuestionnaireResponse, which has one identifier only, with a tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource

URN: Final = "urn:uuid:"
_OURS: Final = identifier_system("")
_FORMER: Final = identifier_system("former-")


class Identifier(NamedTuple):
    """The system and value of an identifier; both have text."""

    system: str
    value: str

    @property
    def token(self) -> str:
        """Return it as a search writes it, `system|value`."""
        return f"{self.system}|{self.value}"

    def as_fhir(self) -> Resource:
        """Return it as FHIR's Identifier."""
        return {"system": self.system, "value": self.value}


def identifiers(resource: Any) -> Iterator[Identifier]:
    """Yield the complete identifiers that hold now, whether the type has one (QuestionnaireResponse) or a list."""
    for each in _elements(resource):
        if each.get("use") != "old" and text_in(each, "system") and text_in(each, "value"):
            yield Identifier(each["system"], each["value"])


def own_identifier(resource: Any) -> Identifier | None:
    """Return the identifier to find a resource by: one that we gave it, else the first there is, else None.

    Ours goes first because a server may add its own, in any order, and a copy at another server does not have that.
    """
    given = list(identifiers(resource))
    return next((one for one in given if one.system.startswith(_OURS)), next(iter(given), None))


def values_in(resource: Any, system: str) -> list[str]:
    """Return the values of the identifiers from one system."""
    return [one.value for one in identifiers(resource) if one.system == system]


def identity(resource: Any) -> tuple[str, Identifier] | None:
    """Return what two copies of one thing have in common, type and identifier; None if it has no identifier."""
    found = own_identifier(resource)
    return (text_in(resource, "resourceType"), found) if found else None


def carries(resource: Any, identifier: Identifier) -> bool:
    """Tell whether a resource has this identifier among its own."""
    return identifier in identifiers(resource)


def with_former(resource: Resource, place: str, reference: str) -> Resource:
    """Return the resource with a note that it was `reference` (`Goal/1`) at `place` ("ehr") before it came here."""
    if resource.get("resourceType") == "QuestionnaireResponse":
        meta = object_in(resource, "meta")
        tag = {"system": f"{_FORMER}{place}", "code": reference}
        return {**resource, "meta": {**meta, "tag": [*objects_in(meta, "tag"), tag]}}
    old = {"use": "old", "system": f"{_FORMER}{place}", "value": reference}
    return {**resource, "identifier": [*objects_in(resource, "identifier"), old]}


def former(resource: Any) -> Iterator[tuple[str, str]]:
    """Yield where a resource was before, as (place, reference); see `with_former`."""
    for each in _elements(resource):
        system = text_in(each, "system")
        if each.get("use") == "old" and system.startswith(_FORMER) and text_in(each, "value"):
            yield system.removeprefix(_FORMER), each["value"]
    for tag in objects_in(object_in(resource, "meta"), "tag"):
        system = text_in(tag, "system")
        if system.startswith(_FORMER) and text_in(tag, "code"):
            yield system.removeprefix(_FORMER), tag["code"]


def _elements(resource: Any) -> list[Resource]:
    # QuestionnaireResponse has one identifier, most other types a list of them.
    one = object_in(resource, "identifier")
    return [one] if one else objects_in(resource, "identifier")
