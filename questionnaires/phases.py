"""The phases of recovery that a client can mark as theirs, as `phases.toml` has them: one entry is one phase.

Nothing here has a number or comes before another: the order of the file is that of the page, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from questionnaires.model import Certainty, Text
from questionnaires.reading import DefinitionError, FilePlace, Name, OneLine, Strict, read
from questionnaires.tables import CitationTable

PHASES: Final = Path(__file__).with_name("phases.toml")
CODE_SYSTEM: Final = "recovery-phase"
"""The id of the CodeSystem, and of the ValueSet that has all of it."""


class Phase(Strict, frozen=True):
    """One phase: its code in records, and what the client reads; `source` is a key of `[sources]`, "" for none."""

    code: Name
    title: Text
    description: Text
    certainty: Certainty
    source: OneLine = ""


class Phases(Strict, frozen=True):
    """The whole file, in the order of the page."""

    about: Text
    sources: Mapping[str, CitationTable]
    phases: tuple[Phase, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes."""
        return tuple(one.code for one in self.phases)

    def phase(self, code: str) -> Phase | None:
        """Return the phase with this code."""
        return next((one for one in self.phases if one.code == code), None)


@cache
def phases(path: Path = PHASES) -> Phases:
    """Return what the file says; DefinitionError names file and key."""
    found = read(path, Phases)
    seen: set[str] = set()
    for place, one in FilePlace(path.name).each("phases", found.phases):
        if one.code in seen:
            raise place.error("code", f"is {one.code!r}, which an earlier phase has already")
        seen.add(one.code)
        _check_source(place, one, found.sources)
    if not seen:
        raise DefinitionError(path.name, "phases", "is empty; there is at least one to choose")
    return found


def _check_source(place: FilePlace, one: Phase, known: Mapping[str, CitationTable]) -> None:
    read_somewhere = one.certainty in ("sure", "triangulated", "inferred")
    if read_somewhere and one.source not in known:
        raise place.error("source", f"is {one.source!r}; [sources] has {', '.join(known) or 'none'}")
    if one.source and not read_somewhere:
        raise place.error("source", f"is {one.source!r}, but the phase is {one.certainty!r}; leave it out")
