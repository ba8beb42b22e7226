"""The visit report shows the client's words, all of them, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given

from mappers.answers import answers_of
from mappers.errors import NotScorable
from mappers.visit import latest_visit, visit_of
from tests.examples import examples
from tests.mappers.build import CATALOGUE, response, values_for

SDM = CATALOGUE.instrument("sdm-visit")


def report(values, language="", **changes):
    return visit_of(answers_of(response(SDM, values, **changes), CATALOGUE), language)


def lines(made):
    return {line.link_id: line for section in made.sections for line in section.lines}


@examples(50)
@given(values_for(SDM))
def test_every_word_stands_in_the_report_as_typed(values):
    made = lines(report(values))
    for item in SDM.items:
        if item.kind == "text" and item.link_id in values and item.enable_when is None:
            assert made[item.link_id].answer == values[item.link_id]
    assert set(made) <= set(values)


def test_a_report_says_when_about_whom_and_by_whom_and_makes_no_name_up():
    made = report({})
    assert (made.authored, made.language) == ("2026-05-01T10:00:00+02:00", "nl")
    assert (made.subject, made.author) == ("Anna de Vries", "Anna de Vries")
    nameless = report({}, subject={"reference": "Patient/anna"}, author=None)
    assert (nameless.subject, nameless.author) == ("", "")


def test_only_sections_with_answers_are_shown_in_the_order_of_the_questionnaire():
    made = report({"sdm-visit-questions-ask": "Mag ik minderen?", "sdm-visit-helps": "Zingen"})
    assert [section.link_id for section in made.sections] == ["sdm-visit-strength", "sdm-visit-questions"]
    assert made.sections[1].words[0].answer == "Mag ik minderen?"
    assert (made.subject, made.reference) == ("Anna de Vries", "QuestionnaireResponse/1")


def test_choices_and_yes_are_shown_in_words():
    made = lines(report({"sdm-visit-sleep": "1", "sdm-visit-purpose-plan": True, "sdm-visit-purpose-worries": False}))
    scale = SDM.item("sdm-visit-sleep").scale
    assert made["sdm-visit-sleep"].answer == scale.option("1").text.nl
    assert (made["sdm-visit-purpose-plan"].answer, made["sdm-visit-purpose-worries"].answer) == ("Ja", "Nee")


def test_what_the_client_wants_to_talk_about_is_what_was_answered_with_yes():
    made = report({"sdm-visit-purpose-plan": True, "sdm-visit-purpose-worries": False})
    (purpose,) = made.sections
    assert [line.link_id for line in purpose.chosen] == ["sdm-visit-purpose-plan"]


def test_the_report_can_be_read_in_the_other_language():
    made = report({"sdm-visit-purpose-plan": True, "sdm-visit-helps": "Zingen"}, "en")
    assert lines(made)["sdm-visit-purpose-plan"].answer == "Yes"
    assert lines(made)["sdm-visit-helps"].answer == "Zingen"


@pytest.mark.parametrize(("uses", "stands"), [(True, True), (False, False), (None, True)])
def test_an_answer_that_no_longer_belongs_is_left_out(uses, stands):
    values = {"sdm-visit-medication-worry": "Ik word dik"}
    if uses is not None:
        values["sdm-visit-medication-uses"] = uses
    assert ("sdm-visit-medication-worry" in lines(report(values))) is stands


@pytest.mark.parametrize("status", ["in-progress", "entered-in-error"])
def test_an_unfinished_preparation_is_not_shown(status):
    with pytest.raises(NotScorable, match="when the client has finished"):
        report({}, status=status)


def test_a_preparation_that_was_stopped_keeps_its_answers():
    assert lines(report({"sdm-visit-helps": "Zingen"}, status="stopped"))


def test_the_latest_visit_is_the_newest_that_was_sent_in_and_can_be_read():
    text = next(item.link_id for item in SDM.items if item.kind == "text")

    def sent(words, month, **changes):
        return response(SDM, {text: words}, authored=f"2026-{month:02}-01T10:00:00+02:00") | changes

    older, newer = sent("Eerst dit.", 4), sent("Nu dit.", 5)
    unfinished, unreadable = sent("Nog bezig.", 6, status="in-progress"), sent("Kapot.", 7, item="?")
    other = response(CATALOGUE.instrument("hoop"), {})
    found = latest_visit([older, unreadable, newer, unfinished, other], CATALOGUE, "nl")
    assert lines(found)[text].answer == "Nu dit."
    assert latest_visit([unfinished, unreadable, other], CATALOGUE, "nl") is None
