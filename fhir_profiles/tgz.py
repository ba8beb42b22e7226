"""The FHIR package (`package.tgz`) as FHIR tools load it: manifest, index, definitions, questionnaires and examples.

The same input gives the same bytes: no time, owner or machine is recorded, so anyone can check a published package.
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
    """Read the `package.json` of the package."""
    found: dict[str, Any] = json.loads((PACKAGE / "package.json").read_bytes())
    return found


def sources() -> Iterator[tuple[str, Path]]:
    """Yield each file that belongs in the package with its name there; variants are beside their questionnaire."""
    for path in sorted(PACKAGE.rglob("*.json")):
        yield path.relative_to(PACKAGE).as_posix(), path
    for path in sorted(PUBLISHED.rglob("*.json")):
        yield path.name, path


def files() -> dict[str, bytes]:
    """Return the files of the package by name, with an index of the definitions.

    Raises ValueError if two files have the same name: their folders are not part of it.
    """
    found: dict[str, bytes] = {}
    for name, path in sources():
        if name in found:
            raise ValueError(f"two files are named {name}, the second is {path}: change the id of one")
        found[name] = path.read_bytes()
    # FHIR tools read the index instead of every file; examples are not in it.
    entries = [_entry(name, json.loads(found[name])) for name in sorted(found) if _is_definition(name)]
    index = {"index-version": 2, "files": entries}
    return found | {".index.json": (json.dumps(index, ensure_ascii=False, indent=2) + "\n").encode()}


def _is_definition(name: str) -> bool:
    return "/" not in name and name != "package.json"


def _entry(name: str, resource: Mapping[str, Any]) -> dict[str, str]:
    wanted = ("resourceType", "id", "url", "version", "kind", "type", "derivation")
    return {"filename": name} | {key: resource[key] for key in wanted if isinstance(resource.get(key), str)}


def tgz(content: Mapping[str, bytes]) -> bytes:
    """Return a gzipped tar with everything below `package/`, sorted by name; USTAR, which every tool reads."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(content):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content[name])
            tar.addfile(member, io.BytesIO(content[name]))
    return gzip.compress(plain.getvalue(), mtime=0)
