"""The checker of the write path finds what it is for: each violation is planted in a history that has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smartapp.web.typed import digest
from tests.conformance.write_path import Save, violations

FIRST = Save("story", "one", digest(""), (0, 1), 1, 2, "saved")
SECOND = Save("story", "two", digest("one"), (3, 4), 4, 5, "saved")
REFUSED = Save("story", "three", digest("one"), (3, 4), 4.5, 6, "conflict")


def test_a_history_in_which_every_claim_holds_has_no_violations():
    assert violations(["", "one", "one", "two"], [FIRST, SECOND, REFUSED]) == []


@pytest.mark.parametrize(
    ("versions", "saves", "said"),
    [
        (["", "one", "two", "one"], [FIRST, SECOND], "came back"),
        (["", "two"], [FIRST, SECOND], "no version has it"),
        (["", "one", "two", "stranger"], [FIRST, SECOND], "nobody wrote it"),
        (["", "one", "two", "three"], [FIRST, SECOND, REFUSED], "was not saved"),
        (["", "one", "two"], [FIRST, replace(SECOND, shown=digest(""))], "based on another text"),
        (["", "two", "one"], [FIRST, SECOND], "before something began"),
        (["", "one", "two", "late"], [FIRST, SECOND, replace(SECOND, text="late", read=(6, 7))], "had replaced"),
        (["", "one", "two"], [FIRST, replace(SECOND, read=(0, 0.5))], "before it was written"),
    ],
)
def test_a_planted_violation_is_found(versions, saves, said):
    assert any(said in line for line in violations(versions, saves))
