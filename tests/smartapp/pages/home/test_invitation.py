"""A living form that asks to be looked at again is named on the client's start page, until they say: not now."""

from __future__ import annotations

import datetime as dt

import pytest

from smartapp.courier import Courier
from smartapp.fhir.store import Query, Unreachable
from smartapp.services import KEY
from tests.new_form import GARDEN, HARVEST, ask_also
from tests.smartapp.helpers import launched, make_app, text_of
from tests.smartapp.pages.plan.conftest import Clock
from tests.smartapp.pages.plan.pages import fill

DAY = 86_400
ASKS = "Klopt je tuin nog?"  # six months after the last change
ASKS_LATER = "Tijd om te oogsten?"  # a year after it
NOT_NOW = "look-again/garden/not-now"
YES = "Ja, dit is nog mijn tuin"
STILL_SO = "look-again/garden/still-so"


@pytest.fixture
def clock():
    return Clock(1_800_000_000.0)


@pytest.fixture
def app(tmp_path, monkeypatch, clock):
    ask_also(monkeypatch, tmp_path, GARDEN, HARVEST)
    made = make_app(clock=clock)
    yield made
    made.extensions[KEY].engine.dispose()


def home(app, **more):
    return text_of(launched(app, **more).get(""))


def plant(app):
    fill(launched(app), "living/garden/story/", **{"garden-story": "Onkruid."})


def test_it_asks_when_it_is_time_and_leads_there(app, clock):
    plant(app)
    assert ASKS not in home(app)
    clock.now += 190 * DAY
    anna = launched(app)
    page = anna.get("")
    assert ASKS in text_of(page)
    assert "Je paste dit voor het laatst aan op" in text_of(page)
    assert f'href="{anna.url("living/garden/")}">Mijn tuin<' in page.text


def test_on_the_day_that_its_owner_wrote_it_asks_and_not_before(app, clock):
    anna = launched(app)
    fill(anna, "living/garden/all/", **{"garden-story": "Onkruid.", "garden-look-again": "2027-01-25"})
    assert ASKS not in home(app)  # the clock stands at 15 January 2027
    clock.now += 10 * DAY
    assert ASKS in home(app)


def test_who_changed_it_since_that_day_is_asked_as_others_are_and_so_is_who_wrote_a_day_that_is_over(app, clock):
    anna = launched(app)
    fill(anna, "living/garden/all/", **{"garden-story": "Onkruid.", "garden-look-again": "2026-01-25"})
    assert ASKS not in home(app), "it was written down just now"
    fill(anna, "living/garden/look-again/", **{"garden-look-again": "2027-01-25"})
    clock.now += 12 * DAY
    assert ASKS in home(app)
    fill(launched(app), "living/garden/story/", **{"garden-story": "Onkruid, en een roos."})
    assert ASKS not in home(app)
    clock.now += 190 * DAY
    assert ASKS in home(app)


def test_not_now_keeps_it_away_for_thirty_days_in_every_launch(app, clock):
    plant(app)
    clock.now += 190 * DAY
    anna = launched(app)
    assert anna.post(NOT_NOW).location == anna.url("")
    assert ASKS not in home(app)
    clock.now += 29 * DAY
    assert ASKS not in home(app)
    clock.now += 2 * DAY
    assert ASKS in home(app)


def test_not_now_lasts_its_thirty_days_where_drafts_are_kept_for_fewer(tmp_path, monkeypatch, clock):
    ask_also(monkeypatch, tmp_path, GARDEN, HARVEST)
    app = make_app(clock=clock, draft_days=7)
    plant(app)
    clock.now += 190 * DAY
    launched(app).post(NOT_NOW)
    for _week in range(4):
        clock.now += 7 * DAY
        Courier(app.extensions[KEY]).round()
        assert ASKS not in home(app)
    clock.now += 3 * DAY
    assert ASKS in home(app)
    app.extensions[KEY].engine.dispose()


def test_not_now_is_of_this_person_and_in_no_record(app, clock):
    plant(app)
    clock.now += 190 * DAY
    anna = launched(app)
    before = [one.resource for one in anna.ehr.search(Query.of("QuestionnaireResponse"))]
    anna.post(NOT_NOW)
    assert [one.resource for one in anna.ehr.search(Query.of("QuestionnaireResponse"))] == before
    fill(launched(app, patient="ben", name="Ben Voorbeeld"), "living/garden/story/", **{"garden-story": "Gras."})
    clock.now += 190 * DAY
    anna = launched(app)
    anna.post(NOT_NOW)
    assert ASKS in home(app, patient="ben", name="Ben Voorbeeld")


def test_who_says_that_it_is_still_so_is_asked_when_it_is_time_again_and_nothing_is_written(app, clock):
    plant(app)
    clock.now += 190 * DAY
    anna = launched(app)
    assert YES in home(app)
    before = [one.resource for one in anna.ehr.search(Query.of("QuestionnaireResponse"))]
    assert anna.post(STILL_SO).location == anna.url("")
    assert [one.resource for one in anna.ehr.search(Query.of("QuestionnaireResponse"))] == before
    for path in ("", "living/", "living/garden/"):
        assert ASKS not in text_of(anna.get(path)), path
    clock.now += 180 * DAY
    assert ASKS not in home(app)
    clock.now += 10 * DAY
    assert ASKS in home(app), "six months later"


def test_on_the_page_of_a_form_can_be_said_that_it_is_still_so(app, clock):
    plant(app)
    clock.now += 190 * DAY
    anna = launched(app)
    page = anna.get("living/garden/")
    assert ASKS in text_of(page)
    assert f'action="{anna.url(STILL_SO)}?form=1"' in page.text
    assert anna.post(f"{STILL_SO}?form=1").location == anna.url("living/garden/")
    assert ASKS not in text_of(anna.get("living/garden/"))


def test_the_day_that_its_owner_wrote_asks_also_where_it_was_still_so_before(app, clock):
    plant(app)
    clock.now += 190 * DAY
    launched(app).post(STILL_SO)
    day = dt.datetime.fromtimestamp(clock.now, dt.UTC).date() + dt.timedelta(days=10)
    fill(launched(app), "living/garden/look-again/", **{"garden-look-again": day.isoformat()})
    assert ASKS not in home(app)
    clock.now += 10 * DAY
    assert ASKS in home(app)


@pytest.mark.parametrize("form", ["nowhere", "harvest"])
def test_only_of_a_form_that_has_such_a_sentence_can_be_said_that_it_is_still_so(app, form):
    assert launched(app).post(f"look-again/{form}/still-so").status_code == 404


def test_who_changed_it_is_not_asked(app, clock):
    plant(app)
    clock.now += 190 * DAY
    fill(launched(app), "living/garden/story/", **{"garden-story": "Onkruid, en een roos."})
    assert ASKS not in home(app)


def test_one_is_asked_at_a_time(app, clock):
    plant(app)
    fill(launched(app), "living/harvest/helpers/new", **{"harvest-helper": "Mijn zus"})
    clock.now += 400 * DAY
    page = home(app)
    assert ASKS in page
    assert ASKS_LATER not in page
    launched(app).post(NOT_NOW)
    page = home(app)
    assert ASKS not in page
    assert ASKS_LATER in page


def test_what_is_empty_asks_nothing(app, clock):
    launched(app)
    clock.now += 800 * DAY
    assert ASKS not in home(app)


def test_a_clinician_reads_no_such_question_and_cannot_say_not_now(app, clock):
    plant(app)
    clock.now += 190 * DAY
    joost = launched(app, role="clinician")
    for path in ("overview/", "overview/plan", "living/garden/", "living/"):
        assert ASKS not in joost.get(path).text
    assert joost.post(NOT_NOW).status_code == 403
    assert joost.post(STILL_SO).status_code == 403


def test_of_no_other_form_can_be_said_not_now(app):
    assert launched(app).post("look-again/nowhere/not-now").status_code == 404


def test_where_the_record_is_away_nothing_is_asked(app, clock):
    plant(app)
    clock.now += 190 * DAY
    anna = launched(app)
    anna.make_flaky().silence = Unreachable("away")
    page = text_of(anna.get(""))
    assert ASKS not in page
