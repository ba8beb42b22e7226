"""Fills the sandbox with made-up people. Their history is real input: the mappers score it and write the plans."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PEOPLE = Path(__file__).with_name("people")


@cache
def people() -> Mapping[str, Mapping[str, Any]]:
    """Return what `people/*.toml` says of each person, by the person's id."""
    found = {}
    for path in sorted(PEOPLE.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found[data["id"]] = data
    return found


def about(patient: str, language: str) -> str:
    """Return the sentence that the sandbox page shows about a person, or nothing for somebody it does not know."""
    texts = people().get(patient, {}).get("about", {})
    return str(texts.get(language) or texts.get("nl") or "")
