"""The people who can sign in at the sandbox, and the cookie by which a browser is one of them."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.wrappers import Response

from mappers.human_name import human_name
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.store import Query
from smartapp.sandbox.server import PREFIX, Sandbox

COOKIE = "sandbox_session"


@dataclass(frozen=True, slots=True)
class SandboxUser:
    """A person who can sign in here: reference, name, and what they do in a few words."""

    reference: str
    name: str
    about: str = ""


def users(sandbox: Sandbox) -> tuple[SandboxUser, ...]:
    """Return all who can sign in: clients, loved ones and professionals."""
    types = ("Patient", "RelatedPerson", "Practitioner")
    return tuple(
        SandboxUser(stored.reference, name_of(stored.resource), _occupation(stored.resource))
        for type_ in types
        for stored in sandbox.store.search(Query.of(type_, _sort="_id"))
    )


def with_session(response: Response, sandbox: Sandbox, user: str) -> Response:
    """Sign this browser in as a person, as far as the sandbox goes."""
    response.set_cookie(
        COOKIE,
        sandbox.tickets.sign_in(user),
        path=PREFIX,
        httponly=True,
        samesite="Lax",
        secure=sandbox.public_url.startswith("https:"),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def name_of(resource: Resource) -> str:
    """Return the name of a person as it is written for people."""
    return human_name(resource) or "?"


def _occupation(resource: Resource) -> str:
    """Return the qualification of a professional or the relationship of a loved one, as text."""
    qualifications = [object_in(one, "code") for one in objects_in(resource, "qualification")]
    texts = (text_in(concept, "text") for concept in [*qualifications, *objects_in(resource, "relationship")])
    return next(filter(None, texts), "")
