"""The FHIR package (`package.tgz`) as FHIR tools take it: manifest, index, definitions, questionnaires, examples.

The same input gives the same bytes: no clock, no owner, no machine.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import questionnaires

PACKAGE = Path(__file__).parent / "package"
PUBLISHED = Path(questionnaires.__file__).parent / "published"


def manifest() -> dict[str, Any]:
    """Return the package's `package.json`."""
    found: dict[str, Any] = json.loads((PACKAGE / "package.json").read_bytes())
    return found


def sources() -> Iterator[tuple[str, Path]]:
    """Yield each file that belongs in the package with its name there; variants stand beside their questionnaire."""
    for path in sorted(PACKAGE.rglob("*.json")):
        yield path.relative_to(PACKAGE).as_posix(), path
    for path in sorted(PUBLISHED.rglob("*.json")):
        yield path.name, path


def files() -> dict[str, bytes]:
    """Return the package's files by name, with the index of what lies beside the manifest.

    Raises ValueError where two files have one name.
    """
    found: dict[str, bytes] = {}
    for name, path in sources():
        if name in found:
            raise ValueError(f"{name} is there twice, the second time as {path.name}: give one another id")
        found[name] = path.read_bytes()
    entries = [_entry(name, json.loads(found[name])) for name in sorted(found) if _is_definition(name)]
    index = {"index-version": 2, "files": entries}
    return found | {".index.json": (json.dumps(index, ensure_ascii=False, indent=2) + "\n").encode()}


def _is_definition(name: str) -> bool:
    return "/" not in name and name != "package.json"


def _entry(name: str, resource: Mapping[str, Any]) -> dict[str, str]:
    wanted = ("resourceType", "id", "url", "version", "kind", "type", "derivation")
    return {"filename": name} | {key: resource[key] for key in wanted if isinstance(resource.get(key), str)}


def tgz(content: Mapping[str, bytes]) -> bytes:
    """Return a gzipped tar with everything below `package/`, sorted by name."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(content):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content[name])
            tar.addfile(member, io.BytesIO(content[name]))
    return gzip.compress(plain.getvalue(), mtime=0)
