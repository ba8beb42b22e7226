"""Tell, without a compiler, whether `package/` is still what its sources compile to.

Compiling needs node and half a minute, so `make lint` cannot do it each time. Instead the compiler leaves a record,
`compiled_from.json`: a digest of each file that went in and of each that came out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECORD = "fhir_profiles/compiled_from.json"

Digests = dict[str, str]
"""Paths from the repository's root, with slashes → SHA-256 in hexadecimal."""


def sources(root: Path = ROOT) -> Digests:
    """Return the digests of everything that goes into compiling, the versions of the compiler and of FHIR included."""
    profiles, published = root / "fhir_profiles", root / "questionnaires" / "published"
    single = ("sushi-config.yaml", "definitions.toml", "compiler/package-lock.json")
    # Of what the questionnaires publish, the compiler sees only the terminology: profiles refer to its codes.
    terminology = [*published.glob("CodeSystem-*.json"), *published.glob("ValueSet-*.json")]
    return _digests(root, [*(profiles / name for name in single), *profiles.glob("input/fsh/*.fsh"), *terminology])


def results(root: Path = ROOT) -> Digests:
    """Return the digests of the compiled package."""
    return _digests(root, list((root / "fhir_profiles" / "package").rglob("*.json")))


def write_record(root: Path = ROOT) -> None:
    """Record that `package/` has just been compiled from the sources as they are now."""
    record = {"sources": sources(root), "package": results(root)}
    (root / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def stale(root: Path = ROOT) -> list[str]:
    """Return a line for each file that has changed since the package was compiled."""
    try:
        record = json.loads((root / RECORD).read_bytes())
    except FileNotFoundError:
        return [f"{RECORD}: is missing, so nobody knows what fhir_profiles/package/ was compiled from"]
    return [
        *(
            f"{path}: {how} since fhir_profiles/package/ was compiled"
            for path, how in _changes(record["sources"], sources(root))
        ),
        *(
            f"{path}: {how} by hand, but is compiled from fhir_profiles/input/fsh/"
            for path, how in _changes(record["package"], results(root))
        ),
    ]


def _changes(recorded: Mapping[str, str], present: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path in sorted(recorded.keys() | present.keys()):
        if path not in present:
            yield path, "was removed"
        elif path not in recorded:
            yield path, "was added"
        elif recorded[path] != present[path]:
            yield path, "was changed"


def _digests(root: Path, paths: list[Path]) -> Digests:
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}
