"""Who calls the API, and what they may reach: the token, its scopes, and the record it is for."""

from __future__ import annotations

from flask import request

from smartapp.fhir.own.search import Definition, definition, understand
from smartapp.fhir.store import Forbidden, Query, Refused, Stored, Unauthorized
from smartapp.sandbox.kinds import INTERACTIONS
from smartapp.sandbox.scopes import Caller, Reach, parse, reach_of
from smartapp.sandbox.server import current_sandbox

ELSEWHERE = "It is outside the patient record (or the part of it) that this token is for."


def caller() -> Caller | None:
    """Return the holder of this call's token, or None if it carries none. Raises Unauthorized."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    found = current_sandbox().tickets.known(token.strip(), "access") if scheme.lower() == "bearer" else None
    if found is None:
        raise Unauthorized("The access token is not good: unknown, ended or revoked. Refresh it or launch again.")
    texts = found.scope.split()
    scopes = tuple(scope for scope in map(parse, texts) if scope is not None)
    return Caller(found.user, found.patient, scopes, frozenset(texts), found.client)


def offered(type_: str, letter: str) -> Definition:
    """Return what is known of a type. Raises Refused (404, 405) if this EHR does not offer the interaction."""
    known = definition(type_)
    sandbox = current_sandbox()
    if not sandbox.kind.offers(type_, letter):
        has = [INTERACTIONS[one] for one in "crus" if sandbox.kind.offers(type_, one)]
        raise Refused(
            f"This server ({sandbox.kind.name}) does not offer {INTERACTIONS[letter]} on {type_}. "
            f"It offers: {', '.join(has) or 'nothing on this type'}. See the CapabilityStatement at /metadata.",
            status=405,
        )
    return known


def allowed(type_: str, letter: str, id_: str | None = None) -> Reach:
    """Return what this call may reach with one interaction on one type. Raises Refused, Unauthorized, Forbidden."""
    known = offered(type_, letter)
    calling = caller()
    if known.public and letter in "rs":
        return Reach(None)
    if calling is None:
        raise Unauthorized("This call carries no access token. Launch the app and send 'Authorization: Bearer …'.")
    found = reach_of(calling, type_, letter)
    if found is None:
        # With fhirUser a user may read who they are, whatever else was granted: the app shows their name.
        if letter == "r" and calling.user == f"{type_}/{id_}" and {"fhirUser", "profile"} & calling.plain:
            return Reach(None)
        raise Forbidden(
            f"The granted scopes do not cover {INTERACTIONS[letter]} on {type_}. "
            f"Ask for {'patient' if calling.patient else 'user'}/{type_}.{letter} when launching."
        )
    return found


def reachable(stored: Stored, reach: Reach) -> bool:
    """Say whether a stored resource lies within what a call may reach."""
    type_, id_ = stored.resource["resourceType"], stored.resource["id"]
    store = current_sandbox().store
    bounded = reach.compartment is not None and not definition(type_).shared
    if bounded and not store.belongs_to(type_, id_, reach.compartment or ""):
        return False
    # Whether one resource fits the query of a scope is asked of the search itself: no second reading of its rules.
    if reach.query:
        search = understand(Query(type_, (("_id", id_), *reach.query)))
        return store.find(search, count=1).total == 1
    return True
