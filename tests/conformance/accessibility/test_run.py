"""What counts as a failure of the second engine."""

from __future__ import annotations

from tests.conformance.accessibility.run import ACCEPTED, Accepted, Finding, accepted_findings, failures

SCROLL = Accepted(rule="tabbable", at='class="scroll"', reason="It scrolls.")


def finding(rule: str, element: str, *, fails: bool = True) -> Finding:
    return Finding("plan (nl), wide", rule, fails, "what is wrong", element)


def test_a_finding_fails_unless_it_is_accepted_at_that_element():
    scroll, other = finding("tabbable", '<div class="scroll">'), finding("tabbable", "<p>")
    assert failures([scroll, other], [SCROLL]) == [str(other)]


def test_what_a_person_must_look_at_fails_nobody_and_meets_no_acceptance():
    assert failures([finding("colour", "<p>", fails=False)], []) == []
    assert len(failures([finding("tabbable", '<div class="scroll">', fails=False)], [SCROLL])) == 1


def test_an_acceptance_that_nothing_meets_fails_a_whole_tour_only():
    [line] = failures([], [SCROLL])
    assert line.startswith(f"{ACCEPTED.name}: nothing matches tabbable at")
    assert failures([], [SCROLL], whole=False) == []


def test_every_acceptance_has_a_reason():
    assert all(len(entry.reason) > 40 for entry in accepted_findings())
