"""An app with one EHR, on a day on which a test can move the clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from smartapp.services import KEY
from smartapp.settings import Issuer
from tests.smartapp.helpers import EHR, Clock, make_app

NOW = 1_780_300_800.0  # Monday 1 June 2026, 10:00 in Amsterdam
CHART = "http://localhost/chart?patient={patient}"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def app(clock) -> Iterator[Flask]:
    issuer = Issuer(base=EHR, name="Test EHR", client_id="verstel", chart_url=CHART)
    app = make_app(clock, issuers=(issuer,))
    yield app
    app.extensions[KEY].engine.dispose()
