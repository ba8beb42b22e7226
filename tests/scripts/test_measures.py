"""The measures count what they say they count: on a small tree where every figure is worked out beside it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts.measures import arrows_of, circles, complexity, main, module_of, packages_of, percentile, report, tree_of

ALPHA = '''"""Alpha does things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from house import gamma

if TYPE_CHECKING:
    from house.beta import Beta

# Because the door is on the left.
DOOR = "left"
_KEY = 1  # noqa: RUF001


# ---- parts ----


def public(value: int | None) -> int:
    """Return it."""
    if value is None or value < 0:
        return 0
    return sum(one for one in range(value) if one)  # type: ignore[misc]


def _private(thing):
    """Return it.

    In three lines.
    """

    def inner(): return thing
    return inner


class Thing:
    def method(self): return gamma
'''
BETA = """from house.alpha import DOOR


def lazily() -> None:
    from house.inner import deep
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """alpha names beta for types only, beta imports alpha, and beta imports inner.deep in a function, which imports it.

    At run time nothing goes in a circle but inner.deep and the face of inner, which it runs to get at inner.other.
    """
    files = {
        "house/__init__.py": "",
        "house/alpha.py": ALPHA,
        "house/beta.py": BETA,
        "house/gamma.py": "LIST: list[int] = []\n",
        "house/inner/__init__.py": '"""Inner."""\nfrom house.inner.deep import x\n',
        "house/inner/deep.py": "import os\nfrom . import other\nfrom ..gamma import LIST\nx = os\n",
        "house/inner/other.py": "z = 1\n",
        "house/inner/empty.py": "",
        "other/loose.py": "y = 1\n",
        "pyproject.toml": '[tool.importlinter]\nroot_packages = ["house"]\n[[tool.importlinter.contracts]]\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_module_is_counted():
    alpha = module_of("house.alpha", ALPHA)
    assert alpha.lines == 38
    assert alpha.public_names == 3  # DOOR, public, Thing
    assert alpha.public_documented == (True, False, False)  # public, Thing, Thing.method
    assert sorted(alpha.docstrings) == [1, 1, 4]  # the module, public, _private
    assert alpha.why_comments == 1  # the door; not noqa, type: ignore and the line of dashes
    assert (alpha.noqa, alpha.type_ignores) == (1, 1)


def test_a_function_is_counted():
    measured = {one.name: one for one in module_of("house.alpha", ALPHA).functions}
    assert {name: one.lines for name, one in measured.items()} == {"public": 5, "_private": 8, "inner": 1, "method": 1}
    assert [name for name, one in measured.items() if one.typed] == ["public"]
    assert [name for name, one in measured.items() if one.public] == ["public", "method"]
    # 1 + if + or + comprehension + its if
    assert measured["public"].complexity == 5
    assert measured["_private"].complexity == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1", 1),
        ("for a in b:\n  while a: pass", 3),
        ("try: pass\nexcept A: pass\nexcept B: pass\nelse: pass\nfinally: pass", 3),
        ("return a and b and c or d", 4),  # two for the ands, one for the or
        ("return 1 if a else 2", 2),
        ("match a:\n  case 1: pass\n  case _: pass", 3),
        ("with a: pass\nassert b", 1),
        ("return [a for a in b for c in d if c]", 4),
        ("def g():\n  if a: pass\nreturn g", 1),  # of another function
        ("return lambda: a or b", 2),
    ],
)
def test_complexity_is_one_and_one_for_each_fork(body: str, expected: int):
    text = "def f():\n" + "\n".join(f"  {line}" for line in body.split("\n"))
    [function] = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert complexity(function) == expected


def test_imports_are_told_apart_by_when_they_run(house: Path):
    modules = tree_of(house, ["house"])
    assert "house.inner.empty" not in {one.name for one in modules}
    assert arrows_of(modules, everything=False) == {
        "house.alpha": {"house.gamma"},
        "house.beta": {"house.alpha"},
        "house.gamma": set(),
        "house.inner": {"house.inner.deep"},
        "house.inner.deep": {"house.inner", "house.inner.other", "house.gamma"},  # `from . import` runs the face too
        "house.inner.other": set(),
    }
    everything = arrows_of(modules, everything=True)
    assert everything["house.alpha"] == {"house.gamma", "house.beta"}
    assert everything["house.beta"] == {"house.alpha", "house.inner", "house.inner.deep"}
    assert arrows_of(modules, everything=True, faces=False)["house.beta"] == {"house.alpha", "house.inner.deep"}


def test_circles_are_found(house: Path):
    modules = tree_of(house, ["house"])
    assert circles(arrows_of(modules, everything=False)) == [["house.inner", "house.inner.deep"]]
    assert circles(arrows_of(modules, everything=True)) == [
        ["house.alpha", "house.beta"],
        ["house.inner", "house.inner.deep"],
    ]
    assert circles(arrows_of(modules, everything=True, faces=False)) == [["house.alpha", "house.beta"]]


def test_two_circles_that_touch_are_one():
    assert circles({"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"b"}, "e": {"a"}}) == [["a", "b", "c", "d"]]
    assert circles({"a": {"b"}, "b": set()}) == []


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.95, 0),
        ([7], 0.95, 7),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 21)), 0.95, 19),
        ([3, 1, 2], 0.5, 2),
    ],
)
def test_a_percentile_is_one_of_the_values(values: list[int], share: float, expected: int):
    assert percentile(values, share) == expected


def test_packages_are_listed_below_what_holds_them(house: Path):
    assert packages_of(tree_of(house, ["house"])) == ["house", "house.inner"]


def test_the_report_is_printed_for_another_checkout(house: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--of", str(house)]) == 0
    out = capsys.readouterr().out
    assert out == report(house) + "\n"
    # 38 + 5 + 1 + 2 + 4 + 1 lines, between 2 and 4 in the middle; 3, 1, 1, 0, 1 and 1 public names; 4 + 1 functions
    assert out.splitlines()[1].split()[:8] == ["all", "packages", "6", "51", "3", "38", "1", "5"]
    assert out.splitlines()[1].split()[-3:] == ["2", "2+2", "2"]
    assert "(other)" in out
    assert "import contracts: 1" in out
    assert "circle in all imports, 2 modules: house.alpha, house.beta" in out
    assert "(only through the face of their package): house.inner" in out


def test_a_folder_without_code_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--of", str(tmp_path)]) == 1
    assert "__init__.py" in capsys.readouterr().err
