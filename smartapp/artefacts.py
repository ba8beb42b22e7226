"""Everything we publish, read from where it is generated: the compiled profiles and the published questionnaires."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

import fhir_profiles
import questionnaires

PROFILES = Path(fhir_profiles.__file__).parent / "package"
PUBLISHED = Path(questionnaires.__file__).parent / "published"


def artefact_files() -> Iterator[Path]:
    """Yield the file of each artefact: profiles, terminology, activities and the default form of each questionnaire."""
    for folder in (PROFILES, PUBLISHED):
        yield from sorted(folder.glob("[A-Z]*-*.json"))


def artefacts() -> list[dict[str, Any]]:
    """Return each artefact as a FHIR resource with `url` and `version`."""
    return [orjson.loads(path.read_bytes()) for path in artefact_files()]
