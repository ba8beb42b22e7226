"""The parts of a plan that are the client's own texts, as `plan_parts.toml` has them: one entry is one part.

The file is read straight into these types. Mappers, pages and profiles loop over the parts and know none by name, so
that asking people something new takes an entry and no code.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from questionnaires.canonical import structure_url
from questionnaires.fhir import computer_name
from questionnaires.model import Text
from questionnaires.reading import DefinitionError, Name, OneLine, Strict, read

PLAN_PARTS: Final = Path(__file__).with_name("plan_parts.toml")

# A part's code is a segment below /plan/, the name of a form field, an anchor and a mark in `?saved=`. The names
# below already mean something there; a test compares this list with the pages.
TAKEN: Final = frozenset(
    {"answers", "domains", "ended", "goal", "goals", "key", "progress", "resumed", "sketch", "step", "stop"}
    | {"for-later", "forms", "goal-removed", "history", "later", "remark-removed", "rest", "step-removed"}
    | {
        "earlier",
        "errors",
        "filled-in",
        "forms",
        "main",
        "menu",
        "news",
        "others",
        "scores",
        "tick",
        "visit",
        "waiting",
    }
)


class OverviewWords(Strict, frozen=True):
    """What the clinician's overview says above a part, and in its place while nothing is written."""

    title: Text
    empty: Text


class ExtensionWords(Strict, frozen=True):
    """How FHIR knows a part: the id, title and description of its extension's definition, English like all profiles."""

    id: Name
    title: OneLine
    description: OneLine

    @property
    def url(self) -> str:
        """Return the extension's address."""
        return structure_url(self.id)

    @property
    def name(self) -> str:
        """Return the name of the definition, for programs: `life-story` is `LifeStory`."""
        return computer_name(self.id)

    @property
    def slice(self) -> str:
        """Return its name among the plan's extensions: `life-story` is `lifeStory`."""
        return self.name[0].lower() + self.name[1:]


class PlanPart(Strict, frozen=True):
    """One part of the plan: what is asked, how it is shown, how FHIR knows it (see `plan_parts.toml`)."""

    code: Name
    title: Text
    help: Text
    invitation: Text
    write: Text
    change: Text
    saved: Text
    overview: OverviewWords
    extension: ExtensionWords
    emptied: Text | None = None
    many: bool = False
    rows: Annotated[int, msgspec.Meta(ge=1, le=40, description="is {value!r}; it must be from 1 to 40")] = 8
    shown_in: tuple[Literal["overview", "together"], ...] = ("overview", "together")


class _Parts(Strict, frozen=True):
    parts: tuple[PlanPart, ...]


def read_plan_parts(path: Path = PLAN_PARTS) -> tuple[PlanPart, ...]:
    """Return the parts in the order in which they are shown; DefinitionError names file and key."""
    parts = read(path, _Parts).parts
    for number, part in enumerate(parts, start=1):
        if part.code in TAKEN:
            problem = f"is {part.code!r}, which means something else on the pages of the plan; choose another name"
            raise DefinitionError(path.name, f"parts[{number}].code", problem)
    _refuse_repeats(path, "code", (part.code for part in parts))
    _refuse_repeats(path, "extension.id", (part.extension.id for part in parts))
    return parts


def _refuse_repeats(path: Path, key: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if name in seen:
            raise DefinitionError(
                path.name, f"parts[{number}].{key}", f"is {name!r}, which an earlier part has already"
            )
        seen.add(name)
