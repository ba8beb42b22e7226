"""A score rule as a FHIRPath expression that every engine computes the same way.

The form is "counted": only where, count, iif and arithmetic over coded answers, one nesting level, full precision. What
else was tried (ordinal, weight, sum, round, variables) computes in one form renderer and silently gives nothing, or
something else, in the next. Rounding is done in whole numbers: p ÷ q rounded half up is (2p + q) div 2q.
"""

from __future__ import annotations

from questionnaires.model import AnswerScale, Instrument, RoundingRule, ScoreRule


class NotExpressible(ValueError):
    """No expression gives this score in every renderer."""


def _answers(items: list[str], codes: list[str]) -> str:
    """Count the answers to these items that have one of these codes."""
    asked = " or ".join(f"linkId='{link_id}'" for link_id in items)
    given = " or ".join(f"code='{code}'" for code in codes)
    return f"%resource.item.item.where({asked}).answer.value.where({given}).count()"


def _worth(scale: AnswerScale, value: int, flip: bool) -> int:
    return scale.low + scale.high - value if flip else value


def _sum(instrument: Instrument, rule: ScoreRule) -> str:
    """Add, for each scale and direction and each answer, its number × how often it was given."""
    # One term serves all items that share scale and direction, and an answer worth 0 needs none: this gets long enough.
    kinds: dict[tuple[AnswerScale, bool], list[str]] = {}
    for link_id, scale in _members(instrument, rule):
        kinds.setdefault((scale, link_id in rule.reversed), []).append(link_id)
    terms = [
        f"{worth} * {_answers(items, [option.code])}"
        for (scale, flip), items in kinds.items()
        for option in scale.options
        if option.value is not None and (worth := _worth(scale, option.value, flip)) != 0
    ]
    return " + ".join(terms)


def _members(instrument: Instrument, rule: ScoreRule) -> list[tuple[str, AnswerScale]]:
    return [(link_id, scale) for link_id in rule.items if (scale := instrument.item(link_id).scale) is not None]


def _codes(scales: list[AnswerScale], *, numbered: bool) -> list[str]:
    """Return the codes that these scales offer, with or without "not applicable"."""
    codes = [option.code for scale in scales for option in scale.options if option.value is not None or not numbered]
    return list(dict.fromkeys(codes))


def _rounded_half_up(top: str, bottom: str, decimals: int) -> str:
    """Round top ÷ bottom, both whole numbers; the result is in units of the last decimal."""
    return f"({2 * 10**decimals} * ({top}) + {bottom}) div (2 * {bottom})"


def _rounded(rule: ScoreRule, rounding: RoundingRule, total: str, counting: str) -> str:
    """Return the score as a whole number, divided last by a power of ten where the rule keeps decimals."""
    # The same two steps as `mappers.scoring`, which has exact fractions where this has whole numbers only.
    count = len(rule.items)
    top, bottom, unit = total, counting, 1
    if rule.aggregate == "sum":
        bottom = "1"
    elif rule.aggregate == "mean-times-n" or rounding.sum_decimals is not None:
        top = f"({total}) * {count}"
    if rounding.sum_decimals is not None:
        unit = 10**rounding.sum_decimals
        top = _rounded_half_up(top, bottom, rounding.sum_decimals)
        bottom = str(unit * count if rule.aggregate == "mean" else unit)
    if rounding.decimals is None:
        return f"({top}) / {bottom}"
    unit = 10**rounding.decimals
    top = _rounded_half_up(top, bottom, rounding.decimals)
    return top if unit == 1 else f"({top}) / {unit}"


def calculated_expression(instrument: Instrument, rule: ScoreRule) -> str:
    """Return the FHIRPath of a rule's score, which gives {} where there is no score.

    Raises NotExpressible for a rule that rounds and can be below zero.
    """
    if rule.rounding is not None and rule.low < 0:
        raise NotExpressible(f"{rule.code} rounds and can be below zero, where half up is not half away from zero")
    scales = [scale for _, scale in _members(instrument, rule)]
    items = list(rule.items)
    counting = _answers(items, _codes(scales, numbered=True))
    total = _sum(instrument, rule)
    if any(scale.has_not_applicable for scale in scales):
        # Enough answers may still hold no number at all: the second condition keeps that from dividing by 0.
        answered = _answers(items, _codes(scales, numbered=False))
        enough = f"{answered} >= {rule.minimum_answered} and {counting} >= 1"
    else:
        enough = f"{counting} >= {rule.minimum_answered}"
    times = f" * {len(items)}" if rule.aggregate == "mean-times-n" else ""
    if rule.rounding is not None:
        score = _rounded(rule, rule.rounding, total, counting)
    else:
        score = total if rule.aggregate == "sum" else f"({total}){times} / {counting}"
    return f"iif({enough}, {score}, {{}})"
