"""What did not get through, from the banner to the decision, in a real browser; the EHR fails on demand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from scripts.tour import Visitor, close
from smartapp.courier import Courier
from smartapp.fhir.store import Write
from smartapp.records.outbox import OUTBOX
from smartapp.sandbox.seeding import seed
from smartapp.services import KEY
from tests.browser.test_pages import violations
from tests.conftest import Server, serve

pytestmark = pytest.mark.browser

MINE, THEIRS = "Elke donderdag naar het koor, ook als het regent.", "Samen anders afgesproken."
NOT_ARRIVED = "Iets wat je bewaarde is niet aangekomen"


@pytest.fixture
def failing() -> Iterator[Server]:
    """The app and an EHR of which the tests hold the faults."""
    for running in serve():
        seed(running.sandbox, datetime.now(UTC), only=["noor"])
        yield running


@pytest.fixture
def noor(browser: Browser, failing: Server) -> Iterator[Visitor]:
    """Noor, with a phone of 320 px."""
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL")
    yield Visitor(context.new_page(), failing).launch("client", "noor")
    close(context)


def save_goal_while_the_record_is_away(visitor: Visitor, server: Server) -> str:
    """Change the words of the first goal, which have to wait; return the id of the goal."""
    visitor.go("plan/")
    address = visitor.page.locator('main a[href*="/plan/goals/"]:not([href$="/new"])').first.get_attribute("href")
    assert address is not None
    visitor.go(f"{address}words").locator("main textarea").first.fill(MINE)
    for method, type_ in (("POST", "Bundle"), ("PUT", "*")):
        server.sandbox.faults.add(method, type_, 503, times=9)
    visitor.press("main form[data-autosave] .actions button")
    server.sandbox.faults.clear()
    expect(visitor.page.locator("main")).to_contain_text("Het is onderweg naar het dossier")
    return address.rstrip("/").rpartition("/")[2]


def courier_comes(server: Server) -> None:
    core = server.app.extensions[KEY]
    with core.engine.begin() as connection:
        connection.execute(sa.update(OUTBOX).values(due=0))
    Courier(core).round()


def looked_at(page: Page) -> None:
    """Look at a page as a screen reader and a phone would."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_what_somebody_else_changed_meanwhile_is_shown_and_thrown_away_by_its_author(
    noor: Visitor, failing: Server
) -> None:
    """Attack 38."""
    goal_id = save_goal_while_the_record_is_away(noor, failing)
    stored = failing.sandbox.store.read("Goal", goal_id)
    theirs = {**stored.resource, "description": {"text": THEIRS}}
    failing.sandbox.store.write(Write("update", theirs, if_match=stored.etag))
    courier_comes(failing)
    page = noor.go("scores/")
    expect(page.locator("main .banner")).to_contain_text(NOT_ARRIVED)
    looked_at(page)
    noor.press("main .banner a")
    expect(page.locator("main h1")).to_have_text("Dit is niet aangekomen")
    expect(page.locator("main .card")).to_contain_text(MINE)
    looked_at(page)
    noor.press("main .card a[href*='/plan/goals/']")
    expect(page.locator("main")).to_contain_text(THEIRS)
    noor.press("main .banner a")
    noor.press("main a[href$='/discard']")
    expect(page.locator("main h1")).to_have_text("Dit weggooien?")
    expect(page.locator("main .card")).to_contain_text(MINE)
    looked_at(page)
    noor.press("main form button")
    expect(page.locator("main h1")).to_contain_text("Noor")
    expect(page.locator("main")).to_contain_text("Weggegooid: een doel, bewaard op")
    expect(page.locator("main")).not_to_contain_text(NOT_ARRIVED)


def test_what_went_wrong_on_our_side_arrives_when_its_author_tries_again(noor: Visitor, failing: Server) -> None:
    goal_id = save_goal_while_the_record_is_away(noor, failing)
    with failing.app.extensions[KEY].engine.begin() as connection:
        connection.execute(sa.update(OUTBOX).values(state="aside"))
    page = noor.go("unsent/")
    expect(page.locator("main .card")).to_contain_text("Er ging bij ons iets mis")
    looked_at(page)
    noor.press("main form[action$='/again'] button")
    expect(page.locator("main")).to_contain_text("We proberen het nu opnieuw.")
    courier_comes(failing)
    assert failing.sandbox.store.read("Goal", goal_id).resource["description"]["text"] == MINE
    expect(noor.go("").locator("main")).not_to_contain_text(NOT_ARRIVED)
