"""The people who can sign in at the sandbox, and the cookie by which a browser is one of them."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.wrappers import Response

from questionnaires.fhir import Resource
from smartapp.fhir.store import Query
from smartapp.sandbox.server import PREFIX, Sandbox

COOKIE = "sandbox_session"


@dataclass(frozen=True, slots=True)
class Someone:
    """A person who can sign in here: reference, name, and what they do in a few words."""

    reference: str
    name: str
    about: str = ""


def everybody(box: Sandbox) -> tuple[Someone, ...]:
    """Return all who can sign in: clients, loved ones and professionals."""
    types = ("Patient", "RelatedPerson", "Practitioner")
    return tuple(
        Someone(stored.reference, name_of(stored.resource), _occupation(stored.resource))
        for type_ in types
        for stored in box.store.search(Query.of(type_, _sort="_id"))
    )


def with_session(response: Response, box: Sandbox, user: str) -> Response:
    """Let this browser be somebody, as far as the sandbox goes."""
    response.set_cookie(
        COOKIE,
        box.tickets.sign_in(user),
        path=PREFIX,
        httponly=True,
        samesite="Lax",
        secure=box.public_url.startswith("https:"),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def name_of(resource: Resource) -> str:
    """Return the name of a person as it is written for people."""
    names = resource.get("name") or [{}]
    name = names[0]
    return str(name.get("text") or " ".join([*name.get("given", []), name.get("family", "")]).strip() or "?")


def _occupation(resource: Resource) -> str:
    for qualification in resource.get("qualification", []) + resource.get("relationship", []):
        text = qualification.get("code", qualification).get("text")
        if text:
            return str(text)
    return ""
