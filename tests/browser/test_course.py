"""A programme is begun, read, moved, declined, paused and taken back: in a real browser, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.tour import Demo, Visitor, close
from tests.browser.conftest import PHONE
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def own_demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo of one test alone, for it decides about programmes."""
    demo = Demo.start(tmp_path)
    yield demo
    demo.stop()


def looked_at(page: Page, said: str) -> None:
    """Expect these words on the page, which fits."""
    expect(page.locator("main")).to_contain_text(said)
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_client_decides_about_the_programme_and_takes_it_back(own_demo: Demo, context: BrowserContext) -> None:
    noor = Visitor(context.new_page(), own_demo).launch("client", "noor")
    page = noor.go("course/")
    looked_at(page, "Herstelprogramma in gesprekken")
    noor.press("main a:text('Een andere dag, of deze keer niet') >> nth=0")
    looked_at(page, "Vanaf welke dag?")
    noor.press("main button:text('Deze keer niet')")
    looked_at(page, "Dit wordt deze keer niet gevraagd.")
    noor.press("main button:text('Ongedaan maken')")
    looked_at(page, "Het is weer zoals het was.")
    noor.press("main button:text-is('Pauze') >> nth=0")
    looked_at(page, "Het programma staat op pauze.")
    noor.press("main button:text('Verdergaan')")
    looked_at(page, "Het programma gaat verder.")


def test_a_clinician_reads_what_comes_and_begins_it(own_demo: Demo, context: BrowserContext) -> None:
    clinician = Visitor(context.new_page(), own_demo).launch("clinician", "yara")
    page = clinician.go("course/begin")
    page.locator("label[for='programme-three-moments']").click()
    clinician.press("#choices button:text('Laat zien wat er komt')")
    looked_at(page, "Dit komt er: Meten op drie momenten")
    clinician.press("main button[name=begin]")
    looked_at(page, "Het programma is begonnen.")


@pytest.mark.parametrize(
    ("role", "path"), [("client", "course/"), ("clinician", "course/"), ("clinician", "course/begin")]
)
def test_the_pages_break_no_rule_of_accessibility(demo: Demo, browser: Browser, role: str, path: str) -> None:
    context = browser.new_context(viewport=PHONE, locale="nl-NL")
    page = Visitor(context.new_page(), demo).launch(role, "noor").go(path)  # type: ignore[arg-type]
    assert violations(page) == []
    close(context)
