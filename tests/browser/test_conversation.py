"""From questionnaire to conversation: asked for, filled in, read, marked, talked about, agreed, and opened with."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from scripts.journeys import ask_for, fill_in, send_in
from scripts.tour import Demo, Visitor, close

pytestmark = pytest.mark.browser

WISH = "Een eigen voordeur, met een brievenbus."
WORDS = "Ik schrijf me in bij de woningbouw."


def test_a_wish_becomes_a_step_with_which_the_next_visit_opens(browser: Browser, demo: Demo, visitor: Visitor) -> None:
    context = browser.new_context(locale="nl-NL", viewport={"width": 1280, "height": 760})
    clinician = Visitor(context.new_page(), demo).launch("clinician", "yara")

    # asked for, filled in, sent in
    ask_for(clinician, "mansa-short", "Zullen we dit samen bekijken?")
    visitor.launch("client", "yara")
    expect(visitor.page.locator("main")).to_contain_text("Zullen we dit samen bekijken?")
    fill_in(visitor, "mansa-short", {"mansa-short-01": "2", "mansa-short-home-change": WISH})
    send_in(visitor)

    # the client reads it back and marks the wish
    visitor.press("main a[href*='/answers/']")
    client = visitor.page
    wish = client.locator("li", has_text=WISH)
    wish.get_by_role("button", name="Hier wil ik over praten").click()
    expect(client.locator("main")).to_contain_text("Hier wil je over praten")
    expect(client.locator("main")).not_to_contain_text("Gelezen op")
    here = client.url.partition("#")[0]

    # the clinician finds it first, and reads it
    clinician.go("overview/")
    expect(clinician.page.locator("main")).to_contain_text(WISH)
    clinician.go("answers/")
    clinician.press("main a[href*='/answers/']:has-text('MANSA')")
    expect(clinician.page.locator("blockquote.words").first).to_have_text(WISH)
    client.reload()
    expect(client.locator("main")).to_contain_text("Gelezen op")

    # they talk about it, and agree
    clinician.go("overview/together/discuss")
    clinician.press("main button[name=add]")
    clinician.press("main form[data-autosave] .actions button.button:not(.button--quiet)")
    page = clinician.page
    page.get_by_label("Wat het mij brengt").first.fill("Rust, en een sleutel van mij.")
    clinician.press("main form[data-autosave] .actions button.button:not(.button--quiet)")
    page.get_by_label("We zijn het eens").check()
    page.get_by_label("Wat spreken we af? In de woorden van de cliënt").fill(WORDS)
    page.locator("input[type=radio][value=client]").check()
    page.locator("input[type=date]").fill("2027-01-15")
    clinician.press("main form[data-autosave] .actions button.button:not(.button--quiet)")
    clinician.go("overview/together/report")
    expect(page.locator("main")).to_contain_text(WORDS)
    expect(page.locator("main")).to_contain_text("Uiterlijk 15 januari 2027")
    clinician.press("main form[action$=finish] button")

    # the next visit opens with it; the client has the sheet, and the wish was talked about
    clinician.go("overview/together/")
    expect(page.locator("main h2, main h3").first).to_contain_text(WORDS)
    visitor.go("visits/")
    client.get_by_role("button", name="Het is gedaan").click()
    expect(client.locator("main")).to_contain_text("Hoe deze afspraak ging staat nu in het dossier.")
    client.get_by_role("button", name="Ongedaan maken").click()
    expect(client.locator("main")).to_contain_text("Het is weer zoals het was.")
    expect(client.get_by_role("button", name="Het is gedaan")).to_be_visible()
    visitor.press("main a[href*='/visits/']")
    expect(client.locator("main")).to_contain_text(WORDS)
    client.goto(here)
    expect(client.locator("main")).to_contain_text("Besproken")
    close(context)
