"""The list of own clients in a browser: narrowed while one types, fresh by itself, and a page without a script too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.tour import Demo, close
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.fixture(params=[1200, 320])
def page(browser: Browser, demo: Demo, request) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 800}, locale="nl-NL")
    opened = context.new_page()
    opened.goto(f"{demo.url}/sandbox/caseload?user=Practitioner/joost-terpstra")
    yield opened
    close(context)


def names(page: Page) -> list[str]:
    return [one.inner_text().partition("\n")[0] for one in page.locator("[data-line]:visible h3").all()]


def test_nothing_is_in_its_way_and_nothing_says_that_it_changed(page: Page) -> None:
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert names(page) == ["Iwan Pinas", "Kees Hoekstra", "Noor Achterberg", "Sem Oudenaarden"]
    for words in ("Veranderd sinds je dit opende", "Er veranderde iets", "Wie dit in de naam heeft"):
        for one in page.get_by_text(words).all():
            expect(one).to_be_hidden()


def test_it_is_narrowed_while_one_types_and_no_name_gets_into_the_address(page: Page) -> None:
    address = page.url
    page.get_by_label("Zoek een naam").fill("Óúdenaarden".lower())
    assert names(page) == ["Sem Oudenaarden"]
    expect(page.get_by_role("heading", level=2)).to_have_text("Wie dit in de naam heeft", use_inner_text=True)
    page.get_by_role("button", name="Zoek").click()
    assert names(page) == ["Sem Oudenaarden"]
    page.get_by_label("Zoek een naam").fill("")
    assert len(names(page)) == 4
    assert page.url == address


def test_a_fresh_list_says_at_the_name_what_changed_and_keeps_what_is_sought(page: Page) -> None:
    other = re.sub(r'(data-line=")(\w{4})(?=[^>]*data-sought="noor)', r"\1beef", page.content())
    page.route("**/caseload/fresh**", lambda route: route.fulfill(body=other, content_type="text/html"))
    page.get_by_label("Zoek een naam").fill("noor")
    page.evaluate("document.activeElement.blur()")
    # As if the time had come: the page asks when it is looked at again.
    page.evaluate("document.querySelector('[data-fresh]').dataset.every = 0")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-news]")).to_be_visible()
    assert names(page) == ["Noor Achterberg"]
    expect(page.locator("[data-line]:visible [data-new]")).to_have_count(1)
    page.get_by_label("Zoek een naam").fill("")
    said = [one.is_visible() for one in page.locator("[data-new]").all()]
    assert said == [False, False, True, False]


def test_it_works_without_a_script(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(java_script_enabled=False, locale="nl-NL")
    page = context.new_page()
    page.goto(f"{demo.url}/sandbox/caseload?user=Practitioner/joost-terpstra")
    page.get_by_role("link", name="Stuurde iets in").click()
    expect(page.locator("[data-line]")).to_have_count(3)
    assert names(page) == ["Iwan Pinas", "Kees Hoekstra", "Noor Achterberg"]
    page.get_by_label("Zoek een naam").fill("noor")
    page.get_by_role("button", name="Zoek").click()
    expect(page.locator("[data-line]")).to_have_count(1)
    assert names(page) == ["Noor Achterberg"]
    assert "noor" not in page.url
    page.get_by_role("link", name="Toon weer iedereen").click()
    expect(page.locator("[data-line]")).to_have_count(3)
    close(context)
