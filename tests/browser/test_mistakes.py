"""What is taken back, asked about or gone, on a phone of 320 px: each such page is there, fits, and breaks no rule."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from scripts.tour import Visitor
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


def looked_at(page: Page, said: str) -> None:
    """Expect these words on the page, and nothing wrong with it."""
    expect(page.locator("main")).to_contain_text(said)
    assert page.locator("h1").count() == 1
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, "wider than the phone"


def typed(visitor: Visitor, path: str, selector: str, words: str) -> Page:
    visitor.go(path).locator(selector).fill(words)
    return visitor.press("main form[data-autosave] .actions button")


def test_a_goal_a_remark_and_an_area_go_and_come_back(visitor: Visitor) -> None:
    page = visitor.launch("client", "noor").go("plan/")
    page.locator("main article .goal-words a").first.click()
    goal = page.url
    visitor.press("main a[href$='/progress']")
    page.locator("main .choices label").first.click()
    page.locator("main textarea").fill("Dit hoort hier niet.")
    visitor.press("main form[data-autosave] .actions button")
    visitor.press("main form[action$='/remarks/remove'] button")
    looked_at(page, "De opmerking is weg bij dit doel.")
    page.goto(f"{goal}history")
    looked_at(page, "Opmerkingen die je hebt weggehaald")
    page.goto(goal)
    visitor.press("main form[action$='/remove']:not([action*='remarks']) button")
    page.goto(goal)
    looked_at(page, "Dit doel staat nu niet in je plan")
    visitor.press("main form button")
    assert page.url.startswith(goal)
    visitor.go("plan/goals/none/")
    looked_at(page, "Dit staat niet in je plan")
    visitor.go("plan/domains").locator("main .choices input:checked").first.evaluate("(box) => box.click()")
    visitor.press("main form .actions button")
    visitor.press("main form button")
    looked_at(page, "Ongedaan maken")
    visitor.press("main form:has(button:text('Ongedaan maken')) button")
    looked_at(page, "Het is weer zoals het was.")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("living/story/story/", "textarea"),
        ("plan/domains/meaning/now", "textarea"),
        ("plan/domains/meaning/support", "textarea"),
    ],
)
def test_whose_words_these_are_is_asked_wherever_they_were_typed(visitor: Visitor, path: str, field: str) -> None:
    visitor.launch("client", "noor")
    page = typed(visitor, path, f"main {field}", "Eigen woorden.")
    expect(page.locator("main")).not_to_contain_text("Wiens woorden zijn dit?")
    typed(visitor, path, f"main {field}", "De cliënt moet stabiliseren.")
    looked_at(page, "Wiens woorden zijn dit?")
    visitor.press("main a:text('Ik zeg het in mijn eigen woorden')")
    expect(page.locator("main textarea")).to_have_value("De cliënt moet stabiliseren.")


def test_what_is_on_no_list_is_named_and_the_ticks_stay(visitor: Visitor) -> None:
    page = visitor.launch("client", "noor").go("plan/domains")
    ticked = page.locator("main input:checked").count()
    page.locator("main input:checked").first.evaluate("(box) => { box.value = 'kastelen' }")
    visitor.press("main form .actions button")
    looked_at(page, "‘kastelen’ is geen gebied van deze lijst.")
    assert page.locator("main input:checked").count() == ticked - 1
