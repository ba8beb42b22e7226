"""Attack 32 where there is no launch: who may frame the pages that say why, and nobody else (defect: white frames)."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest

from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.storage.marks import Marks
from tests.smartapp.helpers import EHR, launched, make_app, settings
from tests.smartapp.smart.ehr import Clock

OTHER = "http://localhost/other"
ISSUERS = (
    Issuer(base=EHR, name="First EHR", client_id="v", frame_ancestors=("https://ehr.example",)),
    Issuer(base=OTHER, name="Other EHR", client_id="v", frame_ancestors=("https://other.example",)),
)


def framed_by(response) -> str:
    return re.search(r"frame-ancestors (.*)$", response.headers["Content-Security-Policy"])[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock):
    app = make_app(clock, issuers=ISSUERS)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.mark.parametrize(("issuer", "frame"), [(EHR, "https://ehr.example"), (OTHER, "https://other.example")])
class TestPagesOfALaunchThatIsOver:
    def test_a_session_that_ended_says_so_in_its_own_frame_with_the_words(self, app, clock, issuer, frame):
        anna = launched(app, "anna", issuer=issuer)
        clock.now += 30 * 60
        for _again in range(2):  # the first one wipes the session, with all its rows
            answer = anna.post("living/story/story/", {"story-story": "mijn lange verhaal"})
            assert (answer.status_code, framed_by(answer)) == (404, frame)
            assert "mijn lange verhaal" in answer.text

    def test_an_address_that_does_not_exist_says_so_there(self, app, issuer, frame):
        answer = launched(app, "anna", issuer=issuer).get("nowhere")
        assert (answer.status_code, framed_by(answer)) == (404, frame)

    def test_a_browser_without_our_cookie_is_told_there(self, app, issuer, frame):
        anna = launched(app, "anna", issuer=issuer)
        answer = app.test_client().get(anna.url())
        assert (answer.status_code, framed_by(answer)) == (404, frame)

    def test_the_way_out_stays_in_the_frame(self, app, issuer, frame):
        """Signed out, and from there to every page that is linked, in the other language too."""
        anna = launched(app, "anna", issuer=issuer)
        goodbye = anna.client.get(anna.post("logout").headers["Location"])
        links = {unescape(link) for link in re.findall(r'<a [^>]*href="([^"#]+)"', goodbye.text)}
        for link in sorted(each for each in links if "start?" not in each):
            address = f"/goodbye{link}" if link.startswith("?") else link
            assert framed_by(anna.client.get(address)) == frame, link
        assert len(links) >= 4

    def test_a_sign_in_that_cannot_begin_says_so_there(self, app, issuer, frame):
        answer = app.test_client().get(f"/launch?{urlencode({'iss': issuer})}")
        assert (answer.status_code, framed_by(answer)) == (400, frame)

    def test_a_sign_in_that_came_back_wrong_says_so_there(self, app, issuer, frame):
        state = app.extensions[KEY].marks.fresh(issuer)  # of a sign-in that was used up or has timed out
        answer = app.test_client().get(f"/callback?{urlencode({'state': state, 'error': 'access_denied'})}")
        assert (answer.status_code, framed_by(answer)) == (400, frame)


@pytest.mark.parametrize("issuer", ISSUERS, ids=lambda issuer: issuer.name)
def test_only_the_place_that_a_page_came_from_is_offered(app, issuer):
    state = app.extensions[KEY].marks.fresh(issuer.base)
    page = app.test_client().get(f"/callback?{urlencode({'state': state})}")
    assert [each.name for each in ISSUERS if each.name in page.text] == [issuer.name]


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/goodbye",
        "/nowhere",
        "/callback",
        "/callback?state=0000000000000000",
        "/launch?iss=https://evil.example&launch=x",
        "/accessibility?iss=https://evil.example",
        "/l/x/plan/",
        f"/l/0000000000000000/plan/?iss={EHR}",
        "/l/",
    ],
)
def test_attack_32_where_nothing_tells_whose_frame_it_is_nobody_may(app, address):
    assert framed_by(app.test_client().get(address)) == "'none'"


def test_attack_32_a_mark_cannot_be_written_or_moved_by_others(app):
    marks: Marks = app.extensions[KEY].marks
    value, another = marks.fresh(EHR), marks.fresh(OTHER)
    strangers = Marks(settings(secret_keys=("a secret of somebody else, 32 characters",), issuers=ISSUERS))
    moved = value[:-16] + another[-16:]
    assert marks.issuer(value) == ISSUERS[0]
    assert [marks.issuer(each) for each in (strangers.fresh(EHR), moved, value[:-1], f"{value}0", "é" * 20, "")] == [
        None
    ] * 6


def test_a_mark_outlives_a_new_key_while_the_old_one_is_kept(app):
    value = app.extensions[KEY].marks.fresh(EHR)
    keys = ("the next secret of ours, 32 characters", *settings().secret_keys)
    assert Marks(settings(secret_keys=keys, issuers=ISSUERS)).issuer(value) == ISSUERS[0]
    assert Marks(settings(secret_keys=keys[:1], issuers=ISSUERS)).issuer(value) is None


def test_a_mark_outlives_the_address_of_its_issuer():
    before, after = (
        Marks(settings(issuers=(Issuer(base=base, name="E", client_id="v", key="clinic"),)))
        for base in (EHR, "https://new.example/fhir")
    )
    assert after.issuer(before.fresh(EHR)).base == "https://new.example/fhir"


@pytest.mark.parametrize(("destination", "tab"), [("iframe", True), ("document", False)])
def test_in_a_frame_signing_in_again_gets_a_tab_of_its_own(app, destination, tab):
    """The sign-in of an EHR is rarely allowed inside a frame, and our cookie is not where the browser blocks it."""
    page = app.test_client().get("/goodbye", headers={"Sec-Fetch-Dest": destination})
    assert ('target="_blank" rel="noopener noreferrer"' in page.text) == tab
