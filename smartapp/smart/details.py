"""What a token response says of several FHIR servers: `authorization_details`, read for the one that we ask.

SMART App Launch 2.2, "Authorization Details for Multiple Servers" (experimental): one token may be good at more servers
than the one that the sign-in asked for, and scope, patient and context may differ there: the same person has another id
at another server. So what holds at ours is taken from the entry that names it. Another server is never asked because a
token response names it: whom we ask, our settings say.
"""

from __future__ import annotations

from typing import Any, Final

from mappers.tolerant import objects_in, text_in, texts_in
from smartapp.bases import same
from smartapp.errors import EhrTrouble
from smartapp.i18n import message

TYPE: Final = "smart_on_fhir"
_OF_A_SERVER: Final = ("scope", "patient", "encounter", "fhirContext")
"""What an entry may say otherwise than the response does for all servers."""
_RELEASE: Final = "4.0."


def at(document: Any, *bases: str) -> Any:
    """Return a token response as it holds at the FHIR server with these addresses; what is none stays as it is.

    Raises EhrTrouble where two entries say different things of it, or where the token is for another release there.
    """
    entries = [
        one
        for one in objects_in(document, "authorization_details")
        if text_in(one, "type") == TYPE
        and any(same(location, base) for location in texts_in(one, "locations") for base in bases)
    ]
    if not entries:
        return document
    said = [{name: one[name] for name in _OF_A_SERVER if name in one} for one in entries]
    # Of two ids of one person there is none that we could choose.
    if any(one != said[0] for one in said):
        raise _trouble("details-ambiguous")
    versions = [version for one in entries for version in texts_in(one, "fhirVersions")]
    if versions and not any(version.startswith(_RELEASE) for version in versions):
        raise _trouble("details-version")
    return {**document, **said[0]}


def _trouble(code: str) -> EhrTrouble:
    return EhrTrouble(message("The record system did not complete the sign-in."), code=code)
