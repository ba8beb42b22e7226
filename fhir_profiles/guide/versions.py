"""What changed between versions of the package: a digest of each is kept, and told apart from what is here now.

A digest has, per artefact, what others rely on: elements with how many and of what, rules, codes, items, columns. Words
that only explain are not in it. `python -m fhir_profiles.guide record NAME` keeps one, when a version is handed out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fhir_profiles.guide.reading import columns, items
from questionnaires.fhir import Resource

RELEASES: Final = Path(__file__).parents[1] / "releases"

Digest = Mapping[str, Mapping[str, str]]
"""Name of an artefact (`StructureDefinition/recovery-goal`) → what others rely on → how it is."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was: `before` is "" for what is new, `after` for what went."""

    artefact: str
    what: str
    before: str
    after: str


def digest(resources: Mapping[str, Resource]) -> dict[str, dict[str, str]]:
    """Return the digest of a package, given its definitions by name of file; examples are not among them."""
    return {
        f"{one['resourceType']}/{one['id']}": dict(_relied_on(one))
        for name, one in sorted(resources.items())
        if not name.startswith("example/")
    }


def changes(before: Digest, after: Digest) -> list[Change]:
    """Return all that changed, artefact by artefact. What came or went as a whole is one change, without its parts."""
    found: list[Change] = []
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            found.append(Change(name, "", "" if name not in before else "there", "there" if name in after else ""))
            continue
        old, new = before[name], after[name]
        found += [
            Change(name, what, old.get(what, ""), new.get(what, ""))
            for what in sorted({*old, *new})
            if old.get(what, "") != new.get(what, "")
        ]
    return found


def kept(folder: Path = RELEASES) -> dict[str, Digest]:
    """Return the digests that were kept, the newest first, by the name of their version."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"), reverse=True)]
    return {one["name"]: one["artefacts"] for one in found}


def keep(day: str, name: str, made: Digest, folder: Path = RELEASES) -> Path:
    """Keep a digest under the day on which that version was handed out."""
    path = folder / f"{day}.json"
    path.write_text(json.dumps({"name": name, "artefacts": made}, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return path


def _relied_on(one: Resource) -> Iterator[tuple[str, str]]:
    if version := one.get("version"):
        yield "version", version
    for each in one.get("snapshot", {}).get("element", ()):
        yield from _of_element(each)
    for concept in one.get("concept", ()):
        yield f"code {concept['code']}", str(concept.get("display", ""))
    for item in items(one):
        yield f"item {item['linkId']}", item["type"] + (", required" if item.get("required") else "")
    for column in columns(one.get("select", ())):
        yield f"column {column['name']}", f"{column.get('type', '')} {column['path']}"
    for each in one.get("compose", {}).get("include", ()):
        listed = " ".join(concept["code"] for concept in each.get("concept", ()))
        yield f"from {each.get('system') or ' '.join(each.get('valueSet', ()))}", listed or "all"


def _of_element(each: Resource) -> Iterator[tuple[str, str]]:
    types = sorted(
        f"{kind['code'].rpartition('/')[2]}{''.join('<' + one.rpartition('/')[2] for one in kind.get('profile', ()))}"
        for kind in each.get("type", ())
    )
    binding = each.get("binding", {})
    values = f" {binding['strength']} {binding['valueSet'].rpartition('/')[2]}" if "valueSet" in binding else ""
    support = " S" if each.get("mustSupport") else ""
    yield f"element {each['id']}", f"{each.get('min')}..{each.get('max')} {'|'.join(types)}{values}{support}".strip()
    for rule in each.get("constraint", ()):
        # HL7's own rules stand in every snapshot and are not ours to change.
        if rule["key"].startswith("verstel-"):
            yield f"rule {rule['key']}", rule["expression"]
