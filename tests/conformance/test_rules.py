"""How many random examples a rule is tried with, here and in `make conformance-whole`."""

from __future__ import annotations

from hypothesis import settings

from tests.examples import ALL, at_most, examples


def test_a_quarter_is_tried_and_all_of_them_where_that_is_asked(monkeypatch):
    monkeypatch.delenv(ALL, raising=False)
    assert (at_most(60), at_most(2)) == (15, 1)
    assert examples(60).max_examples == 15
    monkeypatch.setenv(ALL, "1")
    assert (at_most(60), at_most(2)) == (60, 2)


def test_a_rule_that_does_not_say_how_many_is_tried_with_a_share_of_a_hundred():
    assert settings.default.max_examples == at_most(100)
