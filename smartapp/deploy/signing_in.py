"""How a command signs in to a FHIR server: with a bearer token, or as a SMART backend service with a key."""

from __future__ import annotations

from pathlib import Path

from smartapp.fhir.remote import TokenSource, outcome_text
from smartapp.fhir.store import RecordError, Unauthorized
from smartapp.settings import ConfigError
from smartapp.smart.backend import BackendToken, NoTokenError
from smartapp.smart.keys import SigningKeys


def token_source(
    base: str, token: str | None, client_id: str | None, keys: Path | None, scope: str
) -> TokenSource | None:
    """Return where tokens for a server come from, None for a server that wants none. Raises ConfigError."""
    if (client_id is None) != (keys is None):
        raise ConfigError("--client-id and --keys go together.")
    if client_id and token:
        raise ConfigError("Give a token or a client id with keys, not both.")
    if client_id:
        return BackendToken(base.rstrip("/"), client_id, SigningKeys.read(keys), scope)
    return (lambda _refused: token) if token else None


def words_of(error: RecordError) -> str:
    """Return what went wrong, for the operator: the message of a 401 is written for people who use the app."""
    if isinstance(error, Unauthorized) and not isinstance(error, NoTokenError):
        said = outcome_text(error.outcome)
        return f"the server does not accept how we sign in (401{f': {said}' if said else ''}). Check the token or key."
    return error.message
