"""The sandbox as a whole: a SMART authorization server and a FHIR API over one own store, wired by `sandbox.app`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy.engine import Engine

from smartapp.fhir.own.store import OwnStore
from smartapp.sandbox.faults import Faults
from smartapp.sandbox.kinds import Kind, kind
from smartapp.sandbox.tickets import Tickets, metadata
from smartapp.storage.database import writing

KEY = "verstel-sandbox"
PREFIX = "/sandbox"


@dataclass(frozen=True, slots=True)
class Client:
    """An app that is registered here: its id, the exact redirect addresses, and how it proves itself.

    Without `secret` and `jwks` it is a public client. `backend` allows client_credentials (with `jwks`). `scope` is the
    most that it is granted (None: whatever it asks for), `launch_uri` where a chart opens it.
    """

    id: str
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)
    jwks: Mapping[str, Any] | None = None
    backend: bool = False
    scope: str | None = None
    launch_uri: str | None = None

    @property
    def is_public(self) -> bool:
        """Tell whether this app has nothing to prove itself with."""
        return self.secret is None and self.jwks is None


@dataclass(slots=True)
class Sandbox:
    """One running sandbox. `public_url` is where people reach the server, without `/sandbox`; `app_url` the app."""

    engine: Engine
    public_url: str
    kind: Kind
    clients: Mapping[str, Client]
    store: OwnStore
    tickets: Tickets
    clock: Callable[[], float]
    faults: Faults
    app_url: str
    zone: ZoneInfo
    days_ahead: int = 0
    """How many days its clock is ahead of real time, for the page of people to say."""

    def today(self) -> date:
        """Return the day that it is here, as the app reckons days."""
        return datetime.fromtimestamp(self.clock(), self.zone).date()

    @property
    def base(self) -> str:
        """Return the FHIR base: what `iss` and `aud` must be, letter for letter."""
        return f"{self.public_url}{PREFIX}/fhir"

    @property
    def issuer(self) -> str:
        """Return the issuer of id_tokens. As with most EHRs it is not the FHIR base."""
        return f"{self.public_url}{PREFIX}/auth"

    @property
    def endpoints(self) -> dict[str, str]:
        """Return the addresses of the authorization server by their names in smart-configuration."""
        return {
            "authorize_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "revoke_endpoint": f"{self.issuer}/revoke",
            "introspect_endpoint": f"{self.issuer}/introspect",
            "jwks_uri": f"{self.issuer}/jwks",
        }


def make_sandbox(
    engine: Engine,
    public_url: str,
    *,
    clients: tuple[Client, ...],
    ehr: str = "full",
    name: str = "sandbox",
    clock: Callable[[], float] = time.time,
    app_url: str = "",
    time_zone: str = "Europe/Amsterdam",
) -> Sandbox:
    """Return a sandbox over a database; `name` keeps the records of two sandboxes in one database apart.

    `clock` and `time_zone` are those of the app, which checks what this signs.

    `app_url` is for an app at another address than the sandbox, as one is in an EHR's frame.

    The records do not depend on the address, so that the demo finds them again on another port.
    """
    with writing(engine) as connection:
        metadata.create_all(connection)
    public_url = public_url.rstrip("/")
    store = OwnStore(
        engine, f"{public_url}{PREFIX}/fhir", tenant=name, clock=lambda: datetime.fromtimestamp(clock(), UTC)
    )
    return Sandbox(
        engine=engine,
        public_url=public_url,
        kind=kind(ehr),
        clients={client.id: client for client in clients},
        store=store,
        tickets=Tickets(engine, clock),
        clock=clock,
        faults=Faults(),
        app_url=app_url or public_url,
        zone=ZoneInfo(time_zone),
    )


def current_sandbox() -> Sandbox:
    """Return the sandbox that handles this request."""
    return cast(Sandbox, current_app.extensions[KEY])
