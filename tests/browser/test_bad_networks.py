"""What is typed and pressed where the network is slow or gone, or the phone is old: nothing is lost, no false alarm."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from scripts.tour import Visitor

pytestmark = pytest.mark.browser

TEXT_QUESTION = "questionnaires/sdm-visit/questions/sdm-visit-helps"


def type_and_wait_for_save(page: Page, text: str) -> None:
    """Type after what is there already, and stop typing until the page sends it."""
    with page.expect_request("**/autosave"):
        page.locator("main textarea").press_sequentially(text)


def test_own_text_is_no_other_tabs_text_when_the_answer_got_lost(visitor: Visitor) -> None:
    """The server took the first words, the phone did not hear it, and the person typed on."""
    page = visitor.launch("client", "noor").go(TEXT_QUESTION)
    page.route("**/autosave", lambda route: (route.fetch(), route.abort()), times=1)
    type_and_wait_for_save(page, "Ik ga ")
    page.locator("main textarea").press_sequentially("wandelen")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    expect(visitor.go(TEXT_QUESTION).locator("main textarea")).to_have_value("Ik ga wandelen")


def test_text_of_another_tab_is_still_seen(visitor: Visitor) -> None:
    page = visitor.launch("client", "kees").go(TEXT_QUESTION)
    phone = Visitor(page.context.new_page(), visitor.demo, visitor.home)
    phone.go(TEXT_QUESTION).locator("main textarea").fill("Op mijn telefoon.")
    phone.press("main button[name=next]")
    type_and_wait_for_save(page, "Op de computer.")
    expect(page.locator("[data-saved]")).to_contain_text("In een ander tabblad")
    visitor.press("main button[name=next]")
    expect(page.locator("main .versions")).to_contain_text("Op mijn telefoon.")
    expect(page.locator("main textarea")).to_have_value("Op de computer.")


def test_second_press_while_the_first_waits_is_no_other_tab(visitor: Visitor) -> None:
    """The server has the first words and its answer is under way, while the person types on and presses twice."""
    page = visitor.launch("client", "sem").go(TEXT_QUESTION)

    def slowly(route: Route) -> None:
        answer = route.fetch()
        page.locator("main textarea").press_sequentially("wandelen")
        page.locator("main button[name=next]").click()
        page.locator("main button[name=next]").click()
        route.fulfill(response=answer)

    page.route("**/autosave", slowly, times=1)
    with page.expect_navigation():
        page.locator("main textarea").press_sequentially("Ik ga ")
    assert page.url.endswith("/questions/sdm-visit-proud")
    expect(visitor.go(TEXT_QUESTION).locator("main textarea")).to_have_value("Ik ga wandelen")


@pytest.mark.parametrize("path", ["living/story/story/", TEXT_QUESTION])
def test_press_without_a_network_keeps_page_and_text(visitor: Visitor, path: str) -> None:
    """The browser's own error page would replace the text."""
    page = visitor.launch("client", "iwan").go(path)
    here = page.url
    page.context.set_offline(True)
    page.locator("main textarea").fill("In de trein geschreven.")
    page.locator("main form[data-autosave] :is(.bar, .actions) button").first.click(delay=300)
    expect(page.locator("[data-saved]")).to_contain_text("Geen verbinding")
    assert page.url == here
    page.context.set_offline(False)
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    visitor.press("main form[data-autosave] :is(.bar, .actions) button")
    expect(visitor.go(path).locator("main textarea")).to_have_value("In de trein geschreven.")


def test_old_phone_saves_too(visitor: Visitor) -> None:
    """Phones that stopped at iOS 15 know neither of these two."""
    page = visitor.page
    page.add_init_script("delete AbortSignal.timeout; delete HTMLFormElement.prototype.requestSubmit;")
    visitor.launch("client", "marlies").go(TEXT_QUESTION)
    page.locator("main textarea").press_sequentially("Vroeg naar bed.")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    page.locator("main textarea").press_sequentially(" En piano.")
    visitor.press("main button[name=next]")
    expect(visitor.go(TEXT_QUESTION).locator("main textarea")).to_have_value("Vroeg naar bed. En piano.")
