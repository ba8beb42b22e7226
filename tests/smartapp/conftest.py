"""An app for every test of a page; `tests.smartapp.helpers.launched` signs someone in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from smartapp.services import KEY
from tests.smartapp.helpers import make_app


@pytest.fixture
def app() -> Iterator[Flask]:
    """An app with an empty EHR in the same process."""
    app = make_app()
    yield app
    app.extensions[KEY].engine.dispose()
