"""The parts of the harness that need no browser and no node: making cases, comparing, reporting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mappers.observations import RULE_SYSTEM
from questionnaires.catalogue import catalogue
from questionnaires.publish import questionnaire
from tests.conformance.renderers import kept, report, run, selftest
from tests.conformance.renderers.cases import Case, Form, cases_of, form_of, wordless
from tests.conformance.renderers.compare import (
    WITHDRAWN,
    Tally,
    coded_value,
    observations_agree,
    observations_in,
    same,
    scores_agree,
)
from tests.conformance.renderers.engines import MEDPLUM
from tests.conformance.rows import said
from tests.new_form import garden

FORMS = run.scored_forms(run.PUBLISHED)
GARDEN = form_of(questionnaire(garden()))
RESPONSE = {"resourceType": "QuestionnaireResponse"}


def case(**scores: float) -> Case:
    return Case("one", RESPONSE, scores)


def result(**scores: object) -> list[dict[str, object]]:
    return [{"name": "one", "scores": scores}]


@pytest.mark.parametrize(
    ("expected", "got"),
    [(4, 4), (4, 4.0), (2.6666666666666665, 8 / 3), (0, 0), (None, None)],
)
def test_equal_numbers_and_two_times_no_score_are_the_same(expected: object, got: object) -> None:
    assert same(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (4, 5),
        (2.67, 8 / 3),
        (None, 0),
        (0, None),
        (1, True),
        (4, "4"),
        (4, float("nan")),
        (2.6666666666666665, 2.666666),
    ],
)
def test_anything_else_is_a_difference(expected: object, got: object) -> None:
    assert not same(expected, got)


def test_each_score_item_of_each_case_is_compared() -> None:
    tally = scores_agree(["a", "b"], [case(a=1)], result(a=1))
    assert (tally.compared, tally.scores, tally.agreed, tally.differences) == (2, 1, 2, [])


def test_answers_to_a_structure_are_the_same_codes_without_words() -> None:
    structure = run.scored_forms(run.STRUCTURES)["hoop"]
    for one in cases_of(FORMS["hoop"], catalogue(), 20):
        bare = wordless(one, structure)
        assert bare.response["questionnaire"] == "https://verstel.nl/fhir/Questionnaire/hoop-structure|1.0.0"
        assert "display" not in json.dumps([bare.response, bare.before])
        assert (bare.scores, bare.earlier) == (one.scores, one.earlier)
        assert json.dumps(bare.response).count('"code"') == json.dumps(one.response).count('"code"')
        assert (bare.before is None) == (one.before is None)


def test_a_score_that_should_not_be_there_is_a_difference() -> None:
    tally = scores_agree(["a", "b"], [case(a=1)], result(a=1, b=0))
    assert [(one.item, one.expected, one.got) for one in tally.differences] == [("b", None, 0)]


def test_a_case_that_made_the_engine_fail_is_a_difference_even_where_no_score_is_expected() -> None:
    tally = scores_agree(["a"], [case()], [{"name": "one", "error": "no such function"}])
    assert [one.got for one in tally.differences] == ["no such function"]


def test_results_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="answered two where one was asked"):
        scores_agree(["a"], [case()], [{"name": "two", "scores": {}}])


def test_fewer_results_than_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        scores_agree(["a"], [case()], [])


@pytest.mark.parametrize(
    ("limits", "got", "known", "differences"),
    [
        (frozenset({WITHDRAWN}), 7, 1, 0),
        (frozenset({WITHDRAWN}), 8, 0, 1),  # neither no score nor the earlier one
        (frozenset(), 7, 0, 1),  # an engine without that limit
    ],
)
def test_a_known_limit_covers_exactly_the_earlier_score(
    limits: frozenset[str], got: int, known: int, differences: int
) -> None:
    amended = Case("one", RESPONSE, {}, before=RESPONSE, earlier={"a": 7})
    tally = scores_agree(["a"], [amended], result(a=got), limits)
    assert (tally.known, len(tally.differences)) == (known, differences)


@pytest.mark.parametrize(("got", "complaints"), [({"a": 7}, 0), ({}, 1)])
def test_a_known_limit_that_no_longer_shows_is_a_complaint(got: dict[str, int], complaints: int) -> None:
    amended = Case("one", RESPONSE, {}, before=RESPONSE, earlier={"a": 7})
    limits = frozenset({WITHDRAWN})
    outcome = run.Outcome(scores={"hoop": scores_agree(["a"], [amended], result(**got), limits)})
    assert len(run._past_limits(MEDPLUM, limits, outcome)) == complaints


def observation(code: str, value: float | None, unit: str = "{score}") -> dict[str, object]:
    quantity = {} if value is None else {"value": value}
    return {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "s", "code": code}]},
        "valueQuantity": {**quantity, "system": "u", "code": unit},
    }


ABSENT = {"resourceType": "Observation", "code": {"coding": [{"system": "s", "code": "b"}]}, "dataAbsentReason": {}}


@pytest.mark.parametrize(
    ("extracted", "agrees"),
    [
        ([observation("a", 4.0)], True),
        ([{"resourceType": "Bundle", "entry": [{"resource": observation("a", 4)}]}], True),
        ([], False),
        ([observation("a", 5)], False),
        ([observation("a", 4, unit="1")], False),
        ([{**observation("a", 4), "method": {"coding": [{"system": RULE_SYSTEM, "code": "a@2"}]}}], False),
        ([observation("a", 4), observation("a", 4)], False),  # the same score twice
        ([observation("a", 4), observation("b", None)], False),  # an Observation where there is no score
    ],
)
def test_extracted_observations_have_our_codes_numbers_units_and_rules(extracted: list[object], agrees: bool) -> None:
    ours = Case("one", RESPONSE, {}, observations=(observation("a", 4), ABSENT))
    assert (not observations_agree([ours], [{"name": "one", "extracted": extracted}]).differences) is agrees


def test_an_observation_without_value_shows_as_such() -> None:
    assert coded_value(observation("a", None)) == ("s#a", "None", "u#{score}", "")


def test_observations_are_found_in_bundles_in_lists() -> None:
    nested = [{"resourceType": "Bundle", "entry": [{"resource": ABSENT}, {"resource": {"resourceType": "Patient"}}]}]
    assert observations_in(nested) == [ABSENT]


# --- cases ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_made_up_cases_hold_every_kind_of_response(form: Form) -> None:
    """Complete, partly and not answered; amended with a score lost, gained and changed; and all of it reproducible."""
    cases = cases_of(form, catalogue(), 200)
    assert len(cases) == len({one.name for one in cases}) >= 200
    assert any(not one.response.get("item") for one in cases)
    assert any(len(one.scores) == len(form.scores) for one in cases)
    amended = [one for one in cases if one.before]
    assert all(one.response["status"] == "amended" for one in amended)
    for change in ("lost", "gained", "changed"):
        assert any(_changes(one, change) for one in amended), f"no amended response with a score {change}"
    assert [one.response for one in cases] == [one.response for one in cases_of(form, catalogue(), 200)]


def _changes(one: Case, change: str) -> bool:
    before, after = set(one.earlier), set(one.scores)
    if change == "lost":
        return bool(before - after)
    if change == "gained":
        return bool(after - before)
    return any(one.earlier[item] != one.scores[item] for item in before & after)


def test_every_half_that_is_rounded_is_asked() -> None:
    """MANSA's sum × 12 ÷ n has a half only for n = 8 and odd sums, 9 to 55: with their neighbours all of 8 to 56."""
    sums = {one.name: one.scores for one in cases_of(FORMS["mansa"], catalogue(), 3) if one.name.startswith("sum")}
    assert list(sums) == [f"sum {total} of 8 by mansa-sum-rounded" for total in range(8, 57)]
    half = sums["sum 35 of 8 by mansa-sum-rounded"]  # 35 * 12 / 8 = 52.5; 53 / 12 = 4.4166...
    assert (half["mansa-score-sum-rounded"], half["mansa-score-mean-of-rounded-sum"]) == (53, 4.42)


def test_not_applicable_is_among_the_answers_where_the_form_offers_it() -> None:
    responses = json.dumps([one.response for one in cases_of(FORMS["nel"], catalogue(), 40)])
    assert '"code": "na"' in responses


def test_a_form_that_computes_other_scores_than_the_rules_is_refused() -> None:
    questionnaire = json.loads(json.dumps(FORMS["hoop"].questionnaire))
    del questionnaire["item"][-1]["item"][0]
    with pytest.raises(ValueError, match="hoop: the form computes"):
        cases_of(form_of(questionnaire), catalogue(), 3)


# --- the self-test's own data ---------------------------------------------------------------------------------


def test_the_wrong_form_differs_from_the_right_one_in_one_expression() -> None:
    right, wrong = selftest.right().questionnaire, selftest.wrong().questionnaire
    differing = [
        one["linkId"]
        for one, other in zip(right["item"][-1]["item"], wrong["item"][-1]["item"], strict=True)
        if one != other
    ]
    assert differing == [selftest.SPOILED]
    assert right["item"][:-1] == wrong["item"][:-1]


def test_an_engine_that_always_agrees_with_us_fails_the_self_test() -> None:
    """Whatever form it gets, it says what the right one gives: then the wrong expression goes unnoticed."""

    def parrot(_form: Form, cases: object, _extract: bool) -> tuple[list[dict[str, object]], float]:
        return [{"name": one.name, "scores": dict(one.scores)} for one in selftest.cases()], 0.0

    (complaint,) = selftest.complaints(parrot)
    assert "should be reported" in complaint


# --- living forms ---------------------------------------------------------------------------------------------


def test_a_made_up_response_to_a_living_form_has_two_rows_of_everything_that_has_rows() -> None:
    response = kept.response_with_rows(GARDEN)
    groups = [link_id for link_id, _ in said(response)]
    assert groups == ["garden-now", "garden-beds", "garden-beds", "garden-plants", "garden-plants"]
    asked = {one.link_id for one in GARDEN.questions}
    assert {link_id for _, row in said(response) for link_id, _ in row} == asked
    now, first, second, *_ = (dict(row) for _, row in said(response))
    assert len(now["garden-tools"]) == 2
    assert first["garden-bed"] != second["garden-bed"]


def test_what_an_engine_loses_adds_or_mixes_up_is_noticed() -> None:
    response = kept.response_with_rows(GARDEN)
    *others, last = response["item"]
    assert kept.lost(response, {**response, "item": [*others, {**last, "text": "Plants"}]}) == []
    [line] = kept.lost(response, {**response, "item": others})
    assert line.startswith("went in and did not come out: ('garden-plants', ")
    assert kept.lost(response, {**response, "item": [*others, {**last, "item": last["item"][1:]}]})
    [line] = kept.lost({**response, "item": others}, response)
    assert line.startswith("came out and did not go in: ('garden-plants', ")
    [line] = kept.lost(response, {**response, "item": [*others[:-1], last, others[-1]]})
    assert line.startswith("came out in another order")


@pytest.mark.parametrize("gives_back", [True, False])
def test_an_engine_that_gives_back_whatever_it_got_fails_its_self_test(gives_back: bool) -> None:
    def parrot(_form: Form, cases: list[Case], _extract: bool) -> tuple[list[dict[str, object]], float]:
        [one] = cases
        response = one.response if gives_back else {**one.response, "item": one.response["item"][:1]}
        return [{"name": one.name, "response": response}], 0.0

    assert len(kept.not_noticed(parrot)) == gives_back
    assert bool(kept.complaints(parrot, GARDEN)) != gives_back


def test_every_living_form_is_tried_and_a_made_up_one_with_one_of_everything() -> None:
    assert kept.living_forms(run.PUBLISHED, catalogue()).keys() == {*catalogue().living, "garden"}


# --- what is told ---------------------------------------------------------------------------------------------


def test_the_table_shows_known_limits_apart() -> None:
    tally = Tally(cases=1, compared=10, known=2)
    assert report.table({"Engine": {"hoop": tally}}, ["hoop"])[-1] == "| Engine | 8 of 8 (+2 known) |"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (run.Outcome(scores={"hoop": Tally(cases=1, compared=1)}), run.AGREED),
        (run.Outcome(missing="LHC-Forms: no chromium"), run.NOT_RUN),
        (run.Outcome(complaints=["self-test"], missing="too"), run.DISAGREED),
    ],
)
def test_the_exit_code_tells_disagreement_before_absence(
    outcome: run.Outcome, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    assert run.conclude({"Engine": outcome}, ["hoop"], 1.0, whole=False) == code
    said = capsys.readouterr().out
    assert all(one in said for one in (*outcome.complaints, outcome.missing))


def test_a_disagreement_is_printed_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    tally = scores_agree(
        ["hoop-score-total"],
        [Case("one missing 3", RESPONSE, {"hoop-score-total": 30})],
        [{"name": "one missing 3", "scores": {"hoop-score-total": 31}}],
    )
    assert run.conclude({"Engine": run.Outcome(scores={"hoop": tally})}, ["hoop"], 1.0, whole=True) == run.DISAGREED
    said = capsys.readouterr().out
    assert all(part in said for part in ("one missing 3", '"expected": 30', '"got": 31', "QuestionnaireResponse"))
