"""What a thing is called here and what it was called in the file that it came from.

The name that a resource gets where it is taken over follows from the person there and its name in the file. So it can
be no name of anybody else's, however the file was made, and the same file makes the same thing once. It keeps a note
of the name that it had, by which it goes again when it leaves: as an identifier of `use` "old", or a tag where a
resource has one identifier only (see `mappers.identity`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mappers.identity import Identifier, identifiers, own_identifier
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource

TAKEN_FROM: Final = identifier_system("taken-from")


def name_here(person: str, identifier: Identifier) -> Identifier:
    """Return what something of a file is called where it is taken over; `person` names whose it is there.

    What shared a value goes on sharing one, such as an agreement and its decision; and a score is called by its
    response, so that one that is corrected here is a correction.
    """
    head, slash, tail = identifier.value.partition("/")
    return Identifier(identifier.system, f"{uuid.uuid5(uuid.NAMESPACE_URL, f'{person}|{head}')}{slash}{tail}")


def with_name(resource: Resource, name: Identifier, was: Identifier) -> Resource:
    """Return a resource with this name in place of all others, and with a note of what it was called."""
    if name == was:
        return _named(resource, name, None)
    return _named(resource, name, was)


def _named(resource: Resource, name: Identifier, was: Identifier | None) -> Resource:
    if resource.get("resourceType") == "QuestionnaireResponse":
        made = {**resource, "identifier": name.as_fhir()}
        if was is not None:
            tags = [*objects_in(object_in(resource, "meta"), "tag"), {"system": TAKEN_FROM, "code": was.token}]
            made["meta"] = {**object_in(resource, "meta"), "tag": tags}
        return made
    note = [] if was is None else [{"use": "old", "system": TAKEN_FROM, "value": was.token}]
    others = [one.as_fhir() for one in identifiers(resource) if one not in (name, was)]
    return {**resource, "identifier": [name.as_fhir(), *others, *note]}


def origin_of(resource: Any) -> Identifier | None:
    """Return what a resource was called in the file that it was taken from; None where it was made here."""
    notes = [text_in(one, "value") for one in objects_in(resource, "identifier") if one.get("system") == TAKEN_FROM]
    tags = objects_in(object_in(resource, "meta"), "tag")
    notes += [text_in(one, "code") for one in tags if one.get("system") == TAKEN_FROM]
    system, _bar, value = next(iter(notes), "").partition("|")
    return Identifier(system, value) if system and value else None


def origins_of(resources: Iterable[Resource]) -> dict[Identifier, Identifier]:
    """Return by the name of here what those that were taken from a file were called in it."""
    pairs = ((own_identifier(one), origin_of(one)) for one in resources)
    return {here: was for here, was in pairs if here is not None and was is not None}


def as_it_was(resource: Resource, origins: Mapping[Identifier, Identifier]) -> Resource:
    """Return a resource by its name of before, and naming others by theirs."""
    made: Resource = renamed({name: value for name, value in resource.items() if name != "identifier"}, origins)
    own = own_identifier(resource)
    if isinstance(resource.get("identifier"), dict):
        if own is not None:
            made["identifier"] = origins.get(own, own).as_fhir()
        return made
    there = [one for one in objects_in(resource, "identifier") if one.get("use") != "old"]
    if there:
        made["identifier"] = [renamed(one, origins) for one in there]
    return made


def renamed(node: Any, names: Mapping[Identifier, Identifier]) -> Any:
    """Return a copy in which each identifier that has another name goes by that, and what hangs on one (`name/…`)."""
    if isinstance(node, list):
        return [renamed(one, names) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: renamed(value, names) for name, value in node.items()}
    system, value = made.get("system"), made.get("value")
    if isinstance(system, str) and isinstance(value, str):
        other = names.get(Identifier(system, value))
        if other is not None:
            return {**made, "system": other.system, "value": other.value}
        head, slash, tail = value.partition("/")
        if slash and (whole := names.get(Identifier(system, head))) is not None:
            return {**made, "system": whole.system, "value": f"{whole.value}/{tail}"}
    return made
