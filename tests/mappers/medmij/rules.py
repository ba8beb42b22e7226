"""What Nictiz' qualification asserts of every answer that a PGO gets, as a walk over the Bundle.

Read in Nictiz-testscripts (commit e851d704), output/STU3/GGZ-2-0/MedMij/Cert/XIS-Server and what that includes. Two of
its rules are not here: the HTTP status, which is not in the Bundle, and validation against the stated profiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VALUE_SETS = "urn:oid:2.16.840.1.113883.2.4.3.11.60.40.2"
BSN = ("http://fhir.nl/fhir/NamingSystem/bsn", "urn:oid:2.16.840.1.113883.2.4.6.3")
CONCEPTS = {"code", "category", "role", "type", "method", "dataAbsentReason", "valueCodeableConcept"}
REFERENCES = {"subject", "author", "performer", "member", "target"}


def broken(bundle: Any, path: str) -> list[str]:
    """Return what a Bundle that answers `path` breaks, a line for each; empty where it keeps to all."""
    found = [*_of_bundle(bundle, path)]
    for entry in bundle.get("entry", []):
        resource = entry.get("resource", {})
        type_, id_ = resource.get("resourceType"), resource.get("id")
        if not id_:
            found.append(f"{type_}: no id")
        if not resource.get("meta", {}).get("profile"):
            found.append(f"{type_}: no meta.profile")
        url = entry.get("fullUrl", "")
        if not url.startswith(("http://", "https://", "urn:uuid:", "urn:oid:")) or not url.endswith(f"/{id_}"):
            found.append(f"{type_}: fullUrl")
        found += _of_elements(resource, type_)
    return found


def _of_bundle(bundle: Any, path: str) -> Iterator[str]:
    if (bundle.get("resourceType"), bundle.get("type")) != ("Bundle", "searchset"):
        yield "no searchset"
    matches = [one for one in bundle.get("entry", []) if one.get("search", {}).get("mode") == "match"]
    if bundle.get("total") != len(matches):
        yield "total is not the number of matches"
    if any(one.get("search", {}).get("mode") not in ("match", "include") for one in bundle.get("entry", [])):
        yield "an entry is neither match nor include"
    links = [one.get("url", "") for one in bundle.get("link", []) if one.get("relation") == "self"]
    if not links or not links[0].endswith(path):
        yield "no self link that says what was asked"
    if "entry" in bundle and not bundle["entry"]:
        yield "an empty list"


def _of_elements(node: Any, where: str) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _of_elements(one, where)
    if not isinstance(node, dict):
        return
    for coding in node.get("coding", []):
        if not (coding.get("system") and coding.get("code")):
            yield f"{where}.coding: system and code"
        if coding.get("system", "").startswith(VALUE_SETS):
            yield f"{where}.coding: a value set for a system"
    if str(node.get("system", "")) in BSN or any(one in str(node.get("reference", "")) for one in BSN):
        yield f"{where}: a BSN"
    for name, value in node.items():
        for one in value if isinstance(value, list) else [value]:
            yield from _of_element(name, one, f"{where}.{name}")
        yield from _of_elements(value, f"{where}.{name}")


def _of_element(name: str, one: Any, where: str) -> Iterator[str]:
    if not isinstance(one, dict):
        return
    if name in CONCEPTS and not (one.get("text") or any(each.get("display") for each in one.get("coding", []))):
        yield f"{where}: neither display nor text"
    if name in REFERENCES and not one.get("display"):
        yield f"{where}: no display"
    if name in ("identifier", "masterIdentifier") and not (one.get("value") and (one.get("system") or one.get("type"))):
        yield f"{where}: identifier without system or value"
