"""The header leaves a phone to the page, loses nothing, and its face comes in without moving what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from scripts.tour import Demo, Visitor, close

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 640}


@pytest.fixture
def phone(browser: Browser, demo: Demo) -> Iterator[Visitor]:
    """Someone with a phone on which no scripts run."""
    context = browser.new_context(java_script_enabled=False, locale="nl-NL", viewport=PHONE)
    yield Visitor(context.new_page(), demo)
    close(context)


def header_height(place: Page | FrameLocator) -> float:
    box = place.locator("header").bounding_box()
    assert box is not None
    return box["height"]


@pytest.mark.parametrize(
    ("role", "path", "entries"),
    [
        ("client", "", ["Begin", "Mijn plan", "Vragenlijsten", "Mijn scores", "Uitloggen"]),
        ("clinician", "assignments/", ["Overzicht", "Scores", "Vragenlijsten", "Uitloggen"]),
    ],
)
def test_a_phone_keeps_its_height_and_the_menu_opens_without_scripts(phone, role, path, entries):
    phone.launch(role, "noor")
    page = phone.go(path)
    assert header_height(page) <= 110
    page.set_viewport_size({"width": 320, "height": 568})
    assert header_height(page) <= 110
    page.set_viewport_size(PHONE)
    menu = page.get_by_role("navigation", name="Hoofdmenu")
    expect(menu).to_be_hidden()
    expect(page.locator("header")).to_contain_text("Noor Achterberg")
    expect(page.locator("header").get_by_role("link", name="English")).to_be_visible()
    page.get_by_role("button", name="Menu").click()
    for entry in entries:
        expect(menu.get_by_text(entry, exact=True)).to_be_in_viewport()
    phone.press(f'#menu a:text-is("{entries[1]}")')
    expect(page.locator('#menu [aria-current="page"]')).to_have_text(entries[1])


@pytest.mark.parametrize("role", ["client", "clinician"])
def test_a_name_of_one_long_word_makes_no_page_wider(phone, role):
    page = phone.launch(role, "noor").go("")
    page.set_viewport_size({"width": 320, "height": 568})
    page.evaluate("for (const e of document.querySelectorAll('.whose strong, h1')) e.textContent = 'Wit'.repeat(30)")
    assert page.locator("h1").text_content() == "Wit" * 30
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_in_the_frame_of_an_ehr_it_is_no_higher(phone):
    page = phone.go("/sandbox/frame?role=clinician&patient=noor")
    frame = page.frame_locator("iframe")
    expect(frame.locator("header")).to_contain_text("verstel")
    assert header_height(frame) <= 110


def test_a_wide_screen_shows_the_whole_menu_and_no_button(phone):
    page = phone.launch("client", "noor").page
    page.set_viewport_size({"width": 1280, "height": 760})
    expect(page.get_by_role("navigation", name="Hoofdmenu")).to_be_visible()
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()
    for width in (1280, 800, 720):
        page.set_viewport_size({"width": width, "height": 760})
        assert header_height(page) <= 110


def test_nothing_moves_when_the_face_of_the_headings_comes(browser, demo):
    context = browser.new_context(locale="nl-NL", viewport=PHONE)
    visitor = Visitor(context.new_page(), demo).launch("client", "noor")
    page = visitor.page
    loaded = """document.fonts.ready.then((faces) =>
        [...faces].filter((face) => face.family == "Fraunces" && face.status == "loaded").length)"""
    tops = "[...document.querySelectorAll('main :is(h1, h2, h3, p, li)')].map((one) => one.offsetTop)"

    visitor.go("scores/")
    assert page.evaluate(loaded) == 1  # and not the second file: no letter on the page is in it
    with_face = page.evaluate(tops)
    context.route("**/*.woff2*", lambda route: route.abort())
    visitor.go("scores/")
    assert page.evaluate(loaded) == 0
    assert page.evaluate(tops) == with_face
    close(context)


def test_what_today_is_about_is_on_the_first_screens_of_a_small_phone(phone):
    page = phone.launch("client", "noor").page
    page.set_viewport_size({"width": 320, "height": 640})
    phone.go("")
    begins = {"om 10:30": 1, "Staat voor je klaar": 1, "Mijn plan": 2, "Wat er veranderde": 3}
    for heading, screens in begins.items():
        box = page.get_by_role("heading", level=2, name=re.compile(heading)).bounding_box()
        assert box is not None
        assert box["y"] < screens * 640, heading
