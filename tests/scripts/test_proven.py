"""What `make coverage` and `make mutants` say: which code is not reached, and which faults no test noticed."""

from __future__ import annotations

import pytest

from scripts import covered, mutants
from scripts.areas import ROOT, Area, areas

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


def test_the_score_counts_what_a_test_noticed_of_what_was_tried():
    """Killed and hung are noticed; survived and reached by no test are not; what was not tried is neither."""
    results = {"a.b.x_one__mutmut_1": 1, "a.b.x_one__mutmut_2": 36, "a.b.x_two__mutmut_1": 0, "a.c.x__mutmut_1": 33}
    assert mutants.score(results) == 50
    assert mutants.told("outbox", 70, {**results, "a.c.x__mutmut_2": None}) == [
        "outbox: 50.0 % of 4 faults noticed (70 can be made)",
        "     2 of    3  a.b",
        "     0 of    1  a.c",
        "  survived: a.b.x_two__mutmut_1",
        "  no tests: a.c.x__mutmut_1",
        "  1 were not tried: mutmut ended before, see .cache/mutants/log.txt",
    ]
    assert mutants.score({"a.c.x__mutmut_2": None}) == 0


@pytest.mark.parametrize("command", [covered.main, mutants.main])
def test_an_area_that_does_not_exist_is_refused_with_those_that_do(command, capsys):
    with pytest.raises(SystemExit):
        command(["nowhere"])
    assert "no area is called nowhere; there are: mappers, outbox, launch" in capsys.readouterr().err
