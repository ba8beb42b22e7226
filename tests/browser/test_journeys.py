"""What people come to do, done in a real browser against the real command, and what may go wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from scripts.journeys import ask_for, fill_in, send_in, write_plan
from scripts.tour import Demo, Visitor, close
from tests.conftest import port_of_ours

pytestmark = pytest.mark.browser


@pytest.fixture
def port() -> Iterator[int]:
    with port_of_ours() as port:
        yield port


@pytest.fixture
def plain(browser: Browser, demo: Demo) -> Visitor:
    """Someone whose browser runs no scripts."""
    context = browser.new_context(java_script_enabled=False, locale="nl-NL", viewport={"width": 320, "height": 700})
    return Visitor(context.new_page(), demo)


def test_client_fills_in_and_clinician_finds_it_without_javascript(plain: Visitor, browser: Browser) -> None:
    """All "3" on the HOOP is 34: ten items of 3, and the two reversed ones 5 - 3 = 2 each."""
    plain.launch("client", "yara")
    fill_in(plain, "hoop", {}, default="3")
    expect(plain.page.locator("main h1")).to_have_text("Je antwoorden nalezen")
    send_in(plain)
    plain.go("scores/hoop/")
    expect(plain.page.locator("main")).to_contain_text("34")
    clinician = Visitor(browser.new_page(), plain.demo).launch("clinician", "yara")
    expect(clinician.page.locator("main")).to_contain_text("Hoop (HOOP)")
    expect(clinician.page.locator("main")).to_contain_text("34")
    clinician.page.close()


def test_client_writes_a_plan_and_clinician_reads_the_same_words(plain: Visitor, browser: Browser) -> None:
    plain.launch("client", "sem")
    write_plan(plain)
    plain.go("plan/")
    goal = "Ik wil voor de zomer in een eigen kamer met keuken wonen."
    for words in (goal, "Ik woon op kamers en dat is te druk.", "Koken voor anderen", "De woningsite opzoeken"):
        expect(plain.page.locator("main")).to_contain_text(words)
    clinician = Visitor(browser.new_page(), plain.demo).launch("clinician", "sem")
    text = clinician.page.locator("main").inner_text()
    assert text.index("boven de bakkerij") < text.index(goal), "the person's story comes before the goals"
    clinician.page.close()


def test_what_the_clinician_asks_waits_for_the_client(plain: Visitor, browser: Browser) -> None:
    clinician = Visitor(browser.new_page(), plain.demo).launch("clinician", "iwan")
    ask_for(clinician, "mansa-short", "Zullen we dit dinsdag samen bekijken?")
    clinician.page.close()
    plain.launch("client", "iwan")
    expect(plain.page.locator("main")).to_contain_text("Zullen we dit dinsdag samen bekijken?")


def test_question_is_answered_with_the_keyboard_alone(visitor: Visitor) -> None:
    visitor.launch("client", "noor").go("questionnaires/hoop/questions/hoop-01")
    page = visitor.page
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio":
            break
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.value") == "2"
    page.keyboard.press("Enter")
    page.wait_for_url("**/questions/hoop-02")
    visitor.go("questionnaires/hoop/questions/hoop-01")
    assert page.locator("main input:checked").get_attribute("value") == "2"


@pytest.mark.parametrize("path", ["living/story/story/", "questionnaires/sdm-visit/questions/sdm-visit-helps"])
def test_slow_press_is_not_lost(visitor: Visitor, path: str) -> None:
    """Leaving the field saves it; what the page then says may not push the button away from under the finger."""
    page = visitor.launch("client", "kees").go(path)
    page.locator("main textarea").fill("Vroeg naar buiten.")
    with page.expect_navigation(timeout=30_000):
        page.locator("main :is(.bar, .actions) button").first.click(delay=600)
    assert page.url != visitor.home + path


def test_skip_link_is_the_first_stop_of_the_keyboard(visitor: Visitor) -> None:
    visitor.launch("client", "noor").page.keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement.getAttribute('href')") == "#main"


def test_two_charts_in_one_browser_stay_apart(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(locale="nl-NL")
    noor = Visitor(context.new_page(), demo).launch("clinician", "noor")
    kees = Visitor(context.new_page(), demo).launch("clinician", "kees")
    for visitor, name in ((noor, "Noor"), (kees, "Kees"), (noor, "Noor")):
        visitor.page.reload()
        expect(visitor.page.locator("main h1")).to_contain_text(name)
    close(context)


def test_kill_while_a_client_is_typing_loses_nothing(browser: Browser, tmp_path: Path, port: int) -> None:
    """What was saved is there after the restart; what is typed while the server is down is saved once it is back."""
    first = Demo.start(tmp_path / "demo", port=port)
    context = browser.new_context(locale="nl-NL")
    visitor = Visitor(context.new_page(), first).launch("client", "noor")
    address = visitor.go("questionnaires/sdm-visit/questions/sdm-visit-helps").url
    page = visitor.page
    saved = page.locator("[data-saved]")
    page.locator("textarea").fill("Vroeg naar buiten.")
    expect(saved).to_have_text("Bewaard")
    first.kill()
    page.locator("textarea").fill("Vroeg naar buiten. En piano.")
    expect(saved).to_contain_text("Nog niet bewaard")
    again = Demo.start(tmp_path / "demo", port=port)
    try:
        expect(saved).to_have_text("Bewaard")
        assert page.goto(address)
        expect(page.locator("textarea")).to_have_value("Vroeg naar buiten. En piano.")
    finally:
        again.stop()
        close(context)


@pytest.mark.parametrize("path", ["living/story/all/", "living/stressors/list/"])
def test_what_was_saved_is_said_where_the_reader_lands(visitor: Visitor, path: str) -> None:
    page = visitor.launch("client", "noor").go(path)
    page.locator("main textarea").first.fill("Vroeg naar buiten, en piano.")
    visitor.press("main form[data-autosave] :is(.bar, .actions) button")
    expect(page.locator("main .banner")).to_be_in_viewport()
    expect(page.locator("main .banner")).to_contain_text("bewaard")


def test_what_was_saved_is_said_once_and_its_undoing_stays(visitor: Visitor) -> None:
    page = visitor.launch("client", "noor").go("living/strengths/list/")
    page.locator("main textarea").fill("Mijn fiets.")
    visitor.press("main form[data-autosave] .actions button")
    expect(page.locator("main")).to_contain_text("is bewaard")
    page.reload()
    expect(page.locator("main")).to_contain_text("Mijn fiets.")
    expect(page.locator("main")).not_to_contain_text("is bewaard")
    # Words that were taken away can be taken back, also after the page is loaded again.
    page.locator("article", has_text="Mijn fiets.").get_by_role("link", name="Aanpassen").click()
    page.get_by_role("button", name="Dit weghalen").click()
    expect(page.get_by_role("button", name="Ongedaan maken")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Ongedaan maken").click()
    expect(page.locator("main")).to_contain_text("Mijn fiets.")


def test_what_went_wrong_with_an_answer_has_the_focus(visitor: Visitor) -> None:
    page = visitor.launch("client", "noor").go("questionnaires/sdm-visit/questions/sdm-visit-proud")
    page.locator("main textarea").fill("a" * 20_001)
    visitor.press("main button[name=next]")
    expect(page.locator("main .error")).to_be_visible()
    expect(page.locator("main textarea")).to_be_focused()


@pytest.mark.parametrize("path", ["living/story/story/", "questionnaires/sdm-visit/questions/sdm-visit-helps"])
def test_back_in_the_browser_brings_no_old_words_back(visitor: Visitor, path: str) -> None:
    """Browsers put back what was typed in a page; sent once more, those words would replace newer ones."""
    page = visitor.launch("client", "kees").page
    for words in ("Eerst dit.", "Later dit, en veel meer."):
        visitor.go(path).locator("main textarea").fill(words)
        visitor.press("main form[data-autosave] :is(.bar, .actions) button")
    for _page in range(3):
        page.go_back()
    assert page.url == visitor.home + path
    expect(page.locator("main textarea")).to_have_value("Later dit, en veel meer.")
