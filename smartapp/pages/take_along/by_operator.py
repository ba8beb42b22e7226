"""The same file, made and taken in by who operates Verstel, for a person who asks them: without a sign-in.

There is no token for the EHR then, so what is there is not read, and nothing is written there. The log says that it was
the operator, and the person finds it under who looked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from flask import Flask

from mappers.errors import PlanError
from mappers.portable import NotAFile, PersonFile, file_inside, is_pdf, read
from smartapp.fhir.nowhere import Nowhere
from smartapp.pages.take_along.bringing_in import Brought, Choice, prepare
from smartapp.pages.take_along.for_pgo import files
from smartapp.pages.take_along.gathering import as_bytes, bundle, gather
from smartapp.pages.take_along.paper import paper_of
from smartapp.pages.take_along.whose import is_theirs
from smartapp.services import Services
from smartapp.settings import Issuer
from smartapp.storage.launches import Launch, Person, User
from smartapp.web import current

__all__ = ["NotAFile", "PlanError", "brought", "contents_of", "files", "known_person", "made", "opened", "take_over"]

MOST_READ: Final = 16 * 1024 * 1024
"""Bytes of a file that are looked at: more than any that is taken."""
OPERATOR: Final = "Beheer van Verstel"
"""What the log calls who did it: the command line knows no names, and the person reads this under who looked."""


@contextmanager
def opened(app: Flask, services: Services, issuer: Issuer, person: Person) -> Iterator[None]:
    """Open what we keep of a person, and a companion server where there is one, for the time of a `with`."""
    user = User(person.reference, person.display, "client", issuer.key, "")
    id_ = person.reference.rpartition("/")[2]
    launch = Launch("", "", issuer.base, id_, person, user, scopes="")
    operator = replace(launch, user=User("", OPERATOR, "guest", issuer.key, ""))
    services.local_ehrs[issuer.base] = Nowhere()
    try:
        with app.test_request_context():
            records = services.records(
                launch, lambda event, objects: services.audit.record(operator, event, objects, reason="operator")
            )
            current.open_launch(launch, records)
            yield
    finally:
        del services.local_ehrs[issuer.base]


def known_person(services: Services, issuer: Issuer, patient_id: str, name: str, born: str) -> Person:
    """Return what is known of a person: what was said, else what a sign-in that is open knows."""
    reference = f"Patient/{patient_id}"
    open_now = next((one.patient for one in services.launches.about(issuer.key, reference)), Person(reference, ""))
    return Person(reference, name or open_now.display, born or open_now.birth_date)


def made(*, as_pdf: bool) -> tuple[bytes, int]:
    """Return the file of the person who is opened, and how many things are in it."""
    found = gather()
    content = as_bytes(bundle(found))
    return (paper_of(found, content) if as_pdf else content), len(found.records)


def brought(content: bytes) -> Brought:
    """Hold a file beside what is kept of the person who is opened. Raises NotAFile, also for somebody else's."""
    file = file_of(content)
    if not is_theirs(file):
        raise NotAFile("it is of somebody else, or it can't be told whose it is")
    return prepare(file, gather())


def file_of(content: bytes) -> PersonFile:
    """Read a file, or what is inside a PDF. Raises NotAFile."""
    return read(file_inside(content) if is_pdf(content) else content)


def take_over(found: Brought, choice: Choice) -> int:
    """Write what a file brings, with one choice for all that says something else here; return how many writes."""
    writes = found.writes({part.id: choice for part in found.parts})
    current.records().save(writes)
    return len(writes)


def contents_of(path: Path) -> bytes:
    """Return the bytes of a file, at most as many as a file may have."""
    with path.open("rb") as file:
        return file.read(MOST_READ)
