"""Each rule gives the number that its definition promises, and no number where too little was answered."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.scoring import half_away_from_zero, reason_of, score, score_by
from questionnaires.model import RoundingRule, ScoreRule, Text
from tests.examples import examples
from tests.mappers.build import CATALOGUE, SCORED, all_answered, values_for


def scored(instrument_id, values):
    return {one.rule.scale: one.value for one in score(CATALOGUE.instrument(instrument_id), values)}


EXAMPLES = [
    pytest.param(one, example, id=f"{one.id}: {example.title}")
    for one in CATALOGUE.instruments.values()
    for example in one.examples
]


@pytest.mark.parametrize(("instrument", "example"), EXAMPLES)
def test_the_worked_examples_of_every_definition(instrument, example):
    """The sums stand beside the examples, in the definition."""
    assert {scale: scored(instrument.id, dict(example.answers))[scale] for scale, _ in example.scores} == dict(
        example.scores
    )


def test_hoop_counts_items_3_and_6_reversed():
    """All 1: ten ones and two fours = 18. All 4: ten fours and two ones = 42."""
    assert scored("hoop", all_answered("hoop", "1"))["total"] == 18
    assert scored("hoop", all_answered("hoop", "4"))["total"] == 42


def test_one_missing_answer_is_no_total():
    values = all_answered("hoop")
    del values["hoop-07"]
    (total, *_) = score(CATALOGUE.instrument("hoop"), values)
    assert (total.value, total.answered, total.absent) == (None, 11, "unknown")
    assert total.reason.get("nl") == "11 van 12 vragen beantwoord; alle antwoorden zijn nodig."
    assert total.reason.get("en") == "11 of 12 questions answered; all answers are needed."


def test_not_applicable_is_answered_but_does_not_count():
    """Forty items, two of them not applicable, the rest 4: 38 × 4 / 38 = 4."""
    values = all_answered("nel", "4") | {"nel-01": "na", "nel-02": "na"}
    (total, *_) = score(CATALOGUE.instrument("nel"), values)
    assert (total.value, total.answered, total.counted) == (4, 40, 38)


def test_a_scale_on_which_nothing_applies_says_so():
    values = all_answered("nel") | {f"nel-0{number}": "na" for number in range(1, 5)}
    help_score = next(
        one for one in score(CATALOGUE.instrument("nel"), values) if one.rule.scale == "professional-help"
    )
    assert (help_score.value, help_score.answered, help_score.absent) == (None, 4, "not-applicable")


def test_a_mean_keeps_full_precision():
    """Mansa, eleven answers: ten of 5 and one of 6 = 56; 56 / 11 as a double."""
    values = {f"mansa-{n:02}": "5" for n in (1, 2, 3, 4, 5, 6, 8, 12, 13, 14)} | {"mansa-15": "6"}
    assert scored("mansa", values)["mean"] == 56 / 11
    assert scored("mansa", values)["sum"] == 56 * 12 / 11


def test_yes_and_no_never_leak_into_the_mansa():
    values = {f"mansa-{n:02}": "2" for n in (1, 2, 3, 4, 5, 6, 8, 12, 13, 14, 15, 16)}
    with_yes = values | {f"mansa-{n:02}": True for n in (7, 9, 10, 11)}
    assert scored("mansa", with_yes) == scored("mansa", values)


def test_a_whole_score_is_an_integer_like_in_the_json_of_form_renderers():
    assert all(type(value) is int for value in scored("nel", all_answered("nel", "3")).values())


@pytest.mark.parametrize(
    ("exact", "decimals", "rounded"),
    [
        ("109/2", 0, 55),  # 54.5: Python's round() gives 54
        ("-109/2", 0, -55),
        ("1/200", 2, Fraction(1, 100)),  # 0.005
        ("4.4149", 2, Fraction(441, 100)),
        ("2.675", 2, Fraction(268, 100)),  # the double 2.675 is a little less than 2.675
        ("7", 1, 7),
    ],
)
def test_rounding_is_half_away_from_zero_on_exact_numbers(exact, decimals, rounded):
    assert half_away_from_zero(Fraction(exact), decimals) == rounded


@given(st.fractions(), st.integers(min_value=0, max_value=6))
def test_rounding_moves_a_number_by_at_most_half_a_step(number, decimals):
    assert abs(half_away_from_zero(number, decimals) - number) <= Fraction(1, 2 * 10**decimals)


def rule(aggregate, rounding=None):
    return ScoreRule(
        code="hoop-x",
        scale="x",
        title=Text("x", "x"),
        items=("hoop-01", "hoop-02", "hoop-04"),
        reversed=frozenset(),
        aggregate=aggregate,
        minimum_answered=2,
        rounding=rounding,
        low=1,
        high=4,
        version="1",
        default=True,
        published=False,
        method=Text("", ""),
        facts=(),
    )


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (rule("sum"), 5),
        (rule("mean"), 2.5),
        (rule("mean-times-n"), 7.5),
        (rule("mean-times-n", RoundingRule(decimals=0)), 8),  # 5 × 3 / 2 = 7.5
        (rule("mean", RoundingRule(sum_decimals=0, decimals=2)), 2.67),  # 8 / 3
        (rule("mean", RoundingRule(decimals=0)), 3),
        (rule("sum", RoundingRule(decimals=1)), 5),
    ],
)
def test_every_aggregate_and_rounding(made, value):
    """Answers 2 and 3, one missing: sum 5, two of three answered."""
    instrument = replace(CATALOGUE.instrument("hoop"), version="0.0.0", scores=(made,))
    assert score_by(instrument, made, {"hoop-01": "2", "hoop-04": "3"}).value == value


def test_a_stored_reason_is_read_in_both_languages_and_with_both_forms():
    some = Text(
        "9 van 12 vragen beantwoord; minstens 10 zijn nodig.", "9 of 12 questions answered; at least 10 are needed."
    )
    assert reason_of(some.nl) == reason_of(some.en) == some
    none = reason_of("Op alle vragen is 'niet van toepassing' geantwoord.")
    assert none
    assert none.en == "All questions were answered with 'not applicable'."


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Niet alle vragen zijn beantwoord: 11 van de 12.",
        "9 van 12 vragen beantwoord; alle antwoorden zijn nodig. Bel even.",
        "{answered} van {items} vragen beantwoord; alle antwoorden zijn nodig.",
        "99999 van 12 vragen beantwoord; alle antwoorden zijn nodig.",
    ],
)
def test_a_reason_in_other_words_is_nobodys_to_translate(words):
    assert reason_of(words) is None


@pytest.mark.parametrize("instrument", SCORED, ids=lambda one: one.id)
def test_scores_stay_in_their_range_and_never_appear_from_too_little(instrument):
    @examples(60)
    @given(values_for(instrument))
    def holds(values):
        for one in score(instrument, values):
            if one.value is None:
                assert one.reason is not None
                assert {reason_of(one.reason.nl), reason_of(one.reason.en)} == {one.reason}
                assert one.answered < one.rule.minimum_answered or one.counted == 0
            else:
                assert one.rule.low <= one.value <= one.rule.high
                assert one.answered >= one.rule.minimum_answered

    holds()


@pytest.mark.parametrize("instrument", SCORED, ids=lambda one: one.id)
def test_a_score_depends_on_its_own_items_only(instrument):
    @examples(30)
    @given(values_for(instrument))
    def holds(values):
        for whole in score(instrument, values):
            own = {link_id: value for link_id, value in values.items() if link_id in whole.rule.items}
            assert score_by(instrument, whole.rule, own) == whole

    holds()


def test_a_definition_without_answer_scale_is_a_mistake_of_ours_and_never_a_low_score():
    """The catalogue refuses it; one that is put together in code is not scored either, nor are its answers read."""
    mansa = CATALOGUE.instrument("mansa")
    rule = mansa.scores[0]
    bare = tuple(
        replace(group, items=tuple(replace(item, scale=None) for item in group.items)) for group in mansa.groups
    )
    broken = replace(mansa, groups=bare)
    with pytest.raises(TypeError, match="has no answer scale"):
        score_by(broken, rule, {})
