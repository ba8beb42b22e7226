"""How many histories are played: all that were asked for, or as many as there is time for."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults import __main__ as many
from tests.faults.history import Options, Result

SEEDS = range(1, 101)
EACH = 10


@pytest.fixture
def input_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end into which who started it could write; histories are over at once, and asked about ten at a time."""
    result = Result(seed=0, kind="plain", about="", findings=[], faults=0, kills=0, words=0, claims=Counter())
    monkeypatch.setattr(many, "play", lambda seed, _options: replace(result, seed=seed))
    monkeypatch.setattr(many, "EACH", EACH)
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield writing


def played(at_least: int | None, workers: int = 1) -> list[int]:
    return [result.seed for result in many._play_all(SEEDS, Options(), workers, at_least)]


@pytest.mark.parametrize("workers", [1, 2])
def test_while_its_input_is_open_all_are_played(input_of: int, workers: int) -> None:
    assert played(at_least=20, workers=workers) == [*SEEDS]
    os.close(input_of)


@pytest.mark.parametrize(("at_least", "seeds"), [(20, range(1, 21)), (15, range(1, 21)), (0, range(0))])
def test_when_it_is_closed_no_more_are_begun_than_were_asked_for(input_of: int, at_least: int, seeds: range) -> None:
    os.close(input_of)
    assert played(at_least) == [*seeds]


def test_two_workers_end_too(input_of: int) -> None:
    os.close(input_of)
    assert played(at_least=15, workers=2) == [*range(1, 21)]


def test_without_a_least_number_its_input_is_not_looked_at(input_of: int) -> None:
    os.close(input_of)
    assert played(at_least=None) == [*SEEDS]
