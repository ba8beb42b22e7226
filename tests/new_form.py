"""A made-up living form, as one file among the definitions and nothing else: what must follow from it is tested."""

from __future__ import annotations

import copy
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from questionnaires import catalogue as reading
from questionnaires.catalogue import DEFINITIONS, Catalogue, read_instrument
from questionnaires.model import Instrument
from questionnaires.reading import read_toml

# Nobody will ever ask this, so no real form gets in the way of these tests.
GARDEN = Path(__file__).parent / "data" / "living" / "garden.toml"
# Another one, about goals; some of its words go on to the garden.
HARVEST = GARDEN.with_name("harvest.toml")


def garden() -> Instrument:
    """Return the form by itself."""
    return read_instrument(GARDEN)


def garden_data() -> dict[str, Any]:
    """Return what its file says, to be changed."""
    return copy.deepcopy(_garden_data())


@cache
def _garden_data() -> dict[str, Any]:
    return read_toml(GARDEN)


def known_with(folder: Path, *files: Path) -> Catalogue:
    """Return a catalogue that has the made-up form, or these files, among our definitions, copied to below `folder`."""
    definitions = folder / "definitions"
    shutil.copytree(DEFINITIONS, definitions)
    for file in files or (GARDEN,):
        shutil.copy(file, definitions)
    return Catalogue(definitions=definitions)


def ask_also(monkeypatch: pytest.MonkeyPatch, folder: Path, *files: Path) -> Catalogue:
    """Let the whole process read these definitions too, until the test ends; other tests' catalogue stays as it is."""
    known = known_with(folder, *files)
    monkeypatch.setattr(reading, "_catalogue", lambda _applied, **_maps: known)
    return known
