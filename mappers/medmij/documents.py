"""Papers → DocumentReferences: as a PGO asks for them (STU3, IHE MHD minimal), and as they are published (R4, MHD).

One paper is one document with one content. A PGO follows the address in it to a Binary; who publishes to an exchange
sends the content along (ITI-105, Simplified Publish). What a chart gets beside that, the plan as FHIR, is in
`mappers.plan.document`.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from mappers.identity import URN, Identifier
from mappers.medmij.shapes import LANGUAGE, ZIB, filled, readable_id, start
from mappers.plan.document import DOCUMENT_SYSTEM, PDF, attachment, edition_of
from mappers.plan.model import PersonRef
from mappers.plan.shapes import PLAN_SYSTEM
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.fhir import URI, Resource, coding
from questionnaires.model import Text

PROFILE: Final = f"{ZIB}/IHE.MHD.Minimal.DocumentReference"
PAPER_SYSTEM: Final = identifier_system("paper")
MHD_IDENTIFIERS: Final = "https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType"

Kind = Literal["recovery-plan", "conversation-report"]
_WORDS: Final[dict[Kind, str]] = {"recovery-plan": "herstelplan", "conversation-report": "gesprek"}
_DESCRIPTIONS: Final[dict[Kind, Text]] = {
    "recovery-plan": Text("Herstelplan, in de eigen woorden van de cliënt", "Recovery plan, in the client's own words"),
    "conversation-report": Text(
        "Verslag van een gesprek tussen cliënt en hulpverlener", "Report of a conversation of client and professional"
    ),
}
# Ours first. The LOINC code is that of a care plan document in HL7's value set CarePlanDocumentType (C-CDA on FHIR
# 1.2.0). For the report of a conversation no code was read in a source.
_TYPES: Final[dict[Kind, tuple[Resource, ...]]] = {
    "recovery-plan": (
        coding(PLAN_SYSTEM, "recovery-plan", "Herstelplan"),
        coding("http://loinc.org", "18776-5", "Plan of care note"),
    ),
    "conversation-report": (coding(PLAN_SYSTEM, "conversation-report", "Verslag van een gesprek"),),
}


@dataclass(frozen=True, slots=True)
class Paper:
    """A PDF about the client: what it is, what it is called, and of which moment it is (an instant).

    `day` is the day that it is about, "" for the day it was made.
    """

    content: bytes = field(repr=False)
    kind: Kind
    title: str
    made: str
    identifier: Identifier
    language: str = LANGUAGE
    day: str = ""

    @property
    def id(self) -> str:
        """Return the id under which the paper, and its Binary, is served."""
        return readable_id(f"{_WORDS[self.kind]}-{self.day or self.made[:10]}", self.identifier)

    @property
    def name(self) -> str:
        """Return the URN of this one document: that of other bytes is another."""
        return f"{URN}{uuid.uuid5(uuid.NAMESPACE_URL, self.identifier.token)}"


@dataclass(frozen=True, slots=True)
class Custodian:
    """The organisation that answers for published documents: its name, and what identifies it."""

    name: str
    system: str
    value: str

    def as_reference(self) -> Resource:
        """Return it as FHIR's Reference."""
        return {
            "type": "Organization",
            "identifier": {"system": self.system, "value": self.value},
            "display": self.name,
        }


def paper_of(content: bytes, kind: Kind, about: str, *, title: str, made: str, language: str, day: str = "") -> Paper:
    """Return a paper that was made now. `about` names what it tells of: it and the bytes make the identifier."""
    digest = hashlib.sha256(content).hexdigest()[:32]
    return Paper(content, kind, title, made, Identifier(PAPER_SYSTEM, f"{about}.{digest}"), language, day)


def paper_in(document: Any) -> Paper | None:
    """Return the paper in a document of ours that a chart has and that holds; None for any other or half one."""
    edition = edition_of(document)
    if edition is None or text_in(document, "status") != "current":
        return None
    found = [object_in(one, "attachment") for one in objects_in(document, "content")]
    inside = next((one for one in found if text_in(one, "contentType") == PDF), {})
    try:
        content = base64.b64decode(text_in(inside, "data"), validate=True)
        made = datetime.fromisoformat(text_in(document, "date"))
    except ValueError:
        return None
    if not content or made.tzinfo is None:
        return None
    return Paper(
        content,
        "recovery-plan",
        text_in(inside, "title") or _DESCRIPTIONS["recovery-plan"].nl,
        made.isoformat(),
        Identifier(DOCUMENT_SYSTEM, edition.identifier.value),
        text_in(document, "language") or LANGUAGE,
    )


def reference_of(paper: Paper, *, client: PersonRef) -> Resource:
    """Return the DocumentReference of a paper as a PGO reads it; its content is in `binary_of`.

    The client may not be its author there, so nobody is: the description says whose words it has.
    """
    whole = attachment(paper.content, PDF, paper.title, paper.made, paper.language)
    served = {name: value for name, value in whole.items() if name not in ("data", "creation")}
    made = {
        **start("DocumentReference", PROFILE, paper.id),
        "masterIdentifier": {"system": URI, "value": paper.name},
        "identifier": [paper.identifier.as_fhir()],
        "status": "current",
        "type": {"coding": list(_TYPES[paper.kind])},
        "subject": client.as_reference(LANGUAGE),
        "indexed": paper.made,
        "description": _DESCRIPTIONS[paper.kind].get(paper.language),
        "content": [{"attachment": {**served, "url": f"Binary/{paper.id}"}}],
    }
    return filled(made)


def binary_of(paper: Paper) -> Resource:
    """Return the content of a paper as STU3's Binary."""
    return {
        "resourceType": "Binary",
        "id": paper.id,
        "contentType": PDF,
        "content": base64.b64encode(paper.content).decode(),
    }


def published(
    paper: Paper, *, client: PersonRef, custodian: Custodian | None = None, replaces: Iterable[Resource] = ()
) -> Resource:
    """Return the DocumentReference that publishes a paper (IHE MHD, ITI-105), in FHIR R4, with the content in it.

    With a custodian it has all that the EU Health Data API asks of a document. `replaces` are References to former
    documents. It states no profile: the one of Simplified Publish holds for what is sent, and not for what a recipient
    makes of it, which takes the content out, or says that it is superseded.
    """
    made: Resource = {
        "resourceType": "DocumentReference",
        "language": paper.language,
        "masterIdentifier": {
            "type": {"coding": [{"system": MHD_IDENTIFIERS, "code": "uniqueId"}]},
            "system": URI,
            "value": paper.name,
        },
        "identifier": [paper.identifier.as_fhir()],
        "status": "current",
        "type": {"coding": list(_TYPES[paper.kind])},
        "subject": client.as_reference(paper.language),
        "date": paper.made,
        "author": [client.as_reference(paper.language)] if paper.kind == "recovery-plan" else [],
        "description": _DESCRIPTIONS[paper.kind].get(paper.language),
        "custodian": custodian.as_reference() if custodian else {},
        "relatesTo": [{"code": "replaces", "target": one} for one in replaces],
        "content": [{"attachment": attachment(paper.content, PDF, paper.title, paper.made, paper.language)}],
    }
    return filled(made)
