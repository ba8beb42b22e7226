"""An app at https://app.example that knows one EHR, which answers as each test wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses
from flask import Flask

from smartapp import create_app
from smartapp.services import KEY, Services
from smartapp.settings import Issuer
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import APP, AUTH, BASE, HOSTS, Browser, Clock, Ehr


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def ehr(mock, clock) -> Ehr:
    return Ehr(mock, clock)


@pytest.fixture
def issuers() -> tuple[Issuer, ...]:
    return (
        Issuer(
            base=BASE, name="Example EHR", client_id="verstel", hosts=HOSTS, frame_ancestors=("https://ehr.example",)
        ),
        Issuer(
            base="https://other.example/fhir", name="Other EHR", client_id="verstel", hosts=("login.other.example",)
        ),
    )


@pytest.fixture
def app(clock, issuers) -> Iterator[Flask]:
    app = create_app(settings(public_url=APP, issuers=issuers), clock=clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def core(app) -> Services:
    return app.extensions[KEY]


@pytest.fixture
def browser(app, ehr) -> Browser:
    return Browser(app.test_client(), ehr)


@pytest.fixture
def another_browser(app, ehr) -> Browser:
    return Browser(app.test_client(), ehr)


@pytest.fixture
def login() -> str:
    """The host of the authorization server, which is not the FHIR base."""
    return AUTH
