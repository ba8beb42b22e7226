"""What typed words do to stored ones: the laws of one text, and what follows for a form with several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.plan import Plan
from smartapp.web.typed import LONGEST, Accepted, Clash, Part, Submitted, Wrong, clean, digest, merge, merge_form

STORY = Part[Plan](
    ("story",),
    lambda plan: {"story": "\n".join(plan.texts.get("story", ()))},
    lambda plan, texts: plan.with_texts("story", (texts["story"],)),
)
TEXTS = st.text(max_size=30)


def plan(story: str) -> Plan:
    return Plan(id="urn:uuid:1", texts={"story": (story,)})


# --- one text

# Few texts, so that two of the three are often equal; some differ only in what a browser or FHIR makes of them.
FEW = st.sampled_from(["", " ", "a", "a ", "a\nb", "a\r\nb", "a\x00", "c"]) | TEXTS


@given(shown=FEW, stored=FEW, typed=FEW)
def test_merging_never_loses_words_that_were_not_seen(shown, stored, typed):
    """The stored text gives way only where it is the text that the person saw."""
    kept = merge(digest(shown), stored, typed)
    if kept is not None and clean(kept) != clean(stored):
        assert clean(stored) == clean(shown)
        assert kept == typed


@given(shown=FEW, stored=FEW, typed=FEW)
def test_merging_never_drops_a_change_in_silence(shown, stored, typed):
    """What was typed is kept, was there already, or the person is asked; unless they changed nothing."""
    kept = merge(digest(shown), stored, typed)
    if clean(typed) != clean(shown):
        assert kept is None or clean(kept) == clean(typed)


@given(based_on=FEW.map(digest) | st.just(""), text=FEW)
def test_equal_texts_never_clash(based_on, text):
    assert merge(based_on, text, text) == text


@given(shown=FEW, stored=FEW, typed=FEW)
def test_only_two_changes_of_one_text_clash(shown, stored, typed):
    clash = merge(digest(shown), stored, typed) is None
    assert clash == (len({clean(shown), clean(stored), clean(typed)}) == 3)


@given(shown=FEW, stored=FEW, typed=FEW)
def test_a_form_that_is_sent_twice_changes_nothing_more(shown, stored, typed):
    kept = merge(digest(shown), stored, typed)
    if kept is not None:
        assert merge(digest(shown), kept, typed) == kept


@given(stored=FEW, typed=FEW)
def test_a_form_that_does_not_say_what_it_was_based_on_replaces_nothing(stored, typed):
    assert merge("", stored, typed) in (stored, None)


# --- a form


@given(shown=TEXTS, now=TEXTS, typed=TEXTS)
def test_no_save_ever_loses_words_that_were_not_seen(shown, now, typed):
    """Whatever was shown, is stored and was typed: the stored text goes only if it is the text that was shown."""
    outcome = merge_form(STORY, plan(now), Submitted({"story": clean(typed)}, {"story": digest(shown)}))
    if isinstance(outcome, Accepted) and clean(outcome.document.story) != clean(now):
        assert clean(now) == clean(shown)
    if isinstance(outcome, Clash):
        assert outcome.values["story"] == clean(typed)


@given(now=TEXTS, typed=TEXTS)
def test_without_a_digest_only_an_equal_text_is_taken(now, typed):
    """A form that does not say what it was based on may not change anything."""
    outcome = merge_form(STORY, plan(now), Submitted({"story": clean(typed)}))
    assert isinstance(outcome, Clash) == (clean(typed) != clean(plan(now).story))


@given(shown=TEXTS, now=TEXTS, typed=TEXTS)
def test_a_choice_for_the_stored_text_keeps_it_whatever_was_typed(shown, now, typed):
    sent = Submitted({"story": clean(typed)}, {"story": digest(shown)}, {"story": "stored"})
    assert merge_form(STORY, plan(now), sent) == Accepted(plan(now))


def test_a_choice_that_was_not_made_is_asked_again_and_said_so():
    sent = Submitted({"story": "getypt"}, {"story": digest("er stond")}, {"story": ""})
    outcome = merge_form(STORY, plan("er stond"), sent)
    assert isinstance(outcome, Clash)
    assert outcome.unanswered


def test_a_part_may_be_of_any_document():
    """Nothing here knows plans: a form over a plain mapping merges by the same rule."""
    part = Part(("one", "two"), lambda there: there, lambda there, texts: {**there, **texts})
    sent = Submitted({"one": "mijn", "two": "oud"}, {"one": digest("oud"), "two": digest("oud")})
    assert merge_form(part, {"one": "oud", "two": "van een ander"}, sent) == Accepted(
        {"one": "mijn", "two": "van een ander"}
    )


@given(TEXTS)
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)


def test_line_ends_of_a_browser_are_the_line_ends_we_keep():
    assert clean("een\r\ntwee\rdrie") == "een\ntwee\ndrie"


@pytest.mark.parametrize(("length", "kind"), [(LONGEST, Accepted), (LONGEST + 1, Wrong)])
def test_a_text_may_be_long_but_not_endless(length, kind):
    sent = Submitted({"story": "a" * length}, {"story": digest("")})
    assert isinstance(merge_form(STORY, plan(""), sent), kind)
