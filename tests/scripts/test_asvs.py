"""docs/security.md says of each requirement of OWASP ASVS 5.0 what is held, and names no test that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from questionnaires.reading import DefinitionError
from scripts.asvs import Requirement, known_tests, requirements, resolved, tables
from scripts.security import PAGE

# The sections of ASVS 5.0.0, and in each the level of its first requirement, its second, and so on.
LEVELS = """
1.1 22  1.2 1111122223  1.3 112222222223  1.4 222  1.5 123
2.1 122  2.2 112  2.3 12223  2.4 23
3.1 3  3.2 113  3.3 12223  3.4 11222233  3.5 11122333  3.6 3  3.7 22333
4.1 12233  4.2 23333  4.3 22  4.4 1222
5.1 2  5.2 112333  5.3 113  5.4 222
6.1 122  6.2 111111112222  6.3 11223333  6.4 112233  6.5 22222333  6.6 2223  6.7 33  6.8 2222
7.1 222  7.2 1111  7.3 22  7.4 11222  7.5 223  7.6 22
8.1 1233  8.2 1123  8.3 133  8.4 23
9.1 111  9.2 1222
10.1 22  10.2 223  10.3 22223  10.4 1111122222233333  10.5 22222  10.6 22  10.7 222
11.1 2233  11.2 22233  11.3 11233  11.4 1222  11.5 23  11.6 23  11.7 33
12.1 12233  12.2 11  12.3 22223
13.1 2333  13.2 222223  13.3 2233  13.4 1222233
14.1 22  14.2 12223333  14.3 122
15.1 12233  15.2 12233  15.3 1222222  15.4 3333
16.1 2  16.2 22222  16.3 2222  16.4 222  16.5 2223
17.1 23  17.2 22223333  17.3 22
"""


def test_every_requirement_of_levels_1_and_2_is_there_once_in_the_order_of_the_standard():
    words = LEVELS.split()
    wanted = [
        (f"{section}.{number}", int(level))
        for section, levels in zip(words[::2], words[1::2], strict=True)
        for number, level in enumerate(levels, start=1)
        if level in "12"
    ]
    assert len(wanted) == 253
    assert [(one.id, one.level) for one in requirements()] == wanted


def test_what_was_written_down_is_where_the_table_says():
    for one in requirements():
        for page in one.pages:
            file, _, anchor = page.partition("#")
            titles = re.findall(r"^#+ (.+)$", (PAGE.parent / file).read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert not anchor or anchor in anchors, f"{one.id}: {page}"


def test_a_name_means_one_test_or_is_refused():
    tests = ["tests/a/test_x.py::TestA::test_y", "tests/a/test_x.py::TestB::test_y", "tests/test_x.py::test_z"]
    assert resolved("test_z", tests) == tests[2]
    assert resolved("TestB::test_y", tests) == tests[1]
    assert resolved("test_x.py::test_z", tests) == tests[2]
    for name in ("test_y", "test_gone", "est_z"):
        with pytest.raises(ValueError, match=f"{name} means"):
            resolved(name, tests)


def test_classes_and_what_is_in_them_are_known_by_their_names():
    assert "tests/scripts/test_asvs.py::test_a_name_means_one_test_or_is_refused" in known_tests()
    assert resolved("TestForms", known_tests()).endswith("web/test_guard.py::TestForms")


def test_the_table_counts_and_says_who_proves_what_and_what_is_missing():
    known = [
        Requirement(id="1.1.1", level=2, about="a", state="held", tests=("test_y",), pages=("load.md",)),
        Requirement(id="1.1.2", level=1, about="b", state="not held", why="half of it"),
        Requirement(id="2.1.1", level=1, about="c", state="not ours", why="the proxy's"),
    ]
    lines = tables(known, ["tests/test_x.py::test_y"]).split("\n")
    assert "| 1. Encoding and sanitization | 1 | 1 | 0 |" in lines
    assert "| **all 3** | **1** | **1** | **1** |" in lines
    assert "| 1.1.1 | 2 | a | held | [load.md](load.md)<br>[`test_x.py`](../tests/test_x.py)<br>`::test_y` |" in lines
    assert "| 1.1.2 | 1 | b | **not held** | half of it |" in lines
    assert "| 2.1.1 | 1 | c | not ours | the proxy's |" in lines


@pytest.mark.parametrize(
    ("state", "complaint"), [("held", "name the tests"), ("not held", "say why"), ("not ours", "say why")]
)
def test_what_says_too_little_is_refused_with_its_place(tmp_path: Path, state, complaint):
    file = tmp_path / "asvs.toml"
    file.write_text(f'[[requirement]]\nid = "1.1.1"\nlevel = 2\nabout = "a"\nstate = "{state}"\n', encoding="utf-8")
    with pytest.raises(DefinitionError, match=rf"^asvs\.toml: requirement\[1\].*{complaint}"):
        requirements(file)
