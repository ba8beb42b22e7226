"""A file of one person as a document for the chart of their EHR: a PDF to read, with the same as FHIR inside it."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from mappers.identity import Identifier
from mappers.plan.document import PDF, attachment
from mappers.plan.model import PersonRef
from mappers.portable.shapes import FILE_SYSTEM, PATIENT
from questionnaires.fhir import Resource
from questionnaires.model import Text

_TITLE: Final = Text("Eigen gegevens uit Verstel", "Own data from Verstel")
_DESCRIPTION: Final = Text(
    "Wat de cliënt in Verstel schreef en instuurde, door de cliënt zelf in het dossier gezet",
    "What the client wrote and sent in with Verstel, put into the record by the client",
)


def name_of_words(bundle: Resource) -> Identifier:
    """Return the identifier of a document with what this file holds: the same words are put into a chart once."""
    held = [one for one in bundle["entry"] if one["resource"]["resourceType"] not in ("Provenance", PATIENT)]
    whose = next(one["fullUrl"] for one in bundle["entry"] if one["resource"]["resourceType"] == PATIENT)
    said = json.dumps(held, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return Identifier(FILE_SYSTEM, f"{whose.rpartition(':')[2]}.{hashlib.sha256(said).hexdigest()[:32]}")


def document_of(pdf: bytes, name: Identifier, *, client: PersonRef, date: str, language: str) -> Resource:
    """Return the DocumentReference with the PDF in it; `date` is an instant.

    What kind of document it is stands in words: no code for such a one was read in a source.
    """
    title = _TITLE.get(language)
    return {
        "resourceType": "DocumentReference",
        "language": language,
        "identifier": [name.as_fhir()],
        "status": "current",
        "docStatus": "final",
        "type": {"text": title},
        "subject": client.as_reference(language),
        "date": date,
        "author": [client.as_reference(language)],
        "description": _DESCRIPTION.get(language),
        "content": [{"attachment": attachment(pdf, PDF, title, date, language)}],
    }
