"""Filling in a questionnaire: all of a question on one phone screen, few presses, few keys, and what can go wrong."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from questionnaires.catalogue import catalogue
from questionnaires.model import Item
from scripts.tour import Demo, Visitor, close

pytestmark = pytest.mark.browser

NEL = catalogue().instruments["nel"]
ITEMS = len(NEL.items)


class Counted:
    """A page that counts what a person does: presses by finger, or keys."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def press(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.count += 1

    def key(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.count += 1


@pytest.fixture
def phone(browser: Browser, demo: Demo):
    context = browser.new_context(viewport={"width": 360, "height": 640}, has_touch=True, locale="nl-NL")
    yield Visitor(context.new_page(), demo)
    close(context)


def longest(instrument_id: str, most: int) -> list[Item]:
    """Return the choices that take the most room, by their words."""
    choices = [item for item in catalogue().instruments[instrument_id].items if item.scale is not None]
    return sorted(choices, key=lambda item: len(item.text.nl), reverse=True)[:most]


def at_question(page: Page, number: int) -> None:
    page.wait_for_url(f"**/questions/nel-{number:02d}")
    expect(page.locator(".asking__top")).to_contain_text(f"{number} van {ITEMS}")


@pytest.mark.parametrize(("width", "height"), [(360, 640), (390, 664), (1280, 720), (1280, 760), (900, 600)])
def test_all_of_each_question_is_on_one_screen(phone: Visitor, width: int, height: int) -> None:
    """A phone, a laptop, and the frame of an EHR: an answer that lies behind the bar would be chosen less."""
    page = phone.launch("client", "yara").page
    page.set_viewport_size({"width": width, "height": height})
    too_low = []
    for item in (NEL.items[0], *longest("nel", 6), *longest("mhcs", 4), *longest("mansa", 2)):
        phone.go(f"questionnaires/{item.link_id.rpartition('-')[0]}/questions/{item.link_id}")
        low = page.locator(".choices > .choice").last.bounding_box()
        bar = page.locator(".bar").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] <= height
        if low is None or low["y"] + low["height"] > bar["y"] + 1:
            too_low.append(item.link_id)
    assert too_low == []


def test_going_on_by_itself_takes_one_press_for_a_question(phone: Visitor) -> None:
    """From the first page of NEL to "sent": 40 answers, and begin, choose to go on by itself, and send in."""
    page = phone.launch("client", "yara").go("questionnaires/nel/")
    hand = Counted(page)
    hand.press("[data-goes-by-itself] label")
    hand.press("main a.button")
    for number in range(1, ITEMS + 1):
        at_question(page, number)
        hand.press(".choice label")
    page.wait_for_url("**/review")
    hand.press("main form[action$=submit] button.button:not(.button--plain)")
    page.wait_for_url("**/responses/**")
    assert hand.count <= 45


def test_by_keyboard_it_takes_two_keys_for_a_question(visitor: Visitor) -> None:
    page = visitor.launch("client", "kees").go("questionnaires/nel/")
    hands = Counted(page)
    page.locator("main a.button").first.focus()
    hands.key("Enter")
    for number in range(1, ITEMS + 1):
        at_question(page, number)
        hands.key("4", "Enter")
    page.wait_for_url("**/review")
    expect(page.locator("main h1")).to_be_visible()
    hands.key("Tab", "Enter")  # straight to sending in
    hands.key("Tab", "Enter")  # send in
    page.wait_for_url("**/responses/**")
    assert hands.count <= 85


def test_zero_is_not_applicable_and_arrows_go_nowhere(phone: Visitor) -> None:
    page = phone.launch("client", "iwan").go("questionnaires/nel/")
    page.locator("[data-goes-by-itself] label").click()
    offered = next(item for item in NEL.items if item.scale is not None and item.scale.has_not_applicable)
    phone.go(f"questionnaires/nel/questions/{offered.link_id}")
    page.locator(".asking fieldset").focus()
    page.keyboard.press("0")
    page.wait_for_url(re.compile(r"/questions/(?!" + offered.link_id + ")"))
    phone.go(f"questionnaires/nel/questions/{offered.link_id}")
    expect(page.locator("input[type=radio]:checked")).to_have_value("na")
    page.locator("input[type=radio]:checked").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    assert page.url.endswith(offered.link_id)


def test_back_and_forward_after_pages_that_were_fetched_ahead(phone: Visitor) -> None:
    page = phone.launch("client", "sem").go("questionnaires/hoop/questions/hoop-01")
    page.locator(".choice label").first.click()
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    page.locator("button[name=next]").click()
    page.wait_for_url("**/hoop-02")
    page.go_back()
    page.wait_for_url("**/hoop-01")
    expect(page.locator("input[type=radio]:checked")).to_have_value("1")


def test_what_to_talk_about_is_one_list_to_tick(phone: Visitor) -> None:
    page = phone.launch("client", "yara").go("questionnaires/sdm-visit/questions/sdm-visit-purpose-information")
    page.get_by_label("Ik wil mijn zorgen bespreken").check()
    page.get_by_label("Ik wil praten over de steun die ik krijg").check()
    page.locator("button[name=next]").click()
    page.wait_for_url("**/sdm-visit-purpose-other")
    phone.go("questionnaires/sdm-visit/review")
    expect(page.locator("main")).to_contain_text("Ik wil mijn zorgen bespreken")
    assert page.locator("main strong", has_text="Ja").count() == 2


def test_a_part_on_one_page_is_the_same_draft(phone: Visitor) -> None:
    page = phone.launch("client", "iwan").go("questionnaires/hoop/questions/hoop-01")
    page.get_by_role("link", name="Alle vragen van dit deel op één bladzijde").click()
    page.locator("input[name='answer-hoop-02'][value='3']").check()
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    phone.go("questionnaires/hoop/questions/hoop-02")
    expect(page.locator("input[type=radio]:checked")).to_have_value("3")


NAME_AND_ROLE = r"helper-name=Mila&helper-role=\w"


def test_who_helped_is_kept_and_sent_in(phone: Visitor) -> None:
    page = phone.launch("client", "marlies").go("questionnaires/hoop/questions/hoop-01")
    page.locator(".choice label").first.click()
    page.locator("button[name=next]").click()
    page.wait_for_url("**/questions/hoop-02")  # where nothing is answered yet, there is nothing to send in
    phone.go("questionnaires/hoop/review")
    page.get_by_label("Samen met iemand").check()
    # "Bewaard" may still be about what was chosen before: the last thing that is kept has name and role.
    with page.expect_response(lambda one: re.search(NAME_AND_ROLE, one.request.post_data or "")):
        page.get_by_label("Wie hielp je? (dit mag leeg blijven)").fill("Mila")
        page.get_by_label("naaste").check()
    expect(page.locator("form[data-autosave$=helper] [data-saved]")).to_have_text("Bewaard")
    phone.go("questionnaires/hoop/review")
    expect(page.get_by_label("Wie hielp je? (dit mag leeg blijven)")).to_have_value("Mila")
    page.locator("#send button.button:not(.button--plain)").click()
    page.wait_for_url("**/responses/**")
    phone.go("answers/")
    page.locator("main a[href*='/answers/']").first.click()
    expect(page.locator("main")).to_contain_text("Ingevuld samen met Mila (naaste).")


def test_back_after_sending_says_that_it_was_sent_and_sends_nothing_twice(phone: Visitor) -> None:
    page = phone.launch("client", "yara").go("questionnaires/hoop/questions/hoop-12")
    page.locator(".choice label").first.click()
    expect(page.locator("[data-saved]")).to_have_text("Bewaard")
    page.locator("button[name=next]").click()
    page.wait_for_url("**/review")
    page.get_by_role("button", name="Versturen").click()
    page.wait_for_url("**/responses/**")
    page.go_back()
    page.wait_for_url("**/review")
    expect(page.locator("main")).to_contain_text("Net verstuurd")
    expect(page.get_by_role("button", name="Versturen")).to_have_count(0)
    page.go_back()
    page.wait_for_url("**/hoop-12")
    expect(page.locator("main")).to_contain_text("Wat je hier antwoordt, is een nieuwe keer.")
    expect(page.locator("input[type=radio]:checked")).to_have_count(0)
    page = phone.go("answers/")
    expect(page.get_by_role("link", name=re.compile("HOOP|hoop"))).to_have_count(1)
    expect(phone.go("questionnaires/").locator("main")).to_contain_text("Net verstuurd")
