"""Noor says that her answers may help with research, and takes it back: in a real browser, wide and at 320 px."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from scripts.tour import Demo, Visitor, close
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1200, 320])
def test_nothing_is_ticked_one_press_says_yes_and_one_takes_it_back(demo: Demo, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="nl-NL")
    noor = Visitor(context.new_page(), demo).launch("client", "noor")
    page = noor.go("sharing/reuse/")
    expect(page.locator("main")).to_contain_text("Nu staat het uit")
    expect(page.locator("input:checked")).to_have_count(0)
    page.locator("label[for='purpose-HRESCH']").click()
    noor.press("main .actions button")
    expect(page.locator("main")).to_contain_text("Je zei ja")
    expect(page.locator("input:checked")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    noor.press("main button:text('Mijn ja terugnemen')")
    expect(page.locator("input:checked")).to_have_count(0)
    close(context)
