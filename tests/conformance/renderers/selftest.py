"""Show that the harness can tell right from wrong, on a small form whose scores were worked out by hand.

The form as it is must give the hand-worked numbers in every engine; the same form with one score's reversed item
counted forwards must be reported, for that score and no other.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

from tests.conformance.renderers.cases import CALCULATED, Case, Form, form_of, response_of
from tests.conformance.renderers.compare import scores_agree
from tests.conformance.renderers.engines import Answer

DATA: Final = Path(__file__).parent / "data" / "self_test"
SPOILED: Final = "self-test-score-total"


def right() -> Form:
    """Return the form as it should be."""
    return form_of(json.loads((DATA / "questionnaire.json").read_text()))


def wrong() -> Form:
    """Return the form with the reversed item of the total counted forwards: 1 for answer 1, not 5."""
    questionnaire = copy.deepcopy(right().questionnaire)
    for item in (item for group in questionnaire["item"] for item in group["item"] if item["linkId"] == SPOILED):
        for extension in item["extension"]:
            if extension["url"] == CALCULATED:
                extension["valueExpression"]["expression"] = _forwards(extension["valueExpression"]["expression"])
    return form_of(questionnaire)


def _forwards(expression: str) -> str:
    answers = "%resource.item.item.where(linkId='self-test-03').answer.value.where(code='{code}').count()"
    for code in range(1, 6):
        reversed_term = f"{6 - code} * {answers.format(code=code)}"
        if reversed_term not in expression:
            raise ValueError(f"the self-test's form has no {reversed_term}: the wrong form would not be wrong")
        expression = expression.replace(reversed_term, f"{code} * {answers.format(code=code)}")
    return expression


def cases() -> list[Case]:
    """Return the hand-worked cases."""
    form = right()
    made = []
    for one in json.loads((DATA / "cases.json").read_text())["cases"]:
        before: Any = response_of(form, one["before"], one["name"]) if "before" in one else None
        made.append(Case(one["name"], response_of(form, one["values"], one["name"]), one["scores"], before))
    return made


def complaints(answer: Answer) -> list[str]:
    """Return what is wrong with the harness in front of an engine: nothing, if it reports exactly what it should."""
    hand_worked = cases()
    form = right()
    found = [
        f"{difference.case.name}, {difference.item}: {difference.expected} by hand, {difference.got} by the engine"
        for difference in scores_agree(form.scores, hand_worked, answer(form, hand_worked, False)[0]).differences
    ]
    spoiled = scores_agree(form.scores, hand_worked, answer(wrong(), hand_worked, False)[0]).differences
    # Answer 3 counts the same in both directions, so only cases with another answer to item 03 and a total can differ.
    should = {case.name for case in hand_worked if SPOILED in case.scores}
    reported = {(difference.case.name, difference.item) for difference in spoiled}
    if reported != {(name, SPOILED) for name in should}:
        found.append(f"the wrong expression should be reported for {sorted(should)}, but was for {sorted(reported)}")
    return found
