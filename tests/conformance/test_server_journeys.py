"""What the journeys on strangers' servers would say if something had not landed there."""

import pytest

from tests.conformance.server_journeys import RECORDS, SENT, misses


@pytest.mark.parametrize("person", SENT)
def test_a_server_that_kept_nothing_is_told_so_for_each_thing(person):
    said = {line.partition(":")[0] for line in misses(person, {kind: [] for kind in RECORDS})}
    assert said >= {"responses", "scores", "goals", "steps", "plans"}


def test_an_assignment_that_did_not_arrive_is_missed():
    said = misses("yara", {kind: [] for kind in RECORDS})
    assert "assignments, and whether they wait: [] instead of [False]" in said
