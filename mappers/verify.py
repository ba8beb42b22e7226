"""Check stored scores against the answers they come from: compute them again and list what does not agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mappers.answers import Answers, answers_of
from mappers.errors import RefusedResponse, shown
from mappers.observations import (
    IDENTIFIER_SYSTEM,
    SCORE_SYSTEM,
    STATUS_OF_SCORES,
    names_in,
    names_of,
    rule_in,
    unversioned,
)
from mappers.scoring import score_by
from mappers.tolerant import code_in, object_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored score that its answers do not give. `found` and `expected` are phrases for people to read."""

    observation: str
    code: str
    found: str
    expected: str


def differences(resources: Iterable[Any], catalogue: Catalogue) -> tuple[list[Difference], int]:
    """Return every stored score that its response does not give, and the number of stored scores checked.

    `resources` are QuestionnaireResponses and Observations in any order; others are ignored. Checked are the value or
    its absence, the rule and its version where one is stated, the status and the client. Observations entered in error
    are skipped.
    """
    responses: dict[str, Resource] = {}
    observations: list[tuple[str, Resource]] = []
    for resource in resources:
        if not isinstance(resource, dict):
            continue
        if resource.get("resourceType") == "QuestionnaireResponse":
            responses |= dict.fromkeys(names_of(resource), resource)
        elif resource.get("resourceType") == "Observation":
            code = code_in(resource, "code", SCORE_SYSTEM)
            # `hasMember` marks a panel, which has no score of its own.
            if code and "hasMember" not in resource and resource.get("status") != "entered-in-error":
                observations.append((code, resource))
    found = [_difference(code, one, responses, catalogue) for code, one in observations]
    return [one for one in found if one is not None], len(observations)


def _response(observation: Resource, responses: dict[str, Resource]) -> Resource | None:
    names = (name for source in objects_in(observation, "derivedFrom") for name in names_in(source))
    return next((responses[name] for name in names if name in responses), None)


def _difference(code: str, one: Resource, responses: dict[str, Resource], catalogue: Catalogue) -> Difference | None:
    name = _name(code, one)
    response = _response(one, responses)
    if response is None:
        return Difference(name, code, "a score", "the response it was computed from is not in this file")
    try:
        answers = answers_of(response, catalogue)
    except RefusedResponse as refused:
        return Difference(name, code, "a score", f"no score: {refused}")
    for found, expected in _checks(code, one, answers):
        if found != expected:
            return Difference(name, code, found, expected)
    return None


def _name(code: str, one: Resource) -> str:
    """Return what people can find an Observation by: its id, else our identifier, else its code."""
    ours = (text_in(each, "value") for each in objects_in(one, "identifier") if each.get("system") == IDENTIFIER_SYSTEM)
    return f"Observation/{one['id']}" if text_in(one, "id") else next(ours, "") or code


def _checks(code: str, one: Resource, answers: Answers) -> Iterable[tuple[str, str]]:
    """Yield (what is stored, what it should be), the most serious first: only the first that differs is reported."""
    subject, client = object_in(one, "subject"), answers.response.subject
    same_client = unversioned(text_in(subject, "reference")) == unversioned(text_in(client, "reference"))
    yield ("" if same_client else "of another client", "")
    rules = {rule.code: rule for rule in answers.instrument.scores}
    yield (shown(code) if code not in rules else "", "" if code in rules else f"one of {', '.join(rules)}")
    # Only reached for a known code: the caller stops at the first pair that differs.
    rule = rules[code]
    # An Observation that was extracted by another program may say nothing of the rule: then the numbers tell.
    expected = f"{rule.code}@{rule.version}"
    yield (f"rule {rule_in(one) or expected}", f"rule {expected}")
    yield (_shown_value(_stored_value(one)), _shown_value(score_by(answers.instrument, rule, answers.values).value))
    status = STATUS_OF_SCORES.get(answers.response.status)
    yield (
        f"status {text_in(one, 'status')}",
        f"status {status}" if status else f"no score: the response is {answers.response.status}",
    )


def _stored_value(observation: Resource) -> Any:
    quantity = observation.get("valueQuantity")
    return quantity.get("value") if isinstance(quantity, dict) else observation.get("valueInteger")


def _shown_value(value: Any) -> str:
    """Return a number in one notation: servers may return 4 for the 4.0 they were sent."""
    if value is None:
        return "no score"
    return repr(float(value)) if isinstance(value, int | float) else "something that is not a number"
