"""Noor writes who is around her, Mila reads what is shared: in a real browser, with and without scripts, at 320 px."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.tour import Demo, Visitor, close
from tests.browser.conftest import PHONE
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of these tests alone, for they change who reads what."""
    demo = Demo.start(Path(tmp_path_factory.mktemp("people")))
    yield demo
    demo.stop()


def looked_at(page: Page, said: str) -> None:
    """Expect these words on the page, which fits; where a script can look, it breaks no rule."""
    expect(page.locator("main")).to_contain_text(said)
    assert page.locator("h1").count() == 1


def test_somebody_is_added_changed_leaves_and_is_put_back(own_demo: Demo, context: BrowserContext) -> None:
    noor = Visitor(context.new_page(), own_demo).launch("client", "noor")
    page = noor.go("people/")
    looked_at(page, "Mila Achterberg")
    noor.press("main a:text('Iemand toevoegen')")
    noor.press("main a:text('Een naaste')")
    page.fill("#name", "Tante <b>Riet</b>")
    page.fill("#relation", "mijn tante")
    page.locator("label[for='role-loved-one']").click()
    noor.press("main form[data-autosave] .actions button")
    looked_at(page, "Deze persoon hoort nu bij jouw mensen.")
    noor.press("main a:text('Tante <b>Riet</b>')")
    noor.press("main a:text('Dit aanpassen')")
    page.fill("#relation", "de zus van mijn vader")
    noor.press("main form[data-autosave] .actions button")
    looked_at(page, "de zus van mijn vader")
    noor.press("main button:text('Hoort niet meer bij mijn mensen')")
    looked_at(page, "hoort niet meer bij jouw mensen")
    noor.press("main button:text('Ongedaan maken')")
    looked_at(page, "Het is weer zoals het was.")
    noor.press("main a:text('Tante <b>Riet</b>') >> nth=0")
    noor.press("main button:text('Hoort niet meer bij mijn mensen')")
    noor.press("main a:text('Tante <b>Riet</b>') >> nth=0")
    noor.press("main button:text('Uit mijn lijst halen')")
    looked_at(page, "uit je lijst gehaald")


def test_mila_reads_what_is_shared_until_she_is_not_in_the_circle(own_demo: Demo, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{own_demo.url}/sandbox/launch?role=loved-one&patient=noor&user=RelatedPerson/mila")
    start = page.url
    looked_at(page, "Wat Noor met je deelt")
    page.click("main a:text('Mijn verhaal')")
    looked_at(page, "accordeon")
    story = page.url
    with_noor = context.browser.new_context(viewport=PHONE, locale="nl-NL")  # type: ignore[union-attr]
    noor = Visitor(with_noor.new_page(), own_demo).launch("client", "noor")
    theirs = noor.go("people/")
    noor.press("main a:text('Mila Achterberg')")
    looked_at(theirs, "Logde hier voor het eerst in")
    noor.press("main button:text('Hoort niet meer bij mijn mensen')")
    assert page.goto(story).status == 404  # type: ignore[union-attr]
    page.goto(start)
    looked_at(page, "Er staat nu niets om te lezen.")
    noor.press("main button:text('Ongedaan maken')")
    page.goto(story)
    looked_at(page, "accordeon")
    close(with_noor)


def test_the_pages_fit_and_break_no_rule(own_demo: Demo, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, locale="nl-NL")
    noor = Visitor(context.new_page(), own_demo).launch("client", "noor")
    paths = ["people/", "people/new/", "people/new/loved-one/", "people/new/professional/"]
    page = noor.go("people/")
    paths.append(page.locator("main a:text('Mila Achterberg')").get_attribute("href") or "")
    for path in paths:
        noor.go(path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    page.goto(f"{own_demo.url}/sandbox/launch?role=loved-one&patient=noor&user=RelatedPerson/mila")
    links = [one.get_attribute("href") or "" for one in page.locator("main a[href*='/shared/']").all()]
    assert links
    for href in [page.url, *(f"{own_demo.url}{one}" for one in links)]:
        page.goto(href)
        assert violations(page) == [], href
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, href
    close(context)
