"""Measure how the code is built: sizes, tangles, docstrings, comments, import circles. Printed as aligned tables.

Run as `make measures`, or `python -m scripts.measures --of PATH` for another checkout. It judges nothing: the numbers
are for comparing two versions of one tree. What each column counts:

- `lines` are those of the file; those of a function run from its `def` to its last line, its docstring included
- a name is public when neither it nor what it is defined in begins with `_`; nested functions are nobody's API
- complexity is McCabe's: 1, and 1 more for each branch, loop, handler, comprehension, condition in one, and `and`/`or`
- a why-comment is one that instructs no tool (`noqa`, `type: ignore`) and draws no line across the page
- imports at run time are those that run when a module is first imported; all imports add those in functions and those
  under TYPE_CHECKING. A circle is a set of modules that import each other, directly or through others
"""

from __future__ import annotations

import argparse
import ast
import io
import math
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
NOT_OURS = frozenset({"node_modules", "build", "dist", "target"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)
_DIRECTIVE = re.compile(r"#\s*(noqa|type:\s*ignore|pragma|fmt:|!|ruff:|mypy:)", re.IGNORECASE)
_DIVIDER = re.compile(r"[-=#~*]{3,}")


@dataclass(frozen=True, slots=True)
class Function:
    """One function or method: where it is, how long and tangled, and what it says about itself."""

    name: str
    line: int
    lines: int
    complexity: int
    public: bool
    typed: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One file as it is measured. The imports are module names, ours and others', as far as the text tells."""

    name: str
    is_package: bool
    lines: int
    public_names: int
    functions: tuple[Function, ...]
    public_documented: tuple[bool, ...]
    docstrings: tuple[int, ...]
    why_comments: int
    noqa: int
    type_ignores: int
    at_run_time: frozenset[str]
    in_all: frozenset[str]


# ---- reading one file ------------------------------------------------------------------------------------------------


def module_of(name: str, text: str, *, is_package: bool = False) -> Module:
    """Return the measures of a module, given its dotted name and its text. Raises SyntaxError."""
    tree = ast.parse(text)
    comments = list(_comments(text))
    noqa = sum(bool(re.search(r"#\s*noqa", one, re.IGNORECASE)) for one in comments)
    ignores = sum(bool(re.search(r"#\s*type:\s*ignore", one)) for one in comments)
    package = name if is_package else name.rpartition(".")[0]
    defined = list(_defined(tree))
    return Module(
        name=name,
        is_package=is_package,
        lines=len(text.splitlines()),
        public_names=sum(1 for one in _top_names(tree) if not one.startswith("_")),
        functions=tuple(_functions(tree)),
        public_documented=tuple(
            ast.get_docstring(node) is not None for node, public in defined if public and not _needs_none(node)
        ),
        docstrings=tuple(_docstring_lines([tree, *(node for node, _ in defined)])),
        why_comments=sum(not _DIRECTIVE.search(one) and not _DIVIDER.search(one) for one in comments),
        noqa=noqa,
        type_ignores=ignores,
        at_run_time=frozenset(_imports(tree, package, everything=False)),
        in_all=frozenset(_imports(tree, package, everything=True)),
    )


def complexity(function: _Function) -> int:
    """Return McCabe's number for a function, without that of the functions and classes inside it."""
    found = 1
    for node in _inside(function):
        if isinstance(node, _BRANCHES):
            found += 1
        elif isinstance(node, ast.comprehension):
            found += 1 + len(node.ifs)
        elif isinstance(node, ast.BoolOp):
            found += len(node.values) - 1
    return found


def _inside(function: _Function) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def _defined(
    scope: ast.AST, *, public: bool = True, nested: bool = False
) -> Iterator[tuple[_Function | ast.ClassDef, bool]]:
    """Yield every class and function below a node, and whether it is public."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _defined(node, public=public, nested=nested)
            continue
        dunder = node.name.startswith("__") and node.name.endswith("__")
        here = public and not nested and (dunder or not node.name.startswith("_"))
        yield node, here
        yield from _defined(node, public=here, nested=nested or not isinstance(node, ast.ClassDef))


def _functions(tree: ast.Module) -> Iterator[Function]:
    for node, public in _defined(tree):
        if not isinstance(node, ast.ClassDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(node.name, node.lineno, lines, complexity(node), public, node.returns is not None)


def _needs_none(node: _Function | ast.ClassDef) -> bool:
    """Tell whether a definition needs no docstring: the class says what its magic methods do."""
    return node.name.startswith("__")


def _top_names(tree: ast.Module) -> set[str]:
    """Return the names that a module defines: functions, classes and assignments at its top level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
    return names


def _docstring_lines(nodes: Iterable[ast.Module | _Function | ast.ClassDef]) -> Iterator[int]:
    for node in nodes:
        if ast.get_docstring(node) is not None:
            first = node.body[0]
            yield (first.end_lineno or first.lineno) - first.lineno + 1


def _comments(text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def _imports(tree: ast.Module, package: str, *, everything: bool) -> Iterator[str]:
    """Yield what a module imports, `a.b` for `import a.b` and `a.b.c` for `from a.b import c`.

    Whether `c` is a module or a name in `a.b` shows only beside the other modules: see `arrows_of`.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield from (f"{base}.{one.name}" for one in node.names)
        elif everything or not (isinstance(node, _SCOPES[:2]) or _for_types_only(node)):
            waiting.extend(ast.iter_child_nodes(node))
        elif isinstance(node, ast.If):
            waiting.extend(node.orelse)


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


# ---- all files together ----------------------------------------------------------------------------------------------


def tree_of(root: Path, packages: Sequence[str]) -> list[Module]:
    """Return the modules of these top-level packages of a checkout, empty files left out."""
    modules = []
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            inside = path.relative_to(root)
            if NOT_OURS & set(inside.parts) or not (text := path.read_text(encoding="utf-8")).strip():
                continue
            parts = inside.with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            modules.append(module_of(name, text, is_package=is_package))
    return modules


def arrows_of(modules: Sequence[Module], *, everything: bool, faces: bool = True) -> dict[str, set[str]]:
    """Return for each module the modules among these that it imports.

    `from a.b import c` runs `a/b/__init__.py`, the face of the package, even where `c` is a module beside it. With
    `faces` that counts as an import of both; without, of `a.b.c` alone.
    """
    known = {module.name for module in modules}
    arrows: dict[str, set[str]] = {}
    for module in modules:
        found: set[str] = set()
        for name in module.in_all if everything else module.at_run_time:
            if name in known:
                found.add(name)
            if faces or name not in known:
                found.add(name.rpartition(".")[0])
        arrows[module.name] = (found & known) - {module.name}
    return arrows


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the sets of modules that all reach each other, the largest first (Tarjan's strong components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(arrows[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for name in sorted(arrows):
        if name not in index:
            visit(name)
    return sorted((one for one in found if len(one) > 1), key=lambda one: (-len(one), one))


def percentile(values: Sequence[int], share: float) -> int:
    """Return the smallest value that this share of the values does not exceed; 0 for no values."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0


# ---- the tables ------------------------------------------------------------------------------------------------------

Row = Sequence[object]
HEAD: Row = (
    "package",
    "modules",
    "lines",
    "median",
    "longest",
    "names",
    "functions",
    "median",
    "p95",
    "longest",
    "complexity p95",
    "max",
    "typed %",
    "documented %",
    "why /100",
    "docstring /100",
    "one line %",
    "noqa",
    "ignore",
    "circles at run time",
    "in all imports",
    "without faces",
)
"""Left of `functions` about modules; `names` is the median of public names per module; `typed` is of return types.
The last column has the circles that matter most: those that are not just a package naming its own members."""


def row_of(label: str, modules: Sequence[Module]) -> Row:
    """Return the row of a tree or package: one value for each column of HEAD."""
    sizes = [module.lines for module in modules]
    functions = [function for module in modules for function in module.functions]
    long = [function.lines for function in functions]
    tangled = [function.complexity for function in functions]
    documented = [one for module in modules for one in module.public_documented]
    docstrings = [lines for module in modules for lines in module.docstrings]
    return (
        label,
        len(modules),
        sum(sizes),
        _middle(sizes),
        max(sizes, default=0),
        _middle([module.public_names for module in modules]),
        len(functions),
        _middle(long),
        percentile(long, 0.95),
        max(long, default=0),
        percentile(tangled, 0.95),
        max(tangled, default=0),
        _share(sum(function.typed for function in functions), len(functions)),
        _share(sum(documented), len(documented)),
        f"{100 * sum(module.why_comments for module in modules) / max(1, sum(sizes)):.1f}",
        f"{100 * sum(docstrings) / max(1, sum(sizes)):.1f}",
        _share(docstrings.count(1), len(docstrings)),
        sum(module.noqa for module in modules),
        sum(module.type_ignores for module in modules),
        _sizes(circles(arrows_of(modules, everything=False))),
        _sizes(circles(arrows_of(modules, everything=True))),
        _sizes(circles(arrows_of(modules, everything=True, faces=False))),
    )


def packages_of(modules: Sequence[Module], *, depth: int = 3) -> list[str]:
    """Return the names of the packages, down to this depth; a package inside comes after what holds it."""
    inside = {module.name if module.is_package else module.name.rpartition(".")[0] for module in modules}
    names = {".".join(name.split(".")[:depth]) for name in inside}
    return sorted(names | {name.rpartition(".")[0] for name in names} - {""}, key=lambda name: name.split("."))


def table(head: Row, rows: Sequence[Row]) -> str:
    """Return rows as text in aligned columns: the first to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def report(root: Path) -> str:
    """Return everything that is measured of a checkout as text. Raises FileNotFoundError where it holds no package."""
    ours, others, contracts = _layout(root)
    if not ours:
        raise FileNotFoundError(f"{root} has no folder with an __init__.py. Name the folder that holds the packages.")
    modules = tree_of(root, ours)
    inside = {name: [one for one in modules if f"{one.name}.".startswith(f"{name}.")] for name in packages_of(modules)}
    rows = [
        row_of("all packages", modules),
        *(row_of(name, members) for name, members in inside.items()),
        *(row_of(f"({other})", tree_of(root, [other])) for other in others),
    ]
    return "\n\n".join(
        [
            table(HEAD, rows),
            _longest(modules),
            _circles(modules),
            _fans(modules),
            f"import contracts: {contracts}",
        ]
    )


def _layout(root: Path) -> tuple[list[str], list[str], int]:
    """Return the packages under the import contracts, the other folders with Python, and the number of contracts."""
    settings = root / "pyproject.toml"
    tools = tomllib.loads(settings.read_text(encoding="utf-8")).get("tool", {}) if settings.is_file() else {}
    linter = tools.get("importlinter", {})
    folders = sorted(path.name for path in root.iterdir() if any(path.glob("*.py")) and not path.name.startswith("."))
    ours = linter.get("root_packages") or [
        name for name in folders if name != "tests" and (root / name / "__init__.py").is_file()
    ]
    return ours, [name for name in folders if name not in ours], len(linter.get("contracts", ()))


def _longest(modules: Sequence[Module]) -> str:
    functions = [(module.name, one) for module in modules for one in module.functions]
    long = sorted(functions, key=lambda pair: -pair[1].lines)[:10]
    tangled = sorted(functions, key=lambda pair: -pair[1].complexity)[:10]
    rows = [
        (f"{a_module}:{a.line} {a.name}", a.lines, f"   {b_module}:{b.line} {b.name}", b.complexity)
        for (a_module, a), (b_module, b) in zip(long, tangled, strict=True)
    ]
    return table(("longest functions", "lines", "most tangled", "complexity"), rows)


def _circles(modules: Sequence[Module]) -> str:
    real = {name for one in circles(arrows_of(modules, everything=True, faces=False)) for name in one}
    lines = []
    for everything, what in ((False, "at run time"), (True, "in all imports")):
        for one in circles(arrows_of(modules, everything=everything)):
            note = "" if real & set(one) else " (only through the face of their package)"
            lines.append(f"circle {what}, {len(one)} modules{note}: {', '.join(one)}")
    return "\n".join(lines) or "circles: none"


def _fans(modules: Sequence[Module]) -> str:
    arrows = arrows_of(modules, everything=True, faces=False)
    fan_in = {name: sum(name in others for others in arrows.values()) for name in arrows}
    most_in = sorted(arrows, key=lambda name: (-fan_in[name], name))[:10]
    most_out = sorted(arrows, key=lambda name: (-len(arrows[name]), name))[:10]
    rows = [(a, fan_in[a], f"   {b}", len(arrows[b])) for a, b in zip(most_in, most_out, strict=True)]
    return table(("imported by most", "fan-in", "imports most", "fan-out"), rows)


def _middle(values: Sequence[int]) -> int:
    return round(median(values)) if values else 0


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "-"


def _sizes(found: Sequence[Sequence[str]]) -> str:
    return "+".join(str(len(one)) for one in found) or "0"


def main(arguments: list[str] | None = None) -> int:
    """Print the measures of a checkout and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.measures", description=__doc__.partition("\n")[0])
    parser.add_argument("--of", type=Path, default=ROOT, metavar="PATH", help="another checkout than this one")
    try:
        print(report(parser.parse_args(arguments).of))
    except (OSError, SyntaxError) as error:
        print(f"measures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
