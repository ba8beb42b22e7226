"""A client whose app reads a clock that the test sets."""

from __future__ import annotations

import pytest

from smartapp.services import KEY
from tests.smartapp.helpers import Clock, launched, make_app


@pytest.fixture
def clock():
    return Clock(1_770_000_000.0)


@pytest.fixture
def app(clock):
    app = make_app(clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app):
    return launched(app)
