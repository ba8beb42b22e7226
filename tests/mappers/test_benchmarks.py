"""The benchmark measures the work that it says it measures, and writes a page that says so."""

from __future__ import annotations

import orjson

from benchmarks.scoring import Row, compare, lines, on_each, page, plain, table, verstel
from mappers.templates import FastScorer
from tests.mappers.build import CATALOGUE


def test_its_lines_are_the_same_every_time_and_take_the_fast_way():
    made = lines(30)
    assert made == lines(30)
    fast = FastScorer(CATALOGUE)
    assert [fast.observations(line) for line in made] == [plain(line) for line in made]


def test_it_counts_the_floor_beside_each_engine():
    row = compare("x", "y", on_each(orjson.loads), lines(30), rounds=3)
    assert 0.05 < row.ratio < 20
    assert compare("x", "y", verstel, lines(30), rounds=2).micros > 0


def test_the_page_holds_the_table():
    rows = [Row("Verstel", "scores", 30.04, 0.654), Row("slow", "scores", 1234.5, 0.00123)]
    assert table(rows)[2:] == ["| Verstel | scores | 30.0 | 0.65 |", "| slow | scores | 1,234.5 | 0.0012 |"]
    assert "\n".join(table(rows)) in page(rows, 9000, 20_000)
