"""The requirements of OWASP ASVS 5.0, levels 1 and 2, and what is held of each, as tables for docs/security.md.

What is held is data (`asvs.toml`), written by someone who read code and test. What a computer can check is checked
here: a requirement that is held names tests that exist, or the page that says what was to be written down.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from questionnaires.reading import DefinitionError, OneLine, Strict, read
from scripts.attacks import ROOT, link

DATA = Path(__file__).with_suffix(".toml")
State = Literal["held", "not held", "not ours"]
STATES: tuple[State, ...] = ("held", "not held", "not ours")

CHAPTERS = {
    1: "Encoding and sanitization",
    2: "Validation and business logic",
    3: "Web frontend",
    4: "API and web service",
    5: "Files",
    6: "Authentication",
    7: "Sessions",
    8: "Authorization",
    9: "Self-contained tokens",
    10: "OAuth and OpenID Connect",
    11: "Cryptography",
    12: "Secure communication",
    13: "Configuration",
    14: "Data protection",
    15: "Secure coding and architecture",
    16: "Logging and errors",
    17: "WebRTC",
}


class Requirement(Strict, frozen=True, kw_only=True):
    """One requirement: its number, its level, a few words of ours about it, and what is held of it.

    `tests` prove it: `test_name`, or more of the path where two have that name. `pages` (links from `docs/`) hold what
    had to be written down. `why` says what is missing, or whose it is.
    """

    id: OneLine
    level: Literal[1, 2]
    about: OneLine
    state: State
    tests: tuple[OneLine, ...] = ()
    pages: tuple[OneLine, ...] = ()
    why: OneLine = ""

    @property
    def chapter(self) -> int:
        """The number of its chapter."""
        return int(self.id.partition(".")[0])


class _Requirements(Strict, frozen=True):
    requirement: tuple[Requirement, ...]


def requirements(path: Path = DATA) -> list[Requirement]:
    """Return the requirements in their order. Raises DefinitionError for one that does not say enough."""
    known = list(read(path, _Requirements).requirement)
    for number, one in enumerate(known, start=1):
        if one.state == "held" and not (one.tests or one.pages):
            raise DefinitionError(path.name, f"requirement[{number}]", f"{one.id} is held; name the tests or pages")
        if one.state != "held" and not one.why:
            raise DefinitionError(path.name, f"requirement[{number}].why", f"{one.id} is {one.state}; say why")
    return known


def known_tests(root: Path = ROOT) -> list[str]:
    """Return every test as `tests/…/test_x.py::Class::test_y`."""
    return [
        f"{path.relative_to(root).as_posix()}::{name}"
        for path in sorted((root / "tests").rglob("test_*.py"))
        for name in _named(ast.parse(path.read_text(encoding="utf-8")).body)
    ]


def _named(body: Iterable[ast.stmt], within: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield within + node.name
            yield from _named(node.body, f"{within}{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield within + node.name


def resolved(name: str, tests: Iterable[str]) -> str:
    """Return the one test that a name means. Raises ValueError where it means none or several."""
    found = [test for test in tests if f"/{test}".endswith((f"::{name}", f"/{name}"))]
    if len(found) != 1:
        meant = ", ".join(found) if found else "no test"
        raise ValueError(f"scripts/asvs.toml: {name} means {meant}. Name one test, with its class or file before it.")
    return found[0]


def tables(known: Sequence[Requirement], tests: Sequence[str]) -> str:
    """Return a summary and a table per chapter, in Markdown. Raises ValueError for a test that is not there."""
    where = {name: resolved(name, tests) for one in known for name in one.tests}
    parts = [_summary(known)]
    for chapter, those in groupby(known, key=lambda one: one.chapter):
        lines = [f"### {chapter}. {CHAPTERS[chapter]}", "", "| # | level | about | | by |", "|---|---|---|---|---|"]
        parts.append("\n".join(lines + [_row(one, where) for one in those]))
    return "\n\n".join(parts)


def _summary(known: Sequence[Requirement]) -> str:
    counts = Counter(one.state for one in known)
    lines = ["| chapter | held | not held | not ours |", "|---|---:|---:|---:|"]
    for chapter, title in CHAPTERS.items():
        of_it = Counter(one.state for one in known if one.chapter == chapter)
        lines.append(f"| {chapter}. {title} | " + " | ".join(str(of_it[state]) for state in STATES) + " |")
    total = " | ".join(f"**{counts[state]}**" for state in STATES)
    return "\n".join([*lines, f"| **all {len(known)}** | {total} |"])


def _row(one: Requirement, where: Mapping[str, str]) -> str:
    by_file: dict[str, list[str]] = {}
    for path, _, name in (where[test].partition("::") for test in one.tests):
        by_file.setdefault(path, []).append(name)
    evidence = [f"[{page.removeprefix('../')}]({page})" for page in one.pages]
    evidence += [link(path) + "".join(f"<br>`::{name}`" for name in names) for path, names in by_file.items()]
    state = f"**{one.state}**" if one.state == "not held" else one.state
    by = "<br>".join([*([one.why] if one.why else []), *evidence])
    return f"| {one.id} | {one.level} | {one.about} | {state} | {by} |"
