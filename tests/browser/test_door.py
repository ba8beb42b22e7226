"""One questionnaire on a tablet in real browsers: opened by its QR code, filled in by touch, and nothing left of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from scripts.tour import Demo, Visitor, close
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def joost(visitor: Visitor) -> Visitor:
    return visitor.launch("clinician", "noor")


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    """A small device on which nobody is signed in; what goes wrong in its pages is an error here."""
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL", has_touch=True)
    page, broken = context.new_page(), []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    close(context)
    assert broken == []


def made(joost: Visitor) -> tuple[str, str]:
    """Make a door as its page does, and return its secret and its code."""
    page = joost.go("door/")
    page.locator("#questionnaire-hoop").check()
    joost.press("#new-door .actions button")
    return page.locator("input[name=link]").input_value(), page.locator(".qr-passcode strong").inner_text()


def opened(tablet: Page, demo: Demo, secret: str) -> None:
    tablet.goto(f"{demo.url}/door/#{secret}")
    expect(tablet.get_by_label("Code")).to_be_hidden()
    assert secret not in tablet.url
    tablet.get_by_role("button", name="Openen").click()
    expect(tablet.get_by_role("heading", level=1)).to_have_text("Hoop (HOOP)")


def answered(tablet: Page, number: int) -> None:
    for at in range(1, number + 1):
        expect(tablet.locator("main form")).to_have_attribute("action", re.compile(f"hoop-{at:02}$"))
        tablet.locator("main .choice label").nth(2).click()
        expect(tablet.locator("[data-saved]")).to_have_text("Bewaard")
        tablet.get_by_role("button", name="Verder").click()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def is_wiped(tablet: Page) -> None:
    """Back and forward show nothing of it, and the browser has nothing of it."""
    assert tablet.context.cookies() == []
    assert tablet.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert tablet.evaluate("caches.keys()") == []
    assert tablet.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    for _ in range(3):
        # A page of before that leads on at once breaks off the way to itself; what is looked at is where it ends.
        with contextlib.suppress(Error):
            tablet.go_back()
        expect(tablet.get_by_role("heading", level=1)).to_have_text("Dit is klaar op dit toestel")
        expect(tablet.get_by_text(re.compile("positieve kijk|Mee eens|Achterberg"))).to_have_count(0)
    with contextlib.suppress(Error):
        tablet.go_forward()
    expect(tablet.get_by_role("heading", level=1)).to_have_text("Dit is klaar op dit toestel")


def test_attack_46_after_sending_there_is_no_way_back_into_it(joost, tablet, demo):
    secret, _code = made(joost)
    assert fits(joost.page)
    assert violations(joost.page) == []
    tablet.goto(f"{demo.url}/door/")
    assert violations(tablet) == []
    opened(tablet, demo, secret)
    assert fits(tablet)
    assert violations(tablet) == []
    expect(tablet.get_by_text("N. A.")).to_be_visible()
    tablet.get_by_role("link", name="Ja, verder").click()
    expect(tablet.get_by_role("link", name="Stoppen en wissen")).to_be_in_viewport()
    assert fits(tablet)
    assert violations(tablet) == []
    answered(tablet, 12)
    expect(tablet.get_by_role("heading", level=1)).to_have_text("Je antwoorden nalezen")
    expect(tablet.get_by_role("link", name="Stoppen en wissen")).to_be_visible()
    assert violations(tablet) == []
    tablet.get_by_role("button", name="Versturen").click()
    expect(tablet.get_by_role("heading", level=1)).to_have_text("Verstuurd. Geef het toestel terug.")
    assert violations(tablet) == []
    is_wiped(tablet)
    expect(joost.go("door/").get_by_text("Ingevuld en verstuurd op").first).to_be_visible()


def test_attack_46_stopping_leaves_nothing_either_and_the_client_finds_it(joost, tablet, demo, browser):
    secret, _code = made(joost)
    opened(tablet, demo, secret)
    tablet.get_by_role("link", name="Ja, verder").click()
    answered(tablet, 2)
    tablet.get_by_role("link", name="Stoppen en wissen").click()
    assert violations(tablet) == []
    tablet.get_by_role("button", name="Stoppen, en mijn antwoorden voor mij bewaren").click()
    expect(tablet.get_by_role("heading", level=1)).to_have_text("Gestopt. Geef het toestel terug.")
    is_wiped(tablet)
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL")
    noor = Visitor(context.new_page(), demo).launch("client", "noor")
    page = noor.go("questionnaires/hoop/")
    expect(page.get_by_text("Begonnen op een ander toestel")).to_be_visible()
    assert fits(page)
    assert violations(page) == []
    page.get_by_role("button", name="Die antwoorden weggooien").click()
    expect(page.get_by_text("Begonnen op een ander toestel")).to_have_count(0)
    close(context)


def test_a_device_that_lies_untouched_asks_and_then_wipes_itself(joost, tablet, demo):
    secret, _code = made(joost)
    tablet.clock.install()
    opened(tablet, demo, secret)
    tablet.get_by_role("link", name="Ja, verder").click()
    answered(tablet, 1)
    asked = tablet.get_by_role("alertdialog")
    expect(asked).to_be_hidden()
    tablet.clock.fast_forward("09:00")
    expect(asked).to_be_visible()
    assert violations(tablet) == []
    asked.get_by_role("button", name="Ja, verder").click()
    expect(asked).to_be_hidden()
    tablet.clock.fast_forward("09:00")
    expect(asked).to_be_visible()
    tablet.clock.fast_forward("01:01")
    expect(tablet.get_by_role("heading", level=1)).to_have_text("Gestopt. Geef het toestel terug.")
    is_wiped(tablet)


def test_without_a_script_the_code_is_typed(joost, browser, demo):
    _secret, code = made(joost)
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{demo.url}/door/")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Openen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hoop (HOOP)")
    page.get_by_role("button", name="Nee, dit is niet voor mij").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Er is niets ingevuld. Geef het toestel terug.")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dit is klaar op dit toestel")
    context.close()
