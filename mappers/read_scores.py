"""The scores that a record holds, as they are read: those that are stored, and those that only answers give.

A response that another program saved has no scores of ours, so they are computed when it is read, by the same rules; to
store them is for whoever may (`unstored`). A score that another program extracted counts as ours if it says by which
rule it was made, or if its answers give the same number. Where its answers give another number it is left as a score by
a rule that we do not know, and what the answers give stands beside it. So is one of ours whose answers another program
changed. Of a response that was entered in error no score counts.

Scores are a part of the record of their own: those with origin "answers" are not for whoever may not see that part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from mappers.answers import Answers, answers_of, is_finished
from mappers.errors import RefusedResponse
from mappers.observations import (
    SCORE_SYSTEM,
    STATUS_OF_SCORES,
    ScorePoint,
    moment_of,
    names_in,
    names_of,
    scores_from,
)
from mappers.scoring import Score, score, score_by
from mappers.tolerant import code_in, objects_in, text_in
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import ScoreRule

_CUT_OFF: Final = 0.005
"""One other answer makes more of a difference in any score."""

Origin = Literal["stored", "elsewhere", "answers"]
"""A score is stored by us, stored by another program, or only in the answers."""


@dataclass(frozen=True, slots=True)
class ReadScore:
    """One score, where it comes from, and its answers; None if they are not at hand or cannot be read."""

    point: ScorePoint
    origin: Origin
    answers: Answers | None


def read_scores(observations: Iterable[Any], responses: Iterable[Any], catalogue: Catalogue) -> list[ReadScore]:
    """Return every score in these resources, the oldest first. Drafts and responses entered in error give none."""
    observations, responses = list(observations), list(responses)
    given = _given(responses, catalogue)
    stored = _stored(observations, given, _taken_back(responses))
    there = _there(observations, stored)
    computed = [
        ReadScore(_point(answers, one), "answers", answers)
        for _response, answers in given
        for one in score(answers.instrument, answers.values)
        if not _is_there(answers, one.rule, there)
    ]
    return sorted((*stored, *computed), key=lambda one: (moment_of(one.point.date), one.point.code))


def unstored(
    observations: Iterable[Any], responses: Iterable[Any], catalogue: Catalogue
) -> list[tuple[Resource, Answers]]:
    """Return the finished responses of which no score is stored, with their answers.

    One of ours that its answers no longer give is stored too: a second one beside it would help nobody.
    """
    observations, responses = list(observations), list(responses)
    given = _given(responses, catalogue)
    stored = _stored(observations, given, _taken_back(responses))
    ours = {(name, one.point.code) for one in stored if one.point.ours for name in one.point.sources}
    there = _there(observations, stored) | ours
    return [
        (response, answers)
        for response, answers in given
        if answers.instrument.scores and not any(_is_there(answers, rule, there) for rule in answers.instrument.scores)
    ]


_There = frozenset[tuple[str, str]]
"""What is stored: the name of a response (`names_of`), and the code of a score of it."""


def _given(responses: Iterable[Any], catalogue: Catalogue) -> list[tuple[Resource, Answers]]:
    found = []
    for response in responses:
        try:
            answers = answers_of(response, catalogue)
        except RefusedResponse:
            continue
        if is_finished(response):
            found.append((response, answers))
    return found


def _taken_back(responses: Iterable[Any]) -> frozenset[str]:
    """Return the names of responses that were entered in error; their scores may not say so."""
    return frozenset(
        name for one in responses if text_in(one, "status") == "entered-in-error" for name in names_of(one)
    )


def _stored(
    observations: list[Any], given: Iterable[tuple[Resource, Answers]], taken_back: frozenset[str]
) -> list[ReadScore]:
    """Return the stored scores, without what another program extracted of a score that is stored already."""
    at_hand = {name: answers for response, answers in given for name in names_of(response)}
    found: list[ReadScore] = []
    seen: set[tuple[object, ...]] = set()
    # Ours first, for what we stored says more than a copy of it. Of ours, each is shown.
    for point in sorted(scores_from(observations), key=lambda one: not one.ours):
        if not taken_back.isdisjoint(point.sources):
            continue
        one = _as_stored(point, at_hand)
        key = (_name(one), one.point.code, one.point.rule_version, one.point.value)
        if point.ours or key not in seen:
            found.append(one)
        seen.add(key)
    return found


def _name(one: ReadScore) -> object:
    """Return what tells of which response a score is, however its Observation calls that."""
    about = one.answers.response if one.answers else None
    return (about.reference, about.identifier) if about else (one.point.sources or one.point.id)


def _there(observations: Iterable[Any], stored: Iterable[ReadScore]) -> _There:
    """Return the scores that need not be computed; a number that its answers do not give is none."""
    # Those entered in error count: whoever took a score back does not want it to come back.
    taken_back = {
        (name, code_in(one, "code", SCORE_SYSTEM))
        for one in observations
        if text_in(one, "status") == "entered-in-error"
        for source in objects_in(one, "derivedFrom")
        for name in names_in(source)
    }
    return frozenset(taken_back) | {
        (name, one.point.code) for one in stored if one.point.rule_version for name in one.point.sources
    }


def _is_there(answers: Answers, rule: ScoreRule, there: _There) -> bool:
    return any((name, rule.code) in there for name in _names(answers))


def _names(answers: Answers) -> list[str]:
    about = answers.response
    return [*filter(None, [about.reference]), *([f"identifier {about.identifier}"] if about.identifier else [])]


def _as_stored(point: ScorePoint, at_hand: Mapping[str, Answers]) -> ReadScore:
    answers = next((at_hand[name] for name in point.sources if name in at_hand), None)
    origin: Origin = "stored" if point.ours else "elsewhere"
    rule = next((rule for rule in answers.instrument.scores if rule.code == point.code), None) if answers else None
    if answers is None or rule is None or point.rule_version not in ("", rule.version):
        return ReadScore(point, origin, answers)
    if point.ours and point.value is not None and not rule.low <= point.value <= rule.high:
        return ReadScore(point, origin, answers)  # it is told as a number that cannot be
    same = is_given_by(answers, rule, point.value)
    return ReadScore(replace(point, rule_version=rule.version if same else ""), origin, answers)


def is_given_by(answers: Answers, rule: ScoreRule, value: float | None) -> bool:
    """Tell whether a number, or that there is none, is what answers give; a server may have cut off its decimals."""
    expected = score_by(answers.instrument, rule, answers.values).value
    return value == expected or (value is not None and expected is not None and abs(value - expected) < _CUT_OFF)


def _point(answers: Answers, one: Score) -> ScorePoint:
    about = answers.response
    return ScorePoint(
        code=one.rule.code,
        value=one.value,
        reason=one.reason.get(about.language) if one.reason else "",
        date=about.authored,
        response_reference=about.reference,
        rule_version=one.rule.version,
        status=STATUS_OF_SCORES[about.status],
        id="",
        ours=False,
        sources=tuple(_names(answers)),
    )
