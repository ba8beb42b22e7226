"""Whole cases: a response and exactly the Observations that it gives; each README shows the sums."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from mappers.answers import answers_of
from mappers.observations import observations_of
from mappers.scoring import score
from tests.mappers.build import CATALOGUE

CASES = sorted(path.parent for path in (Path(__file__).parents[1] / "data").glob("*/observations.json"))


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_response_gives_exactly_these_observations(case):
    answers = answers_of(read(case / "response.json"), CATALOGUE)
    assert observations_of(answers, score(answers.instrument, answers.values)) == read(case / "observations.json")


def test_both_sides_are_valid_r4(case):
    QuestionnaireResponse.model_validate(read(case / "response.json"))
    for observation in read(case / "observations.json"):
        Observation.model_validate(observation)


def test_every_value_stands_in_the_readme(case):
    readme = (case / "README.md").read_text(encoding="utf-8")
    for observation in read(case / "observations.json")[1:]:
        value = observation.get("valueQuantity", {}).get("value", "no score")
        assert f"| {value} |" in readme


def test_there_are_cases():
    assert len(CASES) >= 4
