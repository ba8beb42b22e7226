"""Made-up responses to a published Questionnaire, and what `mappers` makes of them: the numbers to be agreed on.

Responses are built from the published JSON alone, as a form engine would, so that the mappers meet them as they
come from outside. Everything follows from a seed: the same instrument gives the same cases.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

from mappers.answers import answers_of
from mappers.observations import observations_of
from mappers.scoring import Score, numbers, score
from questionnaires.catalogue import Catalogue
from questionnaires.fhir import Resource
from questionnaires.model import Instrument, ScoreRule

Number = int | float
Values = dict[str, str | bool]

CALCULATED: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
NOT_APPLICABLE: Final = "na"
AUTHORED: Final = "2026-05-04T10:00:00+02:00"
CHOSEN_TEXT: Final = "Meer rust, en 's avonds bellen met mijn zus."
CLIENT: Final = {"reference": "Patient/one", "display": "Sam de Vries"}


@dataclass(frozen=True, slots=True)
class Case:
    """One response and the scores it should give, by the linkId of the score item; no entry means: no score.

    An amended response comes with the response `before` it and the scores that one gave.
    """

    name: str
    response: Resource
    scores: Mapping[str, Number]
    before: Resource | None = None
    earlier: Mapping[str, Number] = field(default_factory=dict)
    observations: tuple[Resource, ...] = ()
    whole: bool = False
    """The engine's own response is asked for too; of the many that are only compared it is not."""

    def job(self) -> Resource:
        """Return what a driver needs to know."""
        asked: Resource = {"name": self.name, "response": self.response, "whole": self.whole}
        return {**asked, "before": self.before} if self.before else asked


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a published form: its group, kind and words, and its answers as Codings."""

    group: str
    link_id: str
    kind: str
    text: str
    codings: tuple[Resource, ...]

    @property
    def numbered(self) -> tuple[str, ...]:
        """Return the codes that count."""
        return tuple(coding["code"] for coding in self.codings if coding["code"] != NOT_APPLICABLE)

    @property
    def has_not_applicable(self) -> bool:
        """Tell whether "not applicable" is one of the answers."""
        return len(self.numbered) < len(self.codings)

    def words(self, code: str) -> str:
        """Return what the option with this code says."""
        return str(next(coding["display"] for coding in self.codings if coding["code"] == code))

    def answer(self, value: str | bool) -> Resource:
        """Return an answer of the response: the option's Coding, a boolean or a text."""
        if isinstance(value, bool):
            return {"valueBoolean": value}
        if self.kind != "choice":
            return {"valueString": value}
        coding = next(coding for coding in self.codings if coding["code"] == value)
        return {"valueCoding": {key: coding[key] for key in ("system", "code", "display") if key in coding}}


@dataclass(frozen=True, slots=True)
class Form:
    """A published Questionnaire, read for its questions and its score items (linkId → code of the score)."""

    questionnaire: Resource
    questions: tuple[Question, ...]
    scores: Mapping[str, str]

    @property
    def id(self) -> str:
        """Return the instrument's id."""
        return str(self.questionnaire["id"])


def form_of(questionnaire: Resource) -> Form:
    """Read a Questionnaire with questions in groups, one level deep."""
    questions: list[Question] = []
    scores: dict[str, str] = {}
    for group in questionnaire["item"]:
        for item in group.get("item", []):
            if any(extension["url"] == CALCULATED for extension in item.get("extension", [])):
                scores[item["linkId"]] = item["code"][0]["code"]
            elif item["type"] != "display":
                codings = tuple(option["valueCoding"] for option in item.get("answerOption", []))
                # The structure alone has no words.
                words = item.get("text", "")
                questions.append(Question(group["linkId"], item["linkId"], item["type"], words, codings))
    return Form(questionnaire, tuple(questions), scores)


def response_of(form: Form, values: Mapping[str, str | bool], name: str, status: str = "completed") -> Resource:
    """Return the QuestionnaireResponse with these answers; groups without answers are left out."""
    groups: dict[str, list[Resource]] = {}
    for question in form.questions:
        if question.link_id in values:
            answer = question.answer(values[question.link_id])
            groups.setdefault(question.group, []).append({"linkId": question.link_id, "answer": [answer]})
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": name.replace(" ", "-"),
        "questionnaire": f"{form.questionnaire['url']}|{form.questionnaire['version']}",
        "status": status,
        "subject": CLIENT,
        "authored": AUTHORED,
    }
    items = [{"linkId": group, "item": answered} for group, answered in groups.items()]
    return {**response, "item": items} if items else response


def wordless(case: Case, form: Form) -> Case:
    """Return the same answers as codes alone, to the structure of the form: who has no words can send none."""
    canonical = f"{form.questionnaire['url']}|{form.questionnaire['version']}"

    def sent(response: Resource | None) -> Resource | None:
        return response and {**_without_display(response), "questionnaire": canonical}

    return replace(case, response=sent(case.response) or {}, before=sent(case.before))


def _without_display(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_display(part) for name, part in value.items() if name != "display"}
    return [_without_display(part) for part in value] if isinstance(value, list) else value


# --- made-up answers ----------------------------------------------------------------------------------------------

Maker = Callable[[Form, random.Random], Values]


def _value(question: Question, choose: random.Random) -> str | bool:
    if question.kind == "boolean":
        return choose.random() < 0.5
    return choose.choice(question.numbered) if question.kind == "choice" else CHOSEN_TEXT


def _complete(form: Form, choose: random.Random) -> Values:
    return {question.link_id: _value(question, choose) for question in form.questions}


def _with_missing(share: float) -> Maker:
    def make(form: Form, choose: random.Random) -> Values:
        return {link_id: value for link_id, value in _complete(form, choose).items() if choose.random() >= share}

    return make


def _one_missing(form: Form, choose: random.Random) -> Values:
    values = _complete(form, choose)
    del values[choose.choice(list(values))]
    return values


def _some_not_applicable(form: Form, choose: random.Random) -> Values:
    share = choose.choice((0.2, 0.6, 1.0))
    return {
        link_id: NOT_APPLICABLE if question.has_not_applicable and choose.random() < share else value
        for question, (link_id, value) in zip(form.questions, _complete(form, choose).items(), strict=True)
    }


def _not_applicable_and_missing(form: Form, choose: random.Random) -> Values:
    values = _some_not_applicable(form, choose)
    return {link_id: value for link_id, value in values.items() if choose.random() >= 0.1}


def _exactly(count: int) -> Maker:
    """Answer exactly `count` of the questions with numbers: around the least number that gives a score."""

    def make(form: Form, choose: random.Random) -> Values:
        numbered = [question for question in form.questions if question.kind == "choice"]
        chosen = choose.sample(numbered, min(count, len(numbered)))
        return {question.link_id: _value(question, choose) for question in chosen}

    return make


def _extreme(index: int) -> Maker:
    def make(form: Form, _choose: random.Random) -> Values:
        return {question.link_id: question.numbered[index] for question in form.questions if question.kind == "choice"}

    return make


ONCE: Final[Mapping[str, Maker]] = {
    "nothing answered": lambda _form, _choose: {},
    "lowest answers": _extreme(0),
    "highest answers": _extreme(-1),
}
IN_TURN: Final[Mapping[str, Maker]] = {
    "all answered": _complete,
    "one missing": _one_missing,
    "few missing": _with_missing(0.08),
    "some missing": _with_missing(0.3),
    "most missing": _with_missing(0.85),
    "not applicable": _some_not_applicable,
    "not applicable and missing": _not_applicable_and_missing,
}
# What an amended response was before, and is after: another score, a score withdrawn, a score gained.
AMENDED: Final[tuple[tuple[Maker, Maker], ...]] = (
    (_complete, _complete),
    (_complete, _with_missing(0.6)),
    (_with_missing(0.6), _complete),
    (_some_not_applicable, _with_missing(0.05)),
)


def _made(form: Form, least: int, count: int, seed: str) -> Iterator[tuple[str, Values, Values | None]]:
    choose = random.Random(f"{form.id} {seed}")
    for kind, make in ONCE.items():
        yield kind, make(form, choose), None
    turns = {**IN_TURN, f"exactly {least}": _exactly(least), f"exactly {least - 1}": _exactly(least - 1)}
    for number in range(len(ONCE), count):
        kind = (*turns, "amended")[number % (len(turns) + 1)]
        if kind == "amended":
            before, after = choose.choice(AMENDED)
            yield f"{kind} {number}", after(form, choose), before(form, choose)
        else:
            yield f"{kind} {number}", turns[kind](form, choose), None


def made_values(form: Form, kind: str, seed: str) -> Values:
    """Return made-up answers of one of the kinds of `IN_TURN`."""
    return IN_TURN[kind](form, random.Random(f"{form.id} {kind} {seed}"))


def _around_halves(instrument: Instrument, rule: ScoreRule) -> Iterator[tuple[str, Values]]:
    """Yield answers for every sum on which the rule has a half to round, and for the sums beside it.

    A rounded score depends on the sum and the number of answers only, and nothing but a half rounds two ways.
    """
    codes = {
        link_id: {number: code for code, number in worth.items() if number is not None}
        for link_id, worth in numbers(instrument, rule).items()
    }
    for answered in range(rule.minimum_answered, len(codes) + 1):
        items = list(codes.items())[:answered]
        lowest, highest = (sum(end(worth) for _, worth in items) for end in (min, max))
        for total in range(lowest, highest + 1):
            if any(_has_half(rule, answered, total + beside) for beside in (-1, 0, 1)):
                left, values = total - lowest, {}
                for link_id, worth in items:
                    step = min(left, max(worth) - min(worth))
                    values[link_id] = worth[min(worth) + step]
                    left -= step
                yield f"sum {total} of {answered} by {rule.code}", dict(values)


def _has_half(rule: ScoreRule, answered: int, total: int) -> bool:
    """Tell whether the first rounding of a rule meets a number exactly between two others."""
    decimals = (rule.rounding.sum_decimals, rule.rounding.decimals) if rule.rounding else (None, None)
    first = next((one for one in decimals if one is not None), None)
    if first is None:
        return False
    as_mean = rule.aggregate == "mean" and decimals[0] is None
    exact = Fraction(total, 1 if rule.aggregate == "sum" else answered) * (1 if as_mean else len(rule.items))
    return bool((exact * 10**first).denominator == 2)


def _all(form: Form, instrument: Instrument, count: int, seed: str) -> Iterator[tuple[str, Values, Values | None]]:
    published = [rule for rule in instrument.scores if rule.published]
    yield from _made(form, min(rule.minimum_answered for rule in published), count, seed)
    seen = set()
    for rule in published:
        # Rules over the same items with the same minimum meet the same halves.
        if rule.rounding is not None and (rule.items, rule.minimum_answered) not in seen:
            seen.add((rule.items, rule.minimum_answered))
            for name, values in _around_halves(instrument, rule):
                yield name, values, None


def cases_of(form: Form, catalogue: Catalogue, count: int, seed: str = "1") -> list[Case]:
    """Return `count` made-up cases for a form with scores, and the halves that its rules round.

    Each case has the scores and Observations that `mappers` makes of it.
    """
    instrument = catalogue.instruments[form.id]
    published = {rule.code for rule in instrument.scores if rule.published}
    if set(form.scores.values()) != published:
        raise ValueError(
            f"{form.id}: the form computes {sorted(form.scores.values())}, the rules say {sorted(published)}"
        )
    cases = []
    for name, values, former in _all(form, instrument, count, seed):
        response = response_of(form, values, name, "completed" if former is None else "amended")
        before = None if former is None else response_of(form, former, name)
        cases.append(
            Case(
                name=name,
                response=response,
                scores=expected_scores(form, response, catalogue),
                before=before,
                earlier=expected_scores(form, before, catalogue) if before else {},
                observations=_observations(form, response, catalogue),
            )
        )
    return cases


def _scored(response: Resource, catalogue: Catalogue) -> tuple[Score, ...]:
    answers = answers_of(response, catalogue)
    return score(answers.instrument, answers.values)


def expected_scores(form: Form, response: Resource, catalogue: Catalogue) -> dict[str, Number]:
    """Return what `mappers` makes of a response, by the linkId of the score item; no entry means: no score."""
    values = {one.rule.code: one.value for one in _scored(response, catalogue)}
    return {link_id: value for link_id, code in form.scores.items() if (value := values[code]) is not None}


def _observations(form: Form, response: Resource, catalogue: Catalogue) -> tuple[Resource, ...]:
    """Return our Observations of the scores that are in the form (the panel is not a form's to make)."""
    published = [one for one in _scored(response, catalogue) if one.rule.code in form.scores.values()]
    _panel, *made = observations_of(answers_of(response, catalogue), published)
    return tuple(made)
