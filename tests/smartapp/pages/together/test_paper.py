"""The sheet of a conversation as a PDF: one sheet, with the same words for both who were there."""

from __future__ import annotations

import pytest

from tests.smartapp.helpers import Visitor, launched
from tests.smartapp.pages.plan.pdf_text import sheets_in
from tests.smartapp.pages.together.test_medicines import say
from tests.smartapp.pages.together.test_walk import WORDS, decide


@pytest.fixture
def joost(app) -> Visitor:
    return launched(app, role="clinician", birth_date="1992-03-14")


def sheet_of(visitor: Visitor) -> str:
    """Follow the link on today's sheet, and return what the one sheet of paper says."""
    page = visitor.get("overview/together/report").text
    path = page.partition('/conversation.pdf"')[0].rpartition(f"/l/{visitor.launch.id}/")[2]
    answer = visitor.get(f"{path}/conversation.pdf")
    assert answer.headers["Content-Disposition"] == "attachment; filename=gesprek.pdf"
    [sheet] = sheets_in(answer.data)
    return sheet


def test_what_was_agreed_stands_there_with_who_and_when(joost):
    decide(joost, outcome="agreed", words=WORDS, who="client", due="01-12-2027")
    sheet = sheet_of(joost)
    places = [sheet.index(one) for one in ("geboren 14 maart 1992", "Ons gesprek van", "Slapen", WORDS)]
    assert places == sorted(places)
    assert "Anna Voorbeeld · Uiterlijk 1 december 2027" in sheet


def test_two_views_stand_beside_each_other_and_nobody_s_is_the_outcome(joost):
    views = {"client_view": "Ik wil stoppen.", "professional_view": "Ik zou wachten."}
    decide(joost, outcome="differ", **views)
    sheet = sheet_of(joost)
    for text in ("We denken er verschillend over", "Hoe de cliënt het ziet", *views.values()):
        assert text in sheet


def test_the_client_has_the_same_sheet(app, joost):
    decide(joost, outcome="agreed", words=WORDS)
    day = joost.get("overview/together/report").text.partition("/report/")[2].partition("/")[0]
    anna = launched(app, birth_date="1992-03-14")
    assert f"/visits/{day}/conversation.pdf" in anna.get(f"visits/{day}").text
    assert sheets_in(anna.get(f"visits/{day}/conversation.pdf").data) == [sheet_of(joost)]
    assert anna.get(f"overview/together/report/{day}/conversation.pdf").status_code == 403
    assert joost.get(f"visits/{day}/conversation.pdf").status_code == 403


@pytest.mark.parametrize("day", ["2020-01-01", "nonsense"])
def test_a_day_without_a_conversation_has_no_sheet(joost, day):
    assert joost.get(f"overview/together/report/{day}/conversation.pdf").status_code == 404
    assert "conversation.pdf" not in joost.get("overview/together/report").text


def test_what_was_said_of_a_medicine_stands_there(joost):
    say(joost, "overview/together/medicines/new", name="Rustpil", burden="Droge mond.")
    sheet = sheet_of(joost)
    for text in ("Medicijnen", "Rustpil", "Waar ik last van heb", "Droge mond."):
        assert text in sheet
