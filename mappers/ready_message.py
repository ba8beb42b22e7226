"""A message in the client's portal that something is ready: a Communication, which names nothing of what it is."""

from __future__ import annotations

from typing import Final

from mappers.fhir_text import narrative, paragraph
from questionnaires.canonical import identifier_system, structure_url
from questionnaires.fhir import Resource
from questionnaires.model import Text

PROFILE: Final = structure_url("ready-message")
IDENTIFIER_SYSTEM: Final = identifier_system("ready-message")
_CATEGORY: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/communication-category",
    "code": "reminder",
    "display": "Reminder",
}
_WORDS: Final = Text(
    "Er staat iets klaar. Log zelf in om het te zien.", "Something is ready. Sign in by yourself to see it."
)


def ready_message(*, patient: str, identifier: str, sent: str, language: str) -> Resource:
    """Return the Communication to a client (`Patient/1`) that something is ready; `sent` is a FHIR dateTime.

    Everybody who may open the record can read it, so it says what a mail says: no name, no questionnaire, no word.
    """
    client, words = {"reference": patient, "display": "Patient"}, _WORDS.get(language)
    return {
        "resourceType": "Communication",
        "meta": {"profile": [PROFILE]},
        "language": language,
        "text": narrative([paragraph(words)], language, "generated"),
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": identifier}],
        "status": "completed",
        "category": [{"coding": [dict(_CATEGORY)]}],
        "subject": client,
        "recipient": [dict(client)],
        "sent": sent,
        "payload": [{"contentString": words}],
    }
