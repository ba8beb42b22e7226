"""Scores as a PDF: the same numbers as on the page, each line with words for who cannot see it, and a table."""

from __future__ import annotations

import re

import pytest

from smartapp.web.typed import digest
from tests.smartapp.helpers import Visitor, launched, text_of
from tests.smartapp.pages.plan.pdf_text import sheets_in, tags_in
from tests.smartapp.pages.scores.people import measure


@pytest.fixture
def anna(app) -> Visitor:
    anna = launched(app, birth_date="1992-03-14")
    measure(anna, "hoop", "2024-01-15", "2")  # ten items 2, two reversed 5 − 2 = 3: 26
    measure(anna, "hoop", "2026-06-03", "4")  # ten items 4, two reversed 1: 42
    return anna


def panel_rows(page) -> list[str]:
    """Return the names of the rows that are not folded away."""
    return re.findall(
        r'<span class="change__name">([^<]+)', re.sub(r"<details>.*?</details>", "", page.text, flags=re.S)
    )


CHANGE = "De eerste keer, op 15 januari 2024: 26. De laatste keer, op 3 juni 2026: 42. Dat is 16 hoger."


@pytest.mark.parametrize(("page", "said"), [("scores/", "Eerste keer 26 → Laatste keer 42"), ("scores/hoop/", CHANGE)])
def test_the_pdf_says_what_the_page_says_and_whose_it_is(anna, page, said):
    assert said in text_of(anna.get(page))
    [sheet] = sheets_in(anna.get(f"{page}scores.pdf").data)
    for text in (CHANGE, "12 tot 48", "Anna Voorbeeld, geboren 14 maart 1992", "1 van 1"):
        assert text in sheet


def test_each_scale_is_a_row_told_in_words_and_all_numbers_are_in_one_table(anna):
    tags = tags_in(anna.get("scores/hoop/scores.pdf").data)
    told = [alt for tag, alt in tags if tag == "Figure"]
    [total] = [alt for alt in told if alt.startswith("Hoop, totaal")]
    assert total == f"Hoop, totaal. {CHANGE}"
    assert all(told)
    kinds = [tag for tag, _alt in tags]
    assert len(told) == len(panel_rows(anna.get("scores/hoop/")))
    assert kinds.count("Table") == kinds.count("H1") == 1
    assert kinds.count("TH") == 1 + 2  # the names, and each of two moments
    assert kinds.count("TR") == 1 + len(told)


def test_the_numbers_beside_a_row_are_those_of_the_page(anna):
    [sheet] = sheets_in(anna.get("scores/hoop/scores.pdf").data)
    page = text_of(anna.get("scores/hoop/"))
    for numbers in ("26 → 42", "12 tot 48", "2 keer ingevuld: 15 januari 2024 en 3 juni 2026."):
        assert numbers in sheet
    assert "2 keer ingevuld: 15 januari 2024 en 3 juni 2026." in page
    assert "laatste keer" in sheet
    assert "tussendoor" not in sheet
    assert "Door de tijd" not in sheet  # a line begins with a third moment


def test_from_three_moments_on_there_is_a_line_over_time_too(anna):
    measure(anna, "hoop", "2025-06-03", "3")
    [sheet] = sheets_in(anna.get("scores/hoop/scores.pdf").data)
    assert "tussendoor" in sheet
    assert "Door de tijd" in sheet
    told = [alt for tag, alt in tags_in(anna.get("scores/hoop/scores.pdf").data) if tag == "Figure"]
    assert f"Hoop, totaal door de tijd. {CHANGE}" in told


def test_many_moments_go_into_tables_below_each_other_and_none_is_lost(anna):
    days = [f"2025-{month:02}-01" for month in range(1, 10)]
    for day in days:
        measure(anna, "hoop", day, "3")
    content = anna.get("scores/hoop/scores.pdf").data
    assert [tag for tag, _alt in tags_in(content)].count("Table") == 3
    text = " ".join(sheets_in(content))
    assert all(f"1 {month} 2025" in text for month in ("januari", "mei", "september"))


def test_the_care_team_has_every_row_of_every_panel_with_the_client_s_notes(app, anna):
    anna.post("scores/hoop/note", {"note": "Ik durf weer.", "seen-note": digest("")})
    measure(anna, "mhcs", "2026-06-03", "4")
    clinician = launched(app, role="clinician", birth_date="1992-03-14")
    page, content = clinician.get("scores/"), clinician.get("scores/scores.pdf").data
    text = " ".join(sheets_in(content))
    assert len([alt for tag, alt in tags_in(content) if tag == "Figure"]) == len(panel_rows(page))
    for said in ("Hoop (HOOP)", "Vertrouwen in jezelf (MHCS)", "26 → 42", "Ik durf weer."):
        assert said in text
        assert said in text_of(page) or "→" in said


def test_a_page_links_to_its_pdf_and_its_name_says_nobody_s(anna):
    for page, file in (("scores/", "scores.pdf"), ("scores/hoop/", "scores-hoop.pdf")):
        assert f"/{page}scores.pdf" in anna.get(page).text
        answer = anna.get(f"{page}scores.pdf")
        assert answer.mimetype == "application/pdf"
        assert answer.headers["Content-Disposition"] == f"attachment; filename={file}"
        assert answer.headers["Cache-Control"] == "no-store"


def test_no_score_says_why_and_is_no_number(anna):
    measure(anna, "mansa", "2026-06-03", "4", upto=6)
    [sheet] = sheets_in(anna.get("scores/mansa/scores.pdf").data)
    assert "Geen score. 6 van 12 vragen beantwoord" in sheet
    assert "Er is nog geen score." in sheet


def test_a_number_made_in_another_way_is_named_and_not_drawn(anna):
    measure(anna, "mhcs", "2026-06-03", "4", rule="1999")
    [sheet] = sheets_in(anna.get("scores/mhcs/scores.pdf").data)
    assert "Uitgerekend op een manier die we niet kennen" in sheet
    assert "3 juni 2026: Vertrouwen, totaal, 64 (Versie 1999)" in sheet  # sixteen times 4
    assert not [tag for tag, _alt in tags_in(anna.get("scores/mhcs/scores.pdf").data) if tag == "Figure"]


@pytest.mark.parametrize("path", ["scores/nel/scores.pdf", "scores/sdm-visit/scores.pdf", "scores/phq9/scores.pdf"])
def test_what_was_never_measured_has_no_pdf(anna, path):
    assert anna.get(path).status_code == 404


@pytest.mark.parametrize("path", ["plan/plan.pdf", "scores/hoop/scores.pdf"])
def test_the_client_s_pdf_is_the_client_s(app, anna, path):
    clinician = launched(app, role="clinician")
    assert clinician.get(path).status_code == 403
    assert clinician.logged().event == "denied"
    assert anna.get(path).status_code == 200


def test_the_client_s_own_note_stands_above_the_numbers(anna):
    form = {"note": "Ik durf weer iets te plannen.\nEn *dat* telt.", "seen-note": digest("")}
    assert anna.post("scores/hoop/note", form).status_code == 303
    [sheet] = sheets_in(anna.get("scores/hoop/scores.pdf").data)
    before, _, after = sheet.partition("Ik durf weer iets te plannen. En *dat* telt.")
    assert "Wat dit voor mij betekent" in before
    assert CHANGE in after
