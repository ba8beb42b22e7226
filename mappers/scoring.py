"""Answers → scores, by the rules in the instruments' definitions (`questionnaires.model.ScoreRule`).

Unrounded scores are the plain IEEE double of S, S ÷ N or S × n ÷ N, in exactly that order of operations, because that
is what the FHIRPath engines of form renderers compute from the published Questionnaire. A whole number is an int, as it
is in those engines' JSON. Rounding rules work on exact fractions and round half away from zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Final, Literal

from questionnaires.model import Instrument, RoundingRule, ScoreRule, Text

Values = Mapping[str, str | bool]
Absent = Literal["", "unknown", "not-applicable"]


@dataclass(frozen=True, slots=True)
class Score:
    """What one rule makes of one set of answers.

    `value` is None if there is no score; then `reason` tells people why and `absent` says it as a code of FHIR's
    data-absent-reason. `answered` counts answers, "not applicable" included; `counted` those with a number.
    """

    rule: ScoreRule
    value: float | int | None
    answered: int
    counted: int
    absent: Absent = ""
    reason: Text | None = None


def score(instrument: Instrument, values: Values) -> tuple[Score, ...]:
    """Return one Score per rule of the instrument, alternatives included, in the definition's order.

    `values` are checked answers, linkId → code or boolean (`mappers.answers`); items that a rule does not name, such as
    yes/no items beside a scale, never count.
    """
    return tuple(score_by(instrument, rule, values) for rule in instrument.scores)


def score_by(instrument: Instrument, rule: ScoreRule, values: Values) -> Score:
    """Return the score by one rule."""
    answered = counted = total = 0
    for link_id, worth in numbers(instrument, rule).items():
        code = values.get(link_id)
        if isinstance(code, str):
            answered += 1
            number = worth[code]
            if number is not None:  # "not applicable" is an answer, and not a number
                counted += 1
                total += number
    return outcome(rule, answered, counted, total)


# Cached by the rule's code: a rule itself hashes slowly, with every text and fact in it.
@lru_cache(maxsize=256)
def _numbers(instrument: Instrument, code: str) -> dict[str, dict[str, int | None]]:
    rule = instrument.score(code)
    table: dict[str, dict[str, int | None]] = {}
    for link_id in rule.items:
        scale = instrument.item(link_id).scale
        if scale is None:  # the catalogue refuses such a definition
            raise TypeError(f"{link_id} has no answer scale, so {code} cannot count it")
        # lowest + highest − value turns a scale around; "not applicable" has no number to turn.
        ends = scale.low + scale.high
        flip = link_id in rule.reversed
        table[link_id] = {
            option.code: ends - option.value if flip and option.value is not None else option.value
            for option in scale.options
        }
    return table


def numbers(instrument: Instrument, rule: ScoreRule) -> Mapping[str, Mapping[str, int | None]]:
    """Return what each answer counts for, reversal included: linkId → code → number, None for "not applicable"."""
    return _numbers(instrument, rule.code)


def outcome(rule: ScoreRule, answered: int, counted: int, total: int) -> Score:
    """Return the score from how many items were answered, how many of them count, and their sum."""
    if answered < rule.minimum_answered:
        return Score(rule, None, answered, counted, "unknown", _too_few(rule, answered))
    # Everything asked was answered, only never with a number: that is not the same as unknown.
    if counted == 0:
        return Score(rule, None, answered, counted, "not-applicable", _NONE_APPLIES)
    return Score(rule, _value(rule, counted, total), answered, counted)


def _value(rule: ScoreRule, counted: int, total: int) -> float | int:
    if rule.rounding is not None:
        return _plain(_rounded(rule, rule.rounding, counted, total))
    if rule.aggregate == "sum":
        return total
    # Multiply first: dividing first would give another double for some totals.
    number = total / counted if rule.aggregate == "mean" else total * len(rule.items) / counted
    return int(number) if number.is_integer() else number


def _rounded(rule: ScoreRule, rounding: RoundingRule, counted: int, total: int) -> Fraction:
    # As RoundingRule says: the sum, scaled to all items, is rounded before it becomes a mean.
    times = len(rule.items)
    if rule.aggregate == "sum":
        exact, divisor = Fraction(total), 1
    else:
        exact, divisor = Fraction(total * times, counted), times if rule.aggregate == "mean" else 1
    if rounding.sum_decimals is not None:
        exact = half_away_from_zero(exact, rounding.sum_decimals)
    exact /= divisor
    return exact if rounding.decimals is None else half_away_from_zero(exact, rounding.decimals)


def half_away_from_zero(number: Fraction, decimals: int) -> Fraction:
    """Round an exact number: 54.5 becomes 55, where Python's own round() gives 54."""
    # ⌊x + ½⌋ of the absolute value in whole numbers, the sign put back afterwards: so -54.5 becomes -55.
    scale = 10**decimals
    scaled = abs(number) * scale
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(whole if number >= 0 else -whole, scale)


def _plain(number: Fraction) -> float | int:
    return number.numerator if number.denominator == 1 else float(number)


# --- why there is no score ----------------------------------------------------------------------------------------

_NEEDS_ALL: Final = Text(
    "{answered} van {items} vragen beantwoord; alle antwoorden zijn nodig.",
    "{answered} of {items} questions answered; all answers are needed.",
)
_NEEDS_SOME: Final = Text(
    "{answered} van {items} vragen beantwoord; minstens {least} zijn nodig.",
    "{answered} of {items} questions answered; at least {least} are needed.",
)
_NONE_APPLIES: Final = Text(
    "Op alle vragen is 'niet van toepassing' geantwoord.",
    "All questions were answered with 'not applicable'.",
)


def _too_few(rule: ScoreRule, answered: int) -> Text:
    items, least = len(rule.items), rule.minimum_answered
    return _with_numbers(_NEEDS_ALL if least == items else _NEEDS_SOME, answered=answered, items=items, least=least)


def _with_numbers(sentence: Text, **numbers: object) -> Text:
    return Text(sentence.nl.format_map(numbers), sentence.en.format_map(numbers))


def reason_of(words: str) -> Text | None:
    """Return why there is no score in both languages, from the words that a stored score has, in one of them.

    A record keeps the words of the language that the answers were sent in. None where they are not ours: then nobody
    but who wrote them can say them in another language.
    """
    for sentence, forms in _said():
        for form in forms:
            if (found := form.fullmatch(words)) is not None:
                return _with_numbers(sentence, **found.groupdict())
    return None


@cache
def _said() -> tuple[tuple[Text, tuple[re.Pattern[str], ...]], ...]:
    """Return each reason with what it looks like once its numbers are in it, in each language."""

    def form(sentence: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[0-9]{1,4})", re.escape(sentence)))

    return tuple((one, (form(one.nl), form(one.en))) for one in (_NEEDS_ALL, _NEEDS_SOME, _NONE_APPLIES))
