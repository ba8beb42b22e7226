"""docs/benchmarks.md: a page of several sections, each written by the script that measures it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "benchmarks.md"
SCORING: Final = ""  # what comes before the others: the title, and what `benchmarks.scoring` measures
PROCESSES: Final = "## Several processes"
OTHERS: Final = "## Other engines"
_ORDER: Final = (SCORING, PROCESSES, OTHERS)


def parts_of(page: str) -> dict[str, str]:
    """Return the text of each part, by its heading; a part that is not there has no text."""
    found = dict.fromkeys(_ORDER, "")
    part = SCORING
    for line in page.splitlines(keepends=True):
        part = line.strip() if line.strip() in _ORDER[1:] else part
        found[part] += line
    return {heading: text.strip("\n") for heading, text in found.items()}


def page_of(parts: Mapping[str, str]) -> str:
    """Return the page that these parts make, in their order."""
    return "\n\n".join(parts[heading] for heading in _ORDER if parts[heading]) + "\n"


def write(heading: str, lines: Sequence[str], page: Path = PAGE) -> None:
    """Write one part anew, and leave the others as they are."""
    parts = parts_of(page.read_text(encoding="utf-8") if page.exists() else "")
    body = "\n".join(lines).strip("\n")
    page.write_text(page_of(parts | {heading: f"{heading}\n\n{body}".strip("\n")}), encoding="utf-8")
