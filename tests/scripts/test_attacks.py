"""docs/security.md says of each attack which tests try it, and no test that is not there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from questionnaires.reading import DefinitionError
from scripts.attacks import DATA, Attack, Proof, attacks, proofs, table
from scripts.security import ATTACKS, PAGE, page

TESTS = '''"""Attacks 7 and 8: everything here."""

def test_attack_1_and_2_both(): ...
def test_other(): "Attack 3: said in words."
def test_not(): "It fends off attack 4."
class TestForms:
    "Attack 5."
    def test_attack_6_inside(self): ...
'''


def test_a_test_carries_its_attacks_in_its_name_or_at_the_start_of_a_docstring(tmp_path: Path):
    (tmp_path / "tests" / "inner").mkdir(parents=True)
    (tmp_path / "tests" / "inner" / "test_x.py").write_text(TESTS)
    (tmp_path / "tests" / "helper.py").write_text('"""Attack 9: this is not a file of tests."""\n')
    assert {(proof.name, proof.attacks) for proof in proofs(tmp_path)} == {
        ("", frozenset({7, 8})),
        ("test_attack_1_and_2_both", frozenset({1, 2})),
        ("test_other", frozenset({3})),
        ("TestForms", frozenset({5})),
        ("TestForms::test_attack_6_inside", frozenset({6})),
    }


def test_the_table_says_what_is_not_held_and_what_no_test_tries():
    known = [Attack(number=1, attack="a", holds="h", open="o"), Attack(number=2, attack="b", holds="i")]
    found = [Proof("tests/test_x.py", "test_attack_1_y", frozenset({1})), Proof("tests/test_z.py", "", frozenset({1}))]
    first, second = table(known, found).split("\n")[2:]
    assert "| h. **Not yet:** o |" in first
    assert "[`test_x.py`](../tests/test_x.py)<br>`::test_attack_1_y`<br>[`test_z.py`](../tests/test_z.py) |" in first
    assert second == "| 2 | b | i | **none** |"


def test_a_test_of_an_unknown_attack_is_said():
    with pytest.raises(ValueError, match=r"\[41\]"):
        table([Attack(number=1, attack="a", holds="h")], [Proof("tests/test_x.py", "test_y", frozenset({1, 41}))])


def test_the_table_goes_between_its_lines():
    begin, end = ATTACKS
    assert page(f"a\n{begin}\nold\n{end}\nz", ATTACKS, "new") == f"a\n{begin}\n\nnew\n\n{end}\nz"
    with pytest.raises(ValueError, match="two lines"):
        page("a", ATTACKS, "new")


def test_the_attacks_are_numbered_on_and_each_has_a_test():
    numbers = list(range(1, len(attacks()) + 1))
    assert len(numbers) > 40
    assert [attack.number for attack in attacks()] == numbers
    assert {number for proof in proofs() for number in proof.attacks} == set(numbers)


def test_each_test_that_the_page_names_is_there():
    """Read from the page as a reader would, so that it also holds when the script is wrong."""
    named, defined = 0, cache(_defined)
    for row in re.findall(r"^\| [\d.]+ \|.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        for cell in row.split("](../tests/")[1:]:
            path, _, rest = cell.partition(")")
            names = defined(PAGE.parent / "../tests" / path)
            for test in re.findall(r"`::([\w:]+)`", rest):
                assert set(test.split("::")) <= names, f"{path}::{test}"
                named += 1
    assert named >= 300


def test_a_misspelt_key_of_an_attack_is_refused(tmp_path: Path):
    text = DATA.read_text(encoding="utf-8").replace("\nholds =", "\nhold =", 1)
    (tmp_path / "attacks.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"^attacks\.toml: attack\[1\]\.hold: is not a known key"):
        attacks(tmp_path / "attacks.toml")


def _defined(path: Path) -> frozenset[str]:
    """Return the names of all tests and classes in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))
