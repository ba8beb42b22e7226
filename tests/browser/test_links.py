"""A link in real browsers: a client makes it and stops it, and a stranger reads it in between, on a phone."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey
from playwright.sync_api import Browser, Page, Route, expect

from mappers.health_link import Payload
from scripts.tour import Demo, Visitor, close
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def noor(visitor: Visitor) -> Visitor:
    return visitor.launch("client", "noor")


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """A phone of somebody without an account; what goes wrong in its page is an error here."""
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL")
    page, broken = context.new_page(), []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    close(context)
    assert broken == []


def share(noor: Visitor, what: str = "card.staying-well", *, passcode: str = "482913") -> str:
    """Share something as its person does, and return the link that is in the QR code."""
    page = noor.go("links/new")
    page.locator(f'input[name="what"][value="{what}"]').check()
    page.get_by_label("Code", exact=True).fill(passcode)
    noor.press("#new-link .actions button")
    return page.locator('#again input[name="link"]').input_value()


def stop(noor: Visitor) -> None:
    noor.go("links/")
    noor.press('main form[action$="/end"] button')


def come(stranger: Page, link: str) -> None:
    stranger.goto("about:blank")
    stranger.goto(link)


def fill(stranger: Page, passcode: str) -> None:
    stranger.get_by_label("Wie ben je?").fill("Ambulance 12")
    stranger.get_by_label("Code").fill(passcode)
    stranger.get_by_role("button", name="Openen").click()


def check(page: Page) -> None:
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []


def test_a_stranger_reads_what_was_shared_until_it_is_stopped(noor: Visitor, stranger: Page) -> None:
    link = share(noor)
    check(noor.page)
    asked, said_by_browser = [], []
    stranger.on("request", lambda request: asked.append(f"{request.url} {request.post_data}"))
    stranger.on("console", lambda told: said_by_browser.append(told.text))
    come(stranger, link)
    expect(stranger.locator(".lead")).to_have_text("Kaartje: Mijn plan voor goede en moeilijke dagen")
    check(stranger)
    fill(stranger, "000000")
    expect(stranger.get_by_role("alert")).to_have_text("Deze code klopt niet. Je kunt het nog 4 keer proberen.")
    check(stranger)
    stranger.get_by_label("Code").fill("48 29 13")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Kaartje: Mijn plan voor goede en moeilijke dagen")
    expect(stranger.get_by_text("Praat zacht en zeg wie je bent.")).to_be_visible()
    assert stranger.get_by_role("link", name="06 0000 0002").get_attribute("href") == "tel:0600000002"
    assert "De woorden van Noor Achterberg, zoals ze waren op" in stranger.locator(".lead").inner_text()
    check(stranger)
    # The key was sent nowhere, and stays nowhere.
    said = Payload.of(link)
    assert said is not None
    assert not [one for one in asked if said.key in one or "shlink" in one]
    assert "#" not in stranger.url
    stop(noor)
    come(stranger, link)
    fill(stranger, "482913")
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Deze link is niet te openen")
    check(stranger)
    told = noor.go("who-looked/").locator("main").inner_text()
    assert "Ambulance 12" in told
    assert "Typte een code die niet klopt." in told
    assert "Het was niet meer te openen." in told
    assert not [one for one in said_by_browser if "Content Security Policy" in one]


def test_the_whole_plan_fits_a_phone_and_can_be_read_aloud(noor: Visitor, stranger: Page) -> None:
    come(stranger, share(noor, "plan"))
    fill(stranger, "482913")
    expect(stranger.get_by_role("heading", level=2, name="Mijn doelen", exact=True)).to_be_visible()
    check(stranger)


def test_the_words_of_the_page_change_with_the_language_and_the_link_stays(noor: Visitor, stranger: Page) -> None:
    come(stranger, share(noor))
    stranger.locator(".languages a").click()
    expect(stranger.get_by_role("button", name="Open")).to_be_visible()
    expect(stranger.locator(".lead")).to_have_text("Kaartje: Mijn plan voor goede en moeilijke dagen")


@pytest.mark.parametrize(
    ("fragment", "title"),
    [
        ("", "Hier is geen link"),
        ("#shlink:/e30", "Dit was niet te lezen"),
        ("#shlink:/%%%", "Dit was niet te lezen"),
        (Payload("https://elsewhere.example/shl/x", "A" * 43, 0, "x").link(""), "Deze link komt ergens anders vandaan"),
    ],
)
def test_what_is_no_link_of_ours_is_said_and_nobody_is_asked(
    demo: Demo, stranger: Page, fragment: str, title: str
) -> None:
    asked: list[str] = []
    stranger.on("request", lambda request: asked.append(request.url))
    come(stranger, f"{demo.url}/view{fragment}")
    expect(stranger.get_by_role("heading", level=1)).to_have_text(title)
    check(stranger)
    assert not [one for one in asked if not one.startswith(demo.url)]


def test_a_document_full_of_scripts_is_only_words(demo: Demo, stranger: Page) -> None:
    """Whoever makes a link can put anything into it; the page that opens it is ours."""
    key = "A" * 43
    hostile = (
        '<div xmlns="http://www.w3.org/1999/xhtml"><script>document.title = "owned"</script>'
        '<p onclick="document.title = 1" style="position: fixed">Gewone woorden</p>'
        '<img src="x" onerror="document.title = 2"/>'
        '<a href="javascript:document.title = 3">weg</a><a href="https://evil.example/">daar</a>'
        '<form action="https://evil.example/"><input name="x"/></form><iframe src="https://evil.example/"/>'
        '<svg xmlns="http://www.w3.org/2000/svg"><a href="x"><text>teken</text></a></svg></div>'
    )
    composition = {
        "resourceType": "Composition",
        "title": "<b>Titel</b>",
        "text": {"div": hostile},
        "section": [{"title": "<i>Deel</i>", "text": {"div": hostile}}],
    }
    bundle = {"type": "document", "entry": [{"resource": composition}]}
    header = {"alg": "dir", "enc": "A256GCM", "cty": "application/fhir+json"}
    sealed = jwe.encrypt_compact(header, json.dumps(bundle), OctKey.import_key({"kty": "oct", "k": key}))
    file = {"contentType": "application/fhir+json", "embedded": sealed}
    url = f"{demo.url}/shl/{secrets.token_urlsafe(32)}"
    stranger.route(url, lambda route: answered(route, {"files": [file]}))
    come(stranger, Payload(url, key, 0, "<u>Kaart</u>").link(f"{demo.url}/view"))
    expect(stranger.locator(".lead")).to_have_text("<u>Kaart</u>")
    stranger.get_by_role("button", name="Openen").click()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("<b>Titel</b>")
    expect(stranger.get_by_role("heading", level=2)).to_have_text("<i>Deel</i>")
    drawn = stranger.locator("[data-document]")
    expect(drawn).to_contain_text("Gewone woorden")
    assert drawn.locator("script, img, a, form, input, iframe, svg, [onclick], [style]").count() == 0
    assert "owned" not in stranger.title()


def answered(route: Route, body: object) -> None:
    route.fulfill(status=200, content_type="application/json", body=json.dumps(body))


def test_without_javascript_it_says_what_it_needs(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(java_script_enabled=False, locale="nl-NL")
    page = context.new_page()
    page.goto(f"{demo.url}/view#shlink:/e30")
    expect(page.get_by_text("Deze bladzijde heeft JavaScript nodig.")).to_be_visible()
    assert page.locator("form").filter(visible=True).count() == 0
    close(context)
