"""What is kept about one person → the Bundle of their file."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mappers.identity import URN, Identifier, own_identifier
from mappers.observations import BSN_SYSTEMS
from mappers.portable.naming import as_it_was, origins_of
from mappers.portable.shapes import (
    FILE_SYSTEM,
    INSTALLATION_SYSTEM,
    ORIGIN_SYSTEM,
    PATIENT,
    SUBJECTS,
    Kept,
    Made,
    Owner,
    name_of,
)
from mappers.tolerant import object_in, text_in
from questionnaires.fhir import Resource, concept
from questionnaires.model import Text

_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
# Who they are stands in words; numbers by which others know them are nobody's business elsewhere.
_PEOPLE: Final = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person", "Organization", "CareTeam"}
)
_MISTAKES: Final = frozenset({"entered-in-error"})
_ELEMENTS_OF_A_SERVER: Final = frozenset({"id", "meta", "implicitRules"})
_PERSON: Final = Text("Degene van wie dit bestand is", "The person whose file this is")


def bundle_of(owner: Owner, kept: Iterable[Kept], made: Made) -> Resource:
    """Return the file of a person: them, what is kept about them, and where the file is from; always in one order.

    Of what is kept, that which has a type of `SUBJECTS` and is no mistake. What was taken over from another file goes
    by the name that it had there, so that a file that goes out is the file that came in.
    """
    there = [one for one in kept if one.resource.get("resourceType") in SUBJECTS and not _is_mistake(one.resource)]
    there = [Kept(_with_identifier(one, owner), one.place) for one in there]
    origins = origins_of(one.resource for one in there)
    named = [(one, as_it_was(one.resource, origins)) for one in there]
    urls = {id(one): name_of(resource["resourceType"], _own(resource)) for one, resource in named}
    names = _names(there, urls)
    entries = {urls[id(one)]: _Freed(owner, one.place, names).resource(resource) for one, resource in named}
    order = sorted(entries, key=lambda url: (entries[url]["resourceType"], url))
    whole = [(owner.url, _patient(owner)), *((url, entries[url]) for url in order)]
    origin = _origin([url for url, _resource in whole], owner, made)
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{made.installation}|{owner.url}|{made.when}")
    source = f"{URN}{uuid.uuid5(name, 'Provenance')}"
    return {
        "resourceType": "Bundle",
        "language": made.language,
        "identifier": Identifier(FILE_SYSTEM, str(name)).as_fhir(),
        "type": "collection",
        "timestamp": made.when,
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in [*whole, (source, origin)]],
    }


def _is_mistake(resource: Resource) -> bool:
    return text_in(resource, "status") in _MISTAKES or text_in(resource, "lifecycleStatus") in _MISTAKES


def _own(resource: Resource) -> Identifier:
    found = own_identifier(resource)
    if found is None:
        raise LookupError("each resource of a file has an identifier by now")
    return found


def _with_identifier(one: Kept, owner: Owner) -> Resource:
    """Return a resource that can be told from all others, wherever it goes."""
    resource = one.resource
    if own_identifier(resource) is not None:
        return resource
    where = f"{owner.issuer}|{one.place}|{resource['resourceType']}/{text_in(resource, 'id')}"
    made = Identifier(ORIGIN_SYSTEM, str(uuid.uuid5(uuid.NAMESPACE_URL, where))).as_fhir()
    if resource["resourceType"] == "QuestionnaireResponse":
        return {**resource, "identifier": made}
    given = resource.get("identifier")
    return {**resource, "identifier": [*(given if isinstance(given, list) else []), made]}


def _names(there: Sequence[Kept], urls: Mapping[int, str]) -> dict[tuple[str, str], str]:
    """Return what resources are called in the file, by place and by what others there may call them."""
    names: dict[tuple[str, str], str] = {}
    for one in there:
        type_, id_ = one.resource["resourceType"], text_in(one.resource, "id")
        url = urls[id(one)]
        if id_:
            names[one.place, f"{type_}/{id_}"] = url
            # Our own store may name what is kept elsewhere; what has the same id at its own place goes before.
            names.setdefault(("", f"{type_}/{id_}"), url)
        # What has not arrived anywhere goes by its identifier, which two types may share.
        waiting = f"{URN}{_own(one.resource).value}"
        names[type_, waiting] = url
        names.setdefault(("", waiting), url)
    return names


class _Freed:
    """Takes a resource from the server it was at: no ids, and references within the file or to nobody."""

    def __init__(self, owner: Owner, place: str, names: Mapping[tuple[str, str], str]) -> None:
        self._owner = owner
        self._place = place
        self._names = names

    def resource(self, resource: Resource) -> Resource:
        made: Resource = {
            name: self._value(value) for name, value in resource.items() if name not in _ELEMENTS_OF_A_SERVER
        }
        profiles = object_in(resource, "meta").get("profile")
        if profiles:
            made["meta"] = {"profile": profiles}
        return made

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._value(one) for one in node if not _is_national_number(one)] or node[:0]
        if not isinstance(node, dict):
            return node
        made = {name: self._value(value) for name, value in node.items() if not _is_national_number(value)}
        return self._reference(made) if isinstance(made.get("reference"), str) or _names_someone(made) else made

    def _reference(self, node: dict[str, Any]) -> dict[str, Any]:
        target = _relative(text_in(node, "reference"), self._owner.issuer, *self._owner.aliases)
        if target.startswith("#"):
            return node
        if target == f"{PATIENT}/{self._owner.patient_id}":
            called = {"display": self._owner.name} if self._owner.name else {}
            return {**_without(node, "reference", "identifier", "type"), "reference": self._owner.url, **called}
        type_ = text_in(node, "type") or _type_of(target)
        found = next(filter(None, (self._names.get((where, target)) for where in (self._place, type_, ""))), None)
        if found:
            return {**node, "reference": found}
        rest = _without(node, "reference", *(("identifier",) if type_ in _PEOPLE else ()))
        return {**({"type": type_} if type_ else {}), **rest}


def _names_someone(node: Mapping[str, Any]) -> bool:
    """Tell whether an object is a Reference to a person by identifier alone."""
    return text_in(node, "type") in _PEOPLE and isinstance(node.get("identifier"), dict)


def _is_national_number(value: Any) -> bool:
    return text_in(value, "system") in BSN_SYSTEMS


def _without(node: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in names}


def _relative(reference: str, *bases: str) -> str:
    for base in sorted(bases, key=len, reverse=True):
        reference = reference.removeprefix(base.rstrip("/") + "/")
    return reference.split("/_history/")[0]


def _type_of(target: str) -> str:
    type_, slash, _id = target.rpartition("/")
    name = type_.rpartition("/")[2]
    return name if slash and name[:1].isupper() and name.isalpha() else ""


def _patient(owner: Owner) -> Resource:
    made: Resource = {
        "resourceType": PATIENT,
        "identifier": [{"system": owner.namespace, "value": owner.patient_id}],
    }
    if owner.name:
        made["name"] = [{"text": owner.name}]
    if owner.birth_date:
        made["birthDate"] = owner.birth_date
    return made


def _origin(urls: Sequence[str], owner: Owner, made: Made) -> Resource:
    """Return the Provenance of a file: who had it made, with which program, and where."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": url} for url in urls],
        "recorded": made.when,
        "agent": [
            {
                "type": concept(_PARTICIPANT, "author", "Author"),
                "who": {"reference": owner.url, "display": owner.name or _PERSON.get(made.language)},
            },
            {
                "type": concept(_PARTICIPANT, "assembler", "Assembler"),
                "who": {
                    "type": "Device",
                    "identifier": Identifier(INSTALLATION_SYSTEM, made.installation).as_fhir(),
                    "display": f"Verstel {made.version}",
                },
            },
        ],
    }
