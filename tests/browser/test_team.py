"""A client gives a team marks on a phone, and staff write an action; in a real browser, with axe."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, expect

from scripts.tour import Demo, Visitor, close
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


def test_on_a_phone_a_client_gives_marks_which_are_kept_while_typed_and_taken_back(
    demo: Demo, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL")
    noor = Visitor(context.new_page(), demo).launch("client", "noor")
    page = noor.go("")
    expect(page.locator("main")).to_contain_text("Wat vind je van FACT Noord?")
    page = noor.go("team/fact-noord/marks/")
    noor.press("main .actions button:text('Deze cijfers geven')")
    expect(page.locator("main")).to_contain_text("Er is nog niets ingevuld.")
    page.locator("label[for='team-marks-daytime-mark-3']").click()
    page.locator("label[for='team-marks-daytime-mark-']").click()  # a mark that was chosen can be left out again
    page.locator("label[for='team-marks-atmosphere-mark-8']").click()
    page.locator("#team-marks-atmosphere-why").fill("Ik voel me welkom.")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard voor jou. Het telt pas mee als je het geeft.")
    expect(noor.go("").locator("main")).to_contain_text("Wat je invulde, is bewaard. Je hebt het nog niet gegeven.")
    page = noor.go("team/fact-noord/marks/")
    expect(page.locator("#team-marks-daytime-mark-3")).not_to_be_checked()
    expect(page.locator("#team-marks-atmosphere-why")).to_have_value("Ik voel me welkom.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    noor.press("main .actions button:text('Deze cijfers geven')")
    expect(page.locator("main")).to_contain_text("Dank je wel")
    expect(page.locator("main")).not_to_contain_text("Ik voel me welkom.")
    assert violations(page) == []
    noor.go("team/fact-noord/marks/")
    noor.press("main button:text('Terugnemen wat ik gaf')")
    expect(page.locator("main")).to_contain_text("Wat je gaf, is gewist.")
    close(context)


def test_staff_follow_an_action_and_the_sheet_of_a_team_names_no_client(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, locale="nl-NL")
    joost = Visitor(context.new_page(), demo).launch("clinician", "noor")
    page = joost.go("team/fact-noord/")
    assert violations(page) == []
    page.emulate_media(media="print")
    expect(page.locator("body")).not_to_contain_text("Achterberg")
    page.emulate_media(media="screen")
    joost.press("main a[href*='/actions/new/']")
    page.locator("#description").fill("Een moestuin beginnen")
    page.locator("label[for='state-doing']").click()
    joost.press("main .actions button")
    expect(page.locator("main")).to_contain_text("Een moestuin beginnen")
    # Of two tabs the later one wipes out nothing that it left open.
    address = page.get_by_role("link", name="Een moestuin beginnen").get_attribute("href") or ""
    other = Visitor(context.new_page(), demo, joost.home)
    other.go(address)
    joost.go(address).locator("#who").fill("de tuingroep")
    joost.press("main .actions button")
    other.page.locator("#description").fill("Een moestuin maken")
    other.press("main .actions button")
    expect(other.page.locator("main")).to_contain_text("Een moestuin beginnen")
    expect(other.page.locator("#description")).to_have_value("Een moestuin maken")
    expect(other.page.locator("#who")).to_have_value("de tuingroep")
    # An agreement on nothing is none, and tells nobody so.
    joost.go(f"team/fact-noord/ropi/{dt.datetime.now(dt.UTC).year - 1}/agreed/")
    for none in page.locator("main label[for^='ropi-'][for$='-']").all():
        none.click()
    joost.press("main .actions button")
    expect(page.locator("main .error").first).to_have_text("Kies minstens één score waar jullie het over eens zijn.")
    close(context)
