"""The table of states: what may become of a write on its way, and that the page about it says the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.records.states import OPEN, STOPPED, TRANSITIONS, Event, ImpossibleEvent, State, after

PAGE = Path(__file__).parents[3] / "docs/delivery.md"
ROW = re.compile(r"^\| `(?P<state>[^`]+)` \| `(?P<event>[^`]+)` \| `(?P<next>[^`]+)` \|", re.MULTILINE)


def test_the_page_about_delivery_shows_exactly_this_table():
    shown = {(row["state"], row["event"]): row["next"] for row in ROW.finditer(PAGE.read_text())}
    assert shown == TRANSITIONS


def test_every_state_is_open_or_stopped_or_arrived_and_none_is_two():
    assert {*OPEN, *STOPPED, "arrived"} == set(get_args(State))
    assert not OPEN & STOPPED


@given(st.lists(st.sampled_from(get_args(Event)), max_size=40))
def test_what_has_arrived_stays_and_what_was_sent_is_forgotten_by_no_event(events):
    """Whatever happens in whatever order: only a proof makes it arrived, and after that nothing happens to it."""
    state: State = "ready"
    for event in events:
        try:
            following = after(state, event)
        except ImpossibleEvent:
            continue
        assert state != "arrived"
        assert (following == "arrived") == (event == "confirmed")
        state = following


def test_nothing_is_sent_twice_without_looking_in_between():
    """After `sending`, the way back to `ready` leads through an event that says what stands at the place."""
    back = {event for (state, event), following in TRANSITIONS.items() if state == "sent" and following == "ready"}
    assert back == {"absent", "older", "not welcome"}


def test_an_event_that_cannot_happen_is_a_mistake_and_not_a_state():
    with pytest.raises(ImpossibleEvent, match="'confirmed' cannot happen to what is 'refused'"):
        after("refused", "confirmed")
