"""A copy of a form in somebody's own browser: kept after one press, read without a network, renewed, and removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from playwright.sync_api import Error as BrowserError

from questionnaires.catalogue import catalogue
from scripts.tour import Demo, Visitor, close
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser

FORM = next(form for form in catalogue().living.values() if form.living and form.living.offline and form.living.card)
ITEM = next(item for group in FORM.groups if not group.many for item in group.items if item.kind in ("text", "line"))
STEP = ITEM.link_id.removeprefix(f"{FORM.id}-")
PAGE = f"living/{FORM.id}/"
KEEP, REMOVE = "Bewaar op dit toestel, om te lezen zonder internet", "Van dit toestel verwijderen"
KEPT = "De kopie staat op dit toestel."


def write(visitor: Visitor, words: str) -> None:
    visitor.go(f"{PAGE}{STEP}/").locator("main textarea").first.fill(words)
    visitor.press("main form[data-autosave] .actions button")


def keep(visitor: Visitor) -> None:
    visitor.go(PAGE).get_by_role("button", name=KEEP).click()
    expect(visitor.page.get_by_text(KEPT)).to_be_visible()


def opened(page: Page, address: str) -> str:
    """Return what a page says, "" where the browser reaches none."""
    try:
        page.goto(address)
    except BrowserError:
        return ""
    return page.locator("body").inner_text()


def left(page: Page) -> dict[str, object]:
    """Return what the browser keeps of this site: caches, workers, and the cookie that tells of copies."""
    found: dict[str, object] = page.evaluate(
        """async () => ({
            caches: await caches.keys(),
            workers: (await navigator.serviceWorker.getRegistrations()).map((one) => new URL(one.scope).pathname),
            cookie: document.cookie,
        })"""
    )
    return found


def becomes(page: Page, true: str) -> bool:
    """Tell whether an async function of a page comes true within half a minute; `wait_for_function` waits for none."""
    for _try in range(600):
        if page.evaluate(true):
            return True
        page.wait_for_timeout(50)
    return False


NOTHING = {"caches": [], "workers": [], "cookie": ""}


@pytest.fixture
def yara(visitor: Visitor) -> Iterator[Visitor]:
    """Yara, who writes one thing in the form; what she keeps is gone after the test."""
    write(visitor.launch("client", "yara"), "Zingen in de keuken.")
    yield visitor
    visitor.page.context.set_offline(False)


def test_after_one_press_it_is_read_without_a_network_and_removed_there(yara: Visitor, demo: Demo) -> None:
    page, address = yara.page, f"{demo.url}/offline/"
    assert left(yara.go(PAGE)) == NOTHING, "nothing is kept before the press"
    expect(page.get_by_text("Iedereen die dit toestel heeft, kan hem dus ook lezen.")).to_be_visible()
    keep(yara)
    page.context.set_offline(True)
    for path in ("", f"{FORM.id}/"):
        said = opened(page, f"{address}{path}")
        assert "Zingen in de keuken." in said
        assert "Bel je behandelteam" in said
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.context.set_offline(False)  # the rules are checked by a script that is given to the page
    assert violations(page) == []
    page.context.set_offline(True)
    page.get_by_text(REMOVE).click()
    page.get_by_role("button", name="Ja, verwijder deze kopie").click()
    expect(page.get_by_text("Deze kopie is verwijderd.")).to_be_visible()
    assert left(page) == NOTHING
    assert opened(page, address) == ""
    page.context.set_offline(False)
    assert "Deze browser heeft geen kopie op dit toestel." in opened(page, address)


def test_the_worker_answers_for_nothing_outside_its_folder(yara: Visitor, demo: Demo) -> None:
    page = yara.page
    keep(yara)
    assert left(page)["workers"] == ["/offline/"]
    # Even where the same store holds an address outside: whoever could put it there gets it nowhere by it.
    page.evaluate(
        """async ([inside, outside]) => {
            const [name] = await caches.keys(), cache = await caches.open(name);
            await cache.put(outside, await cache.match(inside));
        }""",
        [f"/offline/{FORM.id}/", "/goodbye"],
    )
    page.goto(f"{demo.url}/offline/")
    assert page.evaluate("navigator.serviceWorker.controller !== null")
    page.context.set_offline(True)
    assert page.evaluate(f"fetch('/offline/{FORM.id}/').then(() => 'answered', () => 'refused')") == "refused"
    for path in ("/goodbye", "/", "/offline", f"/l/x/{PAGE}"):
        assert opened(page, f"{demo.url}{path}") == "", path
    assert opened(page, yara.home) == ""


def test_opened_with_a_network_the_form_renews_the_copy_of_who_kept_one_only(yara: Visitor, browser: Browser) -> None:
    keep(yara)
    context = browser.new_context(locale="nl-NL")
    elsewhere = Visitor(context.new_page(), yara.demo).launch("client", "yara")
    write(elsewhere, "Fietsen langs het water.")
    expect(elsewhere.go(PAGE).get_by_role("button", name=KEEP)).to_be_visible()
    assert left(elsewhere.page) == NOTHING
    close(context)
    offline = f"{yara.demo.url}/offline/{FORM.id}/"
    assert "Zingen in de keuken." in opened(yara.page, offline), "it says what it said, and of which day"
    assert "Deze kopie is van" in opened(yara.page, offline)
    expect(yara.go(PAGE).get_by_text("Op dit toestel staat een kopie.")).to_be_visible()
    kept = f"(await caches.match('/offline/{FORM.id}/'))"
    assert becomes(yara.page, f"async () => (await {kept}.text()).includes('Fietsen langs het water.')")
    yara.page.context.set_offline(True)
    assert "Fietsen langs het water." in opened(yara.page, offline)


def test_signing_out_leaves_it_says_so_and_removes_it_on_wish(yara: Visitor, demo: Demo) -> None:
    page = yara.page
    blocked: list[str] = []
    page.on("console", lambda said: blocked.append(said.text) if "Content Security" in said.text else None)
    keep(yara)
    page.set_viewport_size({"width": 1280, "height": 800})  # wide enough for the menu to stand open
    yara.go("")
    yara.press("header form button")
    expect(page.get_by_text("Op dit toestel staat een kopie. Wie dit toestel heeft, kan hem lezen.")).to_be_visible()
    assert "staat nu niets meer" not in page.locator("main").inner_text()
    page.goto(f"{demo.url}/")
    page.get_by_role("link", name=FORM.title.nl).click()
    assert "Zingen in de keuken." in page.locator("body").inner_text()
    page.goto(f"{demo.url}/goodbye")
    page.get_by_role("button", name=REMOVE).click()
    expect(page.get_by_text("Er staat geen kopie meer op dit toestel.")).to_be_visible()
    expect(page.get_by_text("In deze browser staat nu niets meer van jou.")).to_be_visible()
    assert left(page) == NOTHING
    assert blocked == []


def test_somebody_else_in_the_same_browser_is_told_and_replaces_it_by_a_press_only(yara: Visitor) -> None:
    keep(yara)
    kees = Visitor(yara.page, yara.demo).launch("client", "kees")
    write(kees, "De duiven.")
    expect(kees.go(PAGE).get_by_text("In deze browser staat een kopie van iemand anders.")).to_be_visible()
    offline = f"{yara.demo.url}/offline/"
    assert "Zingen in de keuken." in opened(kees.page, offline), "opening the form of another changes nothing"
    keep(kees)
    said = opened(kees.page, offline)
    assert "De duiven." in said
    assert "Zingen in de keuken." not in said
    kees.go(PAGE).get_by_role("button", name=REMOVE).click()
    expect(kees.page.get_by_text("Deze kopie staat niet meer op dit toestel.")).to_be_visible()
    assert left(kees.page) == NOTHING


@pytest.mark.parametrize("in_another_tab", [False, True])
def test_what_is_removed_while_it_is_brought_up_to_date_does_not_come_back(yara: Visitor, in_another_tab: bool) -> None:
    keep(yara)
    held: list[Route] = []
    other = yara.page.context.new_page()
    other.goto(yara.page.url)
    expect(other.get_by_role("button", name=REMOVE)).to_be_visible()

    def hold(route: Route) -> None:
        held.append(route)

    yara.page.route(f"**/{PAGE}copy*", hold)
    yara.go(PAGE)
    expect(yara.page.get_by_role("button", name=REMOVE)).to_be_visible()
    while not held:
        yara.page.wait_for_timeout(20)
    remover = other if in_another_tab else yara.page
    remover.get_by_role("button", name=REMOVE).click()
    if in_another_tab:
        expect(remover.get_by_text("Deze kopie staat niet meer op dit toestel.")).to_be_visible()
    with yara.page.expect_response(f"**/{PAGE}copy*"):
        held[0].continue_()
    expect(remover.get_by_text("Deze kopie staat niet meer op dit toestel.")).to_be_visible()
    assert becomes(yara.page, "async () => !(await caches.keys()).length && !document.cookie")
    yara.page.wait_for_timeout(300)
    assert left(yara.page) == NOTHING


def test_a_copy_that_could_not_be_made_is_not_called_kept(yara: Visitor) -> None:
    page = yara.go(PAGE)
    page.context.set_offline(True)
    page.get_by_role("button", name=KEEP).click()
    expect(page.get_by_text("Deze browser heeft de kopie niet bewaard.")).to_be_visible()
    assert left(page)["workers"] == []
    page.context.set_offline(False)
    page.get_by_role("button", name=KEEP).click()
    expect(page.get_by_text(KEPT)).to_be_visible()


def test_each_of_several_copies_leads_to_the_others(yara: Visitor, demo: Demo) -> None:
    page = yara.page
    keep(yara)
    page.evaluate(
        """async ([inside, other]) => {
            const [name] = await caches.keys(), cache = await caches.open(name);
            const copy = await cache.match(inside), headers = new Headers(copy.headers);
            headers.set("X-Verstel-Title", encodeURIComponent("Mijn <tuin>"));
            await cache.put(other, new Response((await copy.text()).replaceAll(inside, other), { headers }));
        }""",
        [f"/offline/{FORM.id}/", "/offline/garden/"],
    )
    page.context.set_offline(True)
    opened(page, f"{demo.url}/offline/{FORM.id}/")
    expect(page.get_by_text("Ook op dit toestel:")).to_be_visible()
    page.get_by_role("link", name="Mijn <tuin>").click()
    expect(page.get_by_role("link", name=FORM.title.nl)).to_be_visible()
    page.get_by_text(REMOVE).click()
    page.get_by_role("button", name="Ja, verwijder deze kopie").click()
    expect(page.get_by_text("Deze kopie is verwijderd.")).to_be_visible()
    assert left(page)["workers"] == ["/offline/"], "the other copy is still read here"
    assert "Zingen in de keuken." in opened(page, f"{demo.url}/offline/")


def test_in_a_frame_only_the_file_is_offered(yara: Visitor, demo: Demo) -> None:
    """What is kept in a frame is kept apart: nobody would find it outside."""
    page = yara.page
    page.goto(f"{demo.url}/sandbox/frame?role=client&patient=yara")
    [frame] = [one for one in page.frames if "/l/" in one.url]
    frame.goto(f"{frame.url.partition('/l/')[0]}/l/{frame.url.split('/l/')[1].partition('/')[0]}/{PAGE}")
    expect(frame.get_by_role("link", name="Downloaden als bestand")).to_be_visible()
    expect(frame.get_by_role("button", name=KEEP)).to_be_hidden()
    assert left(page) == NOTHING


@pytest.fixture
def without_scripts(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="nl-NL", java_script_enabled=False)
    yield context
    close(context)


def test_without_scripts_it_is_a_file_that_reads_by_itself(
    yara: Visitor, without_scripts: BrowserContext, browser: Browser, tmp_path: Path
) -> None:
    plain = Visitor(without_scripts.new_page(), yara.demo).launch("client", "yara")
    page = plain.go(PAGE)
    expect(page.get_by_role("button", name=KEEP)).to_be_hidden()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Downloaden als bestand").click()
    file = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(file)
    reader = browser.new_context(offline=True)
    blocked: list[str] = []
    saved = reader.new_page()
    saved.on("console", lambda said: blocked.append(said.text))
    assert "Zingen in de keuken." in opened(saved, file.as_uri())
    assert blocked == []
    close(reader)
