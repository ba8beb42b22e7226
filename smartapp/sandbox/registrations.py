"""Other apps that sign in to the sandbox, as an integrator registers them: on the command line, or in a TOML file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from questionnaires.reading import DefinitionError, OneLine, Strict, read
from smartapp.sandbox.scopes import PLAIN, parse
from smartapp.sandbox.server import Client

_SEVERAL = "redirect_uri"
_ONE = frozenset({"id", "secret", "launch_uri", "scope"})


class RegistrationError(ValueError):
    """An app that cannot be registered; the message says which, what is wrong, and what would be right."""


class _ClientTable(Strict, frozen=True):
    id: OneLine
    redirect_uris: tuple[OneLine, ...] = ()
    launch_uri: OneLine | None = None
    secret: OneLine | None = None
    scope: OneLine | None = None
    jwks: dict[str, Any] | None = None
    backend: bool = False


class _ClientsFile(Strict, frozen=True):
    client: tuple[_ClientTable, ...] = msgspec.field(default=())


def registered(texts: Iterable[str], *, taken: Iterable[str] = ()) -> tuple[Client, ...]:
    """Return the apps that these texts register, each a file or `id=…,redirect_uri=…`; `taken` ids are refused.

    Raises RegistrationError.
    """
    clients = [client for text in texts for client in (_in_file(text) if "=" not in text else [_in_line(text)])]
    known = set(taken)
    for client in clients:
        _check(client)
        if client.id in known:
            raise RegistrationError(f"The client id {client.id!r} is taken. Give each app an id of its own.")
        known.add(client.id)
    return tuple(clients)


def _in_line(text: str) -> Client:
    """Read `id=my-app,redirect_uri=http://127.0.0.1:9000/cb`; more redirect_uris may follow, and the keys of `_ONE`."""
    pairs = [pair.partition("=")[::2] for pair in text.split(",")]
    for key, value in pairs:
        if key not in {*_ONE, _SEVERAL} or not value:
            allowed = ", ".join(sorted({*_ONE, _SEVERAL}))
            raise RegistrationError(f"{text!r} has {key!r}: write key=value, with commas between. Keys: {allowed}.")
    one = dict(pairs)
    return Client(
        one.get("id", ""),
        redirect_uris=tuple(value for key, value in pairs if key == _SEVERAL),
        secret=one.get("secret"),
        launch_uri=one.get("launch_uri"),
        scope=one.get("scope"),
    )


def _in_file(name: str) -> list[Client]:
    try:
        tables = read(Path(name), _ClientsFile).client
    except (DefinitionError, OSError) as error:
        raise RegistrationError(f"{name} cannot be read as a file of apps: {error}") from error
    if not tables:
        raise RegistrationError(f"{name} has no [[client]]. Add a table for each app, with id and redirect_uris.")
    return [Client(**msgspec.structs.asdict(table)) for table in tables]


def _check(client: Client) -> None:
    if not client.id:
        raise RegistrationError("An app has no id. Write id=my-app.")
    if not client.redirect_uris and not client.backend:
        raise RegistrationError(f"{client.id} has no redirect_uri, so nobody could come back to it. Add one.")
    for uri in (*client.redirect_uris, *([client.launch_uri] if client.launch_uri else [])):
        parts = urlsplit(uri)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.fragment:
            raise RegistrationError(f"{client.id}: {uri!r} is not an absolute http(s) address without '#'.")
    if client.backend and client.jwks is None:
        raise RegistrationError(f"{client.id} is a backend service, which signs in with a key. Add its public jwks.")
    for text in (client.scope or "").split():
        scope = parse(text)
        if text not in PLAIN and (scope is None or scope.query):
            raise RegistrationError(
                f"{client.id}: {text!r} cannot be registered as a scope. Write one like patient/*.rs."
            )
