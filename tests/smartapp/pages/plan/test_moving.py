"""A client at an EHR that refuses every step: all they write is saved, and stays where they look for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from smartapp.fhir.companion import CompanionStore
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Query, Unreachable
from smartapp.services import Services
from tests.conftest import serve
from tests.smartapp.pages.plan.pages import STORY, fields_of
from tests.smartapp.records.desk import Desk

IN_THE_EHR, WITH_US = "Bewaard in het dossier bij de zorgverlener", "Bewaard in Verstel"


class Client:
    """Anna at her computer. Addresses are those in the plan, or whole ones that a page has led to."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.browser = desk.browser()

    def get(self, path: str = "", *, follow: bool = True):
        return self.browser.get(self._address(path), base_url=self.desk.server.url, follow_redirects=follow)

    def send(self, path: str, fields: dict[str, str], **more):
        """Send a form and go where that leads; after a 307 with the form again, as a browser does."""
        answer = self.browser.post(self._address(path), fields, base_url=self.desk.server.url, **more)
        if answer.status_code == 307:
            return self.send(answer.location, fields, **more)
        return self.get(answer.location) if answer.status_code == 303 else answer

    def fill(self, path: str, **typed: str):
        """Open a form, type, press the button, and go where that leads."""
        return self.send(path, {**fields_of(self.get(path)), **typed})

    def tell(self, story: str) -> None:
        """Write a story."""
        page = urlsplit(self.get().request.url).path.replace("/plan/", f"/{STORY}")
        self.send(page, {**fields_of(self.get(page)), "story-story": story})

    def new_goal(self, text: str = "Weer naar het koor") -> str:
        """Write a goal and return the address of its page."""
        self.fill("domains", domains="meaning")
        return address(self.fill("goals/new", text=text, domain="meaning"))

    @staticmethod
    def _address(path: str) -> str:
        return path if path.startswith("/") else f"plan/{path}"


def address(page) -> str:
    """Return where a browser ended up."""
    assert page.status_code == 200, page.text
    return urlsplit(page.request.url).path


def nothing_is_left(desk: Desk) -> bool:
    """Tell whether all has arrived once the courier came by; it takes the plan's document to the chart."""
    desk.visit().send_waiting()
    return desk.visit().waiting() == []


@pytest.fixture
def desk() -> Iterator[Desk]:
    for server in serve("taskless"):
        yield Desk(server)


@pytest.fixture
def anna(desk) -> Client:
    return Client(desk)


def test_story_goal_and_steps_are_saved_and_seen_in_our_own_store(desk, anna):
    anna.tell("Mijn verhaal begint hier")
    assert "Mijn verhaal begint hier" in anna.get().text
    goal = anna.new_goal()
    assert [len(desk.stored(type_)) for type_ in ("CarePlan", "Goal", "Task")] == [1, 1, 0]
    assert IN_THE_EHR in anna.get().text

    moved = anna.fill(f"{goal}steps/new", text="Het koor bellen")
    assert "Het koor bellen" in moved.text
    again = anna.fill(f"{address(moved)}steps/new", text="Meezingen")
    for page in (again.text, anna.get().text):
        assert all(text in page for text in ("Weer naar het koor", "Het koor bellen", "Meezingen", WITH_US))
        assert IN_THE_EHR not in page
    assert "Mijn verhaal begint hier" in anna.get().text
    assert nothing_is_left(desk)
    assert [one["status"] for one in desk.stored("CarePlan")] == ["entered-in-error"]

    overview = desk.browser("clinician").get("overview/plan", base_url=desk.server.url).text
    assert all(text in overview for text in ("Weer naar het koor", "Het koor bellen", "Meezingen"))
    assert WITH_US not in overview  # to others that would tell of parts that they do not read


def test_an_old_address_of_a_goal_leads_to_where_it_is_now(anna):
    goal = anna.new_goal()
    moved = address(anna.fill(f"{goal}steps/new", text="Bellen"))
    assert moved != goal
    again = anna.get(goal, follow=False)
    assert (again.status_code, urlsplit(again.location).path) == (307, moved)
    assert anna.get(f"{goal[:-2]}x/").status_code == 404


def test_a_form_that_was_open_during_the_move_is_saved_with_what_was_typed_in_it(anna):
    goal = anna.new_goal()
    step, words = (fields_of(anna.get(f"{goal}{page}")) for page in ("steps/new", "words"))
    anna.fill(f"{goal}steps/new", text="Bellen")
    page = anna.send(f"{goal}steps/new", {**step, "text": "Meezingen"})
    assert all(text in page.text for text in ("Bellen", "Meezingen"))
    page = anna.send(f"{goal}words", {**words, "text": "Weer in een koor zingen"})
    assert "Weer in een koor zingen" in page.text
    assert page.status_code == 200


def test_two_tabs_that_add_a_step_at_the_same_moment_lose_neither(desk, anna):
    """The one that meets the move halfway is told so, with its words, and is saved when it is sent again."""
    goal = anna.new_goal()
    tabs = [(Client(desk), text) for text in ("Bellen", "Meezingen")]
    forms = [{**fields_of(tab.get(f"{goal}steps/new")), "text": text} for tab, text in tabs]
    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(lambda at: tabs[at][0].send(f"{goal}steps/new", forms[at]), range(2)))
    for page, form in zip(sent, forms, strict=True):
        if page.status_code != 200:
            # 409 where the plan was on its way when the page loaded it, 503 where it went while the page was saving.
            assert page.status_code in {409, 503}
            assert fields_of(page)["text"] == form["text"]
            assert address(anna.send(f"{goal}steps/new", form))
    found = desk.visit().search(Query.of("Task", patient="Patient/anna"))[0]
    assert sorted((one.resource["description"], one.place, one.state) for one in found) == [
        ("Bellen", "own", "stored"),
        ("Meezingen", "own", "stored"),
    ]
    assert nothing_is_left(desk)


def test_words_that_were_not_saved_yet_are_found_again_after_the_move(anna):
    goal = anna.new_goal()
    note = "Nog niet klaar met schrijven"
    anna.send(f"{goal}progress", {"progress": "", "note": note}, headers={"Accept": "application/json"})
    assert note in anna.get(f"{goal}progress").text
    moved = address(anna.fill(f"{goal}steps/new", text="Bellen"))
    assert note in anna.get(f"{moved}progress").text


def test_a_step_of_a_plan_that_moved_can_be_done(anna):
    moved = anna.fill(f"{anna.new_goal()}steps/new", text="Bellen")
    [link] = set(re.findall(r'href="([^"]+/steps/(?!new)[^"]+)"', moved.text))
    page = anna.fill(link, status="done")
    assert "Bellen" in page.text
    assert fields_of(anna.get(link))["status"] == "done"


def test_a_query_in_an_old_address_cannot_choose_another_scheme(anna):
    goal = anna.new_goal()
    moved = address(anna.fill(f"{goal}steps/new", text="Bellen"))
    assert anna.get(f"{goal}?_external=1&_scheme=javascript&_anchor=x", follow=False).location == moved


class TestWhileTheCopyWaits:
    """The plan moves to a companion that is away just then: it is closed in the EHR, and its copy is not there yet."""

    @pytest.fixture
    def moving(self, desk, anna, monkeypatch) -> str:
        """Anna wrote a story and a goal and added a step; return the address of her goal while all that waits."""
        companion = OwnStore(desk.core.engine, desk.server.base, tenant="companion")
        monkeypatch.setattr(Services, "companion", lambda _self, issuer: CompanionStore(companion, issuer))
        anna.tell("Mijn verhaal begint hier")
        goal = anna.new_goal()
        with monkeypatch.context() as patch:
            for write in ("write", "write_all"):
                patch.setattr(companion, write, self._away, raising=False)
            return address(anna.fill(f"{goal}steps/new", text="Het koor bellen"))

    @staticmethod
    def _away(_writes):
        raise Unreachable("The companion is away.")

    @staticmethod
    def overview(desk) -> str:
        return desk.browser("clinician").get("overview/plan", base_url=desk.server.url).text

    @pytest.mark.usefixtures("moving")
    def test_the_care_team_still_reads_the_plan_that_there_is(self, desk, anna):
        assert [one["status"] for one in desk.stored("CarePlan")] == ["entered-in-error"]
        page = self.overview(desk)
        assert "Mijn verhaal begint hier" in page
        assert "Weer naar het koor" in page
        assert "gaat verder in Verstel" not in page
        assert "Het koor bellen" in anna.get().text  # its writer sees the step already

    @pytest.mark.usefixtures("moving")
    def test_once_it_is_there_the_copy_is_the_plan(self, desk):
        desk.later()
        page = self.overview(desk)
        assert page.count("Weer naar het koor") == page.count("Het koor bellen") == 1
        assert nothing_is_left(desk)

    def test_an_address_from_meanwhile_still_leads_to_the_goal(self, desk, anna, moving):
        desk.later()
        page = anna.get(moving)
        assert address(page) != moving
        assert "Het koor bellen" in page.text
        anna.fill(f"{moving}steps/new", text="Meezingen")
        assert "Meezingen" in anna.get(address(page)).text
