"""Anna, with two made-up living forms among ours: what follows from a definition is the same on every page."""

from __future__ import annotations

import pytest

from tests.new_form import GARDEN, HARVEST, ask_also
from tests.smartapp.helpers import launched
from tests.smartapp.pages.plan.conftest import put


@pytest.fixture
def two_forms(tmp_path, monkeypatch):
    """The catalogue with the garden, and with the harvest, of which some words go on to the garden."""
    return ask_also(monkeypatch, tmp_path, GARDEN, HARVEST)


@pytest.fixture
def harvester(two_forms, app):
    """Anna, with a plan halfway, who is asked both."""
    visitor = launched(app)
    put(visitor.ehr)
    return visitor
