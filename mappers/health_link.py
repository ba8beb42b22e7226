"""A SMART Health Link: what stands in one, and the FHIR document that it opens.

The document is a Bundle that stands by itself: a Composition whose sections can be read by people, and beside it the
resources that they were made of. Inside, everything goes by a name of this Bundle alone; what the EHR or we call a
resource stays out, and so does every reference to what is not in it.

https://hl7.org/fhir/uv/smart-health-cards-and-links/STU1/links-specification.html
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mappers.fhir_text import heading, narrative, paragraph
from mappers.identity import URN, identifiers
from mappers.tolerant import text_in
from questionnaires.fhir import Resource

SCHEME: Final = "shlink:/"
CONTENT_TYPE: Final = "application/fhir+json"
FHIR_VERSION: Final = "4.0.1"
LONGEST_URL: Final = 128
LONGEST_LABEL: Final = 80


@dataclass(frozen=True, slots=True)
class Payload:
    """What a link says: where its manifest is asked for, the key, until when (seconds since 1970), and a short label.

    The key is 32 bytes in base64url, and so is 43 characters long.
    """

    url: str
    key: str
    until: int
    label: str
    asks_passcode: bool = False

    def __post_init__(self) -> None:
        if len(self.url) > LONGEST_URL:
            raise ValueError(f"the address of a manifest has {len(self.url)} characters; at most {LONGEST_URL}")
        if len(self.key) != 43:
            raise ValueError("a key has 43 characters")

    def link(self, viewer: str) -> str:
        """Return the link, which a browser opens at `viewer`; what follows its `#` is sent to no server."""
        said: dict[str, Any] = {"url": self.url, "key": self.key, "exp": self.until}
        if self.asks_passcode:
            said["flag"] = "P"
        said["label"] = self.label[:LONGEST_LABEL]
        said["v"] = 1
        packed = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        return f"{viewer}#{SCHEME}{base64.urlsafe_b64encode(packed).rstrip(b'=').decode()}"

    @classmethod
    def of(cls, link: str) -> Payload | None:
        """Return what a link says, with a viewer before it or without; None for what is no link of this kind."""
        packed = link.rpartition("#")[2]
        if not packed.startswith(SCHEME):
            return None
        packed = packed.removeprefix(SCHEME)
        try:
            said = json.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True))
            url, key, label = said["url"], said["key"], said.get("label", "")
            return cls(str(url), str(key), int(said.get("exp", 0)), str(label), "P" in said.get("flag", ""))
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document: its title, what people read of it (XHTML parts, see `fhir_text`), and what that is of."""

    title: str
    parts: tuple[str, ...]
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose document it is: their reference in the record (`Patient/<id>`), name and birth date ("" if not known)."""

    reference: str
    name: str
    birth_date: str = ""


def document_of(
    sections: Sequence[Section], *, id: str, title: str, about: str, whose: Whose, made: str, language: str
) -> Resource:
    """Return the document with these sections; nothing in it changes after `made`, an instant.

    `id` is a UUID of its own, `about` one sentence on what it is.
    """
    document = uuid.UUID(id)
    resources = [one for section in sections for one in section.resources]
    patient = _name(document, "patient")
    names = {whose.reference: patient}
    for number, resource in enumerate(resources):
        names |= dict.fromkeys(_names(resource), _name(document, str(number)))
    places = iter(range(len(resources)))
    composition: Resource = {
        "resourceType": "Composition",
        "language": language,
        "text": narrative([heading(title), paragraph(about)], language, "generated"),
        "status": "final",
        "type": {"text": title},
        "subject": _reference(patient, whose.name, "Patient"),
        "date": made,
        "author": [_reference(patient, whose.name, "Patient")],
        "title": title,
        "section": [
            {
                "title": section.title,
                "text": narrative([*section.parts], language, "generated"),
                **_entries([_name(document, str(next(places))) for _one in section.resources], section.resources),
            }
            for section in sections
        ],
    }
    person: Resource = {
        "resourceType": "Patient",
        "language": language,
        "text": narrative([paragraph(whose.name)], language, "generated"),
        "name": [{"text": whose.name}],
        **({"birthDate": whose.birth_date} if whose.birth_date else {}),
    }
    return {
        "resourceType": "Bundle",
        "language": language,
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{URN}{document}"},
        "type": "document",
        "timestamp": made,
        "entry": [
            {"fullUrl": _name(document, "composition"), "resource": composition},
            {"fullUrl": patient, "resource": person},
            *(
                {"fullUrl": _name(document, str(number)), "resource": _freed(one, names)}
                for number, one in enumerate(resources)
            ),
        ],
    }


def manifest_of(file: Mapping[str, str], *, made: str) -> dict[str, Any]:
    """Return a manifest with one file, which is `embedded` or at a `location`."""
    about = {"contentType": CONTENT_TYPE, "fhirVersion": FHIR_VERSION, "lastUpdated": made, "status": "finalized"}
    return {"files": [{**about, **file}]}


def _entries(names: Iterable[str], resources: Iterable[Resource]) -> Resource:
    kinds = [one["resourceType"] for one in resources]
    entries = [_reference(name, kind, kind) for name, kind in zip(names, kinds, strict=True)]
    return {"entry": entries} if entries else {}


def _reference(name: str, display: str, kind: str) -> Resource:
    return {"reference": name, "type": kind, "display": display}


def _name(document: uuid.UUID, part: str) -> str:
    return f"{URN}{uuid.uuid5(document, part)}"


def _names(resource: Resource) -> list[str]:
    """Return what other resources may call this one."""
    own = [f"{URN}{one.value}" for one in identifiers(resource)]
    id_ = text_in(resource, "id")
    return [*own, *([f"{resource['resourceType']}/{id_}"] if id_ else [])]


def _freed(node: Any, names: Mapping[str, str], *, top: bool = True) -> Any:
    """Return a resource with the names of this document, and without what only the server knows that it was at."""
    if isinstance(node, list):
        return [_freed(one, names, top=False) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _freed(value, names, top=False) for name, value in node.items() if not (top and name == "id")}
    if isinstance(made.get("reference"), str) and not made["reference"].startswith("#"):
        if made["reference"] in names:
            made["reference"] = names[made["reference"]]
        else:
            del made["reference"]
    if top and "meta" in made:
        made["meta"] = {name: value for name, value in made["meta"].items() if name == "profile"}
    return made
