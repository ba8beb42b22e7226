"""Everything we publish: the compiled profiles, and the questionnaires and terminology made from the definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

import fhir_profiles
from questionnaires.catalogue import catalogue
from questionnaires.publish import published

PROFILES = Path(fhir_profiles.__file__).parent / "package"


def artefacts() -> list[dict[str, Any]]:
    """Return each artefact as a FHIR resource with `url` and `version`, official wording included if it is in use."""
    # The examples are in a folder of their own; the manifest has no capital.
    profiles = [orjson.loads(path.read_bytes()) for path in sorted(PROFILES.glob("[A-Z]*-*.json"))]
    return [*profiles, *published(known=catalogue()).values()]
