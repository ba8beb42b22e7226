"""The profiles of the plan's parts as FSH: an extension for each, and the rule set that lists them on the plan.

Generated from `questionnaires/plan_parts.toml` into `input/fsh/`, so that the source there is whole for its readers and
for the compiler. `make generate` writes the files, `make lint` says which one is missing or old.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from questionnaires.plan_parts import PLAN_PARTS, PlanPart, read_plan_parts
from questionnaires.reading import FilePlace

FOLDER: Final = Path(__file__).parent / "input" / "fsh"
_ID: Final = re.compile(r"^(?:Extension|Profile): .*\n(?:Parent: .*\n)?Id: (\S+)", re.MULTILINE)
_MARK: Final = "// Generated from questionnaires/plan_parts.toml by `make generate`: change it there.\n"


def sources(parts: Iterable[PlanPart]) -> dict[str, str]:
    """Return the FSH files by name; DefinitionError where a part has the id of another profile or extension of ours."""
    known = tuple(parts)
    others = _other_ids()
    for place, part in FilePlace(PLAN_PARTS.name).each("parts", known):
        if part.extension.id in others:
            problem = f"is {part.extension.id!r}, which another profile or extension of ours has already"
            raise place.error("extension.id", problem)
    files = {f"EXT_{part.extension.name}.fsh": _extension(part) for part in known}
    files["DEF_PlanParts.fsh"] = _rule_set(known)
    return {name: f"{_MARK}\n{text}" for name, text in files.items()}


def _other_ids() -> frozenset[str]:
    """Return the ids of the structures in the source that are not generated from parts."""
    texts = (path.read_text(encoding="utf-8") for path in FOLDER.glob("*.fsh"))
    return frozenset(found for text in texts if not text.startswith(_MARK) for found in _ID.findall(text))


def _extension(part: PlanPart) -> str:
    known = part.extension
    return "\n".join(
        (
            f"Extension: {known.name}",
            f"Id: {known.id}",
            f"Title: {_quoted(known.title)}",
            f"Description: {_quoted(known.description)}",
            "Context: CarePlan",
            f"* insert Publish({_argument(part.title.nl)})",
            "* insert OwnWords",
            "",
        )
    )


def _rule_set(parts: Iterable[PlanPart]) -> str:
    lines = (f"    {one.extension.name} named {one.extension.slice} 0..{'*' if one.many else '1'} MS" for one in parts)
    return (
        "// The client's own texts, in the order in which they are shown.\nRuleSet: PlanParts\n* extension contains\n"
        + (" and\n".join(lines) + "\n")
    )


def _quoted(text: str) -> str:
    # A string of FSH escapes what JSON does.
    return json.dumps(text, ensure_ascii=False)


def _argument(text: str) -> str:
    """Return a text as an argument of a rule set, where commas and brackets mean something."""
    return _quoted(text).replace(",", r"\,").replace(")", r"\)")


def stale(files: Mapping[str, str], folder: Path = FOLDER) -> Iterator[str]:
    """Yield a line for each file that is missing, old, or left over from a part that is gone."""
    for name, text in sorted(files.items()):
        path = folder / name
        if not path.is_file():
            yield f"fhir_profiles/input/fsh/{name}: is missing, but questionnaires/plan_parts.toml has its part"
        elif path.read_text(encoding="utf-8") != text:
            yield f"fhir_profiles/input/fsh/{name}: is not what questionnaires/plan_parts.toml gives"
    for path in _left_over(files, folder):
        yield f"fhir_profiles/input/fsh/{path.name}: is left over from a part that questionnaires/plan_parts.toml lost"


def write(files: Mapping[str, str], folder: Path = FOLDER) -> None:
    """Write the files, and remove those of parts that are gone."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in _left_over(files, folder):
        path.unlink()


def _left_over(files: Mapping[str, str], folder: Path) -> list[Path]:
    generated = (path for path in folder.glob("*.fsh") if path.read_text(encoding="utf-8").startswith(_MARK))
    return sorted(path for path in generated if path.name not in files)


def committed() -> dict[str, str]:
    """Return the files as they are to be committed: of our own parts."""
    return sources(read_plan_parts())
