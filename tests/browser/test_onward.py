"""A sign-in by a form: a script sends it, and without one a person presses a button on a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from smartapp.sandbox.seeding import seed
from smartapp.services import KEY
from tests.browser.conftest import PHONE, close
from tests.browser.test_pages import violations
from tests.conftest import Server, serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    for running in serve():
        seed(running.sandbox, datetime.now(UTC), only=["noor"])
        core = running.app.extensions[KEY]
        [issuer] = core.settings.issuers
        core.settings = replace(core.settings, issuers=(replace(issuer, authorize="post"),))
        yield running


def test_it_leads_to_the_record_with_scripts_and_without(
    context: BrowserContext, server: Server, request: pytest.FixtureRequest
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/sandbox/launch?role=client&patient=noor")
    if "plain" in request.node.name:
        expect(page.locator("main h1")).to_have_text("Door naar het inloggen")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_role("button", name="Ga door naar het inloggen").click()
    expect(page.locator("main h1")).to_contain_text("Noor")
    assert "code_challenge" not in page.url


def test_its_page_can_be_read_and_used_by_everybody(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport=PHONE, locale="nl-NL")  # axe waits for ever where no script may run
    page = context.new_page()
    page.route("**/*.js*", lambda route: route.abort())  # so that it stays
    page.goto(f"{server.url}/sandbox/launch?role=client&patient=noor")
    expect(page.locator("main h1")).to_have_text("Door naar het inloggen")
    assert violations(page) == []
    close(context)
