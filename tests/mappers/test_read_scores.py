"""Scores that stand in a record, whoever wrote them, and those that only its answers give."""

from __future__ import annotations

import copy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import answers_of
from mappers.bulk import BulkScorer
from mappers.errors import NotAResponse
from mappers.observations import observations_of
from mappers.read_scores import read_scores, unstored
from mappers.scoring import score
from mappers.trends import measured
from tests.examples import examples
from tests.mappers.build import CATALOGUE, SCORED, all_answered, response, values_for
from tests.mappers.test_trends import day_of

DAY = "2026-05-02T10:00:00+02:00"


def elsewhere(code="2", **changes):
    """A HOOP response as a form renderer saved it: without our identifier, profile or scores."""
    made = response("hoop", all_answered("hoop", code), **{"identifier": None, "meta": None, "id": "7", **changes})
    return {**made, "questionnaire": "https://verstel.nl/fhir/Questionnaire/hoop-plain|1.0.0"}


def scores_of(made):
    answers = answers_of(made, CATALOGUE)
    return observations_of(answers, score(answers.instrument, answers.values))


def extracted(made, *, rule: bool = True, reference: str = "QuestionnaireResponse/7", **changes):
    """Observations as another program extracts them: the codes of the item, the number, and where it comes from."""
    kept = ("resourceType", "status", "category", "subject", "effectiveDateTime", "valueQuantity")
    return [
        {
            **{name: one[name] for name in kept if name in one},
            "id": f"x{number}",
            "code": {"coding": [*one["code"]["coding"], *(one["method"]["coding"] if rule else [])]},
            "derivedFrom": [{"reference": reference}],
            **changes,
        }
        for number, one in enumerate(scores_of(made))
        if "method" in one
    ]


def told(found):
    return {(one.point.code, one.point.value, one.point.rule_version, one.origin) for one in found}


@pytest.mark.parametrize("status", ["completed", "amended"])
def test_answers_that_another_program_saved_have_their_scores_when_they_are_read(status):
    [total, *_others] = read_scores([], [elsewhere(status=status)], CATALOGUE)[-1:]
    found = read_scores([], [elsewhere(status=status)], CATALOGUE)
    # 12 items from 1 to 4, of which 3 and 6 count as 5 less the answer: 10 x 2 + 2 x 3.
    assert ("hoop-total", 26, "1", "answers") in told(found)
    assert len(found) == len(CATALOGUE.instrument("hoop").scores)
    assert total.point.status == {"completed": "final", "amended": "corrected"}[status]
    assert total.point.response_reference == "QuestionnaireResponse/7"


@pytest.mark.parametrize("changes", [{"status": "in-progress"}, {"status": "entered-in-error"}, {"status": "stopped"}])
def test_what_was_not_sent_in_or_was_taken_back_has_none(changes):
    assert read_scores([], [elsewhere(**changes)], CATALOGUE) == []
    assert unstored([], [elsewhere(**changes)], CATALOGUE) == []


def test_a_response_that_cannot_be_read_hides_no_other():
    strange = {**elsewhere(id="8"), "questionnaire": "https://example.org/Questionnaire/phq-9|1"}
    assert told(read_scores([], [strange, elsewhere(), None, "x"], CATALOGUE)) == told(
        read_scores([], [elsewhere()], CATALOGUE)
    )


def test_scores_that_stand_there_are_not_computed_again():
    made = response("hoop", all_answered("hoop"))
    assert {one.origin for one in read_scores(scores_of(made), [made], CATALOGUE)} == {"stored"}
    assert unstored(scores_of(made), [made], CATALOGUE) == []


def test_a_score_that_was_taken_back_does_not_come_back():
    made = response("hoop", all_answered("hoop"))
    wrong = [{**one, "status": "entered-in-error"} for one in scores_of(made)]
    assert read_scores(wrong, [made], CATALOGUE) == []
    assert unstored(wrong, [made], CATALOGUE) == []


def test_what_was_extracted_from_our_form_says_its_rule_in_its_code_and_is_in_the_line_without_its_answers():
    found = read_scores(extracted(elsewhere()), [], CATALOGUE)
    assert ("hoop-total", 26, "1", "elsewhere") in told(found)
    [hoop] = measured(extracted(elsewhere()), [], CATALOGUE, day_of, computes=True)
    assert (hoop.leading.rule.code, hoop.not_ours) == ("hoop-total", ())
    assert [one.origin for one in hoop.leading.measurements] == ["elsewhere"]


def test_what_says_no_rule_is_in_the_line_if_its_answers_give_the_same_number():
    silent = extracted(elsewhere(), rule=False)
    assert {one.point.rule_version for one in read_scores(silent, [], CATALOGUE)} == {""}
    found = read_scores(silent, [elsewhere()], CATALOGUE)
    assert ("hoop-total", 26, "1", "elsewhere") in told(found)
    assert {one.origin for one in found} == {"elsewhere"}
    assert unstored(silent, [elsewhere()], CATALOGUE) == []


@pytest.mark.parametrize("rule", [True, False])
def test_a_number_that_the_answers_do_not_give_is_no_score_of_ours_and_what_they_give_stands_beside_it(rule):
    wrong = extracted(elsewhere(), rule=rule)
    total = next(one for one in wrong if one["code"]["coding"][0]["code"] == "hoop-total")
    total["valueQuantity"] = {**total["valueQuantity"], "value": 27}
    [hoop] = measured(wrong, [elsewhere()], CATALOGUE, day_of, computes=True)
    line = next(one for one in hoop.shown if one.rule.code == "hoop-total")
    assert [(one.value, one.origin) for one in line.measurements] == [(26, "answers")]
    assert [(one.code, one.value) for one in hoop.not_ours] == [("hoop-total", 27)]


@pytest.mark.parametrize(
    "reference",
    [
        "QuestionnaireResponse/7",
        "https://ehr.example/fhir/QuestionnaireResponse/7",
        "QuestionnaireResponse/7/_history/2",
    ],
)
def test_a_copy_of_a_score_that_we_stored_is_not_shown_twice(reference):
    made = elsewhere()
    ours = scores_of(made)
    assert len(ours) == 1 + len(CATALOGUE.instrument("hoop").scores)  # with the panel
    found = read_scores([*extracted(made, reference=reference), *ours], [made], CATALOGUE)
    assert [one.origin for one in found] == ["stored"] * (len(ours) - 1)


def test_two_responses_of_one_day_are_two_measurements():
    found = read_scores([], [elsewhere(), elsewhere("3", id="8")], CATALOGUE)
    assert {one.point.value for one in found if one.point.code == "hoop-total"} == {26, 34}


def test_nothing_here_is_changed():
    made, seen = elsewhere(), extracted(elsewhere(), rule=False)
    before = copy.deepcopy((made, seen))
    read_scores(seen, [made], CATALOGUE)
    assert (made, seen) == before


@pytest.mark.parametrize("instrument", SCORED, ids=lambda one: one.id)
def test_a_score_is_the_same_number_wherever_it_stands(instrument):
    """Computed when it is read, stored by us, or extracted by another: the line has the same points."""

    @examples(40)
    @given(values_for(instrument), st.booleans())
    def holds(values, rule):
        made = response(instrument, values, identifier=None, id="7")
        ways = (
            read_scores([], [made], CATALOGUE),
            read_scores(scores_of(made), [made], CATALOGUE),
            read_scores(extracted(made, rule=rule), [made], CATALOGUE),
        )
        points = [{(one.point.code, one.point.value, one.point.rule_version) for one in way} for way in ways]
        assert points[0] == points[1] == points[2]

    holds()


def test_whoever_sees_answers_and_no_scores_gets_none_made_of_them():
    given = [elsewhere()]
    assert measured([], given, CATALOGUE, day_of, computes=True)
    assert measured([], given, CATALOGUE, day_of, computes=False) == []
    [hoop] = measured(extracted(elsewhere()), given, CATALOGUE, day_of, computes=False)
    assert {one.origin for trend in hoop.shown for one in trend.measurements} == {"elsewhere"}


def test_a_score_of_ours_whose_answers_another_program_changed_is_no_score_of_them():
    made = response("hoop", all_answered("hoop"))
    scores = scores_of(made)
    other = copy.deepcopy(made)
    # Item 12 is in the total and in some of the parts; the rest is as it was.
    [item] = [one for group in other["item"] for one in group["item"] if one["linkId"] == "hoop-12"]
    item["answer"][0]["valueCoding"]["code"] = "1"
    before = {one.point.code: one.point.value for one in read_scores(scores, [made], CATALOGUE)}
    now = {one.rule.code: one.value for one in score(answers_of(other, CATALOGUE).instrument, values_of(other))}
    found = read_scores(scores, [other], CATALOGUE)
    assert {one.point.code: one.point.value for one in found if one.point.rule_version} == now
    assert before["hoop-total"] != now["hoop-total"]
    assert ("hoop-total", before["hoop-total"], "", "stored") in told(found)
    assert ("hoop-total", now["hoop-total"], "1", "answers") in told(found)


def values_of(made):
    return answers_of(made, CATALOGUE).values


def test_a_mean_whose_decimals_a_server_cut_off_is_the_same_mean():
    made = response("nel", all_answered("nel") | {"nel-01": "1"})
    scores = copy.deepcopy(scores_of(made))
    for one in scores:
        if "valueQuantity" in one:
            one["valueQuantity"]["value"] = round(one["valueQuantity"]["value"], 2)
    assert {(one.origin, one.point.rule_version) for one in read_scores(scores, [made], CATALOGUE)} == {("stored", "1")}


def test_no_score_of_a_response_that_was_entered_in_error_counts():
    made = response("hoop", all_answered("hoop"))
    wrong = {**made, "status": "entered-in-error"}
    assert read_scores(scores_of(made), [wrong], CATALOGUE) == []
    assert read_scores(extracted(elsewhere()), [elsewhere(status="entered-in-error")], CATALOGUE) == []


def test_less_than_a_number_is_no_number():
    made = extracted(elsewhere())
    for one in made:
        one["valueQuantity"]["comparator"] = "<"
    assert {one.point.value for one in read_scores(made, [], CATALOGUE)} == {None}


CHANGES_MEANING = {"modifierExtension": [{"url": "https://example.org/negated", "valueBoolean": True}]}


@pytest.mark.parametrize("where", ["response", "group", "item", "answer", "rules"])
def test_what_may_mean_something_else_than_it_says_is_refused_on_both_ways(where):
    made = response("hoop", all_answered("hoop"))
    group = made["item"][0]
    item = group["item"][0]
    changed = {"response": made, "group": group, "item": item, "answer": item["answer"][0]}
    changed.get(where, made).update(
        {"implicitRules": "https://example.org/rules"} if where == "rules" else CHANGES_MEANING
    )
    with pytest.raises(NotAResponse, match="may change what it means"):
        answers_of(made, CATALOGUE)
    scored = BulkScorer(CATALOGUE).score([orjson.dumps(made)])
    assert scored.observations == b""
    assert len(scored.refusals) == 1


def test_a_score_with_an_extension_that_may_change_its_meaning_is_not_shown():
    assert read_scores([{**one, **CHANGES_MEANING} for one in extracted(elsewhere())], [], CATALOGUE) == []
