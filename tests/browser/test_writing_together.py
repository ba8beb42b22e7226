"""Two people write in one plan, on one screen of 320 px or on two, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from scripts.tour import Demo, Visitor, close

pytestmark = pytest.mark.browser

WORDS = "Ik wil weer leren drijven."
SAVE = "main form[data-autosave] .actions button"
YES = "#confirm button.button:not(.button--quiet, .button--plain)"


def narrow(browser: Browser, *, scripts: bool = True) -> BrowserContext:
    return browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL", java_script_enabled=scripts)


def fits(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("document.documentElement.scrollWidth <= 320"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_on_one_screen_the_client_reads_each_piece_and_says_yes(browser: Browser, demo: Demo, scripts: bool) -> None:
    context, question = narrow(browser, scripts=scripts), "hope" if scripts else "lost"
    joost = Visitor(context.new_page(), demo).launch("clinician", "yara")
    joost.go("living/story/story/")
    expect(joost.page.locator("main")).to_contain_text("Samen schrijven kan hier wel")
    joost.press("main a.button")
    joost.press("main button[value=story]")
    page = joost.go(f"living/story/{question}/")
    expect(page.locator("aside.band")).to_contain_text("De woorden zijn van Yara El Idrissi.")
    page.locator("main textarea").fill(f"{WORDS}\n\nMet mijn zus.")
    joost.press(SAVE)
    expect(page.locator("h1")).to_have_text("Yara, kloppen deze woorden?")
    expect(page.locator("blockquote.words")).to_have_text(f"{WORDS}\n\nMet mijn zus.")
    if scripts:
        assert fits(joost)
    yara = Visitor(narrow(browser).new_page(), demo).launch("client", "yara")
    expect(yara.go("living/story/").locator("main")).not_to_contain_text("Met mijn zus.")

    joost.press("#confirm a.button")  # no, change it first
    expect(page.locator("main textarea")).to_have_value(f"{WORDS}\n\nMet mijn zus.")
    page.locator("main textarea").fill(f"{WORDS}\n\nMet mijn broer. {scripts}")
    joost.press(SAVE)
    joost.press(YES)
    expect(yara.go("living/story/").locator("main")).to_contain_text(f"Met mijn broer. {scripts}")
    close(yara.page.context)

    joost.press("aside.band button")
    joost.go(f"living/story/{question}/")
    expect(page.locator("main")).to_contain_text("Samen schrijven kan hier wel")
    close(context)


def test_on_two_screens_the_client_says_yes_in_their_own_portal(browser: Browser, demo: Demo) -> None:
    context, own = narrow(browser), narrow(browser)
    joost = Visitor(context.new_page(), demo).launch("clinician", "noor")
    joost.go("overview/together/write")
    joost.press("main button[value=plan]")
    page = joost.go("plan/goals/new")
    page.locator("#text").fill(WORDS)
    page.locator("main input[name=domain]").first.check()
    joost.press(SAVE)
    joost.press("main button[name=hand-over]")
    expect(page.locator("main")).to_contain_text("Deze woorden wachten tot")

    noor = Visitor(own.new_page(), demo).launch("client", "noor")
    expect(noor.page.locator("main")).to_contain_text("Joost Terpstra schreef dit met je op. Klopt het?")
    noor.press("main a[href*='confirm=']")
    expect(noor.page.locator("blockquote.words")).to_have_text(WORDS)
    assert fits(noor)
    noor.press(YES)
    expect(noor.page.locator("h1")).to_have_text(WORDS)
    expect(joost.go("overview/together/write").locator("main")).to_contain_text("Noor zei ja op")
    close(context)
    close(own)
