"""A score rule as a FHIRPath expression that every engine computes alike.

The form is "counted": only where, count, iif and arithmetic over coded answers, one nesting level, full precision. What
else was tried (ordinal, weight, sum, variables) computes in one form renderer and silently gives nothing, or something
else, in the next. A rule that rounds has no such expression.
"""

from __future__ import annotations

from questionnaires.model import AnswerScale, Instrument, ScoreRule


class NotExpressible(ValueError):  # noqa: N818  (it reads better where it is caught)
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


def calculated_expression(instrument: Instrument, rule: ScoreRule) -> str:
    """Return the FHIRPath of a rule's score, empty where there is none; NotExpressible where the rule rounds."""
    if rule.rounding is not None:
        raise NotExpressible(f"{rule.code} is rounded, and renderers round differently")
    scales = [scale for _, scale in _members(instrument, rule)]
    items = list(rule.items)
    counting = _answers(items, _codes(scales, numbered=True))
    total = _sum(instrument, rule)
    if any(scale.has_not_applicable for scale in scales):
        answered = _answers(items, _codes(scales, numbered=False))
        enough = f"{answered} >= {rule.minimum_answered} and {counting} >= 1"
    else:
        enough = f"{counting} >= {rule.minimum_answered}"
    times = f" * {len(items)}" if rule.aggregate == "mean-times-n" else ""
    score = total if rule.aggregate == "sum" else f"({total}){times} / {counting}"
    return f"iif({enough}, {score}, {{}})"
