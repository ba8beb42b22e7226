"""The made-up living form `tests/data/living/garden.toml`: as data to be spoilt, as a form, and beside our own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from questionnaires import catalogue as reading
from questionnaires.catalogue import DEFINITIONS, Catalogue, read_instrument
from questionnaires.model import Instrument
from questionnaires.reading import read_toml

GARDEN = Path(__file__).parent / "data" / "living" / "garden.toml"


def garden() -> Instrument:
    """Return the form."""
    return read_instrument(GARDEN)


def garden_data() -> dict[str, Any]:
    """Return what its file says, to be changed."""
    return read_toml(GARDEN)


def definitions_with(folder: Path, *more: Path) -> Path:
    """Copy our own definitions and the garden, or other files, into `folder` and return it."""
    for path in (*DEFINITIONS.glob("*.toml"), *(more or (GARDEN,))):
        shutil.copy(path, folder / path.name)
    return folder


def ask_garden(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Catalogue:
    """Let the whole process read the garden too, until the test ends, and return that catalogue."""
    known = known_with(folder)
    monkeypatch.setattr(reading, "_catalogue", lambda _applied: known)
    return known


def known_with(folder: Path) -> Catalogue:
    """Return a catalogue that has the garden beside our own definitions."""
    return Catalogue(definitions=definitions_with(folder))
