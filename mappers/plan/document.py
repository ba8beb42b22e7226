"""A plan as a document for the chart of an EHR that keeps no plans: a PDF to read, and the same plan as FHIR beside it.

A document is not changed once it is written: who read it in the chart must be able to read it again. A plan that
changed is a new document that replaces the former one. So each carries an identifier made of the plan's own, a number
that counts on, and a digest of the words: the same words are written once, and words that come back are a new document.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mappers.identity import URN, Identifier, values_in
from mappers.plan.model import QUESTIONS, PersonRef, Plan
from mappers.plan.shapes import IDENTIFIER_SYSTEMS, PLAN_SYSTEM
from mappers.tolerant import text_in
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource, concept
from questionnaires.model import Text

DOCUMENT_SYSTEM: Final = identifier_system("plan-document")
PDF: Final = "application/pdf"
FHIR_JSON: Final = "application/fhir+json"
# The code of the plan itself, from our own CodeSystem; a `category` would say nothing more than this. The LOINC code
# that is near it (`mappers.medmij.documents`) stands in what other networks get: a chart is searched by ours.
TYPE: Final = f"{PLAN_SYSTEM}|recovery-plan"

_TITLE: Final = Text("Herstelplan", "Recovery plan")
_DESCRIPTION: Final = Text("Herstelplan, in de eigen woorden van de cliënt", "Recovery plan, in the client's own words")


@dataclass(frozen=True, slots=True)
class Edition:
    """Which document of which plan: the plan's own identifier, a number that counts on, and a digest of its words."""

    plan: str
    number: int
    digest: str

    @property
    def identifier(self) -> Identifier:
        """Return the identifier that the document carries."""
        return Identifier(DOCUMENT_SYSTEM, f"{self.plan}.{self.number}.{self.digest}")

    @property
    def name(self) -> str:
        """Return the URN by which other writes of the same unit refer to the document."""
        return f"{URN}{uuid.uuid5(uuid.NAMESPACE_URL, self.identifier.token)}"


def edition_of(document: Any) -> Edition | None:
    """Return which document this is, or None if it is not one of ours."""
    for value in values_in(document, DOCUMENT_SYSTEM):
        plan, _, rest = value.partition(".")
        number, _, digest = rest.partition(".")
        if plan and digest and number.isdecimal():
            return Edition(plan, int(number), digest)
    return None


def next_edition(plan: str, words: str, documents: Iterable[Any]) -> Edition:
    """Return what the document that follows these is called; `plan` is the plan's identifier, `words` their digest."""
    known = (edition_of(one) for one in documents)
    numbers = [one.number for one in known if one is not None and one.plan == plan]
    return Edition(plan, max(numbers, default=0) + 1, words)


def digest_of(plan: Plan) -> str:
    """Return a digest of all that a reader of the plan sees; what the record calls its parts is not among it."""
    said = {
        "texts": sorted((code, list(texts)) for code, texts in plan.texts.items()),
        "domains": [[one.domain, *(getattr(one, name) for name in QUESTIONS)] for one in plan.domains],
        "goals": [
            [
                *(goal.text, goal.domain, goal.start, goal.due, goal.progress, goal.progress_date, goal.note),
                goal.active,
                [[step.text, step.status, step.who, step.due] for step in goal.steps],
                # What came later is among it only where there is some: a plan without has the digest that it had.
                *(["later"] if goal.later else []),
                *([[one.text for one in goal.remarks[1:]]] if goal.remarks[1:] else []),
            ]
            for goal in plan.goals
        ],
    }
    return hashlib.sha256(_json(said)).hexdigest()[:32]


def bundle_of(resources: Sequence[Resource], *, edition: Edition, date: str, language: str) -> Resource:
    """Return the plan as one FHIR Bundle that stands by itself; `date` is an instant.

    `resources` are those of `resources_of`. Inside, each goes by its own identifier: the ids that a server gave them
    mean nothing to who reads the document elsewhere.
    """
    names = {name: _name(one) for one in resources for name in _names(one)}
    return {
        "resourceType": "Bundle",
        "language": language,
        "identifier": edition.identifier.as_fhir(),
        "type": "collection",
        "timestamp": date,
        "entry": [{"fullUrl": _name(one), "resource": _freed(one, names)} for one in resources],
    }


def document_of(
    pdf: bytes,
    bundle: Resource,
    *,
    edition: Edition,
    client: PersonRef,
    date: str,
    language: str,
    replaces: Iterable[Resource] = (),
) -> Resource:
    """Return the DocumentReference with the PDF and the Bundle in it; it says which documents it `replaces`.

    `date` is an instant.
    """
    title = _TITLE.get(language)
    code = concept(PLAN_SYSTEM, "recovery-plan", title)
    made: Resource = {
        "resourceType": "DocumentReference",
        "language": language,
        "identifier": [edition.identifier.as_fhir()],
        "status": "current",
        "docStatus": "final",
        "type": {**code, "text": title},
        "subject": client.as_reference(),
        "date": date,
        "author": [client.as_reference()],
        "description": _DESCRIPTION.get(language),
        "content": [
            {"attachment": attachment(content, kind, title, date, language)}
            for kind, content in ((PDF, pdf), (FHIR_JSON, _json(bundle)))
        ],
        "context": {
            "related": [
                {
                    "type": "CarePlan",
                    "identifier": {"system": identifier_system("plan"), "value": edition.plan},
                    "display": title,
                }
            ]
        },
    }
    if former := [{"code": "replaces", "target": reference_to(one, language)} for one in replaces]:
        made["relatesTo"] = former
    return made


def superseded(document: Resource) -> Resource:
    """Return a document as it is once another has replaced it."""
    return {**document, "status": "superseded"}


def reference_to(document: Resource, language: str) -> Resource:
    """Return the Reference to a document of ours; one that has no id yet is named by its identifier."""
    edition, title = edition_of(document), _TITLE.get(language)
    if document.get("id") or edition is None:
        return {"reference": f"DocumentReference/{document.get('id')}", "display": title}
    return {"type": "DocumentReference", "identifier": edition.identifier.as_fhir(), "display": title}


def attachment(content: bytes, kind: str, title: str, date: str, language: str) -> Resource:
    """Return a file of this media type as FHIR's Attachment; `date` is an instant."""
    return {
        "contentType": kind,
        "language": language,
        "data": base64.b64encode(content).decode(),
        "size": len(content),
        # FHIR R4 says SHA-1 here; it tells whether the content is whole, and guards nothing.
        "hash": base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode(),
        "title": title,
        "creation": date,
    }


def _own(resource: Resource) -> str:
    return next(value for system in sorted(IDENTIFIER_SYSTEMS) for value in values_in(resource, system))


def _name(resource: Resource) -> str:
    """Return a part's name in the Bundle: of a part that another program made, our identifier may be no UUID."""
    own = _own(resource)
    try:
        return f"{URN}{uuid.UUID(own)}"
    except ValueError:
        made = uuid.uuid5(uuid.NAMESPACE_URL, f"{resource['resourceType']}|{own}")
        return f"{URN}{made}"


def _names(resource: Resource) -> list[str]:
    """Return what other parts of the plan may call this one."""
    id_ = text_in(resource, "id")
    return [f"{URN}{_own(resource)}", *([f"{resource['resourceType']}/{id_}"] if id_ else [])]


def _freed(node: Any, names: Mapping[str, str], *, top: bool = True) -> Any:
    """Return a resource with the names of this Bundle, without what only the server it was at knows."""
    if isinstance(node, list):
        return [_freed(one, names, top=False) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _freed(value, names, top=False) for name, value in node.items() if not (top and name == "id")}
    if isinstance(made.get("reference"), str):
        made["reference"] = names.get(made["reference"], made["reference"])
    if top and "meta" in made:
        made["meta"] = {name: value for name, value in made["meta"].items() if name not in ("versionId", "lastUpdated")}
    return made


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
