"""The benchmark measures the work that it says it measures, and writes a page that says so."""

from __future__ import annotations

import orjson
import pytest

from benchmarks import processes
from benchmarks.scoring import (
    INSTRUMENTS,
    Command,
    Timing,
    commands_table,
    compare,
    lines,
    on_each,
    page,
    plain,
    rewritten,
    table,
    verstel,
    whole_command,
)
from mappers.fast import FastScorer
from tests.mappers.build import CATALOGUE


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_its_lines_are_the_same_every_time_and_take_the_fast_way(instrument):
    made = lines(30, instrument)
    assert made == lines(30, instrument)
    fast = FastScorer(CATALOGUE)
    assert [fast.observations(line) for line in made] == [plain(line) for line in made]


def test_it_counts_the_floor_beside_each_engine():
    row = compare("x", "y", on_each(orjson.loads), lines(30), rounds=3)
    assert 0.05 < row.ratio < 20
    assert compare("x", "y", verstel, lines(30), rounds=2).micros > 0


def test_the_page_holds_the_table():
    rows = [Timing("Verstel", "scores", 30.04, 0.654), Timing("slow", "scores", 1234.5, 0.00123)]
    assert table(rows)[2:] == ["| Verstel | scores | 30.0 | 0.65 |", "| slow | scores | 1,234.5 | 0.0012 |"]
    command = Command("hoop", 200_000, 9.04, 0.614, 0.5)
    assert commands_table([command])[2:] == ["| hoop | 200,000 | 9.0 | 0.61 | 0.50 |"]
    assert "\n".join(table(rows)) in page(rows, [command], 9000)
    assert "\n".join(commands_table([command])) in page(rows, [command], 9000)


def test_the_command_is_measured_as_a_whole_process():
    measured = whole_command("hoop", 30, rounds=1)
    assert 0.001 < measured.without_file < 5


def test_rewritten_responses_give_the_same_scores_by_the_plain_way_only():
    made = [rewritten(line) for line in lines(30)]
    fast = FastScorer(CATALOGUE)
    assert {fast.observations(line) for line in made} == {None}
    assert [plain(line) for line in made] == [plain(line) for line in lines(30)]


def test_what_several_processes_give_is_measured_beside_what_the_machine_gives():
    (row,) = processes.measured(lines(30), "nel", rounds=1)
    assert row.startswith("| nel, 30 responses |")
    assert row.count("×") == 2
