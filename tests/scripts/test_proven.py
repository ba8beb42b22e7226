"""What `make coverage` and `make mutants` say: which code is not reached, and which faults no test noticed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts import covered, mutants
from scripts.areas import ROOT, Area, areas, is_equivalent

AREA = Area("outbox", ("smartapp/records",), ("tests/smartapp/records",), 90)


def test_every_area_names_code_and_tests_that_are_there():
    for area in areas().values():
        assert area.files()
        assert all((ROOT / name).exists() for name in (*area.code, *area.tests))
        assert 0 < area.floor <= 100


def test_the_table_names_each_line_and_branch_that_was_not_reached_and_no_file_without_any():
    whole = {"summary": {"percent_covered": 100.0}, "missing_lines": [], "missing_branches": []}
    holes = {"summary": {"percent_covered": 91.5}, "missing_lines": [7], "missing_branches": [[6, 7], [9, -1]]}
    report = {
        "totals": {"percent_covered": 95.126, "num_statements": 20, "num_branches": 6},
        "files": {"smartapp/records/states.py": whole, "smartapp/records/known.py": holes},
    }
    assert covered.table(AREA, report) == [
        "outbox: 95.13 % of 20 lines and 6 branches (floor 90 %)",
        "   91.50 %  smartapp/records/known.py: 7, 6→7, 9→out",
    ]


def tried(fault: str, outcome: str) -> mutants.Tried:
    return mutants.Tried(fault, outcome, "  -    a\n  +    b", 70, 0.1)


def test_the_score_counts_what_a_test_noticed_of_what_was_tried_and_shows_the_rest():
    """What no test reaches is not noticed, and so is what ran before any test did."""
    outcomes = [
        tried("a.b.x_one__mutmut_1", "noticed by tests/test_b.py::test_one"),
        tried("a.b.x_one__mutmut_2", "survived"),
        tried("a.b.xǁTwoǁof__mutmut_1", "noticed by tests/test_b.py::test_two"),
        tried("a.c.x__mutmut_1", "no test reaches it"),
    ]
    assert mutants.score(outcomes) == 50
    assert mutants.told("outbox", outcomes) == [
        "outbox: 50.0 % of 4 faults noticed (70 can be made)",
        "     2 of    3  a.b",
        "     0 of    1  a.c",
        "a.b.x_one__mutmut_2: survived\n  -    a\n  +    b",
        "a.c.x__mutmut_1: no test reaches it\n  -    a\n  +    b",
    ]


def test_a_run_that_tried_nothing_says_where_to_look_and_scores_nothing(tmp_path):
    assert mutants.results(tmp_path / "results.jsonl") == []
    assert mutants.score([]) == 0
    assert mutants.told("outbox", []) == ["outbox: nothing was tried, see .cache/mutants/outbox/log.txt"]


def test_a_run_that_broke_off_tells_what_was_tried_before(tmp_path):
    (tmp_path / "results.jsonl").write_text(
        '{"fault": "a.b.x_one__mutmut_1", "outcome": "survived", "diff": "", "of": 70, "seconds": 1.5}\n'
    )
    assert mutants.results(tmp_path / "results.jsonl") == [
        mutants.Tried("a.b.x_one__mutmut_1", "survived", "", 70, 1.5)
    ]


@pytest.mark.parametrize(
    ("before", "after", "equivalent"),
    [
        ('ask("POST", url, data=form)', 'ask("post", url, data=form)', True),
        ('ask("POST", url, data=form)', 'ask("XXPOSTXX", url, data=form)', False),
        ("writing(self._engine, on=state)", "writing(self._engine, on=None)", True),
        ("writing(self._engine, on=None)", "writing(None, on=None)", False),
        ('return cast("Progress", said)', "return cast(None, said)", True),
        ('headers = {"Accept": kind}', 'headers = {"XXAcceptXX": kind}', False),
    ],
)
def test_a_fault_of_a_kind_that_nobody_can_notice_is_not_tried(before, after, equivalent):
    assert is_equivalent(f"  -    {before}\n  +    {after}") is equivalent


@pytest.mark.parametrize("command", [covered.main, mutants.main])
def test_an_area_that_does_not_exist_is_refused_with_those_that_do(command, capsys):
    with pytest.raises(SystemExit):
        command(["nowhere"])
    assert "no area is called nowhere; there are: mappers, outbox, launch" in capsys.readouterr().err


def test_nothing_of_ours_is_loaded_before_its_faults_are_written():
    """It would be tried without any fault, and each of its faults would count as not noticed."""
    code = ast.parse((ROOT / "scripts/tried.py").read_text())
    loaded = {node.module.partition(".")[0] for node in code.body if isinstance(node, ast.ImportFrom) and node.module}
    assert "scripts" in loaded
    assert not loaded & {Path(path).parts[0] for area in areas().values() for path in area.code}
