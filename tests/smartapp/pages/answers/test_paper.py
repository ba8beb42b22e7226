"""A response as a PDF: what its page shows, for its client and for the care team, and read as its page is."""

from __future__ import annotations

import pytest

from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.answers.test_pages import sent
from tests.smartapp.pages.overview.people import filled_in
from tests.smartapp.pages.plan.pdf_text import sheets_in, tags_in
from tests.smartapp.pages.scores.people import measure


@pytest.fixture
def anna(app):
    visitor = launched(app, birth_date="1992-03-14")
    measure(visitor, "hoop", "2025-11-20", "2")
    measure(visitor, "hoop", "2026-11-20", "3")
    return visitor


def printed(visitor, response_id, query=""):
    answer = visitor.get(f"answers/{response_id}/answers.pdf{query}")
    assert answer.status_code == 200
    return answer


def test_each_question_has_the_answer_of_now_and_of_the_time_before(anna):
    page = text_of(anna.get(f"answers/{sent(anna)}/"))
    [sheet] = sheets_in(printed(anna, sent(anna)).data)
    assert page.count("Mee eens · 20 november 2025: Mee oneens") == 12
    assert sheet.count("Mee eens Mee oneens") == 12
    for said in ("Vraag 20 november 2026 20 november 2025", "Anna Voorbeeld, geboren 14 maart 1992", "1 van 1"):
        assert said in sheet


def test_the_first_time_has_no_column_of_before_and_another_time_can_be_put_beside_it(anna):
    [sheet] = sheets_in(printed(anna, sent(anna, "2025-11-20")).data)
    assert "20 november 2026" not in sheet
    assert sheet.count("Mee oneens") == 12
    measure(anna, "hoop", "2024-11-20", "1")
    [sheet] = sheets_in(printed(anna, sent(anna), f"?beside={sent(anna, '2024-11-20')}").data)
    assert sheet.count("Mee eens Sterk mee oneens") == 12


def test_own_words_stand_there_whole(app):
    visitor = launched(app, role="clinician")
    filled_in(visitor.ehr, "sdm-visit", {"sdm-visit-purpose-first": "De pillen. " * 40}, "2026-06-01T09:00:00+02:00")
    text = " ".join(sheets_in(printed(visitor, sent(visitor, "2026-06-01", "sdm-visit")).data))
    assert text.count("De pillen.") == 40


def test_it_is_tagged_as_headings_and_tables(anna):
    kinds = [tag for tag, _alt in tags_in(printed(anna, sent(anna)).data)]
    assert kinds.count("Table") >= 1
    assert kinds.count("TH") == 3 * kinds.count("Table")
    assert kinds.count("H1") == kinds.count("Table")  # one for each group of questions


def test_the_page_leads_to_it_and_its_name_says_nobody_s(app, anna):
    for visitor in (anna, launched(app, role="clinician")):
        assert f"/answers/{sent(anna)}/answers.pdf" in visitor.get(f"answers/{sent(anna)}/").text
        disposition = printed(visitor, sent(anna)).headers["Content-Disposition"]
        assert disposition == "attachment; filename=antwoorden.pdf"


def test_that_the_care_team_took_it_along_is_seen_by_the_client_as_read(app, anna):
    page = f"answers/{sent(anna)}/"
    assert "Gelezen op" not in text_of(anna.get(page))
    printed(launched(app, role="clinician"), sent(anna))
    assert "Gelezen op" in text_of(anna.get(page))


@pytest.mark.parametrize("response_id", ["nowhere", "../../plan"])
def test_what_was_never_sent_in_has_no_pdf(anna, response_id):
    assert anna.get(f"answers/{response_id}/answers.pdf").status_code == 404
