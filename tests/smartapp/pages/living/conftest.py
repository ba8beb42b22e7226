"""Anna, with a plan and without, where the made-up form of the garden is one definition more."""

from __future__ import annotations

import pytest

from tests.new_form import ask_also
from tests.smartapp.helpers import launched
from tests.smartapp.pages.plan.conftest import Clock, put


@pytest.fixture
def known(tmp_path, monkeypatch):
    """The catalogue with the garden in it."""
    return ask_also(monkeypatch, tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock(1_800_000_000.0)


@pytest.fixture
def anna(known, app):
    """Anna, who has no plan yet."""
    return launched(app)


@pytest.fixture
def halfway(known, app):
    """Anna, with a plan halfway."""
    visitor = launched(app)
    put(visitor.ehr)
    return visitor
