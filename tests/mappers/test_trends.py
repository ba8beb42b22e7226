"""Scores become lines: one per score and version of its rule, the oldest first; what is no score is not drawn."""

from __future__ import annotations

import datetime as dt

import pytest

from mappers.answers import answers_of
from mappers.observations import observations_of
from mappers.scoring import score
from mappers.trends import Measurements, measured
from tests.mappers.build import CATALOGUE, all_answered, response

HOOP = CATALOGUE.instrument("hoop")


def day_of(moment: str) -> dt.date | None:
    return dt.date.fromisoformat(moment[:10]) if moment[:4].isdigit() else None


def filled_in(instrument: str, number: int, code: str = "2", *, without: int = 0, **changes):
    """Return a response on a day in May and its Observations; without some of its answers at the end."""
    values = dict(list(all_answered(instrument, code).items())[: -without or None])
    day = f"2026-05-{number:02}T10:00:00+02:00"
    given = response(instrument, values, **{"id": f"r{number}", "authored": day, **changes})
    answers = answers_of(given, CATALOGUE)
    return given, observations_of(answers, score(answers.instrument, answers.values))


def lines(*filled) -> list[Measurements]:
    observations = [one for _given, made in filled for one in made]
    return measured(observations, [given for given, _made in filled], CATALOGUE, day_of, computes=True)


def test_a_score_of_two_days_is_one_line_from_the_oldest_to_the_newest():
    [hoop] = lines(filled_in("hoop", 9, "3"), filled_in("hoop", 2, "2"))
    total = next(trend for trend in hoop.shown if trend.rule.code == "hoop-total")
    # 12 items from 1 to 4, of which 3 and 6 count as 5 less the answer: 10 x 2 + 2 x 3 and 10 x 3 + 2 x 2.
    assert [(one.day.day, one.value, one.response_id) for one in total.measurements] == [(2, 26, "r2"), (9, 34, "r9")]
    assert [one.answered for one in total.measurements] == [12, 12]
    assert total.scored == total.measurements
    assert total.id == f"hoop-total-{total.rule.version}"
    assert hoop.last_day == dt.date(2026, 5, 9)


def test_what_was_measured_last_comes_first():
    assert [one.instrument.id for one in lines(filled_in("hoop", 2), filled_in("mhcs", 3))] == ["mhcs", "hoop"]
    assert [one.instrument.id for one in lines(filled_in("hoop", 4), filled_in("mhcs", 3))] == ["hoop", "mhcs"]


def test_a_day_without_a_score_says_why_and_is_not_drawn():
    [hoop] = lines(filled_in("hoop", 2, without=8))
    total = next(trend for trend in hoop.shown if trend.rule.code == "hoop-total")
    [one] = total.measurements
    assert (one.value, one.answered, total.scored) == (None, 4, ())
    assert one.reason


def test_a_score_whose_response_is_not_at_hand_or_is_refused_says_nothing_of_the_answers():
    given, made = filled_in("hoop", 2)
    for responses in ([], [{**given, "questionnaire": "https://example.org/other"}]):
        [hoop] = measured(made, responses, CATALOGUE, day_of, computes=True)
        [one] = hoop.shown[0].measurements
        assert (one.response_id, one.answered) == ("", None)


def test_a_value_outside_the_published_range_is_told_and_not_drawn():
    given, made = filled_in("hoop", 2)
    total = next(one for one in made if one["code"]["coding"][0]["code"] == "hoop-total")
    too_high = {**total, "valueQuantity": {**total["valueQuantity"], "value": 480}}
    [hoop] = measured([too_high], [given], CATALOGUE, day_of, computes=True)
    assert [one.value for one in hoop.shown[0].measurements] == [480]
    assert hoop.shown[0].scored == ()


def test_a_score_without_a_day_has_no_place_on_a_line():
    _given, made = filled_in("hoop", 2)
    assert measured([{**one, "effectiveDateTime": "soon"} for one in made], [], CATALOGUE, day_of, computes=True) == []


def test_a_score_by_a_rule_that_we_do_not_know_is_in_no_line():
    _given, made = filled_in("hoop", 2)
    strange = [_by_rule(one, "9.9") for one in made]
    [hoop] = measured(strange, [], CATALOGUE, day_of, computes=True)
    assert (hoop.shown, hoop.alternatives, hoop.earlier) == ((), (), ())
    assert {point.rule_version for point in hoop.not_ours} == {"9.9"}
    # What has no day that we know of comes after what has one.
    _other, mhcs = filled_in("mhcs", 1)
    assert [one.instrument.id for one in measured([*strange, *mhcs], [], CATALOGUE, day_of, computes=True)] == [
        "mhcs",
        "hoop",
    ]


def test_a_score_by_the_rule_of_another_score_is_in_no_line():
    _given, made = filled_in("hoop", 2)
    total = next(one for one in made if one["code"]["coding"][0]["code"] == "hoop-total")
    coding = {**total["method"]["coding"][0], "code": "mhcs-total@1"}
    [hoop] = measured([{**total, "method": {"coding": [coding]}}], [], CATALOGUE, day_of, computes=True)
    assert (hoop.shown, [point.rule_version for point in hoop.not_ours]) == ((), ["mhcs-total@1"])


@pytest.mark.parametrize(("unit", "drawn"), [({}, [24]), ({"code": "{score}"}, [24]), ({"code": "%"}, [None])])
def test_a_score_in_another_unit_is_no_number_of_ours(unit, drawn):
    _given, made = filled_in("hoop", 2)
    total = next(one for one in made if one["code"]["coding"][0]["code"] == "hoop-total")
    quantity = {"value": 24, **unit}
    [hoop] = measured([{**total, "valueQuantity": quantity}], [], CATALOGUE, day_of, computes=True)
    assert [one.value for one in hoop.shown[0].measurements] == drawn


def test_another_way_to_count_is_an_alternative_and_no_second_line():
    [mansa] = lines(filled_in("mansa", 2))
    assert {trend.rule.default for trend in mansa.shown} == {True}
    assert {trend.rule.default for trend in mansa.alternatives} == {False}


def test_the_score_that_leads_is_the_first_by_todays_rules_else_what_there_is():
    given, made = filled_in("mansa", 2)
    [mansa] = lines((given, made))
    assert mansa.leading == mansa.shown[0]
    others = {trend.rule.code for trend in mansa.alternatives}
    [counted_otherwise] = measured(
        [one for one in made if one["code"]["coding"][0]["code"] in others], [], CATALOGUE, day_of, computes=True
    )
    assert (counted_otherwise.shown, counted_otherwise.leading) == ((), counted_otherwise.alternatives[0])


def test_a_corrected_score_says_so():
    [hoop] = lines(filled_in("hoop", 2, status="amended"), filled_in("hoop", 3))
    assert [one.corrected for one in hoop.shown[0].measurements] == [True, False]


def _by_rule(observation: dict, version: str) -> dict:
    if "method" not in observation:  # the panel
        return observation
    [coding] = observation["method"]["coding"]
    code = coding["code"].partition("@")[0]
    return {**observation, "method": {"coding": [{**coding, "code": f"{code}@{version}"}]}}
