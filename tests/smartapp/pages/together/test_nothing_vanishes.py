"""What is typed in a conversation is in the record, or on the page, or asked about: it never vanishes."""

from __future__ import annotations

import pytest

from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.together.test_walk import decide, decisions

VIEW = "Ik wil eerst zelf proberen."


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician")


@pytest.mark.parametrize("outcome", ["agreed", "later", "differ"])
def test_a_view_that_was_typed_is_in_the_record_whatever_came_of_it(joost, outcome):
    decide(joost, outcome=outcome, words="Ik ga wandelen." if outcome == "agreed" else "", client_view=VIEW)
    [decision] = decisions(joost)
    assert (decision.outcome, decision.client_view) == (outcome, VIEW)
    assert VIEW in text_of(joost.get("overview/together/report"))


def test_words_that_an_outcome_has_no_place_for_are_let_go_only_where_somebody_says_so(joost):
    decide(joost, outcome="later", words="Misschien wandelen.")
    assert "Misschien wandelen." in text_of(joost.get("overview/together/report"))
    joost.post("overview/together/finish")
    assert "Misschien wandelen." in text_of(joost.get("overview/together/report"))
    joost.post("overview/together/finish", {"let-go": "1"})
    assert "Misschien wandelen." not in text_of(joost.get("overview/together/report"))


def test_a_note_and_a_medicine_that_are_only_typed_are_on_the_page_before_closing(joost):
    form = {"name": "", "medicine-new-use": "Elke avond een halve."}
    joost.post("overview/together/medicines/new", form, headers={"Accept": "application/json"})
    assert "Elke avond een halve." in text_of(joost.get("overview/together/report"))


def test_a_change_of_language_after_an_error_leads_on(joost):
    assert joost.get("overview/together/agreements/x?lang=en").status_code == 303
