"""The client's links: making one, seeing it once, who opened it, and stopping it."""

from __future__ import annotations

import io
import re

import pypdfium2
import pytest

from mappers.sharing import ME, Choice
from smartapp.pages.links.qr import dark_runs
from smartapp.storage.health_links import MOST_LINKS
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.links.conftest import CARD, FORM, PASSCODE, asked, end_all, link_on
from tests.smartapp.pages.living.writing import FULL
from tests.smartapp.pages.plan.pdf_text import squeezed, text_in
from tests.smartapp.records.test_sight import share

SCALE = 6  # pixels a point
CM = SCALE * 72 / 2.54


def dark_on(content: bytes, modules: int) -> list[list[bool]]:
    """Return which modules of the QR code on the first page are dark, as a camera sees them."""
    picture = pypdfium2.PdfDocument(io.BytesIO(content))[0].render(scale=SCALE, grayscale=True)
    size = 8 * CM / (modules + 8)
    left = 1.8 * CM + 4 * size

    def is_dark(x: float, y: float) -> bool:
        return picture.buffer[int(y) * picture.stride + int(x)] < 128

    # Its first module begins a mark that is seven modules high.
    middle = left + size / 2
    top = next(
        y
        for y in range(1, picture.height - int(9 * size))
        if not is_dark(middle, y - 1) and all(is_dark(middle, y + n) for n in range(int(7 * size) - 2))
    )
    return [[is_dark(left + (x + 0.5) * size, top + (y + 0.5) * size) for x in range(modules)] for y in range(modules)]


def test_what_can_be_shared_is_that_in_which_something_is_written(app, noor):
    page = noor.get("links/new").text
    assert re.findall(r'name="what" value="([^"]+)"', page) == [CARD, FORM, "plan"]
    page = text_of(launched(app, "bo").get("links/new"))
    assert "Er is nog niets om te delen." in page


def test_the_pages_of_a_form_and_its_card_lead_there_with_the_choice_made(noor):
    for path, what in ((f"living/{FULL}/", FORM), (f"living/{FULL}/card", CARD)):
        address = re.search(rf'href="([^"]*links/new\?what={re.escape(what)})"', noor.get(path).text)
        assert address
        assert re.search(rf'value="{re.escape(what)}" checked', noor.client.get(address[1]).text)
    assert "/links/" in noor.get("plan/").text


def test_nobody_else_has_these_pages(app, noor):
    for role in ("clinician", "peer-worker", "loved-one", "representative", "guest"):
        other = launched(app, role=role)
        assert [other.get(f"links/{one}").status_code for one in ("", "new")] == [403, 403]
        assert other.post("links/new", {}).status_code == 403


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"what": ""}, "Kies wat je wilt delen."),
        ({"what": "form.story"}, "Kies wat je wilt delen."),
        ({"choice-days": "9999"}, "Kies hoe lang het te openen is."),
        ({"passcode": "12 345"}, "Een code heeft minstens 6 tekens."),
        ({"passcode": ""}, "Een code heeft minstens 6 tekens."),
        ({"what": "plan", "choice-without": "1"}, "Alleen het kaartje kun je delen zonder code."),
    ],
)
def test_what_is_not_right_is_said_and_nothing_is_made(noor, change, said):
    page = asked(noor, **change)
    assert page.status_code == 422
    assert said in text_of(page)
    assert "Je deelt niets met een QR-code." in text_of(noor.get("links/"))


def test_a_proposed_code_is_another_one_each_time(noor):
    found = {re.search(r'name="passcode" value="(\d{6})"', noor.get("links/new").text)[1] for _ in range(4)}
    assert len(found) == 4


def test_in_another_language_what_was_chosen_is_still_chosen(noor):
    page = noor.post("links/new?lang=en", {"what": FORM, "choice-days": "30", "passcode": "abcdef", "look": "1"})
    assert page.status_code == 200
    assert "What may somebody read?" in page.text
    assert all(f'value="{one}" checked' in page.text for one in (FORM, "30"))
    assert 'value="abcdef"' in page.text


def test_it_is_shown_once_with_the_code_and_the_list_has_neither(noor):
    made = asked(noor)
    link = link_on(made)
    assert "Deze QR-code zie je alleen nu." in text_of(made)
    assert PASSCODE in text_of(made)
    assert made.headers["Cache-Control"] == "no-store"
    page = noor.get("links/").text
    assert link.rpartition("/")[2] not in page
    assert PASSCODE not in page
    assert "<svg" not in page.partition("<main")[2]


def test_in_another_language_it_is_still_shown(noor):
    link = link_on(asked(noor))
    page = noor.post("links/new?lang=en", {"link": link, "passcode": PASSCODE, "look": "1"})
    assert "You see this QR code only now." in text_of(page)
    assert link_on(page) == link
    assert "Eén keer" not in text_of(noor.get("links/?lang=nl"))
    assert text_of(noor.get("links/")).count("Stop deze link") == 1


def test_sent_twice_a_form_makes_one_link(noor):
    key = re.search(r'name="key" value="([^"]+)"', noor.get("links/new").text)[1]
    fields = {"key": key, "what": CARD, "choice-days": "7", "passcode": PASSCODE}
    assert [noor.post("links/new", fields).status_code for _ in range(2)] == [200, 303]
    page = text_of(noor.get("links/"))
    assert page.count("Stop deze link") == 1
    assert "Deze link is al gemaakt." in page


def test_at_most_so_many_links_can_be_opened_at_once(noor, shared):
    for _ in range(MOST_LINKS):
        shared()
    assert asked(noor).status_code == 303
    page = text_of(noor.get("links/"))
    assert "Je hebt 10 links die te openen zijn." in page
    assert page.count("Stop deze link") == MOST_LINKS
    end_all(noor)
    assert asked(noor).status_code == 200


def test_the_list_says_how_often_it_was_opened_and_tried(noor, shared, stranger):
    link = shared()
    assert "Nog door niemand geopend." in text_of(noor.get("links/"))
    stranger.opens(link)
    stranger.opens(link)
    stranger.refused(link, "000000")
    page = text_of(noor.get("links/"))
    assert "2 keer geopend, het laatst op 27 november 2026" in page
    assert "Eén keer lukte openen niet." in page


def test_one_press_stops_it_and_it_stays_in_the_list(noor, shared):
    shared()
    end_all(noor)
    page = text_of(noor.get("links/"))
    assert "De link is gestopt. Niemand kan hem nog openen." in page
    assert "Je hebt deze link gestopt. Door niemand geopend." in page
    assert "Stop deze link" not in page


def test_who_looked_tells_of_each_opening_and_of_each_refusal(noor, shared, stranger):
    link = shared()
    stranger.opens(link)
    stranger.refused(link, "000000")
    end_all(noor)
    stranger.refused(link)
    page = text_of(noor.get("who-looked/"))
    assert "Ambulance 12 (met jouw QR-code)" in page
    assert "Gezien: “Wat te doen in een crisis”." in page
    assert "Typte een code die niet klopt." in page
    assert "Het was niet meer te openen." in page
    assert "Waarom: je deelde het met een QR-code." in page


def test_on_paper_stand_the_qr_code_and_until_when_and_not_the_passcode(noor, clock):
    link = link_on(asked(noor))
    made = noor.post("links/paper.pdf", {"link": link, "passcode": PASSCODE})
    assert made.mimetype == "application/pdf"
    words = text_in(made.data)
    for said in (
        "Kaartje: Mijn plan voor goede en moeilijke dagen",
        "Dit werkt tot 4 december 2026",
        "Vraag die aan Noor",
    ):
        assert squeezed(said) in words
    assert PASSCODE not in words
    assert dark_on(made.data, len(dark_runs(link))) == [
        [any(begin <= x < begin + length for begin, length in row) for x in range(len(dark_runs(link)))]
        for row in dark_runs(link)
    ]


def test_the_paper_of_a_link_that_ended_is_not_made(noor):
    link = link_on(asked(noor))
    end_all(noor)
    assert noor.post("links/paper.pdf", {"link": link}).status_code == 404
    assert noor.post("links/paper.pdf", {"link": "shlink:/nothing"}).status_code == 404


def test_the_secret_fields_of_a_form_that_cannot_be_taken_are_kept_nowhere(noor):
    link = link_on(asked(noor))
    hidden = noor.hidden()
    noor.core.sessions.end(noor.launch.session_id)
    page = noor.client.post(
        noor.url("links/paper.pdf"), data={**hidden, "link": link, "passcode": PASSCODE, "other": "Woorden"}
    )
    assert page.status_code == 404
    kept = noor.core.kept_words.of(noor.core.kept_words.owner(noor.launch.issuer_key, "anna", "anna"))
    assert [one.fields for one in kept] == [(("other", "Woorden"),)]
    assert link.rpartition("/")[2] not in page.text


def test_the_viewer_is_about_nobody_and_needs_no_session(app):
    page = app.test_client().get("/view")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "Deze bladzijde heeft JavaScript nodig." in text_of(page)
    assert "Set-Cookie" not in page.headers


def test_what_only_the_client_reads_is_named_before_a_link_with_it_is_made(noor):
    named = "Nu lees jij dit nog alleen: Wat te doen in een crisis."
    assert "Nu lees jij" not in text_of(noor.get("links/new"))
    share(noor.app, crisis=ME)
    assert text_of(noor.get("links/new")).count(named) == 3  # the card, its form, and the whole plan
    share(noor.app, crisis=Choice(False, frozenset({"clinician"})))
    assert "Nu lees jij" not in text_of(noor.get("links/new"))


STILL_OPEN = "Je maakte eerder een QR-code waar dit in kan staan."


@pytest.mark.parametrize(
    ("what", "holds", "holds_not"),
    [
        (CARD, ["crisis"], [FORM, "domain.housing", "form.story", "notes"]),
        (FORM, [FORM, "crisis"], ["domain.housing", "form.story", "answers.hoop"]),
        ("plan", [FORM, "crisis", "domain.housing", "form.story"], ["form.intake", "answers.hoop", "scores", "notes"]),
    ],
)
def test_a_part_that_is_kept_from_the_team_says_that_a_link_still_opens_it(app, noor, what, holds, holds_not):
    assert asked(noor, what=what).status_code == 200
    assert [part for part in holds if STILL_OPEN in noor.get(f"sharing/{part}").text] == []
    share(app, **{part.replace(".", "__"): ME for part in (*holds, *holds_not)})
    pages = {part: noor.get(f"sharing/{part}").text for part in (*holds, *holds_not)}
    assert [part for part, page in pages.items() if STILL_OPEN in page] == holds
    assert all('links/">Bekijk wat je deelt' in pages[part] for part in holds)
    end_all(noor)
    assert [part for part in holds if STILL_OPEN in noor.get(f"sharing/{part}").text] == []


def test_one_press_that_keeps_a_part_from_the_team_says_so_at_once(noor):
    asked(noor, what=CARD)
    seen = re.search(r'name="seen" value="([^"]*)"', noor.get("sharing/crisis").text)[1]
    page = noor.post("sharing/crisis", {"press": "me", "seen": seen}, follow_redirects=True)
    assert "Wie leest wat" in page.text
    assert page.text.count(STILL_OPEN) == 1
    assert STILL_OPEN not in noor.get("sharing/").text
