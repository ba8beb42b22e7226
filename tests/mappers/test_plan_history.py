"""Earlier versions of a text: which there were, who replaced them, and what of them is gone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mappers.plan.history import MOST_WORDS, Version, earlier, gone


def versions(*texts: str) -> list[Version]:
    """Return versions with these texts, the newest first, numbered as a server does."""
    count = len(texts)
    return [Version({"story": text}, f"2026-05-{count - at:02}", f"v{count - at}") for at, text in enumerate(texts)]


def told(*texts: str, whole: bool = True):
    return [
        (one.texts["story"], one.written.name if one.written else None, one.replaced.name)
        for one in earlier(versions(*texts), whole=whole)
    ]


def test_each_text_that_was_there_is_told_with_where_it_came_from_and_what_replaced_it():
    assert told("c", "b", "b", "a") == [("b", "v2", "v4"), ("a", "v1", "v2")]


def test_a_version_that_changed_something_else_is_no_earlier_version():
    assert told("a", "a", "a") == []
    assert told("a") == []
    assert told() == []


def test_the_text_of_now_and_an_empty_one_are_not_told():
    assert told("a", "", "a") == []
    assert told("", "a", "") == [("a", "v2", "v3")]


def test_a_text_that_came_back_and_went_again_is_told_once():
    assert told("c", "a", "b", "a") == [("a", "v3", "v4"), ("b", "v2", "v3")]


def test_where_a_text_came_from_is_not_guessed_when_older_versions_are_out_of_reach():
    assert told("b", "a", "a", whole=False) == [("a", None, "v3")]


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=12), st.data())
def test_in_two_parts_the_same_is_told_as_in_one(texts, data):
    """Only a text that came back may be told in both parts: the second does not know what the first told."""
    all_of_them = versions(*texts)
    at = data.draw(st.integers(1, len(texts) - 1))
    newer = earlier(all_of_them[:at], whole=False)
    older = earlier(all_of_them[at - 1 :], now=all_of_them[0].texts)
    whole = [(one.texts, one.replaced.name) for one in earlier(all_of_them)]
    both = [(one.texts, one.replaced.name) for one in (*newer, *older)]
    assert [one for one in both if one in whole] == whole
    assert {one["story"] for one, _name in both} == {one["story"] for one, _name in whole}


def test_words_that_are_gone_are_marked():
    assert gone("Ik woon in Zwolle,\nbij de brug.", "Ik woon bij de brug.") == (
        ("Ik woon", False),
        (" in Zwolle,", True),
        ("\nbij de brug.", False),
    )
    assert gone("zee", "") == (("zee", True),)


@given(st.text(), st.text())
def test_the_pieces_are_the_text(then, now):
    assert "".join(piece for piece, _gone in gone(then, now)) == then


@given(st.text())
def test_nothing_of_the_text_of_now_is_gone(text):
    assert not any(is_gone for _piece, is_gone in gone(text, text))


def test_a_very_long_text_is_given_without_marks():
    long = "zee " * (MOST_WORDS + 1)
    assert gone(long, "") == ((long, False),)
