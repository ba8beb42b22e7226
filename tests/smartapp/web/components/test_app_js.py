"""The small script in a real browser: it never says "saved" too early, and it loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Route, expect, sync_playwright
from werkzeug.serving import make_server

from scripts.tour import CHROMIUM, CHROMIUM_OPTIONS, close
from smartapp.web.guard import cookie_name
from tests.smartapp.helpers import Visitor, launched

TEXT = "questionnaires/sdm-visit/questions/sdm-visit-helps"

PATIENCE = 20_000  # ms; a wait ends when what it waits for is there, so that only a failure takes this long

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine; install it to run these"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def anna(app: Flask) -> Visitor:
    return launched(app)


@pytest.fixture
def base(app: Flask) -> Iterator[str]:
    """Serve the app on a free port and return its address."""
    app.config["TRUSTED_HOSTS"] = None
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def context(chromium, base: str, anna: Visitor) -> Iterator[BrowserContext]:
    name = cookie_name(anna.core.settings)
    context = chromium.new_context(locale="nl-NL")
    context.add_cookies([{"name": name, "value": anna.client.get_cookie(name).value, "url": base}])
    yield context
    close(context)


@pytest.fixture
def page(context: BrowserContext, base: str, anna: Visitor) -> Page:
    page = context.new_page()
    page.goto(base + anna.url(TEXT))
    return page


def kept(anna: Visitor) -> str:
    draft = anna.records.drafts.get("sdm-visit")
    return draft.resource["item"][0]["item"][0]["answer"][0]["valueString"] if draft else ""


def test_typing_is_saved_and_then_said(page, anna):
    page.locator("textarea").type("Wandelen")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    assert kept(anna) == "Wandelen"


def test_saved_is_not_said_while_the_server_is_silent(page, anna):
    page.route("**/autosave", lambda route: route.abort())
    page.locator("textarea").type("Wandelen")
    expect(page.locator("[data-saved]")).to_have_text("Nog niet bewaard. We blijven het proberen.")
    assert kept(anna) == ""
    page.unroute("**/autosave")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    assert kept(anna) == "Wandelen"


def test_an_ended_session_leaves_the_text_on_the_page(page, anna, context):
    context.clear_cookies()
    page.locator("textarea").type("Wandelen")
    expect(page.locator("[data-saved]")).to_contain_text("Je bent uitgelogd.")
    expect(page.locator("textarea")).to_have_value("Wandelen")
    assert kept(anna) == ""


def test_pressing_next_during_a_save_meets_no_other_tab(page, anna):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/autosave", hold)
    page.locator("textarea").type("Wandel")
    expect(page.locator("[data-saved]")).to_have_text("Bewaren…")
    page.locator("textarea").type("en")
    page.get_by_role("button", name="Verder").click()
    held[0].continue_()  # the answer to the first text comes only now
    page.wait_for_url("**/sdm-visit-proud")
    assert kept(anna) == "Wandelen"


def test_a_page_that_comes_back_by_the_back_button_saves_again(page, anna):
    """The browser may keep a page as it was left, here with a "Next" that was held back, and show just that again."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/autosave", hold)
    page.route("**/sdm-visit-helps", lambda route: route.fulfill(status=204))  # the browser stays on the page
    page.locator("textarea").type("Wandel")
    expect(page.locator("[data-saved]")).to_have_text("Bewaren…")
    with page.expect_request(lambda sent: sent.method == "POST" and not sent.url.endswith("autosave")):
        page.get_by_role("button", name="Verder").click()
        held[0].continue_()
    page.unroute("**/autosave")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    with page.expect_response(lambda answer: "answer=Wandelen" in (answer.request.post_data or "")):
        page.locator("textarea").type("en")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    assert kept(anna) == "Wandelen"


def test_a_second_tab_with_another_text_is_told(page, context, anna, base):
    other = context.new_page()
    other.goto(base + anna.url(TEXT))
    page.locator("textarea").type("Eerste")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    other.locator("textarea").type("Tweede")
    expect(other.locator("[data-saved]")).to_contain_text("In een ander tabblad")
    assert kept(anna) == "Eerste"


def test_choosing_an_answer_saves_it_at_once(page, anna, base):
    page.goto(base + anna.url("questionnaires/hoop/questions/hoop-01"))
    page.get_by_label("Sterk mee eens").check()
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    assert len(anna.records.drafts.all()) == 1
