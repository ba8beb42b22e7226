"""Two responses beside each other: the same questions, the largest differences first, and no verdict."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import answers_of
from mappers.comparing import as_much_changed, before_of, earlier_of, most_changed, previous_of
from questionnaires.model import Text
from tests.mappers.build import CATALOGUE, all_answered, response, values_for

NEL = CATALOGUE.instrument("nel")
VISIT = CATALOGUE.instrument("sdm-visit")


def answered(values, instrument="nel", **changes):
    return answers_of(response(instrument, values, **changes), CATALOGUE)


def test_the_largest_difference_comes_first_and_else_the_order_asked():
    before = answered(all_answered("nel", "3"))
    now = answered({**all_answered("nel", "3"), "nel-02": "4", "nel-01": "2", "nel-10": "5"})
    changes = most_changed(now, before)
    assert [(one.item.link_id, one.before.code, one.now.code, one.by) for one in changes] == [
        ("nel-10", "3", "5", 2),
        ("nel-01", "3", "2", 1),
        ("nel-02", "3", "4", 1),
    ]


def test_no_more_than_five_are_named():
    assert len(most_changed(answered(all_answered("nel", "5")), answered(all_answered("nel", "1")))) == 5


def test_not_applicable_is_no_difference_that_can_be_measured():
    offered = next(item.link_id for item in NEL.items if item.scale and item.scale.has_not_applicable)
    before, now = answered({offered: "na"}), answered({offered: "5"})
    assert most_changed(now, before) == ()
    assert before_of(NEL.item(offered), before) == "na"


def test_without_a_time_before_nothing_differs():
    assert most_changed(answered(all_answered("nel")), None) == ()


@given(values_for(NEL), values_for(NEL))
def test_a_difference_is_as_large_in_both_directions(one, other):
    there = {change.item.link_id: change.by for change in most_changed(answered(one), answered(other), most=99)}
    back = {change.item.link_id: change.by for change in most_changed(answered(other), answered(one), most=99)}
    assert there == back
    assert all(by > 0 for by in there.values())


@given(values_for(NEL))
def test_what_was_answered_the_same_is_never_named(values):
    assert most_changed(answered(values), answered(values)) == ()


def test_words_of_before_stand_beside_words_of_now():
    [item] = [one for one in VISIT.items if one.link_id == "sdm-visit-helps"]
    assert before_of(item, answered({"sdm-visit-helps": "Wandelen"}, "sdm-visit")) == "Wandelen"


def test_a_question_that_was_worded_otherwise_is_another_question():
    item = NEL.items[0]
    reworded = replace(item, text=Text("Iets anders", "Something else"))
    assert before_of(item, answered({item.link_id: "4"})) == "4"
    assert before_of(reworded, answered({item.link_id: "4"})) is None


@given(st.permutations(["2026-03-01", "2025-03-01", "2024-03-01"]))
def test_earlier_ones_are_of_the_same_questionnaire_newest_first(days):
    now = answered({}, authored="2026-05-01T10:00:00+02:00")
    others = [answered({}, authored=day) for day in days]
    other_questionnaire = answered({}, "hoop", authored="2026-04-01")
    later = answered({}, authored="2026-06-01")
    found = earlier_of(now, [*others, other_questionnaire, later])
    assert [one.response.authored for one in found] == ["2026-03-01", "2025-03-01", "2024-03-01"]
    assert previous_of(now, [later]) is None


def test_it_is_counted_how_many_differ_as_much_as_the_last_that_is_named():
    before, now = all_answered("nel", "1"), all_answered("nel", "2")
    assert as_much_changed(answered(now), answered(before)) == 35
    # Two that differ more are named first, and of the others three.
    now |= {"nel-07": "5", "nel-31": "4"}
    assert as_much_changed(answered(now), answered(before)) == 35
    five = {f"nel-{number:02}": "5" for number in range(1, 6)}
    assert as_much_changed(answered(before | five), answered(before)) == 0
    assert as_much_changed(answered(before | five | {"nel-06": "2"}), answered(before)) == 0
    assert as_much_changed(answered(now), None) == 0
