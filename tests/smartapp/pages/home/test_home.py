"""The start page: what is waiting, my plan, my scores."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import icalendar
import pytest

from mappers.plan import Goal, Step
from smartapp.fhir.store import Refused, Write
from smartapp.pages.home.today import GoalToday, goal_today
from tests.smartapp.helpers import Visitor, launched, make_app, text_of
from tests.smartapp.pages.plan.conftest import HALFWAY, put
from tests.smartapp.pages.plan.test_ticking import buttons, press, status_of
from tests.smartapp.pages.scores.people import measure
from tests.smartapp.pages.scores.test_from_answers import fill_in_elsewhere
from tests.smartapp.pages.team.place import Place


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app)


def goal(text: str, start: str, **more) -> dict:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "category": [
            {"coding": [{"system": "https://verstel.nl/fhir/CodeSystem/life-domain", "code": "social-contacts"}]}
        ],
        "description": {"text": text},
        "subject": {"reference": "Patient/anna"},
        "startDate": start,
    } | more


def test_somebody_new_is_welcomed_and_invited(anna):
    page = anna.get("").text
    assert "Welkom, Anna" in page
    assert "Hier komt wat voor jou belangrijk is" in page
    assert "Er zijn nog geen scores." in page


@pytest.mark.parametrize(
    ("display", "called"),
    [("Anna Voorbeeld", "Anna"), ("J. de Vries", "J. de Vries"), ("Vries, Jan", "Vries, Jan"), ("Anna", "Anna")],
)
def test_a_first_name_is_used_where_there_is_one(app, display, called):
    assert f"<h1>Welkom, {called}</h1>" in launched(app, name=display).get("").text


def test_who_is_called_something_else_than_their_first_name_is_greeted_by_that(app):
    page = launched(app, name="Johanna Petronella Maria van Putten", called="Jo").get("").text
    assert "<h1>Welkom, Jo</h1>" in page


def test_an_unfinished_questionnaire_comes_first(anna):
    for number in range(1, 13):
        anna.post(f"questionnaires/nel/questions/nel-{number:02}", {"answer": "3", "next": "1"})
    page = anna.get("").text
    assert "12 van 40 beantwoord, nog ongeveer 7 minuten." in page  # 10 minutes × 28 of 40, rounded up
    assert "Verdergaan" in page


def test_only_one_button_is_the_main_one(anna):
    for name in ("nel", "hoop"):
        anna.post(f"questionnaires/{name}/questions/{name}-01", {"answer": "3", "next": "1"})
    assert len(re.findall(r'class="button"', anna.get("").text)) == 1


def test_the_first_goal_stands_here_in_own_words(anna):
    anna.ehr.write(Write("create", goal("Op zaterdag naar de markt", "2026-01-01")))
    anna.ehr.write(Write("create", goal("Weer gitaar spelen", "2026-02-01")))
    page = anna.get("").text
    assert "Op zaterdag naar de markt" in page
    assert "En nog 1 doel." in page


def test_a_goal_that_was_let_go_is_not_the_first(anna):
    anna.ehr.write(Write("create", goal("Losgelaten", "2026-01-01", lifecycleStatus="cancelled")))
    assert "Losgelaten" not in anna.get("").text


def test_the_newest_change_of_a_score_stands_here_as_two_numbers(anna):
    """All answers 2: ten items of 2 and two reversed of 5 - 2 = 3, so 26; all answers 4: 10 * 4 + 2 * 1 = 42."""
    measure(anna, "hoop", "2025-06-03", "2")
    measure(anna, "hoop", "2026-06-03", "4")
    page = text_of(anna.get(""))
    assert "Op 3 juni 2025 was het 26, op 3 juni 2026 was het 42." in page
    assert "De schaal loopt van 12 tot 48." in page


def test_a_change_to_a_score_that_was_not_made_here_says_where_it_comes_from(anna):
    measure(anna, "hoop", "2025-06-03", "2")
    measure(anna, "hoop", "2026-03-03", "3")
    assert "Laatste keer:" not in text_of(anna.get(""))
    fill_in_elsewhere(anna)
    page = text_of(anna.get(""))
    assert "op 3 juni 2026 was het 42." in page
    assert "Laatste keer: elders ingevuld, uit de antwoorden berekend." in page


def test_one_measurement_is_no_change(anna):
    measure(anna, "hoop", "2026-06-03", "4")
    assert "Er is nog niets om te vergelijken." in anna.get("").text


# ---- the next step


@pytest.fixture
def halfway(anna) -> Visitor:
    put(anna.ehr)
    return anna


def test_one_goal_stands_here_with_its_next_step(halfway):
    page = text_of(halfway.get(""))
    assert "Weer leren zwemmen" in page
    assert "Bellen met het zwembad" in page
    assert "Een badpak kopen" not in page  # that is done


def test_a_goal_for_later_does_not_stand_here(anna):
    [first, *rest] = HALFWAY.goals
    put(anna.ehr, replace(HALFWAY, goals=(replace(first, later=True), *rest)))
    assert first.text not in text_of(anna.get(""))


def test_a_step_is_ticked_off_here_with_one_press_and_taken_back_with_the_next(halfway):
    answer = press(halfway, halfway.get(""), "Bellen met het zwembad")
    assert answer.location.startswith(halfway.url("?"))
    assert status_of(halfway.ehr, "Bellen met het zwembad") == "done"
    page = halfway.get(answer.location)
    assert "Je stap is bewaard." in text_of(page)
    assert buttons(page)["Bellen met het zwembad"]["on"] == "true"
    assert press(halfway, page, "Bellen met het zwembad").status_code == 303
    assert status_of(halfway.ehr, "Bellen met het zwembad") == "planned"


def test_the_next_step_is_one_that_somebody_is_busy_with():
    planned, doing, done = (Step(status, status, status) for status in ("planned", "doing", "done"))
    first, second = (
        Goal("1", "Een", "meaning", steps=(done, planned)),
        Goal("2", "Twee", "meaning", steps=(planned, doing)),
    )
    assert goal_today([first, second]) == GoalToday(second, (doing,))
    assert goal_today([first]) == GoalToday(first, (planned,))
    assert goal_today([replace(first, steps=(done,))]) == GoalToday(replace(first, steps=(done,)), ())
    assert goal_today([]) is None


def test_a_step_that_was_pressed_stays_beside_the_next_one():
    done, planned = Step("1", "een", "done"), Step("2", "twee")
    goal = Goal("1", "Doel", "meaning", steps=(done, planned))
    other = Goal("2", "Ander", "meaning", steps=(Step("3", "drie", "doing"),))
    assert goal_today([other, goal], "1") == GoalToday(goal, (done, planned))


# ---- the next talk


NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC).timestamp()


def appointment(start: str, **more) -> dict:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": start,
        "end": start,
        "participant": [
            {"actor": {"reference": "Patient/anna", "display": "Anna"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/joost", "display": "Joost"}, "status": "accepted"},
        ],
    } | more


@pytest.fixture
def today() -> Visitor:
    return launched(make_app(clock=lambda: NOW))


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("2026-06-01T13:00:00Z", "Vandaag om 15:00"),
        ("2026-06-01T22:30:00Z", "Morgen om 00:30"),
        ("2026-06-03T08:30:00Z", "Woensdag 3 juni 2026 om 10:30"),
    ],
)
def test_the_next_talk_comes_first_with_its_day_and_whom_it_is_with(today, start, said):
    today.ehr.write(Write("create", appointment(start)))
    page = text_of(today.get(""))
    assert f"{said} Je hebt een afspraak met Joost. Wil je het gesprek voorbereiden? Het gesprek voorbereiden" in page
    assert page.index(said) < page.index("Mijn plan")


def calendar_link(visitor: Visitor) -> str:
    found = re.search(r'href="([^"]+\.ics)"', visitor.get("").text)
    assert found
    return found[1]


def test_an_appointment_goes_into_a_calendar_of_their_own_and_tells_nothing_of_care_there(today):
    start, end = "2026-10-25T09:00:00+01:00", "2026-10-25T09:45:00+01:00"
    words = {"description": "Kanarie", "comment": "Kanarie", "reasonCode": [{"text": "Kanarie"}]}
    stored = today.ehr.write(Write("create", appointment(start, end=end, **words)))
    first, second = today.get(calendar_link(today)), today.get(calendar_link(today))
    assert first.mimetype == "text/calendar"
    assert first.headers["Content-Disposition"] == "attachment; filename=afspraak.ics"
    event, again = (icalendar.Calendar.from_ical(one.data).walk("VEVENT")[0] for one in (first, second))
    assert (event.decoded("DTSTART").isoformat(), event.decoded("DTEND").isoformat()) == (
        "2026-10-25T08:00:00+00:00",
        "2026-10-25T08:45:00+00:00",
    )
    assert str(event["SUMMARY"]) == "Afspraak"
    assert event["UID"] == again["UID"]
    for word in ("Kanarie", "Joost", "Anna", "anna", "Practitioner", "EHR", stored.resource["id"]):
        assert word not in first.text


def test_an_appointment_that_was_moved_keeps_its_place_in_the_calendar(today):
    stored = today.ehr.write(Write("create", appointment("2026-06-03T08:30:00Z")))
    link = calendar_link(today)
    before = icalendar.Calendar.from_ical(today.get(link).data).walk("VEVENT")[0]
    today.ehr.write(
        Write("update", {**stored.resource, "start": "2026-06-04T08:30:00Z", "end": "2026-06-04T09:00:00Z"})
    )
    after = icalendar.Calendar.from_ical(today.get(link).data).walk("VEVENT")[0]
    assert before["UID"] == after["UID"]
    assert before.decoded("DTSTART") != after.decoded("DTSTART")


def test_only_their_own_appointments_that_are_to_come_are_there(today):
    for more in ({"status": "cancelled"}, {"start": "2026-05-01T08:30:00Z", "end": "2026-05-01T09:00:00Z"}):
        stored = today.ehr.write(Write("create", appointment("2026-06-03T08:30:00Z") | more))
        assert today.get(f"appointments/{stored.resource['id']}.ics").status_code == 404
    bert = launched(today.app, "bert", name="Bert")
    stored = today.ehr.write(Write("create", appointment("2026-06-03T08:30:00Z")))
    assert bert.get(f"appointments/{stored.resource['id']}.ics").status_code == 404


def test_without_an_appointment_nothing_is_said_of_one(today):
    assert "afspraak" not in text_of(today.get(""))


def test_an_ehr_that_does_not_let_appointments_be_read_costs_nothing(today):
    """No scope for it: the question is not even asked."""
    today.ehr.write(Write("create", appointment("2026-06-03T08:30:00Z")))
    other = launched(today.app, scopes="openid patient/Goal.cruds patient/Task.cruds patient/CarePlan.cruds")
    page = other.get("")
    assert page.status_code == 200
    assert "afspraak" not in text_of(page)


def test_an_ehr_that_wants_another_question_about_appointments_does_not_cost_the_page(today, monkeypatch):
    put(today.ehr)
    real = today.ehr.search

    def search(query, /):
        if query.type == "Appointment":
            raise Refused("ask by practitioner")
        return real(query)

    monkeypatch.setattr(today.ehr, "search", search)
    page = today.get("")
    assert page.status_code == 200
    assert "Weer leren zwemmen" in text_of(page)


def test_where_several_teams_have_a_round_a_client_is_asked_once_and_chooses():
    place = Place()
    place.plan(0, 3)
    assert "Wat vind je van FACT Noord?" in text_of(place.client(1).get(""))
    place.plan(0, 5, team="ward")
    page = text_of(place.client(1).get(""))
    assert page.count("Wat vind je van") == 1
    assert "Is een van deze teams jouw team?" in page
    assert "FACT Noord. Cijfers geven kan tot en met 3 december 2026." in page
    place.give(1, "7")
    assert "Wat vind je van Afdeling Zuid?" in text_of(place.client(1).get(""))
    place.core.engine.dispose()


def test_a_clinician_goes_on_to_the_overview(app):
    visitor = launched(app, role="clinician")
    response = visitor.get("")
    assert (response.status_code, response.location) == (303, visitor.url("overview/"))
