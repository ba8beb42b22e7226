"""The app in an EHR's frame, on two sites, in a Chromium that blocks third-party cookies.

The EHR is the sandbox at `http://localhost`, the app is at `https://verstel.test` (a name that only this browser knows,
and a certificate that nobody signed). Over https our cookie is `Partitioned`: it belongs to this app inside this EHR,
and Chromium keeps it where it blocks every other cookie of a third party. Plain http has none of these, and in a frame
on another site no others either: there the app says so and opens in a tab. One test each; the one in which the cookies
lose their `Partitioned` proves that this browser really blocks the rest.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from wsgiref.types import WSGIApplication

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect, sync_playwright
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server

from scripts.tour import CHROMIUM_OPTIONS, CHROMIUM_WITH_SETTINGS, close
from smartapp import create_app
from smartapp.sandbox import Client, make_sandbox
from smartapp.sandbox.app import sandbox_app
from smartapp.sandbox.seeding import seed
from smartapp.sandbox.server import PREFIX
from smartapp.services import KEY
from smartapp.settings import Issuer, Settings
from tests.browser.test_pages import violations
from tests.conftest import Running

pytestmark = pytest.mark.browser

WORDS = "Zullen we dit dinsdag samen bekijken?"


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Secure:
    """An app served over https on a port that is known before the app is made."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.url = f"https://verstel.test:{self.socket.getsockname()[1]}"

    def start(self, app: WSGIApplication) -> None:
        self._server = make_server(
            "127.0.0.1", 0, app, threaded=True, request_handler=Quiet, ssl_context="adhoc", fd=self.socket.fileno()
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.socket.close()  # the server has a copy of it
        self._thread.join(10)


@dataclass
class Sites:
    """The EHR at one site, the app at another, and one clock for both; `partitioned` False takes that from cookies."""

    ehr: str
    app: Flask
    ahead: float = 0
    partitioned: bool = field(default=True)

    def clock(self) -> float:
        return time.time() + self.ahead

    def chart(self, role: str = "clinician") -> str:
        return f"{self.ehr}{PREFIX}/frame?role={role}&patient=noor"


def sites(serving: Running | Secure) -> Iterator[Sites]:
    ehr = Running()
    ehr_url = ehr.url.replace("127.0.0.1", "localhost")
    issuer = Issuer(
        base=f"{ehr_url}{PREFIX}/fhir", name="Oefenomgeving", client_id="verstel", frame_ancestors=(ehr_url,)
    )
    both = Sites(ehr_url, Flask(__name__))
    app = both.app = create_app(
        Settings(
            public_url=serving.url,
            secret_keys=("a secret that only tests know, 32 characters",),
            encryption_keys=(Fernet.generate_key().decode(),),
            database_url="sqlite://",
            issuers=(issuer,),
        ),
        clock=both.clock,
    )
    client = Client("verstel", (f"{serving.url}/callback",))
    engine = app.extensions[KEY].engine
    sandbox = make_sandbox(engine, ehr_url, clients=(client,), clock=both.clock, app_url=serving.url)
    seed(sandbox, datetime.now(UTC), only=["noor"])

    def app_with_cookies(environ, start_response):
        def start(status, headers, exc_info=None):
            kept = [
                (name, value if both.partitioned else value.replace("; Partitioned", "")) for name, value in headers
            ]
            return start_response(status, kept, exc_info)

        return app.wsgi_app(environ, start)

    ehr.start(DispatcherMiddleware(app, {PREFIX: sandbox_app(sandbox)}))
    serving.start(app_with_cookies)
    yield both
    serving.stop()
    ehr.stop()
    engine.dispose()


@pytest.fixture(scope="module")
def https() -> Iterator[Sites]:
    yield from sites(Secure())


@pytest.fixture
def http() -> Iterator[Sites]:
    yield from sites(Running())


@pytest.fixture(scope="module")
def browser_that_blocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser that blocks third-party cookies, as its user may choose in its settings."""
    if CHROMIUM_WITH_SETTINGS is None:
        pytest.skip("no Chromium with settings on this machine: what happens in a frame was not tried")
    folder = tmp_path_factory.mktemp("chromium")
    preferences = folder / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}))
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder,
            executable_path=CHROMIUM_WITH_SETTINGS,
            args=[*CHROMIUM_OPTIONS, "--host-resolver-rules=MAP verstel.test 127.0.0.1"],
            ignore_https_errors=True,
            locale="nl-NL",
        )
        expect.set_options(timeout=60_000)  # ms; only a failure takes this long
        yield context
        close(context)


@pytest.fixture
def page(browser_that_blocks: BrowserContext) -> Iterator[Page]:
    """A page of that browser, without the cookies of the test before."""
    browser_that_blocks.clear_cookies()
    page = browser_that_blocks.new_page()
    yield page
    page.goto("about:blank")  # see `close`
    page.close()


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_signing_in_inside_the_chart_works_and_words_of_an_ended_session_stay(https: Sites, page: Page) -> None:
    page.goto(https.chart())
    frame = frame_of(page)
    expect(frame.locator("main h1")).to_contain_text("Noor")
    frame.get_by_role("link", name="Vragenlijsten").first.click()
    frame.locator("main a[href$='/assignments/new']").first.click()
    frame.locator("main textarea").fill(WORDS)
    frame.locator("main input[type=radio]").first.check()
    https.ahead += 31 * 60
    frame.locator("main form .actions button").click()
    expect(frame.locator("main h1")).to_have_text("Je bent uitgelogd")
    expect(frame.locator("main")).to_contain_text(WORDS)
    assert violations(page.frames[1]) == []
    page.goto(https.chart())  # as one opens the chart again
    expect(frame.locator("main h1")).to_have_text("Dit typte je voordat je uitgelogd werd")
    expect(frame.locator("main")).to_contain_text(WORDS)
    assert violations(page.frames[1]) == []
    frame.get_by_role("button", name="Dit alsnog bewaren").click()
    expect(frame.locator("main")).to_contain_text(WORDS)
    expect(frame.locator("main h1")).not_to_have_text("Dit typte je voordat je uitgelogd werd")


def test_a_form_leads_to_signing_in_inside_the_chart_too(https: Sites, page: Page) -> None:
    """Its page is framed and its form goes to another site; no Lax cookie goes with it, so this EHR asks anew."""
    core = https.app.extensions[KEY]
    kept = core.settings
    core.settings = replace(kept, issuers=tuple(replace(one, authorize="post") for one in kept.issuers))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url.partition('?')[0]}"))
    try:
        page.goto(https.chart())
        expect(frame_of(page).locator("main h1")).to_have_text("Wie ben je?")
    finally:
        core.settings = kept
    assert f"POST {https.ehr}{PREFIX}/auth/authorize" in asked


def test_signing_out_inside_the_chart_says_so_there(https: Sites, page: Page) -> None:
    page.goto(https.chart())
    frame = frame_of(page)
    frame.get_by_role("button", name="Uitloggen").click()
    expect(frame.locator("main h1")).to_have_text("Je bent uitgelogd")
    frame.get_by_role("link", name="Toegankelijkheid").click()
    expect(frame.locator("main h1")).to_have_text("Toegankelijkheid")


def blocked(two: Sites, page: Page) -> None:
    """Find the page that says why in the frame, and go on in a tab of its own."""
    page.goto(two.chart("client"))
    frame = frame_of(page)
    expect(frame.locator("main h1")).to_have_text("Inloggen is niet gelukt")
    expect(frame.locator("main")).to_contain_text("Open hem dan in een eigen tabblad.")
    with page.expect_popup() as opened:
        frame.get_by_role("link", name="Openen vanuit Oefenomgeving").click()
    expect(opened.value.locator("main")).to_contain_text("Noor")


def test_where_the_browser_blocks_our_cookie_the_frame_says_so_and_a_tab_opens(https: Sites, page: Page) -> None:
    https.partitioned = False
    try:
        blocked(https, page)
    finally:
        https.partitioned = True


def test_over_plain_http_the_frame_says_so_and_a_tab_opens(http: Sites, page: Page) -> None:
    blocked(http, page)


def back(frame: FrameLocator) -> Locator:
    return frame.get_by_role("button", name="Terug naar het dossier")


def test_a_professional_goes_back_to_the_chart_which_closes_the_frame(https: Sites, page: Page) -> None:
    page.goto(https.chart())
    frame = frame_of(page)
    expect(back(frame)).to_be_visible()
    frame.get_by_role("link", name="Vragenlijsten").first.click()
    expect(frame.locator("main h1")).to_have_text("Klaargezette vragenlijsten")
    assert violations(page.frames[1]) == []
    # The handle is in no address, also not after a page more.
    handle = page.locator("iframe").get_attribute("data-handle") or ""
    assert len(handle) > 20
    assert all(handle not in one.url for one in page.frames)
    back(frame).click()
    expect(page.locator("#closed")).to_have_text("Verstel is gesloten. Je bent terug in het dossier.")
    expect(page.locator("iframe")).to_have_count(0)


def test_words_that_are_not_saved_keep_the_frame_open(https: Sites, page: Page) -> None:
    page.goto(https.chart())
    frame = frame_of(page)
    frame.get_by_role("link", name="Vragenlijsten").first.click()
    frame.locator("main a[href$='/assignments/new']").first.click()
    frame.locator("main textarea").fill(WORDS)
    back(frame).click()
    expect(frame.locator("[data-chart-says]")).to_have_text("Wat je typte, is nog niet bewaard. Bewaar het eerst.")
    expect(frame.locator("main textarea")).to_have_value(WORDS)
    expect(page.locator("#closed")).to_be_hidden()


def test_an_ehr_that_does_not_know_the_handle_does_not_close_and_the_page_says_so(https: Sites, page: Page) -> None:
    page.goto(https.chart())
    frame = frame_of(page)
    expect(back(frame)).to_be_visible()
    page.locator("iframe").evaluate("frame => { frame.dataset.handle = 'of another launch'; }")
    back(frame).click()
    # A success that is no answer to what was asked, and one that does not come from the EHR's window, are not heard.
    done = "{ responseToMessageId: 'a guess', payload: { status: 'success' } }"
    page.locator("iframe").evaluate(f"frame => frame.contentWindow.postMessage({done}, '*')")
    page.frames[1].evaluate(f"() => window.postMessage({done}, '*')")
    expect(frame.locator("[data-chart-says]")).to_have_text("Het dossier sluit Verstel niet. Sluit het daar zelf.")
    expect(page.locator("iframe")).to_have_count(1)


def test_attack_44_the_message_goes_to_the_origin_of_the_ehr_alone(https: Sites, page: Page) -> None:
    """Whoever else frames the page, if that were possible, would not get the handle: the browser sees to that."""
    page.goto(https.chart())
    frame = frame_of(page)
    expect(back(frame)).to_be_visible()
    page.evaluate("() => { window.heard = []; addEventListener('message', (event) => heard.push(event.data)); }")
    back(frame).evaluate("button => { button.closest('li').hidden = false; }")
    page.frames[1].evaluate("() => { document.querySelector('[data-chart]').dataset.chart = 'https://other.example'; }")
    back(frame).click()
    expect(frame.locator("[data-chart-says]")).to_have_text("Het dossier sluit Verstel niet. Sluit het daar zelf.")
    assert page.evaluate("() => window.heard") == []


def test_in_a_tab_of_its_own_there_is_no_way_back_to_the_chart(https: Sites, page: Page) -> None:
    page.goto(https.chart().replace("/frame?", "/launch?"))
    expect(page.locator(".whose")).to_contain_text("Noor")  # on whichever page the tests before leave to begin with
    assert page.get_by_role("button", name="Terug naar het dossier").count() == 0
