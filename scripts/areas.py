"""The areas of `areas.toml`: the code that carries people's words, and the nearest tests of it."""

from __future__ import annotations

import argparse
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Area:
    """Code, the tests that have to be enough to prove it, and how much of it (per cent) they reach at least."""

    name: str
    code: tuple[str, ...]
    tests: tuple[str, ...]
    floor: float

    def files(self, root: Path = ROOT) -> list[str]:
        """Return the Python files of the area, relative to the root of the repository."""
        found = (
            path for one in self.code for path in ([root / one] if one.endswith(".py") else (root / one).rglob("*.py"))
        )
        return sorted(path.relative_to(root).as_posix() for path in found)


def areas() -> dict[str, Area]:
    """Return the areas by name, in the order of the file."""
    known = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    return {name: Area(name, tuple(one["code"]), tuple(one["tests"]), one["floor"]) for name, one in known.items()}


def is_equivalent(difference: str) -> bool:
    """Whether a fault is one that no test can notice, by its changed lines (`-` before, `+` after): equivalent.toml."""
    before, after = (
        "\n".join(line for line in difference.splitlines() if line.lstrip().startswith(sign)) for sign in "-+"
    )
    known = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text())["faults"]
    return any(re.search(one["after"], after) and not re.search(one["after"], before) for one in known)


def areas_named(parser: argparse.ArgumentParser, names: list[str]) -> list[Area]:
    """Return the areas with these names, all of them for none; ends with a message for a name that no area has."""
    known = areas()
    if unknown := sorted(set(names) - known.keys()):
        parser.error(f"no area is called {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names or known]
