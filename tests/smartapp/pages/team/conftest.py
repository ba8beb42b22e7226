"""A place with teams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.smartapp.pages.team.place import Place


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.core.engine.dispose()
