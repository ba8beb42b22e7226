"""What all answers share: addresses of the zibs, ids that people can read, and the Bundle around what is found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from mappers.identity import Identifier
from questionnaires.fhir import Resource

ZIB: Final = "http://nictiz.nl/fhir/StructureDefinition"
NL_CORE: Final = "http://fhir.nl/fhir/StructureDefinition"
SNOMED: Final = "http://snomed.info/sct"
LANGUAGE: Final = "nl"
_DATE_TIME: Final = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?", re.ASCII)
_LONGEST: Final = 55  # of the words of an id, which FHIR wants to be 64 signs at most


def readable_id(words: str, identifier: Identifier) -> str:
    """Return the id of what is served: a PGO shows it as a heading. The same each time for the same identifier."""
    said = re.sub("[^A-Za-z0-9.]+", "-", words).strip("-")[:_LONGEST]
    digest = hashlib.sha256(identifier.token.encode(errors="replace")).hexdigest()[:8]
    return f"{said}-{digest}"


def date_time(text: str) -> str:
    """Return a FHIR dateTime as it is; "" for what is none, which a PGO would refuse with all that it stands in."""
    if not _DATE_TIME.fullmatch(text):
        return ""
    try:
        datetime.fromisoformat((text + "-01-01")[:10] + text[10:])
    except ValueError:
        return ""
    return text


def start(type_: str, profile: str, id_: str) -> Resource:
    """Return the beginning of a resource: a PGO knows what it is by its profile alone, letter for letter."""
    return {"resourceType": type_, "id": id_, "meta": {"profile": [profile]}}


def filled(resource: Resource) -> Resource:
    """Return a resource without what is empty: FHIR has no empty texts and lists."""
    return {name: value for name, value in resource.items() if value not in ("", [], {})}


def searchset(resources: Iterable[Resource], *, base: str, path: str) -> Resource:
    """Return what was found as the answer to `path`, which says again what was asked; `base` is the server's address.

    All that is found is in one Bundle: there is no next page.
    """
    entries = [
        {"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in resources
    ]
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": f"{base}{path}"}],
    }
    return {**bundle, "entry": entries} if entries else bundle
