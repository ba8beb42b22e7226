"""Put our artefacts (profiles, terminology, questionnaires) on a FHIR server without undoing anyone's work.

First a plan is made, then it is carried out. An artefact is identified by its canonical address and version. What we
publish carries a digest of its own content in `meta.tag`. A resource on the server whose content does not match its
digest, or that has none, was changed by someone else, and is left alone unless the caller insists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from questionnaires.canonical import code_system_url
from questionnaires.fhir import Resource
from smartapp.fhir.capabilities import Interaction, read_offered
from smartapp.fhir.store import Query, RecordStore, Stored, Write

# A type comes after those it refers to, so that a server which checks references finds their targets.
ORDER = (
    "CodeSystem",
    "ValueSet",
    "ConceptMap",
    "NamingSystem",
    "SearchParameter",
    "StructureDefinition",
    "Questionnaire",
    "Measure",
    "ActivityDefinition",
    "PlanDefinition",
    "CapabilityStatement",
    "ImplementationGuide",
)
NEEDED: tuple[Interaction, ...] = ("create", "search-type", "update")
DIGEST_SYSTEM = code_system_url("published-digest")
PublishAction = Literal["create", "update", "unchanged", "changed-elsewhere", "not-accepted"]


@dataclass(frozen=True, slots=True)
class PlannedArtefact:
    """One artefact, and what will happen to it on one server."""

    resource: Resource
    action: PublishAction
    current: Stored | None = None  # what the server has now
    differences: tuple[str, ...] = ()  # one line per element that differs, server's value first
    reason: str = ""  # if it is left alone: what was found, and what to do

    @property
    def name(self) -> str:
        """Return `Type/id` as in our package; on the server it may have another id."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"

    def to_write(self) -> Write | None:
        """Return the write that carries this out, or None if there is nothing to write.

        A create is conditional on the canonical and an update on the version that was read, so that two people who
        publish at the same time neither duplicate nor overwrite anything.
        """
        if self.action == "create":
            # Our ids are names for people; with a create the server chooses, as FHIR has it.
            body = {key: value for key, value in stamped(self.resource).items() if key != "id"}
            return Write(method="create", resource=body, if_none_exist=_search_string(self.resource))
        if self.action == "update" and self.current is not None:
            body = {**stamped(self.resource), "id": self.current.resource["id"]}
            return Write(method="update", resource=body, if_match=self.current.etag)
        return None


def in_dependency_order(resources: Iterable[Resource]) -> list[Resource]:
    """Sort the artefacts by `ORDER`, extensions before the profiles that use them. Raises ValueError for a new type."""

    def rank(resource: Resource) -> tuple[int, bool, str]:
        kind = resource["resourceType"]
        if kind not in ORDER:
            raise ValueError(f"{kind}/{resource.get('id')}: not in the publishing order; add {kind} to ORDER")
        return ORDER.index(kind), resource.get("type") != "Extension", resource["url"]

    return sorted(resources, key=rank)


def plan(resources: Iterable[Resource], store: RecordStore, *, force: bool = False) -> Iterator[PlannedArtefact]:
    """Yield what would happen to each artefact on a server, in dependency order, without writing anything.

    A type that the server's metadata does not let us create, search and update is `not-accepted`. Raises RecordError.
    """
    offered = read_offered(store.capabilities())
    for resource in in_dependency_order(resources):
        kind = resource["resourceType"]
        missing = [needed for needed in NEEDED if not offered.offers(kind, needed)]
        if missing:
            reason = f"this server does not offer {', '.join(missing)} on {kind}; ask its operator to load it"
            yield PlannedArtefact(resource, "not-accepted", reason=reason)
            continue
        found = store.search(Query(type=kind, params=_canonical_params(resource)))
        # By default FHIR servers ignore a search parameter they do not know, and then answer with anything.
        yield decide(resource, [one for one in found if _has_same_canonical(one.resource, resource)], force=force)


def decide(resource: Resource, found: Sequence[Stored], *, force: bool) -> PlannedArtefact:
    """Decide what to do with one artefact, given what the server has under its canonical and version."""
    if not found:
        return PlannedArtefact(resource, "create")
    if len(found) > 1:
        # Which of them others use cannot be known from here, so not even --force chooses.
        ids = ", ".join(stored.resource["id"] for stored in found)
        reason = f"the server has {len(found)} resources with this url and version ({ids}); remove all but one"
        return PlannedArtefact(resource, "changed-elsewhere", found[0], reason=reason)
    (current,) = found
    differences = tuple(_differences(content(current.resource), content(resource)))
    if not differences:
        return PlannedArtefact(resource, "unchanged", current)
    if force or _is_untouched(current.resource):
        return PlannedArtefact(resource, "update", current, differences)
    reason = "someone else changed it there; look at the differences, and use --force to replace it"
    return PlannedArtefact(resource, "changed-elsewhere", current, differences, reason)


def stamped(resource: Resource) -> Resource:
    """Return the resource with the digest of its content in `meta.tag`."""
    meta = resource.get("meta", {})
    tags = [tag for tag in meta.get("tag", []) if tag.get("system") != DIGEST_SYSTEM]
    return {**resource, "meta": {**meta, "tag": [*tags, {"system": DIGEST_SYSTEM, "code": digest(resource)}]}}


def digest(resource: Resource) -> str:
    """Return the SHA-256 of what the resource says, as hexadecimal digits; what a server adds does not count."""
    return hashlib.sha256(orjson.dumps(content(resource), option=orjson.OPT_SORT_KEYS)).hexdigest()


def content(resource: Resource) -> Resource:
    """Return the resource without what a server assigns (id, meta), and without empty elements.

    A server may drop an empty element, or return it; neither is a change that anyone made.
    """
    return {key: value for key, value in resource.items() if key not in {"id", "meta"} and value not in ([], {}, None)}


def _is_untouched(resource: Resource) -> bool:
    tags = resource.get("meta", {}).get("tag", [])
    return any(tag.get("system") == DIGEST_SYSTEM and tag.get("code") == digest(resource) for tag in tags)


def _canonical_params(resource: Resource) -> tuple[tuple[str, str], ...]:
    version = (("version", resource["version"]),) if "version" in resource else ()
    return (("url", resource["url"]), *version)


def _has_same_canonical(there: Resource, here: Resource) -> bool:
    return all(there.get(name) == value for name, value in _canonical_params(here))


def _search_string(resource: Resource) -> str:
    return "&".join(f"{name}={value}" for name, value in _canonical_params(resource))


def _differences(there: Any, here: Any, path: str = "") -> Iterator[str]:
    """Yield one line per element that differs, the server's value first."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted(there.keys() | here.keys()):
            yield from _differences(there.get(key), here.get(key), f"{path}.{key}" if path else key)
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for index, (old, new) in enumerate(zip(there, here, strict=True)):
            yield from _differences(old, new, f"{path}[{index}]")
    elif there != here:
        yield f"{path}: {_short(there)} -> {_short(here)}"


def _short(value: Any) -> str:
    if value is None:
        return "(absent)"
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
