"""Decisions: written as answers and read again; two views stay two."""

from __future__ import annotations

from dataclasses import replace

from mappers.answers import answers_of, response_of
from mappers.decisions import Decision, Option, decision_of, values_of
from questionnaires.catalogue import Catalogue

KNOWN = Catalogue()
FORM = KNOWN.instrument("decision")
NOOR = {"reference": "Patient/noor", "display": "Noor"}
SLEEP = Decision(
    "Slapen",
    (Option("Telefoon weg", "Rust", "Ik mis de groep"), Option(), Option("Niets doen"), Option()),
    "agreed",
    "Ik leg mijn telefoon in de keuken.",
)


def kept(decision: Decision) -> Decision:
    """Return the decision as a record gives it back."""
    response = response_of(
        values_of(decision),
        FORM,
        status="completed",
        authored="2026-11-27T10:00:00+01:00",
        subject=NOOR,
        author=NOOR,
        source=NOOR,
        identifier="x",
    )
    return decision_of(answers_of(response, KNOWN))


def test_a_decision_comes_back_with_each_option_in_its_place():
    assert kept(SLEEP) == SLEEP
    assert SLEEP.weighed == (SLEEP.options[0], SLEEP.options[2])


def test_two_views_that_differ_both_come_back_and_are_never_put_together():
    views = replace(SLEEP, outcome="differ", words="", client_view="Ik slaap genoeg.", professional_view="U oogt moe.")
    assert kept(views) == views
    assert {"decision-client-view": "Ik slaap genoeg.", "decision-professional-view": "U oogt moe."}.items() <= (
        values_of(views).items()
    )


def test_views_are_kept_whatever_came_of_it():
    views = replace(SLEEP, client_view="Ik", professional_view="U")
    assert kept(views) == views


def test_words_of_an_agreement_are_kept_only_where_people_agree():
    assert kept(replace(SLEEP, outcome="later")).words == ""


def test_what_is_not_said_yet_is_left_out():
    assert values_of(Decision("Werk")) == {"decision-topic": "Werk"}
    assert kept(Decision("Werk")).outcome == ""


def test_the_form_scores_nothing_and_nobody_is_asked_to_fill_it_in():
    assert FORM.scores == ()
    assert FORM.id in KNOWN.instruments
    assert FORM.id not in KNOWN.asked
    assert "sdm-visit" in KNOWN.asked
