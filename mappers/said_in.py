"""From which answer something came: a goal, a step or a point to talk about keeps the way back to the client's words.

One extension on all of them, `said-in`: the response, and in it the linkId. It says nothing about the words themselves,
which the client may change afterwards; the response keeps what was said then.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from mappers.answers import IDENTIFIER_SYSTEM
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.canonical import structure_url
from questionnaires.fhir import Resource

URL: Final = structure_url("said-in")


@dataclass(frozen=True, slots=True)
class SaidIn:
    """One answer of one response.

    `reference` is `QuestionnaireResponse/ID`, "" where the response lives at another place than what refers to it.
    `identifier` is our own name of the response, which stays when it moves; "" for one of another program.
    """

    link_id: str
    reference: str = ""
    identifier: str = ""

    @property
    def response_id(self) -> str:
        """Return what the response is called here: our own name of it, else its id; "" where neither is given."""
        return self.identifier or self.reference.rpartition("/")[2]

    def is_of(self, response: Resource) -> bool:
        """Tell whether this is an answer of that response."""
        own = object_in(response, "identifier")
        named = text_in(own, "system") == IDENTIFIER_SYSTEM and text_in(own, "value") == self.identifier
        return named if self.identifier else self.reference == f"QuestionnaireResponse/{text_in(response, 'id')}"

    def as_extension(self) -> Resource:
        """Return FHIR's extension."""
        response: Resource = {"type": "QuestionnaireResponse"}
        if self.reference:
            response["reference"] = self.reference
        if self.identifier:
            response["identifier"] = {"system": IDENTIFIER_SYSTEM, "value": self.identifier}
        return {
            "url": URL,
            "extension": [
                {"url": "response", "valueReference": {**response, "display": _DISPLAY}},
                {"url": "linkId", "valueString": self.link_id},
            ],
        }

    def key(self, kind: str) -> str:
        """Return the same UUID for the same answer, to make one thing of it however often a button is pressed."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {self.identifier or self.reference} {self.link_id}"))


_DISPLAY: Final = "Vragenlijst"


def answer_in(response: Resource, link_id: str, *, same_place: bool) -> SaidIn:
    """Return the way to one answer of a response; `same_place`: what refers to it is kept on the same server."""
    own = object_in(response, "identifier")
    identifier = text_in(own, "value") if text_in(own, "system") == IDENTIFIER_SYSTEM else ""
    reference = f"QuestionnaireResponse/{text_in(response, 'id')}"
    # A literal reference to another server's id is refused by servers that check them, or means another response.
    return SaidIn(link_id, reference if same_place or not identifier else "", identifier)


def said_in(resource: Resource) -> SaidIn | None:
    """Read from which answer a resource came; None where it does not say."""
    for each in objects_in(resource, "extension"):
        if each.get("url") != URL:
            continue
        parts = {text_in(part, "url"): part for part in objects_in(each, "extension")}
        response = object_in(parts.get("response"), "valueReference")
        named = object_in(response, "identifier")
        link_id = text_in(parts.get("linkId"), "valueString")
        identifier = text_in(named, "value") if text_in(named, "system") == IDENTIFIER_SYSTEM else ""
        # An absolute reference names its server: only type and id say which response it is there.
        reference = "/".join(text_in(response, "reference").split("/")[-2:])
        if link_id and (identifier or reference):
            return SaidIn(link_id, reference, identifier)
    return None
