"""A tour of every page, reached as people reach it: the real command, a real launch, a real browser.

The pictures in `docs/`, the accessibility tests and the conformance journeys all take this tour, so a page that is not
in it is in none of them. Nothing here depends on JavaScript. One page can't be reached with an EHR that works: that of
what did not get through, which has its own browser test.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from questionnaires.catalogue import catalogue

Role = Literal["client", "clinician", "nobody"]

# The shell is Chromium's engine without windows: it opens a page in much less time than the browser that people have,
# but has no settings in which somebody chooses what to block.
WITH_SETTINGS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUMS = ("chromium-headless-shell", *WITH_SETTINGS)
CHROMIUM, CHROMIUM_WITH_SETTINGS = (
    next(filter(None, map(shutil.which, names)), None) for names in (CHROMIUMS, WITH_SETTINGS)
)
# No sandbox of its own (CI runs as root), no GPU, and no connections of its own at start.
CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Served(Protocol):
    """Anything that serves the app and its sandbox: the demo in another process, or a server in this one."""

    @property
    def url(self) -> str:
        """Return the address of the app."""


@dataclass
class Demo:
    """A running `verstel demo`: its address, its folder, and a way to kill it as a power cut would."""

    url: str
    data: Path
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, data: Path, *, port: int = 0, ehr: str = "full") -> Demo:
        """Run the real command, and wait until it has printed where it listens."""
        command = [sys.executable, "-m", "smartapp", "demo", "--port", str(port), "--data", str(data), "--ehr", ehr]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Kept in"):
                break
        found = re.search(r"http://[\d.]+:\d+", said)
        if found is None:
            raise RuntimeError(f"verstel demo did not start: {said}")
        return cls(found[0], data, process)

    @property
    def port(self) -> int:
        """Return the port, in order to start again on the same one."""
        return int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """End it as a power cut would, with no chance to save anything."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, how)
        self.process.wait(20)
        if self.process.stdout:
            self.process.stdout.close()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Give the machine's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser
        for context in browser.contexts:
            close(context)
        browser.close()


def close(context: BrowserContext) -> None:
    """Close a context; none of its pages is loading another by then, which could hang the browser for good."""
    for page in context.pages:
        page.on("dialog", lambda dialog: dialog.accept())  # "Leave this page?"
        page.goto("about:blank")
    context.close()


@dataclass
class Visitor:
    """Someone with a browser of their own; `home` is the address of their launch."""

    page: Page
    demo: Served
    home: str = ""

    def launch(self, role: Role, person: str) -> Visitor:
        """Start a real SMART launch and remember where it ended."""
        self.page.goto(f"{self.demo.url}/sandbox/launch?role={role}&patient={person}")
        found = re.search(r"^(.*/l/[^/]+/)", self.page.url)
        if found is None:
            raise RuntimeError(f"the launch of {person} as {role} ended at {self.page.url}")
        self.home = found[1]
        return self

    def go(self, path: str) -> Page:
        """Open a page of this launch or, given a leading slash, of the site."""
        self.page.goto(self.demo.url + path if path.startswith("/") else self.home + path)
        return self.page

    def press(self, selector: str = "main form button") -> Page:
        """Press the main button of the page's form, or a link, and wait for the next page."""
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()
        return self.page


Way = Callable[[Visitor], object]


@dataclass(frozen=True)
class Stop:
    """One page of the tour: its name (also that of its picture), who sees it, and the way to get there."""

    name: str
    role: Role
    person: str
    way: Way


def at(path: str) -> Way:
    """Go straight to a path."""
    return lambda visitor: visitor.go(path)


def _first_action(visitor: Visitor) -> None:
    visitor.go("team/fact-noord/")
    visitor.go(visitor.page.locator('main a[href*="/actions/"]').first.get_attribute("href") or "")


def _ropi(page: str, years_ago: int) -> Way:
    year = dt.datetime.now(dt.UTC).year - years_ago
    return lambda visitor: visitor.go(f"team/fact-noord/ropi/{year}/{page}/")


def _first_goal(rest: str = "") -> Way:
    def way(visitor: Visitor) -> None:
        visitor.go("plan/")
        address = visitor.page.locator('main a[href*="/plan/goals/"]:not([href$="/new"])').first.get_attribute("href")
        visitor.go(f"{address}{rest}")

    return way


def _first_moment(visitor: Visitor) -> None:
    """Go from the programme to the first moment of it that can be moved or declined."""
    visitor.go("course/")
    visitor.press('main a[href*="/moments/"]')


def _what_comes(visitor: Visitor) -> None:
    """Choose a programme, and read what comes before it begins."""
    visitor.go("course/begin")
    visitor.page.check("#programme-three-moments")
    visitor.press("#choices .actions button")


def _several_clients(visitor: Visitor) -> None:
    """Go from the list of own clients to a programme for several of them."""
    visitor.go("/sandbox/caseload?user=Practitioner/joost-terpstra")
    visitor.press('main a[href$="/group/"]')


def _six_domains(visitor: Visitor) -> None:
    visitor.go("plan/domains")
    for box in visitor.page.locator("main input[type=checkbox]").all():
        box.check()
    visitor.press("main form button")


def _link_made(visitor: Visitor) -> None:
    """Share the card by a QR code, and stop what an earlier tour shared: there is a most of them at once."""
    _stop_links(visitor)
    visitor.go("links/new")
    visitor.page.locator("main input[name=what]").first.check()
    visitor.press("main #new-link .actions button")


def _link_stopped(visitor: Visitor) -> None:
    """Have a link in the list, and another one that is stopped."""
    _link_made(visitor)
    _link_made(visitor)
    visitor.go("links/")


def _stop_links(visitor: Visitor) -> None:
    stop = 'main form[action$="/end"] button'
    visitor.go("links/")
    while visitor.page.locator(stop).count():
        visitor.press(stop)


_SAVE = "main form[data-autosave] .actions button"
_TEXT_FORM = "main form[data-autosave] button"  # not the one above it, which throws a draft away


def _clash(visitor: Visitor) -> None:
    phone = Visitor(visitor.page.context.new_page(), visitor.demo, visitor.home)
    # An earlier tour of this database left a draft and the very text that the phone writes: neither would clash again.
    phone.go("living/story/story/")
    if phone.page.locator("main input[name=sketch]").count():
        phone.press()
        phone.go("living/story/story/")
    _write(phone, "Dit schreef ik vorige week.")
    # The page is opened first and changed elsewhere next, so that saving it finds two versions.
    visitor.go("living/story/story/")
    phone.go("living/story/story/")
    _write(phone, "Dit schreef ik op mijn telefoon.")
    phone.page.close()
    _write(visitor, "Dit schreef ik op de computer.")


def _write(visitor: Visitor, text: str) -> None:
    visitor.page.locator("main textarea").first.fill(text)
    visitor.press(_TEXT_FORM)


def _question_error(visitor: Visitor) -> None:
    """Send an answer that is not among the options, as a broken browser might."""
    visitor.go("questionnaires/hoop/questions/hoop-01")
    visitor.page.locator("main input[type=radio]").first.evaluate(
        "radio => { radio.value = '9'; radio.checked = true }"
    )
    visitor.press()


def _kept(visitor: Visitor) -> None:
    """Save words after signing out in another tab, and sign in again."""
    visitor.go("living/story/story/").locator("main textarea").first.fill("Dit schreef ik nog even.")
    elsewhere = Visitor(visitor.page.context.new_page(), visitor.demo, visitor.home)
    elsewhere.page.set_viewport_size({"width": 1280, "height": 800})  # wide enough for the menu to stand open
    elsewhere.go("")
    elsewhere.press("header form button")
    elsewhere.page.close()
    visitor.press(_TEXT_FORM)
    visitor.launch("client", "marlies")


def _sent(visitor: Visitor) -> None:
    visitor.go("questionnaires/mhcs/questions/mhcs-01")
    visitor.page.locator("main input[type=radio]").first.check()
    visitor.press()
    visitor.go("questionnaires/mhcs/review")
    visitor.press("main form[action$=submit] button")


def _response(instrument: str, rest: str = "") -> Way:
    """Go to the newest response to a questionnaire, by its title in the list of all that was sent in."""
    title = catalogue().instrument(instrument).title
    in_either_language = re.compile(f"{re.escape(title.nl)}|{re.escape(title.en)}")

    def way(visitor: Visitor) -> None:
        visitor.go("answers/")
        address = visitor.page.get_by_role("link", name=in_either_language).first.get_attribute("href")
        visitor.go(f"{address}{rest}")

    return way


def _door_made(visitor: Visitor) -> None:
    withdraw = '[action$="/withdraw"] button'
    while visitor.go("door/").locator(withdraw).count():  # there are only so many at once
        visitor.press(withdraw)
    visitor.page.locator("#questionnaire-hoop").check()
    visitor.press("#new-door .actions button")


def _on_device(visitor: Visitor) -> None:
    """Open, on a device on which nobody is signed in, what somebody else shows as a QR code."""
    browser = visitor.page.context.browser
    if browser is None:
        raise RuntimeError("A device stands beside another one, and this browser can't have two.")
    giver = Visitor(browser.new_context().new_page(), visitor.demo).launch("clinician", "noor")
    _door_made(giver)
    secret = giver.page.locator("input[name=link]").input_value()
    visitor.page.context.clear_cookies()
    visitor.go(f"/door/#{secret}")
    visitor.press()
    close(giver.page.context)


def _stopping_on_device(visitor: Visitor) -> None:
    _on_device(visitor)
    visitor.press("main .actions a.button")
    visitor.press(".stop-and-wipe a")


def _answer_to(what: str) -> Way:
    def way(visitor: Visitor) -> None:
        _response("nel", "nel-01")(visitor)
        visitor.press(f'main a[href*="/plan/{what}/from/"]')

    return way


def _topic(rest: str) -> Way:
    """Go to a screen about the first topic of a conversation, which is put on the list where none is."""

    def way(visitor: Visitor) -> None:
        visitor.go("overview/together/discuss")
        visitor.page.locator("main textarea").first.fill("Slapen")
        visitor.press("main form[data-autosave] .actions button")
        visitor.go(f"overview/together/{rest}")

    return way


def _sheet(visitor: Visitor) -> None:
    _topic("agree/1")(visitor)
    # The tour may have been here before: then this is what came of it already.
    if visitor.page.locator("main textarea").count():
        visitor.page.get_by_label(re.compile("We zijn het eens|We agree")).check()
        visitor.page.locator("main textarea").first.fill("Ik leg mijn telefoon om tien uur in de keuken.")
        visitor.press("main form[data-autosave] .actions button")
    visitor.go("overview/together/report")


def _written(visitor: Visitor) -> None:
    """Type in the client's form with the client: the page on which they read it."""
    visitor.go("overview/together/write")
    visitor.press("main button[value=own-words]")
    visitor.go("living/own-words/name/").locator("main textarea, main input[type=text]").first.fill(
        "Ruis in mijn hoofd."
    )
    visitor.press(_SAVE)


def _pressed(visitor: Visitor) -> None:
    """Press a button of the client's plan with the client: the page that asks them."""
    visitor.go("overview/together/write")
    visitor.press("main button[value=plan]")
    visitor.press("main button.tick")


def _handed_over(visitor: Visitor) -> None:
    """Find on the start page what a professional typed, and open it."""
    there = visitor.page.context.browser
    if there is None:
        raise RuntimeError("this browser has no room for a second person")
    context = there.new_context(locale="nl-NL")
    professional = Visitor(context.new_page(), visitor.demo).launch("clinician", "noor")
    _written(professional)
    professional.press("main button[name=hand-over]")
    close(context)
    visitor.go("")
    visitor.press("main a[href*='confirm=']")


def _visit(visitor: Visitor) -> None:
    visitor.go("visits/")
    visitor.press('main a[href*="/visits/2"]')


CARRIED = next(one.id for one in catalogue().living.values() if one.living and one.living.card and one.living.offline)
"""The first living form that can be carried along in every way."""
SUMMED_UP = next(one.id for one in catalogue().living.values() if one.living and one.living.summary)
"""The first living form of which whoever was there gets a summary."""
ITEMS = [(form, group, item) for form in catalogue().living.values() for group in form.groups for item in group.items]
LOOKED_BACK = next(form.id for form, group, item in ITEMS if group.per == "goal" and item.today)
"""The first living form that looks back on goals."""
BEGINS_GOALS = next(form.id for form, _group, item in ITEMS if item.becomes == "goal")
"""The first living form of which words become goals."""
BEGINS_LISTS = next(form.id for form, _group, item in ITEMS if item.becomes not in ("", "goal") and item.many)
"""The first living form of which words go on a list of another."""
CARDS = next(form for form in catalogue().living.values() if form.living and form.living.cards)
"""The first living form that is chosen from as cards."""


def _card(visitor: Visitor) -> None:
    visitor.go(f"living/{CARDS.id}/?together=1")
    visitor.press("main .cards li:nth-child(4) a")


STOPS: tuple[Stop, ...] = (
    Stop("people", "nobody", "", at("/sandbox/")),
    Stop("frame", "nobody", "", at("/sandbox/frame?role=clinician&patient=noor")),
    Stop("front", "nobody", "", at("/")),
    Stop("accessibility", "nobody", "", at("/accessibility")),
    Stop("components", "nobody", "", at("/components")),
    Stop("goodbye", "nobody", "", at("/goodbye")),
    Stop("offline", "nobody", "", at("/offline/")),
    Stop("viewer", "nobody", "", at("/view")),
    Stop("not-found", "nobody", "", at("/nowhere")),
    Stop("launch-unknown-ehr", "nobody", "", at("/launch?iss=https://elsewhere.example.org&launch=x")),
    Stop("launch-ended", "nobody", "", at("/l/an-old-launch/plan/")),
    Stop("own-clients", "nobody", "", at("/sandbox/caseload?user=Practitioner/joost-terpstra")),
    Stop("home", "client", "noor", at("")),
    Stop("help", "client", "noor", at("help/")),
    Stop("take-along", "client", "noor", at("take-along/")),
    Stop("bring-in", "client", "noor", at("take-along/bring-in")),
    Stop("leave", "client", "noor", at("take-along/leave")),
    Stop("leave-sure", "client", "noor", at("take-along/leave/sure")),
    Stop("help-clinician", "clinician", "noor", at("help/")),
    Stop("who-looked", "client", "noor", at("who-looked/")),
    Stop("sharing", "client", "noor", at("sharing/")),
    Stop("sharing-part", "client", "noor", at("sharing/domain.meaning")),
    Stop("questionnaires", "client", "noor", at("questionnaires/")),
    Stop("questionnaire-intro", "client", "noor", at("questionnaires/mansa-short/")),
    Stop("question", "client", "noor", at("questionnaires/hoop/questions/hoop-01")),
    Stop("question-error", "client", "noor", _question_error),
    Stop("question-text", "client", "noor", at("questionnaires/sdm-visit/questions/sdm-visit-helps")),
    Stop("answers", "client", "noor", at("answers/")),
    Stop("response", "client", "noor", _response("sdm-visit")),
    Stop("response-wishes", "client", "noor", _response("mansa-short")),
    Stop("response-beside", "client", "noor", _response("nel")),
    Stop("answer", "client", "noor", _response("nel", "nel-01")),
    Stop("goal-from-answer", "client", "noor", _answer_to("goals/new")),
    Stop("scores", "client", "noor", at("scores/")),
    Stop("scores-nel", "client", "noor", at("scores/nel/")),
    Stop("scores-mansa", "client", "noor", at("scores/mansa/")),
    Stop("scores-note", "client", "noor", at("scores/nel/note")),
    Stop("plan", "client", "noor", at("plan/")),
    Stop("plan-domains", "client", "noor", at("plan/domains")),
    Stop("plan-domains-six", "client", "noor", _six_domains),
    Stop("plan-domain", "client", "noor", at("plan/domains/meaning/")),
    Stop("plan-domain-question", "client", "noor", at("plan/domains/meaning/now")),
    Stop("plan-goal", "client", "noor", _first_goal()),
    Stop("plan-goal-words", "client", "noor", _first_goal("words")),
    Stop("plan-goal-progress", "client", "noor", _first_goal("progress")),
    Stop("plan-goal-end", "client", "noor", _first_goal("end")),
    Stop("plan-goal-new", "client", "noor", at("plan/goals/new")),
    Stop("plan-step-new", "client", "noor", _first_goal("steps/new")),
    Stop("plan-goal-history", "client", "noor", _first_goal("history")),
    Stop("phase", "client", "noor", at("phase/")),
    Stop("programme", "client", "noor", at("course/")),
    Stop("programme-moment", "client", "noor", _first_moment),
    Stop("my-people", "client", "noor", at("people/")),
    Stop("my-people-whom", "client", "noor", at("people/new/")),
    Stop("my-people-new", "client", "noor", at("people/new/RelatedPerson/mila/")),
    Stop("loved-one", "nobody", "", at("/sandbox/launch?role=loved-one&patient=noor&user=RelatedPerson/mila")),
    Stop("living", "client", "noor", at("living/")),
    Stop("living-looked-back", "client", "noor", at(f"living/{LOOKED_BACK}/")),
    Stop("living-begins-goals", "client", "noor", at(f"living/{BEGINS_GOALS}/")),
    Stop("living-begins-lists", "client", "noor", at(f"living/{BEGINS_LISTS}/")),
    Stop("living-cards", "client", "noor", at(f"living/{CARDS.id}/")),
    Stop("living-carried", "client", "noor", at(f"living/{CARRIED}/")),
    Stop("living-card", "client", "noor", at(f"living/{CARRIED}/card")),
    Stop("links", "client", "noor", _link_stopped),
    Stop("link-new", "client", "noor", at("links/new")),
    Stop("link-made", "client", "noor", _link_made),
    Stop("reminders", "client", "noor", at("reminders/")),
    Stop("reminders-stop", "nobody", "", at("/reminders/stop/made-up")),
    Stop("door", "clinician", "noor", at("door/")),
    Stop("door-made", "clinician", "noor", _door_made),
    Stop("device", "nobody", "", _on_device),
    Stop("device-stop", "nobody", "", _stopping_on_device),
    Stop("device-over", "nobody", "", at("/door/over?said=sent")),
    Stop("plan-clash", "client", "iwan", _clash),
    Stop("plan-history", "client", "iwan", at("plan/history")),
    Stop("not-for-you", "client", "noor", at("overview/")),
    Stop("living-summed-up", "client", "sem", at(f"living/{SUMMED_UP}/")),
    Stop("home-unfinished", "client", "sem", at("")),
    Stop("questionnaire-resume", "client", "sem", at("questionnaires/nel/")),
    Stop("questionnaire-pause", "client", "sem", at("questionnaires/nel/pause")),
    Stop("questionnaire-review", "client", "sem", at("questionnaires/nel/review")),
    Stop("questionnaire-again", "client", "sem", at("questionnaires/nel/again")),
    Stop("questionnaire-sent", "client", "kees", _sent),
    Stop("home-new", "client", "yara", at("")),
    Stop("scores-new", "client", "yara", at("scores/")),
    Stop("plan-new", "client", "yara", at("plan/")),
    Stop("plan-domains-family", "client", "marlies", at("plan/domains?family=1")),
    Stop("kept", "client", "marlies", _kept),
    Stop("scores-gaps", "client", "iwan", at("scores/mansa/")),
    Stop("overview", "clinician", "noor", at("overview/")),
    Stop("overview-plan", "clinician", "noor", at("overview/plan")),
    Stop("overview-living-carried", "clinician", "noor", at(f"living/{CARRIED}/")),
    Stop("overview-living-card", "clinician", "noor", at(f"living/{CARRIED}/card")),
    Stop("overview-living-summed-up", "clinician", "sem", at(f"living/{SUMMED_UP}/")),
    Stop("together", "clinician", "noor", at("overview/together/")),
    Stop("together-now", "clinician", "noor", at("overview/together/now")),
    Stop("together-form", "clinician", "noor", at(f"living/{LOOKED_BACK}/?together=1")),
    Stop("together-cards", "clinician", "noor", at(f"living/{CARDS.id}/?together=1")),
    Stop("together-card", "clinician", "noor", _card),
    Stop("together-medicines", "clinician", "noor", at("overview/together/medicines")),
    Stop("together-medicine", "clinician", "noor", at("overview/together/medicines/new")),
    Stop("together-discuss", "clinician", "noor", at("overview/together/discuss")),
    Stop("together-options", "clinician", "noor", _topic("options/1")),
    Stop("together-agree", "clinician", "noor", _topic("agree/1")),
    Stop("together-report", "clinician", "noor", _sheet),
    Stop("write-together", "clinician", "noor", at("overview/together/write")),
    Stop("write-together-read", "clinician", "noor", _written),
    Stop("write-together-press", "clinician", "noor", _pressed),
    Stop("write-together-alone", "clinician", "iwan", at("plan/")),
    Stop("write-together-own-screen", "client", "noor", _handed_over),
    Stop("visits", "client", "noor", at("visits/")),
    Stop("visit", "client", "noor", _visit),
    Stop("overview-new", "clinician", "yara", at("overview/")),
    Stop("overview-gaps", "clinician", "iwan", at("overview/")),
    Stop("overview-answers", "clinician", "noor", at("answers/")),
    Stop("overview-response", "clinician", "noor", _response("nel")),
    Stop("overview-response-wishes", "clinician", "noor", _response("mansa-short")),
    Stop("overview-scores", "clinician", "noor", at("scores/")),
    Stop("overview-scores-gaps", "clinician", "iwan", at("scores/")),
    Stop("team", "client", "noor", at("team/fact-noord/")),
    Stop("team-marks", "client", "noor", at("team/fact-noord/marks/")),
    Stop("team-staff", "clinician", "noor", at("team/fact-noord/")),
    Stop("team-rounds", "clinician", "noor", at("team/fact-noord/rounds/")),
    Stop("team-tell", "clinician", "noor", at("team/fact-noord/told/new/")),
    Stop("team-action", "clinician", "noor", _first_action),
    Stop("team-panel", "clinician", "noor", at("team/fact-noord/panels/new/")),
    Stop("ropi", "clinician", "noor", at("team/fact-noord/ropi/")),
    Stop("ropi-mine", "clinician", "noor", _ropi("mine", 0)),
    Stop("ropi-agreed", "clinician", "noor", _ropi("agreed", 1)),
    Stop("assignments", "clinician", "noor", at("assignments/")),
    Stop("assignment-new", "clinician", "noor", at("assignments/new")),
    Stop("programme-clinician", "clinician", "noor", at("course/")),
    Stop("programme-begin", "clinician", "noor", _what_comes),
    Stop("programme-several", "nobody", "", _several_clients),
)
