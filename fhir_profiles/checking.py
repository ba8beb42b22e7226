"""Check a resource against our profiles without Java, by what the profiles in the package say.

From each profile's differential it takes cardinality, types, fixed values, bindings to value sets whose codes we have,
slices, the types of reference targets, extensions, and our own invariants. FHIR's own rules are not repeated here:
models check the structure (see `verstel validate`), and HL7's validator checks everything (see `tests/conformance`).
Messages have the form `place: what was found`, close to those of HL7's validator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from fhir_profiles.tgz import sources
from questionnaires import canonical
from questionnaires.fhir import Resource

_CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
_REFERENCE: Final = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[^/]+)?")
_LISTS: Final = "*"
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_SOURCE_AND_DESTINATION: Final = ("110153", "110152")
_FEWEST: Final = 6  # as the profile of figures about a team says
_ENTITY_TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"


# ---- what we have ---------------------------------------------------------------------------------------------------


@cache
def _artefacts() -> Mapping[str, Resource]:
    """Return our definitions by type and address, as in `ValueSet https://…`."""
    read = (json.loads(path.read_bytes()) for name, path in sources() if "/" not in name and name != "package.json")
    return {f"{one['resourceType']} {one['url']}": one for one in read}


@cache
def profiles() -> Mapping[str, Resource]:
    """Return our profiles and extensions by address."""
    found = _artefacts().values()
    return {one["url"]: one for one in found if one["resourceType"] == "StructureDefinition"}


@cache
def _codes_of_system(url: str) -> frozenset[str] | None:
    system = _artefacts().get(f"CodeSystem {url}")
    return None if system is None else frozenset(one["code"] for one in system.get("concept", []))


@cache
def _codes(value_set: str) -> frozenset[tuple[str, str]] | None:
    """Return the (system, code) pairs of one of our value sets; None if it takes codes from systems we do not have."""
    found = _artefacts().get(f"ValueSet {value_set.partition('|')[0]}")
    if found is None:
        return None
    pairs: set[tuple[str, str]] = set()
    for include in found["compose"]["include"]:
        codes = [one["code"] for one in include["concept"]] if "concept" in include else None
        listed = codes if codes is not None else _codes_of_system(include["system"])
        if listed is None:
            return None
        pairs.update((include["system"], code) for code in listed)
    return frozenset(pairs)


# ---- invariants -----------------------------------------------------------------------------------------------------
# Each says in Python what its FHIRPath says in the profile; the bad examples among the tests keep the two together.


def _everywhere(value: Any) -> Iterator[Resource]:
    """Yield every object in a value, starting with the value itself."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _everywhere(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _everywhere(inner)


def _is_reference(value: Resource) -> bool:
    # JSON does not name types, and resources have identifiers too: one makes a reference only among a reference's own.
    return isinstance(value.get("reference"), str) or ("identifier" in value and set(value) <= _REFERENCE_KEYS)


_REFERENCE_KEYS: Final = {"id", "extension", "reference", "type", "identifier", "display"}


def _codings(resource: Resource) -> Iterator[Resource]:
    for one in _everywhere(resource):
        for name, value in one.items():
            if name == "coding" and isinstance(value, list):
                yield from (coding for coding in value if isinstance(coding, dict))
            elif name in ("valueCoding", "tag", "security") and isinstance(value, dict):
                yield value


def _finished(resource: Resource) -> bool:
    return resource.get("status") in ("completed", "amended")


def _within(resource: Resource, name: str) -> Iterator[Resource]:
    found = resource.get(name)
    yield from (one for one in (found if isinstance(found, list) else []) if isinstance(one, dict))


def _acting(event: Resource) -> list[Resource]:
    return [one for one in _within(event, "agent") if one.get("requestor") is True]


def _was_done(event: Resource) -> bool:
    kind = event.get("type")
    rest = isinstance(kind, dict) and kind.get("code") == "rest"
    return rest and bool(event.get("subtype")) and event.get("outcome") == "0"


def _names_its_parties(event: Resource) -> bool:
    kinds = [
        coding.get("code")
        for agent in _within(event, "agent")
        for coding in _codings(agent)
        if coding.get("system") == _DICOM
    ]
    types = [one["type"] for one in _within(event, "entity") if isinstance(one.get("type"), dict)]
    data = [one for one in types if (one.get("system"), one.get("code")) == (_ENTITY_TYPES, "2")]
    return [kinds.count(one) for one in _SOURCE_AND_DESTINATION] == [1, 1] and len(_acting(event)) == len(data) == 1


def _parts(resource: Resource, url: str) -> Iterator[Resource]:
    """Yield the extensions of ours with one url."""
    yield from (one for one in _within(resource, "extension") if one.get("url") == url)


def _moments_have_days(course: Resource) -> bool:
    moments = (one for one in _within(course, "activity") if any(_parts(one, canonical.structure_url("course-moment"))))
    details = (one.get("detail") for one in moments)
    periods = (one.get("scheduledPeriod") if isinstance(one, dict) else None for one in details)
    return all(isinstance(one, dict) and {"start", "end"} <= one.keys() for one in periods)


def _says_since_when(course: Resource) -> bool:
    events = _parts(course, canonical.structure_url("course-event"))
    kinds = (part.get("valueCode") for event in events for part in _parts(event, "kind"))
    return course.get("status") != "on-hold" or "paused" in kinds


def _counts(group: Resource) -> list[Any]:
    return [one["count"] for one in _within(group, "population") if one.get("count") is not None]


def _both_or_neither(report: Resource) -> bool:
    counted = [one for one in _within(report, "group") if one.get("population")]
    return all(bool(_counts(one)) == ("value" in (one.get("measureScore") or {})) for one in counted)


def _permits(consent: Resource) -> bool:
    rule = consent.get("provision")
    return isinstance(rule, dict) and bool(rule.get("provision"))


INVARIANTS: Final[Mapping[str, Callable[[Resource], bool]]] = {
    "verstel-reference-display": lambda r: all("display" in one for one in _everywhere(r) if _is_reference(one)),
    "verstel-coding-complete": lambda r: all("system" in one and "code" in one for one in _codings(r)),
    "verstel-score-or-reason": lambda r: (
        any(name.startswith("value") for name in r) != ("text" in r.get("dataAbsentReason", {}))
    ),
    "verstel-response-version": lambda r: "|" in r.get("questionnaire", "|"),
    "verstel-response-finished": lambda r: not _finished(r) or {"authored", "author", "source"} <= r.keys(),
    "verstel-goal-progress-dated": lambda r: "achievementStatus" not in r or "statusDate" in r,
    "verstel-audit-person-no-network": lambda r: not any("network" in one for one in _acting(r)),
    "verstel-audit-parties": lambda r: not _was_done(r) or _names_its_parties(r),
    "verstel-assignment-answered": lambda r: r.get("status") != "completed" or "output" in r,
    "verstel-course-moment-days": _moments_have_days,
    "verstel-course-pause": _says_since_when,
    "verstel-reuse-active": lambda r: (r.get("status") == "active") == _permits(r),
    "verstel-team-group-whose": lambda r: "managingEntity" in r or "characteristic" in r,
    "verstel-team-report-enough": lambda r: all(n >= _FEWEST for one in _within(r, "group") for n in _counts(one)),
    "verstel-team-report-both": _both_or_neither,
}


# ---- a profile as a tree --------------------------------------------------------------------------------------------


@dataclass
class Node:
    """One element of a profile's differential, with its children by name and its slices by slice name."""

    definition: Mapping[str, Any] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    def fixed(self) -> Any:
        """Return the value that this element must equal (`fixed`) or contain (`pattern`), or None."""
        return next((v for k, v in self.definition.items() if k.startswith(("pattern", "fixed"))), None)

    def types(self) -> list[str]:
        """Return the names of the types that the profile allows here; empty if it does not restrict them."""
        return [one["code"] for one in self.definition.get("type", [])]


@cache
def tree(url: str) -> Node:
    """Return one of our profiles as a tree.

    The id of an element is its path, with slice names after a colon: `Observation.code.coding:loinc.system`.
    """
    root = Node()
    for element in profiles()[url]["differential"]["element"]:
        node = root
        for part in element["id"].split(".")[1:]:
            name, _, slice_name = part.partition(":")
            node = node.children.setdefault(name, Node())
            if slice_name:
                node = node.slices.setdefault(slice_name, Node())
        node.definition = element
    return root


# ---- checking -------------------------------------------------------------------------------------------------------


def claimed(resource: Resource) -> list[str]:
    """Return the addresses of our profiles that a resource claims to follow in `meta.profile`."""
    meta = resource.get("meta")
    named = meta.get("profile") if isinstance(meta, dict) else None
    known = named if isinstance(named, list) else []
    return [url for url in (str(one).partition("|")[0] for one in known) if url in profiles()]


def problems(resource: Resource, profile: str) -> list[str]:
    """Return what is wrong with a resource by one of our profiles, one line each; an empty list if nothing is."""
    definition = profiles()[profile]
    kind = resource.get("resourceType")
    if kind != definition["type"]:
        return [f"{kind}: this profile is for {definition['type']}: {profile}"]
    present = _without_nulls(resource)
    return list(_check(tree(profile), present, str(kind), present))


def _without_nulls(value: Any) -> Any:
    """Return a value without the keys that are null: these say nothing. In a list, null keeps the place of an entry."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


def _check(node: Node, value: Any, where: str, root: Resource) -> Iterator[str]:
    """Yield what is wrong with one value: its own rules, then those of its children."""
    yield from _rules(node, value, where, root)
    if not isinstance(value, dict):
        return
    for name, child in node.children.items():
        # Children are only checked within values that are there: an absent parent is one finding, not one per child.
        found = list(_values(value, name))
        place = f"{where}.{name.removesuffix('[x]')}"
        yield from _count(child, len(found), place, "")
        for key, one, spot in found:
            yield from _type(child, name, key, f"{where}.{spot}")
            yield from _check(child, one, f"{where}.{spot}", root)
        yield from _slices(child, found, where, place, root)


def _values(parent: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any, str]]:
    """Yield (key, value, key with index) for each value of an element; `value[x]` matches `valueQuantity`."""
    stem = name.removesuffix("[x]")
    keys = (
        [name] if stem == name else [key for key in parent if key.startswith(stem) and key[len(stem) :][:1].isupper()]
    )
    for key in keys:
        found = parent.get(key)
        if isinstance(found, list):
            yield from ((key, one, f"{key}[{at}]") for at, one in enumerate(found))
        elif found is not None:
            yield key, found, key


def _count(node: Node, count: int, where: str, slice_name: str) -> Iterator[str]:
    least, most = node.definition.get("min", 0), node.definition.get("max", _LISTS)
    place = f"{where}:{slice_name}" if slice_name else where
    if count < least:
        yield f"{place}: minimum required = {least}, but only found {count}"
    if most != _LISTS and count > int(most):
        yield f"{place}: max allowed = {most}, but found {count}"


def _type(node: Node, name: str, key: str, where: str) -> Iterator[str]:
    if name.endswith("[x]") and node.types():
        suffix = key[len(name) - 3 :]
        if suffix.lower() not in {one.lower() for one in node.types()}:
            yield f"{where}: the type {suffix} is not allowed here, only {', '.join(node.types())}"


def _slices(node: Node, found: list[tuple[str, Any, str]], where: str, place: str, root: Resource) -> Iterator[str]:
    # An element sliced without saying how is an extension: FHIR slices those by url.
    slicing = node.definition.get("slicing", {"discriminator": [{"path": "url"}]})
    paths = [one["path"] for one in slicing["discriminator"]]
    for name, part in node.slices.items():
        matching = [(one, spot) for _key, one, spot in found if all(_matches(part, one, path) for path in paths)]
        yield from _count(part, len(matching), place, name)
        for one, spot in matching:
            yield from _check(part, one, f"{where}.{spot}", root)


def _matches(part: Node, value: Any, path: str) -> bool:
    """Tell whether a value belongs to a slice, by the discriminator at `path`."""
    if path == "url":
        named = [url for one in part.definition.get("type", []) for url in one.get("profile", [])]
        inner = part.children.get("url")
        wanted = named[0] if named else inner.fixed() if inner else None
        return isinstance(value, dict) and value.get("url") == wanted
    values, node = [value], part
    for name in [] if path == "$this" else path.split("."):
        node = node.children.get(name, Node())
        values = [inner for one in values if isinstance(one, dict) for _key, inner, _spot in _values(one, name)]
    return any(_contains(one, node.fixed()) for one in values)


def _contains(value: Any, pattern: Any) -> bool:
    """Tell whether a value has everything in a pattern; lists match in any order."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_contains(value.get(key), inner) for key, inner in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_contains(one, want) for one in value) for want in pattern)
    return bool(value == pattern)


def _rules(node: Node, value: Any, where: str, root: Resource) -> Iterator[str]:
    wanted = node.fixed()
    if wanted is not None and not _contains(value, wanted):
        yield f"{where}: must be {json.dumps(wanted, ensure_ascii=False)}"
    yield from _binding(node, value, where)
    yield from _references(node, value, where, root)
    for one in node.definition.get("type", []):
        for url in one.get("profile", []) if one["code"] == "Extension" else []:
            yield from _check(tree(url), value, where, root)
    for constraint in node.definition.get("constraint", []):
        rule = INVARIANTS.get(constraint["key"])
        if rule is not None and not rule(value):
            yield f"{where}: {constraint['key']}: {constraint['human']}"


def _binding(node: Node, value: Any, where: str) -> Iterator[str]:
    binding = node.definition.get("binding", {})
    # Weaker bindings are advice, and of a value set that we cannot list we cannot say that a code is not in it.
    allowed = _codes(binding["valueSet"]) if binding.get("strength") == "required" else None
    if allowed is None or not isinstance(value, str | dict):
        return  # of a number or a list, what is wrong is its type
    if isinstance(value, str):
        if value not in {code for _system, code in allowed}:
            yield f"{where}: the code is not in {binding['valueSet']}"
        return
    codings: Iterable[Any] = value.get("coding", []) if "coding" in value else [value]
    if not any((one.get("system"), one.get("code")) in allowed for one in codings if isinstance(one, dict)):
        yield f"{where}: no coding is in {binding['valueSet']}"


def _references(node: Node, value: Any, where: str, root: Resource) -> Iterator[str]:
    targets = [url for one in node.definition.get("type", []) for url in one.get("targetProfile", [])]
    allowed = {url.removeprefix(_CORE) for url in targets}
    if not allowed or not isinstance(value, dict):
        return
    kind = _kind(value, root)
    if kind is not None and kind not in allowed:
        yield f"{where}: refers to {kind}, only {', '.join(sorted(allowed))} are allowed"


def _kind(reference: Resource, root: Resource) -> str | None:
    """Return the type that a reference points to; None if it does not say (`urn:uuid:…`, or only an identifier)."""
    text = str(reference.get("reference", ""))
    if text.startswith("#"):
        inside = (one for one in root.get("contained", []) if one.get("id") == text[1:])
        return next((str(one.get("resourceType")) for one in inside), None)
    match = _REFERENCE.fullmatch(text)
    return match["type"] if match else reference.get("type")
