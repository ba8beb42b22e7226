"""An app at https://app.example that a stub of a Koppeltaal domain launches, in both of its presets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import requests
import responses
from flask import Flask
from joserfc.jwk import ECKey

from smartapp import create_app
from smartapp.courier import Courier
from smartapp.services import KEY, Services
from smartapp.settings import Issuer, Koppeltaal
from tests.koppeltaal.domain import AUTH, BASE, MODULE, Client, Domain
from tests.koppeltaal.people import fill
from tests.koppeltaal.portal import APP, Portal
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import Clock

SIGNING = ECKey.generate_key("P-384", auto_kid=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["spec", "reference"])
def domain(request: pytest.FixtureRequest, clock: Clock) -> Domain:
    domain = Domain(clock, reference=request.param == "reference")
    fill(domain)
    return domain


@pytest.fixture
def mock(domain: Domain) -> Iterator[responses.RequestsMock]:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return domain.answer(request.method or "", request.url or "", dict(request.headers), request.body)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for base in (BASE, AUTH):
                mock.add_callback(
                    method, re.compile(f"{re.escape(base)}/.*"), answer, content_type="application/fhir+json"
                )
        yield mock


@pytest.fixture
def signing_keys(tmp_path: Path) -> Path:
    path = tmp_path / "signing.json"
    path.write_bytes(orjson.dumps({"keys": [SIGNING.as_dict(private=True)]}))
    return path


@pytest.fixture
def koppeltaal() -> Koppeltaal:
    """What the settings say of the domain; a test may say something else."""
    return Koppeltaal(device=f"Device/{MODULE}")


@pytest.fixture
def issuer(koppeltaal: Koppeltaal) -> Issuer:
    return Issuer(
        base=BASE, name="GGZ Noord", client_id=MODULE, auth="private_key_jwt", key="noord", koppeltaal=koppeltaal
    )


@pytest.fixture
def app(clock: Clock, issuer: Issuer, signing_keys: Path) -> Iterator[Flask]:
    ehr = Issuer(base="https://ehr.example/fhir", name="EHR", client_id="verstel")
    changes = {"public_url": APP, "issuers": (issuer, ehr), "signing_keys_file": signing_keys}
    app = create_app(settings(**changes), clock=clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def core(app: Flask) -> Services:
    return app.extensions[KEY]


@pytest.fixture
def courier(core: Services) -> Courier:
    return Courier(core)


@pytest.fixture
def portal(app: Flask, domain: Domain, mock: responses.RequestsMock, core: Services) -> Portal:
    domain.clients[MODULE] = Client(MODULE, f"Device/{MODULE}", core.keys.public, (f"{APP}/callback",))
    return Portal(app.test_client(), domain)
