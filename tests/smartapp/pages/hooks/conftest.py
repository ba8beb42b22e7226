"""An EHR whose CDS client asks our services over real HTTP, and Anna, about whom it asks."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from smartapp.fhir.store import NotFound, Query, Write
from smartapp.services import KEY
from smartapp.settings import Hooks
from smartapp.smart.callers import Callers
from smartapp.storage.hook_calls import HookCalls
from tests.cds_hooks import CdsClient

ISS = "https://ehr.example/cds-client"
ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")
TEAM = {
    "resourceType": "CareTeam",
    "id": "team",
    "status": "active",
    "subject": {"reference": "Patient/anna"},
    "participant": [{"member": {"reference": "Practitioner/els"}}],
}
PEOPLE = [
    {"resourceType": "Patient", "id": "anna", "name": [{"given": ["Anna"], "family": "Voorbeeld"}]},
    {"resourceType": "Patient", "id": "bram", "name": [{"given": ["Bram"], "family": "Voorbeeld"}]},
    {"resourceType": "Practitioner", "id": "els", "name": [{"given": ["Els"], "family": "Visser"}]},
    {"resourceType": "Practitioner", "id": "else", "name": [{"given": ["Elders"], "family": "Bakker"}]},
    TEAM,
]


def ago(**time: float) -> str:
    """Return the FHIR instant of some time ago."""
    return (dt.datetime.now(ZONE) - dt.timedelta(**time)).isoformat(timespec="seconds")


@pytest.fixture
def server(fresh_server):
    for one in PEOPLE:
        fresh_server.sandbox.store.write(Write("update", one))
    return fresh_server


@pytest.fixture
def core(server):
    return server.app.extensions[KEY]


@pytest.fixture
def ehr(server, core) -> CdsClient:
    """The CDS client of the EHR; our settings know it."""

    def read(query: str) -> Any:
        type_, _, asked = query.partition("?")
        if not asked:
            try:
                return server.sandbox.store.read(*query.split("/")).resource
            except NotFound:
                return None
        found = server.sandbox.store.search(Query(type_, tuple(parse_qsl(asked))))
        return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one.resource} for one in found]}

    def ask(method: str, address: str, **more: Any) -> requests.Response:
        return requests.request(method, address, timeout=20, **more)

    client = CdsClient(ISS, server.base, f"{server.url}/cds-services", ask, read)
    know(core, client)
    return client


def know(core, client: CdsClient, **changes: Any) -> None:
    """Let the settings of the only issuer know a CDS client."""
    hooks = Hooks(**{"iss": client.iss, "keys": client.jwks, **changes})
    [issuer] = core.settings.issuers
    core.settings = replace(core.settings, issuers=(replace(issuer, hooks=hooks),))
    core.callers = Callers(core.settings, HookCalls(core.engine, core.clock), core.clock)
