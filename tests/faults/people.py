"""The people of a history: a client and a clinician who use the real pages, and remember what those told them."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from mappers.answers import IDENTIFIER_SYSTEM as RESPONSE_SYSTEM
from mappers.identity import Identifier, values_in
from mappers.successors import first_of
from questionnaires.canonical import identifier_system
from smartapp.web.typed import digest
from tests.faults.authority import SignIn
from tests.faults.browser import Browser, Page
from tests.faults.ledger import STORED, Claim, Ledger, Slot, Word
from tests.faults.stores import everything, was_stored
from tests.faults.world import World

# What the pages say, as a person understands it. The first that is found counts.
CLAIMS: Final[tuple[tuple[str, Claim], ...]] = (
    ("on its way to the record", "waiting"),
    ("are on their way", "waiting"),
    ("as soon as it answers again", "waiting"),
    ("Kept in the record of the care provider", "ehr"),
    ("Kept with the care provider, outside the record", "companion"),
    ("Kept in Verstel", "own"),
)
STOPPED: Final = "Something you saved did not get through"
SAVED: Final = (" is saved.", " are saved.", "Your answers have arrived")
NOTHING_TO_LOOK_OVER: Final = "There are no answers here now."
NO_ANSWERS: Final = digest(repr([]))
LONG_AWAY: Final = 1700
"""After so many seconds people begin at the EHR again: the app ends a session after half an hour."""
ENDED: Final = "You have been signed out"
DOMAIN: Final = "housing"
HOOP: Final = "hoop"
SCORED: Final = ("hoop-03", "hoop-05", "hoop-08", "hoop-09")
"""The items of one score: when they are answered, it has a value that each change of one of them changes."""
TEXT: Final = ("mansa-short", "mansa-short-home-change")


def claim_of(text: str) -> Claim:
    """Return what a page claims about what was just saved.

    Where it says that something did not get through, and not that this was saved, where it keeps things says nothing.
    """
    if STOPPED in text and not any(said in text for said in SAVED):
        return "kept"
    return next((claim for said, claim in CLAIMS if said in text), "kept")


def draft_on(page: Page | None) -> str | None:
    """Return the digest of the answers that a page to look over shows; None where it is no such page."""
    if page is None or page.status != 200:
        return None
    return NO_ANSWERS if NOTHING_TO_LOOK_OVER in page.text else page.fields.get("seen")


class Person:
    """Someone who signs in at the EHR and uses the pages; what they write goes into the ledger."""

    role = "person"
    desk = ""  # a page that is light to open

    def __init__(self, world: World, ledger: Ledger, who: SignIn, chance: random.Random) -> None:
        self.world, self.ledger, self.who, self.chance = world, ledger, who, chance
        self.name = who.user
        self.browser = Browser(world, who.user)
        self.launch: str | None = None
        self.busy = False
        self.steady = False  # presses a button once, and stands by what they wrote
        self.last = world.now

    # ---- requests

    def get(self, path: str) -> Page | None:
        """Open a page of this launch."""
        return self._open("GET", path)

    def post(self, path: str, data: Mapping[str, str]) -> Page | None:
        """Send a form of this launch; a page of it was open before, or is now."""
        if not self.browser.token:
            self.get(self.desk)
        return self._open("POST", path, {**data, **self.browser.token})

    def _open(self, method: str, path: str, data: Mapping[str, str] | None = None) -> Page | None:
        address = path if path.startswith("/") else f"/l/{self.launch}/{path}"
        page = self.browser.ask(self._process(), method, address, data)
        if page is None:
            return None
        if page.status == 500:
            self.ledger.finds("crashed", f"{self.name} {method} {path}")
        self.last = self.world.now
        if ENDED in page.text:  # the source of a page with a form has it too, for the script
            self.launch = None
        if page.status == 307 and method == "POST":
            return self._open(method, page.location.removeprefix("http://localhost"), data)
        return page

    def follow(self, page: Page) -> Page | None:
        """Go where a page sends the browser, until there is something to read."""
        for _ in range(4):
            if page.status not in (301, 302, 303, 307, 308):
                return page
            there = self.get(page.location.removeprefix("http://localhost").partition("#")[0])
            if there is None:
                return None
            page = there
        return page

    def _process(self) -> Any:
        """Return the process that the balancer sends the next request to: mostly the same one."""
        if self.browser.at is None or self.chance.random() < 0.2:
            self.browser.at = self.chance.choice(self.world.processes)
        busy = [one.name for one in self.world.process]
        # A process that is in the middle of something takes no other request in this thread.
        if self.browser.at.name in busy:
            self.browser.at = next(one for one in self.world.processes if one.name not in busy)
        return self.browser.at

    # ---- signing in

    def sign_in(self) -> bool:
        """Sign in, and tell whether that worked."""
        begun = self._open("GET", f"/launch?iss={self.world.fhir}&launch=chart")
        if begun is None or begun.status != 303:
            return False
        query = self.world.login.authorize(begun.location, self.who)
        page = self._open("GET", f"/callback?{query}")
        if page is None or page.status != 303:
            return False
        self.launch = page.location.removeprefix("http://localhost").split("/")[2]
        self.browser.token = {}
        if self.chance.random() < 0.3:  # as the redirect says; but most things can be written before that page is there
            self.get("")
        return True

    def there(self) -> bool:
        """Make sure that this person is signed in: people try a few times."""
        if self.world.now - self.last > LONG_AWAY:
            self.launch = None
        return self.launch is not None or any(self.sign_in() for _ in range(3))

    # ---- writing

    def save(self, path: str, slot_of: Callable[[Page], Slot], content: str, changes: Mapping[str, str]) -> Word | None:
        """Fill in a form of the plan and send it; note what became of it."""
        if not self.there():
            return None
        page = self.get(path)
        page = self.follow(page) if page is not None else None
        if (
            page is None
            or page.status != 200
            or not set(changes) <= {*page.fields, "domain", "status", "progress", "stop"}
        ):
            return None
        word = self.ledger.write(self.world.now, self.name, slot_of(page), content, _words(page))
        self._send(word, path, {**page.fields, **changes})
        return word

    def _send(self, word: Word, path: str, data: Mapping[str, str]) -> None:
        page = self.post(path, data)
        if page is not None and page.status == 409 and any(name.startswith("asked-") for name in page.fields):
            word.seen |= _words(page)
            page = self._choose(word, path, page)
        self._judge(word, page)
        if page is not None and page.status == 303 and not self.steady and self.chance.random() < 0.15:
            self.post(path, data)  # pressed twice: the form is still open

    def _choose(self, word: Word, path: str, page: Page) -> Page | None:
        asked = [name.removeprefix("asked-") for name in page.fields if name.startswith("asked-")]
        mine = self.steady or self.chance.random() < 0.7
        choices = {f"choice-{name}": "typed" if mine else "stored" for name in asked}
        if not mine:
            word.claim = "given back"
        return self.post(path, {**page.fields, **choices, "stop": "1"})

    def _judge(self, word: Word, page: Page | None) -> None:
        """Note what the page says about a word that was just sent."""
        if page is None or word.claim == "given back":
            return
        if page.status != 303:
            # A page that neither gives the words back nor says that they are kept leaves its reader with nothing.
            word.claim = "given back" if str(word.content) in page.text else "kept"
            word.page = f"{page.status}"
            self.tells(word)
            return
        word.claim = "kept"
        there = self.follow(page)
        if there is not None and there.status == 200:
            word.claim = claim_of(there.text)
            word.page = there.text[:200]
        self.tells(word)

    def tells(self, word: Word) -> None:
        """Note what this person was told of a word, and whether that is true."""
        if word.claim in STORED and not was_stored(self.world, word.claim, word.slot, word.content):
            self.ledger.finds(
                "false", f"{self.name} {' '.join(word.slot)} = {word.content}: {word.claim}: {word.page[:90]}"
            )
        self.world.note(self.name, f"is told: {word.claim} ({' '.join(word.slot)} = {word.content})")


class Client(Person):
    """A client: fills in questionnaires, and writes a plan."""

    role = "client"
    desk = f"questionnaires/{HOOP}/again"

    def __init__(self, world: World, ledger: Ledger, who: SignIn, chance: random.Random) -> None:
        super().__init__(world, ledger, who, chance)
        self.drafts: dict[str, dict[str, Any]] = {HOOP: {}, TEXT[0]: {}}
        self.sending: dict[str, Word] = {}  # the last press of "send in" per questionnaire
        self.goals: dict[str, str] = {}
        self.steps: dict[str, str] = {}
        self.plan_begun = False
        self.sent: list[str] = []

    # ---- the plan

    def write_story(self) -> None:
        """Write the story anew."""
        text = self.ledger.fresh("story")
        self.save(
            "living/story/story/", lambda _page: ("story", self.who.patient), text, {"story-story": text, "stop": "1"}
        )

    def choose_domain(self) -> bool:
        """Choose an area of life, which a goal needs."""
        if not self.there():
            return False
        page = self.get("plan/domains")
        if page is None or page.status != 200:
            return False
        there = self.post("plan/domains", {**page.fields, "domains": DOMAIN})
        there = self.follow(there) if there is not None and there.status == 303 else None
        self.plan_begun = there is not None
        return self.plan_begun

    def add_goal(self) -> None:
        """Write a new goal."""
        if not self.plan_begun and not self.choose_domain():
            return
        text = self.ledger.fresh("goal")
        changes = {"text": text, "domain": DOMAIN, "due": ""}
        word = self.save("plan/goals/new", lambda page: ("goal", page.fields.get("key", "")), text, changes)
        if word is not None and word.committed:
            self.goals[word.slot[1]] = text

    def edit_goal(self) -> None:
        """Say a goal in other words."""
        key = self._any(self.goals)
        address = self._goal_address(key) if key else None
        if key is None or address is None:
            return
        text = self.ledger.fresh("goal")
        self.save(f"{address}words", lambda _page: ("goal", key), text, {"text": text})

    def note_progress(self) -> None:
        """Say how it goes with a goal."""
        key = self._any(self.goals)
        address = self._goal_address(key) if key else None
        if key is None or address is None:
            return
        text = self.ledger.fresh("note")
        changes = {"note": text, "progress": "improving"}
        self.save(f"{address}progress", lambda _page: ("note", key), text, changes)

    def add_step(self) -> None:
        """Add a step to a goal."""
        key = self._any(self.goals)
        address = self._goal_address(key) if key else None
        if address is None:
            return
        text = self.ledger.fresh("step")
        changes = {"text": text, "who": "", "due": ""}
        self.save(f"{address}steps/new", lambda page: ("step", page.fields.get("key", "")), text, changes)

    def _any(self, these: Mapping[str, str]) -> str | None:
        return self.chance.choice(sorted(these)) if these else None

    def _goal_address(self, key: str) -> str | None:
        """Return the address of a goal as the page gives it by the key of the form that made it."""
        if not self.there():
            return None
        page = self.get(f"plan/goals/by-key/{key}")
        if page is None or page.status != 303 or "/goals/" not in page.location:
            return None
        return page.location.removeprefix("http://localhost").partition("?")[0].split("/", 3)[3]

    # ---- questionnaires

    def answer(self, instrument: str = HOOP) -> None:
        """Answer a few questions; what the app says it kept is what will be sent."""
        if not self.there() or not self._knows(instrument):
            return
        for link_id, value in self._new_answers(instrument).items():
            data = {"answer": value, "was": digest(self.drafts[instrument].get(link_id, "")), "next": "1"}
            page = self.post(f"questionnaires/{instrument}/questions/{link_id}", data)
            while page is None:  # the app died; this is put in again until it is known to be kept
                page = self.post(f"questionnaires/{instrument}/questions/{link_id}", data)
            if page.status != 303:
                return
            self.drafts[instrument][link_id] = value

    def _knows(self, instrument: str) -> bool:
        """Tell whether this person knows what became of the last press of "send in"; else they look it up."""
        word = self.sending.get(instrument)
        if word is None or word.claim != "nothing":
            return True
        self.looks_over(instrument)
        return word.claim != "nothing"

    def open_drafts(self) -> list[str]:
        """Return the questionnaires that have answers that were not sent in, or whose last press nobody answered."""
        asked = {instrument for instrument, word in self.sending.items() if word.claim in ("nothing", "draft")}
        return [instrument for instrument, answers in self.drafts.items() if answers or instrument in asked]

    def looks_over(self, instrument: str) -> None:
        """Compare the draft of a questionnaire with what this person thinks is in it."""
        page = self.get(f"questionnaires/{instrument}/review") if self.there() else None
        if (shown := draft_on(page)) is not None:
            self._agrees(instrument, shown)

    def _new_answers(self, instrument: str) -> dict[str, str]:
        if instrument != HOOP:
            return (
                {TEXT[1]: self.ledger.fresh("answer")}
                if not self.drafts[instrument] or self.chance.random() < 0.5
                else {}
            )
        given = self.drafts[HOOP]
        chosen = self.chance.sample(SCORED, 1 if given else len(SCORED))
        return {one: self.chance.choice([code for code in "1234" if code != given.get(one)]) for one in chosen}

    def submit(self, instrument: str = HOOP) -> None:
        """Look over the answers and send them in."""
        if not self.there():
            return
        page = self.get(f"questionnaires/{instrument}/review")
        shown = draft_on(page)
        if page is None or shown is None:
            return
        answers = self.drafts[instrument]
        if not self._agrees(instrument, shown) or not answers:
            return
        data = {name: page.fields[name] for name in ("identifier", "seen")}
        slot = ("response", first_of(Identifier(RESPONSE_SYSTEM, data["identifier"])).value, instrument)
        word = self.ledger.write(self.world.now, self.name, slot, frozenset(answers.items()))
        self.sending[instrument] = word
        self._press(word, instrument, data)
        if (
            not self.steady and self.chance.random() < 0.2
        ):  # pressed once more: what the first press did not do, this one may
            if word.claim in ("nothing", "draft"):
                self._press(word, instrument, data)
            else:
                self.post(f"questionnaires/{instrument}/submit", data)

    def _agrees(self, instrument: str, shown: str) -> bool:
        """Find out what became of the last press, and tell whether the draft is what this person thinks it is."""
        kept = shown == digest(repr(sorted(self.drafts[instrument].items())))
        nothing = shown == NO_ANSWERS
        last = self.sending.get(instrument)
        if kept:
            if last is not None and last.claim == "nothing":
                last.claim = "draft"
            return True
        if nothing and last is not None and last.claim in ("nothing", "draft"):
            # The draft is gone, so the answers count as sent in, though no page has said so.
            last.claim = "kept"
            self.drafts[instrument] = {}
            self.sent.append(last.slot[1])
            self.world.note(self.name, f"finds the draft of {instrument} gone: it was sent in")
        elif self.drafts[instrument]:
            self.ledger.finds("lost", f"{self.name}: the answers to {instrument} that were kept are not there")
            self.drafts[instrument] = {}
        return False

    def _press(self, word: Word, instrument: str, data: Mapping[str, str]) -> None:
        page = self.post(f"questionnaires/{instrument}/submit", data)
        if page is None:
            return
        if page.status != 303:
            word.claim = "draft"
            word.page = str(page.status)
            self.tells(word)
            return
        word.claim = "kept"
        self.drafts[instrument] = {}
        self.sent.append(word.slot[1])
        there = self.follow(page)
        if there is not None and there.status == 200:
            word.claim = claim_of(there.text)
            word.page = there.text[:200]
        self.tells(word)

    def correct(self) -> None:
        """Open a response once more, and change an answer of it."""
        if not self.sent or not self.there():
            return
        identifier = self.chance.choice(self.sent)
        words = [one for one in self.ledger.words if one.slot[:2] == ("response", identifier)]
        instrument = words[-1].slot[2]
        if self.drafts[instrument] or not self._knows(instrument):
            return
        page = self.get(f"questionnaires/responses/{identifier}")
        page = self.follow(page) if page is not None else None
        if page is None or page.status != 200 or "/correct" not in page.source:
            return
        path = re.search(r'action="([^"]+/correct)"', page.source)
        page = self.post(path[1], {}) if path else None
        if page is None or page.status != 303:
            return
        review = self.get(f"questionnaires/{instrument}/review")
        known = {digest(repr(sorted(dict(one.content).items()))): dict(one.content) for one in words}
        if (shown := draft_on(review)) in known:
            self.drafts[instrument] = known[shown]
            self.answer(instrument)

    def amend(self) -> None:
        """Change answers whose last press did not end well, or else those of a response that was sent; send them in."""
        if not self.open_drafts():
            self.correct()
        for instrument in self.open_drafts()[:1]:
            self.answer(instrument)
            self.submit(instrument)

    # ---- looking

    def look(self) -> None:
        """Open a page or two, as people do."""
        if self.there():
            self.get(self.chance.choice(("", "plan/", "scores/", "questionnaires/")))


class Clinician(Person):
    """A clinician: asks for questionnaires and takes that back."""

    role = "clinician"
    desk = "assignments/new"

    def ask(self) -> None:
        """Ask the client to fill something in, with a message."""
        self.ask_for(self.chance.choice((HOOP, TEXT[0])))

    def ask_for(self, instrument: str) -> None:
        """Ask the client for one questionnaire, with a message."""
        if not self.there():
            return
        page = self.get("assignments/new")
        if page is None or page.status != 200:
            return
        text = self.ledger.fresh("message")
        data = {
            "key": page.fields.get("key", str(uuid.uuid4())),
            "questionnaire": instrument,
            "message": text,
            "due": "",
        }
        word = self.ledger.write(self.world.now, self.name, ("task", data["key"]), text)
        page = self.post("assignments/new", data)
        if page is not None and page.status == 409 and text in page.text:
            word.claim = "given back"
            return
        if page is not None and page.status == 303:
            word.claim = "kept"
            there = self.follow(page)
            if there is not None and there.status == 200:
                word.claim = self._claimed(there, text)
                word.page = there.text[:200]
            self.tells(word)
            return
        self._judge(word, page)

    def _claimed(self, page: Page, text: str) -> Claim:
        if "as soon as it answers again" in page.text:
            return "waiting"
        row = page.text.partition(text)[2]
        return claim_of(row.partition("Take back")[0]) if row else "kept"

    def take_back(self) -> None:
        """Take an assignment back."""
        if not self.there():
            return
        page = self.get("assignments/")
        if page is None or page.status != 200:
            return
        found = re.findall(r'action="([^"]+/assignments/([^/"]+)/cancel)"', page.source)
        if not found:
            return
        address, id_ = self.chance.choice(found)
        key = self._key(id_)
        word = self.ledger.write(self.world.now, self.name, ("taken back", key), "cancelled")
        page = self.post(address, {})
        if page is not None and page.status == 303:
            there = self.follow(page)
            said = there is not None and "You took back the questionnaire" in there.text
            word.claim = "kept"
            places = ("ehr", "companion", "own")
            if said and not any(was_stored(self.world, one, word.slot, word.content) for one in places):
                self.ledger.finds("false", f"{self.name} is told that an assignment is taken back: {key}")
        elif page is not None:
            word.claim = "given back"
        self.tells(word)

    def _key(self, id_: str) -> str:
        """Return the key of the form that made an assignment, for the id under which the page shows it."""
        kept = next((one for one in everything(self.world) if one.reference == f"Task/{id_}"), None)
        values = values_in(kept.resource, identifier_system("assignment")) if kept else []
        return values[0] if values else id_


def _words(page: Page) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+w\d{3}x", page.text))
