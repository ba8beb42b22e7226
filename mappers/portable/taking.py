"""A file that was read → the resources by which it is taken over, about one person here and about nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mappers.identity import URN, Identifier, own_identifier
from mappers.plan.model import PersonRef
from mappers.plan.shapes import IDENTIFIER_SYSTEMS
from mappers.portable.naming import name_here, origin_of, renamed, with_name
from mappers.portable.reading import PersonFile
from mappers.portable.shapes import name_of
from mappers.tolerant import text_in
from questionnaires.fhir import Resource


@dataclass(frozen=True, slots=True)
class Here:
    """Who takes it over: the person here, what names them among all of this installation, and names that are fixed.

    `names` are those of what a person has one of, such as a living form, by what it is called in the file.
    """

    person: PersonRef
    key: str
    names: Mapping[str, Identifier] = field(default_factory=dict)


def url_here(type_: str, identifier: Identifier) -> str:
    """Return the name by which others of the same unit refer to something that is taken over.

    The parts of a plan go by their identifier, as everywhere in a plan; of other types two may share one.
    """
    return f"{URN}{identifier.value}" if identifier.system in IDENTIFIER_SYSTEMS else name_of(type_, identifier)


def names_of(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Return resources by what they are, or were, called in a file: so it is known what is here already."""
    found = ((one, origin_of(one) or own_identifier(one)) for one in resources)
    return {name_of(one["resourceType"], known): one for one, known in found if known is not None}


def taken(file: PersonFile, here: Here, there: Mapping[str, str]) -> dict[str, Resource]:
    """Return what a file has and is not `there`, as it is written here, by what it is called in the file.

    `there` has the reference (`Goal/1`) of what is here already, by what it is called in the file. The person of the
    file becomes the person here. What refers to something that is not taken over says so in words.
    """
    own = {url: own_identifier(one) for url, one in file.parts.items()}
    names = {was: here.names.get(url) or name_here(here.key, was) for url, was in own.items() if was is not None}
    urls = {url: url_here(file.parts[url]["resourceType"], names[was]) for url, was in own.items() if was is not None}
    known = {**urls, **there}
    made = {}
    for url, resource in file.parts.items():
        was = own[url]
        if url in there or was is None:
            continue
        written = _referring(renamed(resource, names), file.person, here.person, known)
        made[url] = with_name(written, names[was], was)
    return made


def _referring(node: Any, person: str, here: PersonRef, known: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_referring(one, person, here, known) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _referring(value, person, here, known) for name, value in node.items()}
    target = text_in(made, "reference")
    if target == person:
        return {**made, **here.as_reference()}
    if target in known:
        return {**made, "reference": known[target]}
    return {name: value for name, value in made.items() if name != "reference" or not target}
