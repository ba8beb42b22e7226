"""A made-up living form, as one file among the definitions and nothing else: what must follow from it is tested."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from questionnaires import catalogue as reading
from questionnaires.catalogue import DEFINITIONS, Catalogue

# Nobody will ever ask this, so no real form gets in the way of these tests.
GARDEN = Path(__file__).parent / "data" / "living" / "garden.toml"


def ask_also(monkeypatch: pytest.MonkeyPatch, folder: Path, *files: Path) -> Catalogue:
    """Let the whole process read these definitions too, until the test ends; other tests' catalogue stays as it is."""
    definitions = folder / "definitions"
    shutil.copytree(DEFINITIONS, definitions)
    for file in files or (GARDEN,):
        shutil.copy(file, definitions)
    known = Catalogue(definitions=definitions)
    monkeypatch.setattr(reading, "_catalogue", lambda _applied: known)
    return known
