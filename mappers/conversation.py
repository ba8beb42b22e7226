"""Which conversation something was written down in ↔ the `encounter` of a response, by identifier.

Nothing is written of the conversation itself: a logical reference needs no Encounter in the record. It tells two
conversations of one day apart, and says when each began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mappers.tolerant import object_in, text_in
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource
from questionnaires.model import Text

IDENTIFIER_SYSTEM: Final = identifier_system("conversation")
_DISPLAY: Final = Text("Gesprek", "Conversation")


@dataclass(frozen=True, slots=True)
class Conversation:
    """`key` is its own identifier, `begun` when it began: a FHIR dateTime, "" where that is not known."""

    key: str
    begun: str = ""


def as_encounter(conversation: Conversation, language: str = "nl") -> Resource:
    """Return the reference to a conversation, for the `encounter` of what was written down in it."""
    identifier: Resource = {"system": IDENTIFIER_SYSTEM, "value": conversation.key}
    if conversation.begun:
        identifier["period"] = {"start": conversation.begun}
    return {"type": "Encounter", "identifier": identifier, "display": _DISPLAY.get(language)}


def conversation_of(resource: Resource) -> Conversation | None:
    """Return the conversation that a resource was written down in; None where it names none of ours."""
    identifier = object_in(object_in(resource, "encounter"), "identifier")
    key = text_in(identifier, "value")
    if text_in(identifier, "system") != IDENTIFIER_SYSTEM or not key:
        return None
    return Conversation(key, text_in(object_in(identifier, "period"), "start"))
