"""Answers that another form engine saved: read on a phone with their scores, and put in the record by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.tour import Visitor, close
from smartapp.fhir.store import Query, Write
from tests.browser.test_pages import violations
from tests.conformance.renderers.exports import as_saved, kept_exports
from tests.conftest import Server, serve

pytestmark = pytest.mark.browser

ELS = {"resourceType": "Practitioner", "id": "els", "name": [{"given": ["Els"], "family": "Visser"}]}
SAM = {
    "resourceType": "Patient",
    "id": "sam",
    "name": [{"text": "Sam de Vries"}],
    "generalPractitioner": [{"reference": "Practitioner/els"}],
}


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """The app, and an EHR with answers to the HOOP that three engines saved."""
    for running in serve():
        for person in (ELS, SAM):
            running.sandbox.store.write(Write("update", person))
        for number, exports in enumerate(kept_exports().values()):
            running.sandbox.store.write(Write("create", as_saved(exports[0], number, "sam")))
        yield running


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 320, "height": 700}, locale="nl-NL")
    yield context
    close(context)


def looked_at(page: Page) -> None:
    """Look at a page as a screen reader and a phone would."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_client_reads_the_scores_and_puts_them_in_the_record(phone: BrowserContext, elsewhere: Server) -> None:
    sam = Visitor(phone.new_page(), elsewhere).launch("client", "sam")
    page = sam.go("scores/hoop/")
    expect(page.locator("main")).to_contain_text("3 keer: elders ingevuld, uit de antwoorden berekend.")
    page.get_by_text("De getallen in een tabel").first.click()
    looked_at(page)
    page = sam.go("scores/")
    looked_at(page)
    page.get_by_role("button", name="Zet deze scores in het dossier").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Deze scores staan in het dossier.")
    looked_at(page)
    expect(page.get_by_role("button", name="Zet deze scores in het dossier")).to_have_count(0)
    found = elsewhere.sandbox.store.search(Query.of("Observation", patient="Patient/sam"))
    assert len([one for one in found if "hasMember" in one.resource]) == len(kept_exports())


def test_the_care_team_reads_them_on_a_narrow_screen(phone: BrowserContext, elsewhere: Server) -> None:
    clinician = Visitor(phone.new_page(), elsewhere).launch("clinician", "sam")
    page = clinician.go("scores/")
    expect(page.locator("main")).to_contain_text("3 keer: elders ingevuld, uit de antwoorden berekend.")
    looked_at(page)
    page = clinician.go("overview/")
    expect(page.locator("main")).to_contain_text("elders ingevuld, uit de antwoorden berekend")
    looked_at(page)
