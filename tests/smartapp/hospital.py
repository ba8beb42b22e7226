"""A FHIR server over real HTTP that knows a command of ours by its key, as a SMART backend service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from joserfc.jwk import ECKey, KeySet
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from smartapp.sandbox import Client, Sandbox, make_sandbox, sandbox_app
from smartapp.storage.database import open_database
from tests.conftest import Running


@dataclass(frozen=True)
class Hospital:
    """The server, and how a command signs in to it: `--client-id … --keys …`."""

    sandbox: Sandbox
    keys: Path
    client_id: str

    @property
    def signed(self) -> tuple[str, ...]:
        return ("--client-id", self.client_id, "--keys", str(self.keys))


@contextmanager
def running_hospital(folder: Path, client_id: str, **kind: bool) -> Iterator[Hospital]:
    """Give a server that takes everything, but for what `kind` says of it, while the context lasts."""
    key = ECKey.generate_key("P-384", parameters={"kid": "one"})
    keys = folder / "keys.json"
    keys.write_text(json.dumps(KeySet([key]).as_dict(private=True)))
    running = Running()
    engine = open_database(f"sqlite:///{folder / 'hospital.db'}")
    client = Client(client_id, jwks=KeySet([key]).as_dict(private=False), backend=True)
    sandbox = make_sandbox(engine, running.url, clients=(client,))
    sandbox.kind = replace(sandbox.kind, **kind)
    running.start(DispatcherMiddleware(Response("nothing", 404), {"/sandbox": sandbox_app(sandbox)}))
    try:
        yield Hospital(sandbox, keys, client_id)
    finally:
        running.stop()
        engine.dispose()
