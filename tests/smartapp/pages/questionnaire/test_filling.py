"""One questionnaire on its way, without any page: order, conditions, progress, drafts."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.answers import ResponseRef
from questionnaires.catalogue import DEFINITIONS, catalogue, instrument_from
from questionnaires.reading import DefinitionError
from smartapp.pages.questionnaire.filling import (
    Filling,
    NotAnOptionError,
    OtherVersion,
    TooLongError,
    draft_of,
    filling_of,
    finished,
    parse,
    raw_answers,
    raw_text,
    taken_over,
    with_answer,
)
from smartapp.web.typed import LONGEST

ANNA = {"reference": "Patient/anna", "display": "Anna"}
ABOUT = ResponseRef("in-progress", authored="2026-11-22T15:00:00+01:00", subject=ANNA, author=ANNA, source=ANNA)
HOOP = catalogue().instruments["hoop"]
VISIT = catalogue().instruments["sdm-visit"]
USES = "sdm-visit-medication-uses"
BENEFIT = "sdm-visit-medication-benefit"


def draft(filling: Filling, identifier: str = "one") -> dict:
    return draft_of(filling, replace(ABOUT, identifier=identifier))


def test_a_draft_reads_back_as_it_was():
    values = {"sdm-visit-helps": "Wandelen.\n\nMet de hond.", USES: False, BENEFIT: "2"}
    assert filling_of(VISIT, draft(Filling.of(VISIT, values)), catalogue()).values == values


def test_a_draft_keeps_its_identifier():
    first = filling_of(HOOP, draft(Filling.of(HOOP, {"hoop-01": "1"}), "first"), catalogue())
    assert draft(first, "second")["identifier"]["value"] == "first"


def test_no_draft_is_an_empty_filling():
    filling = filling_of(HOOP, None, catalogue())
    assert (filling.values, filling.resume().link_id) == ({}, "hoop-01")


def test_a_draft_of_another_version_is_not_read_as_this_one():
    old = draft(Filling.of(HOOP, {"hoop-01": "1"})) | {"questionnaire": f"{HOOP.url}|0.9.0"}
    with pytest.raises(OtherVersion):
        filling_of(HOOP, old, catalogue())


def test_a_draft_that_cannot_be_read_is_not_thrown_away():
    broken = draft(Filling.of(HOOP, {"hoop-01": "1"}))
    broken["item"][0]["item"][0]["answer"][0]["valueCoding"]["code"] = "9"
    with pytest.raises(OtherVersion) as caught:
        filling_of(HOOP, broken, catalogue())
    assert caught.value.draft is broken


def test_one_goes_on_after_the_last_answer():
    filling = Filling.of(HOOP, {"hoop-01": "1", "hoop-04": "2"})
    assert filling.resume().link_id == "hoop-05"


def test_after_the_last_question_comes_the_review():
    assert Filling.of(HOOP, {"hoop-12": "1"}).resume() is None
    assert Filling.of(HOOP, {}).after(HOOP.item("hoop-12")) is None


def test_a_question_with_a_condition_is_asked_only_then():
    benefit = VISIT.item(BENEFIT)
    assert not Filling.of(VISIT, {}).asks(benefit)
    assert not Filling.of(VISIT, {USES: False}).asks(benefit)
    assert Filling.of(VISIT, {USES: True}).asks(benefit)


@pytest.mark.parametrize(
    "conditions",
    [
        {0: ("medication-uses", True)},
        {0: ("medication-benefit", "2"), 1: ("medication-uses", True)},
        {0: ("medication-skips", True), 1: ("medication-uses", True), 5: ("medication-uses", True)},
    ],
    ids=["itself", "two", "three"],
)
def test_questions_that_wait_for_each_other_are_refused_with_their_definition(conditions):
    """Attack 36: a ring of conditions would never end in `asks`; the app fills in nothing but our own definitions."""
    data = tomllib.loads((DEFINITIONS / "sdm-visit.toml").read_text(encoding="utf-8"))
    group = next(one for one in data["groups"] if one["items"][0]["id"] == "medication-uses")
    for place, (item, answer) in conditions.items():
        group["items"][place]["enable_when"] = {"item": item, "answer": answer}
    with pytest.raises(DefinitionError, match=r"sdm-visit\.toml: .*enable_when\.item: .* does not appear before"):
        instrument_from(data, "sdm-visit.toml")


def test_next_and_previous_step_over_what_is_not_asked():
    without = Filling.of(VISIT, {USES: False})
    after = without.after(VISIT.item(USES))
    assert after.enable_when is None
    assert without.before(after).link_id == USES


def test_progress_counts_what_is_asked():
    with_medication, without = Filling.of(VISIT, {USES: True}), Filling.of(VISIT, {USES: False})
    conditional = sum(1 for item in VISIT.items if item.enable_when)
    assert len(with_medication.asked) - len(without.asked) == conditional
    assert without.number(VISIT.items[-1]) == len(without.asked)


def test_what_is_no_longer_asked_is_kept_in_the_draft_but_not_sent():
    filling = Filling.of(VISIT, {USES: False, BENEFIT: "3"})
    assert BENEFIT in filling_of(VISIT, draft(filling), catalogue()).values
    sent = finished(filling, ABOUT)
    assert BENEFIT not in sent.values
    assert sent.response.status == "completed"


@pytest.mark.parametrize(("done", "minutes"), [(0, 3), (4, 2), (8, 1), (11, 1), (12, 1)])
def test_minutes_left_follow_the_questions_left(done, minutes):
    # HOOP: 3 minutes for 12 questions; rounded up, never below one.
    assert Filling.of(HOOP, {}).minutes_left(done) == minutes


def test_a_choice_takes_its_options_only():
    item = HOOP.item("hoop-01")
    assert parse(item, "4") == "4"
    for wrong in ("5", "0", "", "yes", "4 ", "na"):
        with pytest.raises(NotAnOptionError):
            parse(item, wrong)


def test_yes_and_no_become_booleans():
    item = VISIT.item(USES)
    assert (parse(item, "yes"), parse(item, "no")) == (True, False)
    with pytest.raises(NotAnOptionError):
        parse(item, "true")


def test_text_of_only_spaces_is_no_answer():
    assert parse(VISIT.item("sdm-visit-helps"), " \n ") is None


def test_too_long_a_text_is_refused_not_cut():
    item = VISIT.item("sdm-visit-helps")
    assert len(parse(item, "a" * LONGEST)) == LONGEST
    with pytest.raises(TooLongError):
        parse(item, "a" * (LONGEST + 1))


@given(st.text(max_size=300))
def test_any_text_survives_the_draft(text):
    value = parse(VISIT.item("sdm-visit-helps"), text)
    filling = with_answer(Filling.of(VISIT, {USES: True}), VISIT.item("sdm-visit-helps"), value)
    assert filling_of(VISIT, draft(filling), catalogue()).values == filling.values


def test_one_answer_in_leaves_the_others():
    filling = with_answer(Filling.of(HOOP, {"hoop-01": "1"}), HOOP.item("hoop-02"), "2")
    assert filling.values == {"hoop-01": "1", "hoop-02": "2"}
    assert with_answer(filling, HOOP.item("hoop-01"), None).values == {"hoop-02": "2"}


def test_a_renewed_questionnaire_takes_over_what_fits_and_names_the_rest():
    old = draft(Filling.of(HOOP, {"hoop-01": "1", "hoop-02": "2"}))
    old["item"][0]["item"][0]["linkId"] = "hoop-99"
    filling, left = taken_over(HOOP, old)
    assert filling.values == {"hoop-02": "2"}
    question = HOOP.item("hoop-01").text.nl
    assert [(asked, bool(answer)) for asked, answer in left] == [(question, True)]


@pytest.mark.parametrize(
    ("items", "read"),
    [
        ("x", []),
        ([None, 7, {"linkId": "a", "answer": {"valueString": "x"}}], []),
        ([{"linkId": "a", "answer": ["x", {"valueString": "Wandelen"}]}], [("a", "a", "Wandelen")]),
        ([{"linkId": {}, "text": [], "answer": [{"valueString": "Wandelen"}]}], [("", "", "Wandelen")]),
        (
            [{"linkId": "g", "item": {"linkId": "x"}}, {"item": [{"linkId": "b", "answer": [{"valueInteger": 3}]}]}],
            [("b", "b", 3)],
        ),
    ],
)
def test_what_is_no_fhir_in_a_response_of_others_is_left_out_and_the_rest_is_read(items, read):
    assert raw_answers({"resourceType": "QuestionnaireResponse", "item": items}) == read


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("Wandelen", "Wandelen"),
        (3, "3"),
        (2.5, "2.5"),
        ({"code": "3", "display": "Soms"}, "Soms"),
        ({"code": "3", "display": {}}, "3"),
        ({"code": []}, ""),
        (["x"], ""),
        (None, ""),
    ],
)
def test_an_answer_of_others_is_shown_as_it_words_itself_and_nothing_where_it_has_no_words(answer, shown):
    assert raw_text(answer) == shown
