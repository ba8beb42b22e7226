"""Every page of the tour: no accessibility violation, nothing wider than 320 px, nothing against the strict policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from scripts.tour import STOPS, Demo, Stop, Visitor, at, close

pytestmark = pytest.mark.browser

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LANGUAGES = ("nl", "en")


@dataclass
class Sessions:
    """One browser with one tab per person and role, so that each is launched once.

    `blocked`: what a page did against the strict policy, or failed to do, since the last visitor was asked for.
    """

    browser: Browser
    demo: Demo
    visitors: dict[tuple[str, str], Visitor] = field(default_factory=dict)
    blocked: list[str] = field(default_factory=list)

    def visitor(self, stop: Stop) -> Visitor:
        """Return the visitor of a stop, at a wide screen by day."""
        key = (stop.role, stop.person)
        if key not in self.visitors:
            self.visitors[key] = self._new(stop)
        self.blocked.clear()
        self.visitors[key].page.emulate_media(color_scheme="light")
        self.visitors[key].page.set_viewport_size({"width": 1200, "height": 900})
        return self.visitors[key]

    def _new(self, stop: Stop) -> Visitor:
        page = self.browser.new_context(locale="nl-NL", reduced_motion="reduce").new_page()
        page.on("console", lambda said: self.blocked.append(said.text) if "Content Security" in said.text else None)
        page.on("pageerror", lambda error: self.blocked.append(str(error)))
        visitor = Visitor(page, self.demo)
        return visitor if stop.role == "nobody" else visitor.launch(stop.role, stop.person)


@pytest.fixture(scope="module")
def sessions(browser: Browser, demo: Demo) -> Iterator[Sessions]:
    running = Sessions(browser, demo)
    yield running
    for visitor in running.visitors.values():
        close(visitor.page.context)


AXE = Axe()
AXE_AGAIN = Axe(axe_script="null")  # on a page that has its script already: half a megabyte to read


def violations(page: Page, axe: Axe = AXE, **options: Any) -> list[str]:
    """Return what axe found, one line per rule with the first place where it was broken."""
    asked = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"], **options}
    found = axe.run(page, options=asked).response["violations"]
    return [f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html'][:200]}" for rule in found]


@pytest.mark.thorough
@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.name)
def test_page(sessions: Sessions, stop: Stop) -> None:
    """Walk to the page and look at it as a screen reader, a phone and a dark room would."""
    visitor = sessions.visitor(stop)
    page = visitor.page
    stop.way(visitor)
    assert page.locator("h1").count() == 1
    assert page.locator("[style], style, script:not([src])").count() == 0, "inline style or script"
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    dark = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    assert violations(page, AXE_AGAIN, **dark) == []
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, "wider than the phone"
    assert sessions.blocked == []


@pytest.mark.parametrize(
    ("person", "instrument"), [("noor", "nel"), ("iwan", "nel"), ("iwan", "mansa"), ("sem", "nel")]
)
def test_tables_and_charts_fit_a_phone(sessions: Sessions, person: str, instrument: str) -> None:
    """Nobody should have to find out that a table scrolls. Sem has just sent in half a questionnaire."""
    visitor = sessions.visitor(Stop("scores", "client", person, at("scores/")))
    page = visitor.page
    page.set_viewport_size({"width": 320, "height": 700})
    if person == "sem":
        visitor.go("questionnaires/nel/review")
        visitor.press("main #send button")
    for language in LANGUAGES:
        visitor.go(f"scores/{instrument}/?lang={language}")
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        tables = "[...document.querySelectorAll('.scroll')]"
        assert page.evaluate(f"{tables}.length") > 0
        assert page.evaluate(f"{tables}.filter((box) => box.scrollWidth > box.clientWidth).length") == 0
        outside = """[...document.querySelectorAll('.chart text')].filter((words) =>
            words.getBoundingClientRect().right > words.closest('.card').getBoundingClientRect().right)"""
        assert page.evaluate(f"{outside}.map((words) => words.textContent)") == []
        assert scales_of(page) == {(0, 0)}, "the scales of a panel are as wide as it, on a phone"
    visitor.go("?lang=nl")


def scales_of(page: Page) -> set[tuple[int, int]]:
    """Return where the scales that can be seen begin and end, in px from the edges of the lists that they are in."""
    found = page.evaluate("""[...document.querySelectorAll(".changes .change__row > svg")].filter(
        (scale) => scale.checkVisibility()
    ).map((scale) => {
        const [own, list] = [scale, scale.closest(".changes")].map((one) => one.getBoundingClientRect())
        return [Math.round(own.left - list.left), Math.round(list.right - own.right)]
    })""")
    return {(left, right) for left, right in found}


@pytest.mark.parametrize("media", ["screen", "print"])
def test_the_scales_of_a_panel_stand_below_each_other(sessions: Sessions, media: Literal["screen", "print"]) -> None:
    """Whatever is written beside them: else the same number would have another place in each row."""
    visitor = sessions.visitor(Stop("scores", "client", "noor", at("scores/")))
    visitor.page.emulate_media(media=media)
    for path in ("scores/", "scores/nel/", "scores/hoop/"):
        visitor.go(path)
        assert len(scales_of(visitor.page)) == 1
        if media == "print":
            assert too_wide_on_paper(visitor.page) == []
    visitor.page.emulate_media(media="screen")


def too_wide_on_paper(page: Page) -> list[str]:
    """Return the names and numbers of rows that do not fit their column on a sheet of A4 without breaking a word."""
    before = page.viewport_size
    page.set_viewport_size({"width": 680, "height": 960})
    found: list[str] = page.evaluate("""[...document.querySelectorAll(".change__numbers, .change__title")].filter(
        (one) => {
            one.style.overflowWrap = one.firstElementChild.style.overflowWrap = "normal"
            return one.checkVisibility() && one.scrollWidth > one.clientWidth + 1
        }
    ).map((one) => one.textContent.trim())""")
    if before:
        page.set_viewport_size(before)
    return found


def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    """The check can fail: a picture without a text and grey on grey are found."""
    page = browser.new_page()
    page.set_content("<main><h1>x</h1><img src='x'><p style='color:#999;background:#aaa'>grey</p></main>")
    assert {line.partition(":")[0] for line in violations(page)} >= {"image-alt", "color-contrast"}
    page.close()


def test_all_that_a_conversation_needs_fits_one_screen(sessions: Sessions) -> None:
    """Noor has the most: a story, living forms, two goals, four instruments and a prepared visit."""
    visitor = sessions.visitor(Stop("overview", "clinician", "noor", at("overview/")))
    visitor.page.set_viewport_size({"width": 1280, "height": 760})
    visitor.go("overview/?lang=nl")
    assert visitor.page.locator("details[open]").count() == 0
    assert visitor.page.locator("section.card").count() == 4
    assert visitor.page.locator(".consult__forms").bounding_box()["height"] < 30  # more forms than a line can name
    assert visitor.page.evaluate("document.documentElement.scrollHeight") <= 760
    # As much as a page can hold of each: four long goals and four long pieces of news, and the line about more.
    visitor.page.evaluate(
        """() => {
          const goals = document.querySelector(".consult__rows"), one = goals.querySelector("li");
          goals.replaceChildren(...[1, 2, 3, 4].map(() => one.cloneNode(true)));
          const card = document.querySelector("section[aria-labelledby=news-title]");
          const news = "<li><span>Nieuw doel:</span> <q class='own'>" + "Ik wil weer tussen boeken werken. ".repeat(5) +
            "</q> <span class='soft'>27 nov. 2026</span></li>";
          card.querySelectorAll("ul, p.soft, details").forEach((old) => old.remove());
          const more = "<details><summary>En nog 3</summary></details>";
          const all = `<ul class="consult__news">${news.repeat(4)}</ul>${more}`;
          card.querySelector(".row").insertAdjacentHTML("afterend", all);
        }"""
    )
    assert visitor.page.evaluate("document.documentElement.scrollHeight") <= 760
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize(
    "stop", [stop for stop in STOPS if stop.name in {"home", "plan", "overview"}], ids=lambda s: s.name
)
def test_each_language_says_which_it_is(sessions: Sessions, stop: Stop) -> None:
    visitor = sessions.visitor(stop)
    for language in LANGUAGES:
        stop.way(visitor)
        visitor.page.goto(f"{visitor.page.url}?lang={language}")
        assert visitor.page.locator("html").get_attribute("lang") == language
    visitor.page.goto(f"{visitor.home}?lang=nl")


def test_the_two_versions_of_a_text_are_met_on_every_tour(sessions):
    [clash] = [stop for stop in STOPS if stop.name == "plan-clash"]
    for _tour in range(2):
        visitor = sessions.visitor(clash)
        clash.way(visitor)
        said = visitor.page.content()  # one of the two is in a field, and so not in the text of the page
        assert "Er zijn twee versies" in said
        assert "Dit schreef ik op mijn telefoon." in said
        assert "Dit schreef ik op de computer." in said
