"""What a form does to a plan, as a rule of its own: taken, sent back, or shown beside newer words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.plan import Plan
from smartapp.pages.plan import sections
from smartapp.pages.plan.sections import iso_date
from smartapp.web.typed import LONGEST, Accepted, Clash, Submitted, Wrong, clean, fingerprint, weigh

STORY = sections.story()
TEXTS = st.text(max_size=30)


def plan(story: str) -> Plan:
    return Plan(id="urn:uuid:1", story=story)


@given(shown=TEXTS, now=TEXTS, typed=TEXTS)
def test_no_save_ever_loses_words_that_were_not_seen(shown, now, typed):
    """Whatever was shown, is stored and was typed: the stored text goes only if it is the text that was shown."""
    outcome = weigh(STORY, plan(now), Submitted({"story": clean(typed)}, {"story": fingerprint(shown)}))
    if isinstance(outcome, Accepted) and clean(outcome.plan.story) != clean(now):
        assert clean(now) == clean(shown)
    if isinstance(outcome, Clash):
        assert outcome.values["story"] == clean(typed)


@given(now=TEXTS, typed=TEXTS)
def test_without_a_mark_only_an_equal_text_is_taken(now, typed):
    """A form that does not say what it was based on may not change anything."""
    outcome = weigh(STORY, plan(now), Submitted({"story": clean(typed)}))
    assert isinstance(outcome, Clash) == (clean(typed) != clean(plan(now).story))


@given(TEXTS)
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)


def test_line_ends_of_a_browser_are_the_line_ends_we_keep():
    assert clean("een\r\ntwee\rdrie") == "een\ntwee\ndrie"


@pytest.mark.parametrize(("length", "kind"), [(LONGEST, Accepted), (LONGEST + 1, Wrong)])
def test_a_text_may_be_long_but_not_endless(length, kind):
    sent = Submitted({"story": "a" * length}, {"story": fingerprint("")})
    assert isinstance(weigh(STORY, plan(""), sent), kind)


@pytest.mark.parametrize(
    ("typed", "date"),
    [
        ("2027-12-31", "2027-12-31"),
        ("31-12-2027", "2027-12-31"),
        (" 1/3/2027 ", "2027-03-01"),
        ("29-2-2028", "2028-02-29"),  # 2028 divides by four
    ],
)
def test_a_date_is_read_in_both_ways(typed, date):
    assert iso_date(typed) == date


@pytest.mark.parametrize("typed", ["", "morgen", "29-2-2027", "2027-13-01", "12-31-2027", "1-1-27", "31-12-20271"])
def test_what_is_not_a_date_is_not_guessed(typed):
    assert iso_date(typed) is None
