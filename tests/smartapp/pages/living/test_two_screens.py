"""What a professional typed waits for the client, who says yes in their own launch, or no, or says it otherwise."""

from __future__ import annotations

import re

import pytest

from mappers.living import content_of
from smartapp.courier import Courier
from smartapp.erasing import erase
from smartapp.fhir.store import Query, Unreachable
from smartapp.services import KEY
from smartapp.storage.drafts import DRAFTS
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.plan.conftest import Clock, put
from tests.smartapp.pages.plan.pages import fields_of, fill, stored_plan

STORY = "living/garden/story/"
WORDS = "Onkruid.\n\nEn één roos."
CRLF = WORDS.replace("\n", "\r\n")
DAY = 86_400


@pytest.fixture
def clock():
    return Clock(1_800_000_000.0)


@pytest.fixture
def app(known, clock):
    app = make_app(clock)
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def joost(app):
    """A professional who writes with Anna, in the garden."""
    visitor = launched(app, role="clinician")
    visitor.post("overview/together/write", {"what": "garden"})
    return visitor


@pytest.fixture
def anna(app):
    return launched(app)


def written(visitor, known):
    found = [one.resource for one in visitor.ehr.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))]
    return (found[0], content_of(found[0], known.living["garden"])) if found else (None, None)


def handed_over(visitor, path=STORY, **typed):
    """Type, and let the client read it on their own screen."""
    page = visitor.get(fill(visitor, path, **(typed or {"garden-story": WORDS})).location)
    answer = visitor.post(path, {**fields_of(page), "hand-over": "1"})
    assert answer.status_code == 303
    return visitor.get(answer.location)


def link(page):
    """Return where the client reads what waits, as their page has it."""
    found = re.search(r'href="([^"]*\?confirm=[^"]+)"', page.text)
    return found[1] if found else None


def read(anna):
    return anna.get(link(anna.get("")))


def states(joost):
    return text_of(joost.get("overview/together/write"))


def test_the_client_finds_it_on_the_start_page_and_in_the_plan_and_says_yes(joost, anna, known):
    after = handed_over(joost)
    assert "Deze woorden wachten tot 29 januari 2027 op Anna" in text_of(after)
    assert written(joost, known) == (None, None)
    for path in ("", "plan/"):
        assert "SPV J. Jansen schreef dit met je op. Klopt het?" in text_of(anna.get(path))
    page = read(anna)
    said = text_of(page)
    assert "Anna, kloppen deze woorden?" in said
    assert "SPV J. Jansen schreef dit met je op." in said
    assert "En één roos." in said
    answer = anna.post(STORY, fields_of(page))
    assert answer.status_code == 303
    resource, content = written(joost, known)
    assert content.answers == {"garden-story": (WORDS,)}
    assert resource["author"]["reference"] == "Practitioner/jansen"
    assert resource["source"]["reference"] == "Patient/anna"
    assert link(anna.get("")) is None
    assert "Anna zei ja op 15 januari 2027." in states(joost)


def test_the_log_says_that_the_professional_wrote(joost, anna):
    handed_over(joost)
    assert "SPV J. Jansen" in text_of(anna.get("who-looked/"))
    assert "iets toegevoegd" in text_of(anna.get("who-looked/"))


def test_pressed_twice_it_is_one_yes(joost, anna, known):
    put(joost.ehr)
    new = "living/garden/plants/new"
    handed_over(joost, new, **{"garden-plant": "roos"})
    page = read(anna)
    assert anna.post(new, fields_of(page)).status_code == 303
    again = anna.post(new, fields_of(page))
    assert "Deze woorden staan hier niet meer." in text_of(anna.get(again.location))
    assert len(written(joost, known)[1].rows_of("garden-plants")) == 1
    assert fields_of(joost.get(new))["garden-plant"] == ""  # what it made is no sketch any more


def test_words_that_are_thrown_away_are_in_no_record_and_the_professional_sees_it(joost, anna, known):
    handed_over(joost)
    answer = anna.post(STORY, {**fields_of(read(anna)), "reply": "refuse"})
    assert "weggegooid" in text_of(anna.get(answer.location))
    assert written(joost, known) == (None, None)
    assert link(anna.get("")) is None
    assert "Anna zei nee op 15 januari 2027." in states(joost)
    assert fields_of(joost.get(STORY))["garden-story"] == CRLF


def test_the_client_may_say_it_otherwise_and_then_it_is_typed_by_the_client(joost, anna, known):
    handed_over(joost)
    answer = anna.post(STORY, {**fields_of(read(anna)), "reply": "change"})
    form = anna.get(answer.location)
    assert fields_of(form)["garden-story"] == CRLF
    assert written(joost, known) == (None, None)
    assert "in andere woorden" in states(joost)
    anna.post(STORY, {**fields_of(form), "garden-story": "Alleen een roos."})
    resource, content = written(joost, known)
    assert content.of("garden-story") == "Alleen een roos."
    assert resource["author"]["reference"] == "Patient/anna"


def test_what_the_client_had_typed_is_not_lost_by_it(joost, anna, known):
    half = {**fields_of(anna.get(STORY)), "garden-story": "Half een zin"}
    anna.post(STORY, half, headers={"Accept": "application/json"})
    handed_over(joost)
    anna.post(STORY, {**fields_of(read(anna)), "reply": "change"})
    assert fields_of(anna.get(STORY))["garden-story"] == f"Half een zin\r\n\r\n{CRLF}"


def test_a_yes_leaves_what_the_client_had_typed_too(joost, anna, known):
    half = {**fields_of(anna.get(STORY)), "garden-story": "Half een zin"}
    anna.post(STORY, half, headers={"Accept": "application/json"})
    handed_over(joost)
    anna.post(STORY, fields_of(read(anna)))
    assert written(joost, known)[1].of("garden-story") == WORDS
    assert fields_of(anna.get(STORY))["garden-story"] == "Half een zin"


def test_another_client_never_sees_the_words(joost, app, known):
    handed_over(joost)
    address = link(launched(app).get("")).partition("/l/")[2].partition("/")[2]
    bea = launched(app, patient="bea", name="Bea Ander")
    assert link(bea.get("")) is None
    page = bea.get(address)
    assert "onkruid" not in page.text.lower().partition("<main")[2].replace("het mag ook onkruid zijn.", "")
    entry = address.partition("confirm=")[2]
    sent = {**fields_of(bea.get(STORY)), "handed": entry, "garden-story": "Van Bea."}
    assert "staan hier niet meer" in text_of(bea.get(bea.post(STORY, sent).location))
    assert written(joost, known) == (None, None)


def test_words_of_one_form_are_not_taken_by_another(joost, anna, known):
    handed_over(joost)
    entry = link(anna.get("")).partition("confirm=")[2]
    tools = "living/garden/tools/"
    sent = {**fields_of(anna.get(tools)), "handed": entry, "garden-tools": "hark"}
    answer = anna.post(tools, sent)
    assert "staan hier niet meer" in text_of(anna.get(answer.location))
    assert written(joost, known) == (None, None)


def test_a_yes_to_other_words_makes_them_the_clients_own(joost, anna, known):
    handed_over(joost)
    anna.post(STORY, {**fields_of(read(anna)), "garden-story": "Verzonnen."})
    resource, _content = written(joost, known)
    assert resource["author"]["reference"] == "Patient/anna"


def test_what_changed_meanwhile_stands_beside_it_and_the_client_chooses(joost, anna, known):
    handed_over(joost)
    fill(anna, STORY, **{"garden-story": "Van Anna zelf."})
    both = read(anna)
    assert both.status_code == 409
    assert "Van Anna zelf." in both.text
    assert "En één roos." in both.text
    assert anna.post(STORY, {**fields_of(both), "choice-garden-story": "typed"}).status_code == 303
    resource, content = written(joost, known)
    assert content.of("garden-story") == WORDS
    assert resource["author"]["reference"] == "Practitioner/jansen"
    assert "Anna zei ja" in states(joost)


def test_where_the_client_keeps_her_own_nothing_changes(joost, anna, known):
    handed_over(joost)
    fill(anna, STORY, **{"garden-story": "Van Anna zelf."})
    anna.post(STORY, {**fields_of(read(anna)), "choice-garden-story": "stored"})
    resource, content = written(joost, known)
    assert content.of("garden-story") == "Van Anna zelf."
    assert resource["author"]["reference"] == "Patient/anna"
    assert "Anna zei nee" in states(joost)


def test_where_two_versions_meet_it_says_who_typed_the_other(joost, anna):
    handed_over(joost)
    fill(anna, STORY, **{"garden-story": "Van Anna zelf."})
    both = text_of(read(anna))
    assert "Wat SPV J. Jansen met je opschreef" in both
    assert "Wat je net typte" not in both


@pytest.mark.parametrize("answer", [{}, {"reply": "refuse"}, {"reply": "change"}])
def test_an_answer_to_words_that_were_replaced_meanwhile_shows_those_that_wait_now(joost, anna, known, answer):
    handed_over(joost)
    page = read(anna)
    handed_over(joost, **{"garden-story": "Een tweede roos."})
    after = anna.get(anna.post(STORY, {**fields_of(page), **answer}).location)
    assert "Hier staan nu andere woorden." in text_of(after)
    assert "Een tweede roos." in after.text
    assert written(joost, known) == (None, None)
    assert anna.post(STORY, fields_of(after)).status_code == 303
    assert written(joost, known)[1].of("garden-story") == "Een tweede roos."


def test_words_of_a_row_that_is_gone_can_be_read_and_thrown_away(joost, anna, known):
    fill(anna, "living/garden/plants/new", **{"garden-plant": "roos"})
    [row] = written(anna, known)[1].rows_of("garden-plants")
    path = f"living/garden/plants/{row.key}/"
    handed_over(joost, path, **{"garden-plant": "wilde roos", "garden-care": "water"})
    anna.post(f"{path}remove")
    page = read(anna)
    assert page.status_code == 410
    assert "Waar deze woorden bij horen, is er niet meer" in text_of(page)
    assert "wilde roos" in page.text
    after = anna.post(path, fields_of(page))
    assert after.status_code == 303
    assert link(anna.get(after.location)) is None
    assert written(anna, known)[1].rows_of("garden-plants") == ()
    assert "Anna zei nee" in states(joost)


def test_words_about_a_goal_that_is_gone_wait_until_it_is_back(joost, anna):
    put(anna.ehr)
    goal = stored_plan(anna.ehr).goals[0]
    path = f"plan/goals/{goal.id}/words"
    handed_over(joost, path, text="Zwemmen in de plas")
    anna.post(f"plan/goals/{goal.id}/remove")
    page = read(anna)
    assert page.status_code == 410
    assert "Zwemmen in de plas" in page.text
    assert joost.get(f"{path}?confirm=1").status_code == 404
    gone = anna.get(path)
    assert gone.status_code == 404
    anna.post(re.search(r'action="([^"]+put-back[^"]*)"', gone.text)[1])
    assert anna.post(path, fields_of(read(anna))).status_code == 303
    assert "Zwemmen in de plas" in [one.text for one in stored_plan(anna.ehr).goals]


def test_a_record_that_is_away_loses_nothing(joost, anna, known):
    handed_over(joost)
    page = read(anna)
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    assert anna.post(STORY, fields_of(page)).status_code == 303
    flaky.error = None
    anna.courier_comes()
    resource, content = written(joost, known)
    assert content.of("garden-story") == WORDS
    assert resource["author"]["reference"] == "Practitioner/jansen"


def test_a_yes_on_the_screen_of_the_professional_ends_the_waiting(joost, anna, known):
    handed_over(joost)
    page = joost.get(f"{STORY}?confirm=1")
    joost.post(STORY, fields_of(page))
    assert written(joost, known)[1].of("garden-story") == WORDS
    assert link(anna.get("")) is None


def test_what_is_taken_back_waits_no_longer_and_stays_a_sketch(joost, anna):
    handed_over(joost)
    button = re.search(r'name="what" value="(handed-[^"]+)"', joost.get("overview/together/write").text)
    joost.post("overview/together/write/back", {"what": button[1]})
    assert link(anna.get("")) is None
    assert fields_of(joost.get(STORY))["garden-story"] == CRLF


def test_of_a_colleague_nothing_is_taken_back_or_shown(joost, anna, app):
    handed_over(joost)
    button = re.search(r'name="what" value="(handed-[^"]+)"', joost.get("overview/together/write").text)
    colleague = launched(app, role="clinician", subject="another")
    assert "Wacht op Anna" not in states(colleague)
    colleague.post("overview/together/write/back", {"what": button[1]})
    assert link(anna.get("")) is not None


def test_it_is_over_after_fourteen_days_and_says_so(joost, app, known, clock):
    handed_over(joost)
    clock.now += 14 * DAY - 60
    address = link(launched(app).get(""))
    assert address is not None
    clock.now += 120
    anna = launched(app)
    assert link(anna.get("")) is None
    assert "Onkruid." not in text_of(anna.get(address.partition("/l/")[2].partition("/")[2]))
    again = launched(app, role="clinician")
    assert "Anna zei niets voor 29 januari 2027." in states(again)


def test_after_fourteen_days_the_words_are_wiped_and_after_as_many_all_of_it(joost, app, clock):
    handed_over(joost)

    def kept():
        with app.extensions[KEY].engine.begin() as connection:
            rows = connection.execute(DRAFTS.select().where(DRAFTS.c.questionnaire.like("handed-%"))).all()
        return [app.extensions[KEY].vault.open(row.sealed) for row in rows]

    assert "garden-story" in kept()[0]["fields"]
    clock.now += 14 * DAY
    Courier(joost.core)._tidy()
    assert [(one["state"], one["fields"]) for one in kept()] == [("over", {})]
    clock.now += 14 * DAY
    Courier(joost.core)._tidy()
    assert kept() == []


def test_nothing_of_it_is_readable_in_the_database(joost, app):
    handed_over(joost)
    with app.extensions[KEY].engine.begin() as connection:
        rows = connection.execute(DRAFTS.select()).all()
    assert all(word not in repr(row) for row in rows for word in ("Onkruid", "Jansen", "anna"))


def test_who_is_erased_is_erased_here_too(joost, app, anna):
    handed_over(joost)
    [issuer] = joost.core.settings.issuers
    erased, _rows = erase(joost.core, issuer, "anna")
    assert erased["words that waited for their yes"] == 1
    assert link(launched(app).get("")) is None
