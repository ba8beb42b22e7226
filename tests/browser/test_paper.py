"""Pages printed from the browser: few sheets, and each says whose it is, of which day, and which sheet it is."""

from __future__ import annotations

import re

import pypdfium2
import pytest
from playwright.sync_api import Page

from scripts.tour import CARRIED, STOPS, Role, Visitor
from tests.smartapp.pages.plan.pdf_text import sheets_in

pytestmark = pytest.mark.browser

# The made-up person with the most on each page.
PAPERS: tuple[tuple[Role, str, int], ...] = (
    ("client", "plan/", 2),
    ("client", "scores/", 2),
    ("client", "scores/nel/", 2),
    ("clinician", "overview/", 2),
    ("clinician", "overview/plan", 2),
    ("clinician", "scores/", 2),
    ("client", f"living/{CARRIED}/", 2),
    ("clinician", f"living/{CARRIED}/", 2),
)


def printed(page: Page) -> list[str]:
    """Print a page as it asks to be printed, and return the text of each sheet."""
    return sheets_in(page.pdf(prefer_css_page_size=True))


@pytest.mark.parametrize(("role", "path", "most"), PAPERS)
def test_a_page_fits_its_sheets_and_each_says_whose_it_is(visitor, role, path, most):
    page = visitor.launch(role, "noor").go(path)
    sheets = printed(page)
    assert len(sheets) <= most
    for number, text in enumerate(sheets, start=1):
        assert "Noor Achterberg, geboren 14 maart 1992" in text
        assert re.search(r"\d{1,2} [a-z]+ 20\d\d", text.partition("1992")[2])
        assert f"{number} van {len(sheets)}" in text
        assert "Hier leest niemand direct mee" not in text
        assert "Uitloggen" not in text
    link = page.locator("main a[href$='.pdf']").get_attribute("href")
    document = sheets_in(page.request.get(f"{visitor.demo.url}{link}").body())
    assert len(document) <= most
    for number, text in enumerate(document, start=1):
        assert text.startswith("Noor Achterberg, geboren 14 maart 1992")
        assert f"{number} van {len(document)}" in text


def test_a_conversation_fits_one_sheet_on_which_both_read_the_same(visitor):
    [sheet] = [stop for stop in STOPS if stop.name == "together-report"]
    sheet.way(visitor.launch("clinician", "noor"))
    texts = printed(visitor.page)
    link = visitor.page.locator("main a[href$='.pdf']").get_attribute("href")
    document = sheets_in(visitor.page.request.get(f"{visitor.demo.url}{link}").body())
    for [text] in (texts, document):
        assert "Ons gesprek van" in text
        assert "Slapen" in text
        assert "Ik leg mijn telefoon om tien uur in de keuken." in text
        assert "Noor Achterberg, geboren 14 maart 1992" in text
        assert "1 van 1" in text


def test_a_sheet_is_a4(visitor):
    document = pypdfium2.PdfDocument(visitor.launch("client", "noor").go("plan/").pdf(prefer_css_page_size=True))
    assert {tuple(round(side) for side in sheet.get_size()) for sheet in document} == {(595, 842)}
    document.close()


def test_a_sheet_is_in_the_language_of_its_page_and_holds_what_is_unfolded_only(visitor: Visitor) -> None:
    page = visitor.launch("client", "noor").go("scores/hoop/?lang=en")
    [first, *_] = printed(page)
    assert "Noor Achterberg, born 14 March 1992" in first
    assert re.search(r"1 of \d", first)
    assert "answers are needed" not in first
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
    assert "answers are needed" in " ".join(printed(page))
    visitor.go("?lang=nl")
