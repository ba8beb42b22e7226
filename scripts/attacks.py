"""The attacks, what prevents them and the tests that try them, as a table for docs/security.md.

The attacks are data (`attacks.toml`); the tests are found by looking. A test carries the numbers of its attacks in its
name (`test_attack_6_and_7_…`), or at the start of a docstring: its own, its class's or its module's ("Attack 33.").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from questionnaires.reading import OneLine, Strict, read

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).with_suffix(".toml")

_IN_A_NAME = re.compile(r"test_attack_(\d+(?:_and_\d+)*)_")
_IN_A_DOCSTRING = re.compile(r"Attacks? (\d+(?:(?:, | and )\d+)*)")


class Attack(Strict, frozen=True, kw_only=True):
    """One attack: what is tried, what prevents it, and what does not yet (`open`); all in Markdown."""

    number: int
    attack: OneLine
    holds: OneLine
    open: OneLine = ""


class _Attacks(Strict, frozen=True):
    attack: tuple[Attack, ...]


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """A test, class of tests or module of tests that tries attacks; `name` is empty for a whole module."""

    path: str
    name: str
    attacks: frozenset[int]


def attacks(path: Path = DATA) -> list[Attack]:
    """Return the attacks of `attacks.toml`, in its order; DefinitionError for an unknown or missing key."""
    return list(read(path, _Attacks).attack)


def proofs(root: Path = ROOT) -> list[Proof]:
    """Return everything in `tests/` that carries the number of an attack, sorted by file and by position in it."""
    found = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = path.relative_to(root).as_posix()
        found += [Proof(inside, name, numbers) for name, numbers in _numbered(tree)]
    return found


def _numbered(scope: ast.Module | ast.ClassDef, within: str = "") -> Iterator[tuple[str, frozenset[int]]]:
    if numbers := _numbers(_IN_A_DOCSTRING.match(ast.get_docstring(scope) or "")):
        yield within, numbers
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from _numbered(node, f"{within}::{node.name}".removeprefix("::"))
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            said = _IN_A_NAME.match(node.name) or _IN_A_DOCSTRING.match(ast.get_docstring(node) or "")
            if numbers := _numbers(said):
                yield f"{within}::{node.name}".removeprefix("::"), numbers


def _numbers(said: re.Match[str] | None) -> frozenset[int]:
    return frozenset(int(number) for number in re.findall(r"\d+", said[1])) if said else frozenset()


def table(known: Sequence[Attack], found: Sequence[Proof]) -> str:
    """Return the table in Markdown. Raises ValueError for a test whose attack is not known."""
    unknown = {number for proof in found for number in proof.attacks} - {attack.number for attack in known}
    if unknown:
        raise ValueError(f"Tests name attacks that are not in scripts/attacks.toml: {sorted(unknown)}. Add them.")
    lines = ["| # | attack | what holds | tests |", "|---|---|---|---|"]
    for attack in known:
        holds = attack.holds + (f". **Not yet:** {attack.open}" if attack.open else "")
        tests = _tests([proof for proof in found if attack.number in proof.attacks]) or "**none**"
        lines.append(f"| {attack.number} | {attack.attack} | {holds} | {tests} |")
    return "\n".join(lines)


def _tests(found: Sequence[Proof]) -> str:
    by_file: dict[str, list[str]] = {}
    for proof in found:
        by_file.setdefault(proof.path, []).append(proof.name)
    return "<br>".join(
        link(path) + "".join(f"<br>`::{name}`" for name in names if name) for path, names in by_file.items()
    )


def link(path: str) -> str:
    """Return a link from a page in `docs/` to a file of the repository."""
    return f"[`{path.rpartition('/')[2]}`](../{path})"
