"""What a file of one person is made of: one Bundle of the person, what is kept about them, and where the file is from.

It is a `collection`. A `document` has to begin with a Composition that somebody answers for, and a `transaction` asks a
server to do something; this is a bag with all that one person has here, signed by nobody.

Inside, everything goes by a name that follows from its own identifier: the ids that a server gave mean nothing
elsewhere, and the same thing has the same name in each file. What leads out of the file, such as to a professional in
the EHR, is named in words and refers to nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mappers.identity import URN, Identifier
from questionnaires.canonical import identifier_system
from questionnaires.fhir import Resource

FILE_SYSTEM: Final = identifier_system("person-file")
INSTALLATION_SYSTEM: Final = identifier_system("installation")
ORIGIN_SYSTEM: Final = identifier_system("origin")
"""Of what carries no identifier: what it was called where the file was made."""

SUBJECTS: Final = {
    "CarePlan": "subject",
    "CareTeam": "subject",
    "Consent": "patient",
    "Goal": "subject",
    "Observation": "subject",
    "QuestionnaireResponse": "subject",
    "Task": "for",
}
"""The types that a file may hold beside the person and where it is from, each with the element that says whose."""

PATIENT: Final = "Patient"
MOST_ENTRIES: Final = 5_000
MOST_BYTES: Final = 4_000_000
DEEPEST: Final = 64
"""How deep objects and lists may lie within each other. What this app makes is less than twenty deep."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is: the id of the person at an EHR (`issuer`, its address), and what is known of them."""

    issuer: str
    patient_id: str
    name: str = ""
    birth_date: str = ""
    aliases: tuple[str, ...] = ()
    """Other addresses by which that EHR writes itself."""

    @property
    def url(self) -> str:
        """Return what the person is called in the file: the same each time, and telling nothing."""
        return f"{URN}{uuid.uuid5(uuid.NAMESPACE_URL, f'{self.namespace}/{self.patient_id}')}"

    @property
    def namespace(self) -> str:
        """Return the system of the person's identifier: the patients of that EHR."""
        return f"{self.issuer.rstrip('/')}/{PATIENT}"


@dataclass(frozen=True, slots=True)
class Made:
    """Where a file is from: this program's version, the installation's address, and when (an instant)."""

    version: str
    installation: str
    when: str
    language: str = "nl"


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource, and what names the place where it is kept: one id at two places is two resources."""

    resource: Resource
    place: str = ""


def name_of(type_: str, identifier: Identifier) -> str:
    """Return what a resource with this identifier is called in a file.

    Not by its identifier alone: an agreement and the decision that it comes from have one value.
    """
    return f"{URN}{uuid.uuid5(uuid.NAMESPACE_URL, f'{type_}|{identifier.token}')}"


def references(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object with a `reference`, wherever it stands."""
    if isinstance(node, list):
        for one in node:
            yield from references(one)
    elif isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for one in node.values():
            yield from references(one)
