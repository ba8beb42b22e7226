"""A programme is begun once, is read in words, and the client decides about it; nothing is lost on the way."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo

import pytest
import sqlalchemy as sa

from mappers.circle import Member
from mappers.course import course_of, is_course
from mappers.sharing import ME
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Refused, Unreachable, Write
from smartapp.services import KEY
from smartapp.storage.reminders import READY_THINGS
from tests.smartapp.helpers import Flaky, launched, put_circle, share_with, text_of, until
from tests.smartapp.pages.course.conftest import TODAY
from tests.smartapp.pages.overview.people import filled_in
from tests.smartapp.pages.plan.pages import fields_of
from tests.smartapp.records.test_sight import share

MEASURES, TALKS = "three-moments", "npi-recovery"


@pytest.fixture
def clinician(app):
    return launched(app, role="clinician")


def courses(visitor):
    found = [one.resource for one in visitor.ehr.search(Query.of("CarePlan"))]
    return [course_of(one) for one in found if is_course(one)]


def tasks(visitor):
    return [one.resource for one in visitor.ehr.search(Query.of("Task"))]


def begins(visitor, programme=MEASURES, start=TODAY, **more):
    """Choose a programme, read what comes, and begin it."""
    form = {"programme": programme, "start": start.isoformat(), "group": "", **more}
    page = visitor.post("course/begin", form)
    assert page.status_code == 200, text_of(page)
    return visitor.post("course/begin", {**form, "seen": fields_of(page)["seen"], "begin": "1"})


def press(visitor, action, **fields):
    """Press a button of the page of the programme, or of that of one moment of it."""
    course = courses(visitor)[0]
    where = f"course/{course.identifier}/{action}"
    page = visitor.get(where.rpartition("/")[0] if "moments" in action else "course/", follow_redirects=True)
    return visitor.post(where, {"seen": seen_in(page), **fields})


def seen_in(page):
    found = re.search(r'name="seen" value="([^"]*)"', page.text)
    return found[1] if found else ""


def undo(visitor, answer):
    page = visitor.get(answer.location)
    found = re.search(r'action="([^"]+/undo)".*?name="undo" value="(\w+)"', page.text, re.S)
    assert found, "the page offers nothing to take back"
    return visitor.post(found[1], {"undo": found[2]})


# --- beginning ------------------------------------------------------------------------------------------------------


def test_all_that_comes_is_read_before_anything_begins(clinician):
    page = clinician.post("course/begin", {"programme": MEASURES, "start": "2026-11-27", "group": ""})
    said = text_of(page)
    for words in (
        "Dit komt er: Meten op drie momenten",
        "Tussen 27 november 2026 en 27 januari 2027",
        "Rond 27 mei 2028, tussen 27 april 2028 en 27 juli 2028",
        "Eigen kracht, hoop, vertrouwen",
        "Handreiking voor de implementatie",
    ):
        assert words in said
    assert courses(clinician) == []


def test_a_programme_that_begins_is_a_care_plan_with_its_tasks(clinician):
    answer = begins(clinician, group="Dinsdag")
    assert answer.status_code == 303
    assert "Het programma is begonnen." in text_of(clinician.get(answer.location))
    (course,) = courses(clinician)
    assert (course.start, course.group, course.status) == (TODAY, "Dinsdag", "active")
    asked = tasks(clinician)
    assert len(asked) == 12
    [plan] = clinician.ehr.search(Query.of("CarePlan"))
    assert {one["basedOn"][0]["reference"] for one in asked} == {plan.reference}


def test_what_is_changed_after_reading_is_read_again_before_it_begins(clinician):
    form = {"programme": MEASURES, "start": "2026-11-27", "group": ""}
    seen = fields_of(clinician.post("course/begin", form))["seen"]
    page = clinician.post("course/begin", {**form, "start": "2027-01-01", "seen": seen, "begin": "1"})
    assert page.status_code == 200
    assert "Tussen 1 januari 2027 en 1 maart 2027" in text_of(page)
    assert courses(clinician) == []


def test_begun_twice_it_is_one(app, clinician):
    assert begins(clinician).status_code == begins(clinician).status_code == 303
    assert (len(courses(clinician)), len(tasks(clinician))) == (1, 12)


def test_a_second_of_the_same_is_refused_in_words(clinician):
    begins(clinician)
    answer = begins(clinician, start=TODAY - dt.timedelta(days=30))
    assert answer.status_code == 409
    assert "volgt dit programma al" in text_of(answer)
    assert begins(clinician, programme=TALKS).status_code == 303
    assert len(courses(clinician)) == 2


def test_one_that_was_stopped_is_not_begun_again_on_the_same_day(clinician):
    begins(clinician)
    press(clinician, "stop")
    answer = begins(clinician)
    assert answer.status_code == 409
    assert "op dezelfde dag" in text_of(answer)
    assert begins(clinician, start=TODAY + dt.timedelta(days=1)).status_code == 303


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"programme": ""}, "Kies een programma."),
        ({"programme": "nothing"}, "Kies een programma."),
        ({"start": ""}, "Kies de dag waarop het begint."),
        ({"start": "morgen"}, "We herkennen deze datum niet."),
        ({"start": "2020-01-01"}, "Deze dag is te lang geleden."),
        ({"start": "2030-01-01"}, "Deze dag is te ver weg."),
        ({"group": "a" * 101}, "Deze naam is te lang."),
    ],
)
def test_what_cannot_begin_is_sent_back_with_the_reason(clinician, typed, says):
    answer = clinician.post("course/begin", {"programme": MEASURES, "start": "2026-11-27", "group": "", **typed})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert fields_of(answer)["group"] == typed.get("group", "")


def test_who_may_not_begin_a_programme_is_not_offered_it(app):
    manager = launched(app, role="case-manager")
    assert f'value="{MEASURES}"' in manager.get("course/begin").text
    assert f'value="{TALKS}"' not in manager.get("course/begin").text
    form = {"programme": TALKS, "start": "2026-11-27", "group": ""}
    assert manager.post("course/begin", form).status_code == 422


def test_in_another_language_nothing_begins_and_nothing_typed_is_lost(clinician):
    form = {"programme": MEASURES, "start": "2026-11-27", "group": "Dinsdag"}
    page = clinician.post("course/begin?lang=en", {**form, "look": "1"})
    assert page.status_code == 200
    assert "Which programme?" in page.text
    assert {name: fields_of(page)[name] for name in form} == form
    assert courses(clinician) == []


def test_what_was_before_is_shown_as_missed_and_what_was_filled_in_as_that(app, clinician):
    early = TODAY - dt.timedelta(days=100)
    for instrument in ("nel", "hoop"):
        filled_in(clinician.ehr, instrument, {}, f"{early}T10:00:00+01:00")
    begins(clinician, start=early)
    said = text_of(launched(app).get("course/"))
    assert "Gemist. Dat is niet erg. Er wordt niets voor ingevuld." in said
    nel, hoop = (catalogue().instruments[one].title.nl for one in ("nel", "hoop"))
    assert f"Ingevuld: {nel} en {hoop}." in said
    assert all(one["status"] == "requested" for one in tasks(clinician))


def test_while_the_record_is_away_it_is_on_its_way_and_arrives_once(app, clinician):
    flaky = clinician.make_flaky()
    form = {"programme": MEASURES, "start": "2026-11-27", "group": ""}
    page = clinician.post("course/begin", form)
    flaky.error = Unreachable("away")
    answer = clinician.post("course/begin", {**form, "seen": fields_of(page)["seen"], "begin": "1"})
    assert answer.status_code == 303
    assert "gaat erheen zodra dat kan" in text_of(clinician.get(answer.location))
    assert "op weg naar het dossier" in text_of(clinician.get("course/"))
    flaky.error = None
    until(lambda: clinician.courier_comes() or len(clinician.records.search(Query.of("Task"))[0]) == 12)
    [found] = clinician.records.search(Query.of("CarePlan"))
    assert [one.state for one in found] == ["stored"]


def test_where_the_record_takes_no_plans_all_of_it_is_kept_here(app):
    clinician = launched(app, role="clinician", scopes="openid fhirUser patient/*.rs")
    assert begins(clinician).status_code == 303
    assert courses(clinician) == tasks(clinician) == []
    mine = clinician.core.own_store(clinician.launch.issuer)
    anna = launched(app, scopes="openid fhirUser patient/*.rs")
    identifier = courses_of(mine)[0].identifier
    answer = anna.post(f"course/{identifier}/pause", {"seen": seen_in(anna.get("course/"))})
    assert "Het programma staat op pauze." in text_of(anna.get(answer.location))
    assert {one.resource["status"] for one in mine.search(Query.of("Task"))} == {"on-hold"}


# --- deciding -------------------------------------------------------------------------------------------------------


@pytest.fixture
def anna(app, clinician):
    begins(clinician)
    return launched(app)


def test_the_client_reads_what_is_now_and_what_comes(anna):
    said = text_of(anna.get("course/"))
    for words in ("Mijn programma", "Aan het begin", "Invullen kan tot en met 27 januari 2027", "Onderweg", "Later"):
        assert words in said
    page = anna.get("course/").text
    assert all(f"/questionnaires/{one}/" in page for one in ("nel", "hoop", "mhcs", "mansa"))


def test_a_pause_holds_everything_and_going_on_moves_it(app, clock, anna):
    answer = press(anna, "pause")
    assert "Het programma staat op pauze." in text_of(anna.get(answer.location))
    assert {one["status"] for one in tasks(anna)} == {"on-hold"}
    clock.day += dt.timedelta(days=40)
    anna = launched(app)
    press(anna, "resume")
    (course,) = courses(anna)
    assert course.status == "active"
    assert course.moment("start").closes == dt.date(2027, 1, 27) + dt.timedelta(days=40)
    assert {one["status"] for one in tasks(anna)} == {"requested"}


def test_pressed_twice_it_is_done_once(anna):
    course = courses(anna)[0]
    seen = seen_in(anna.get("course/"))
    first = anna.post(f"course/{course.identifier}/pause", {"seen": seen})
    again = anna.post(f"course/{course.identifier}/pause", {"seen": seen})
    assert (first.status_code, again.status_code) == (303, 303)
    assert [one.kind for one in courses(anna)[0].events] == ["started", "paused"]
    undo(anna, again)
    assert courses(anna)[0].status == "active"


def test_no_to_one_moment_can_be_taken_back(anna):
    answer = press(anna, "moments/start/decline")
    assert "deze keer niet gevraagd" in text_of(anna.get(answer.location))
    cancelled = [one for one in tasks(anna) if one["status"] == "cancelled"]
    assert len(cancelled) == 4
    assert "Je zei: deze keer niet." in text_of(anna.get("course/"))
    press(anna, "moments/start/take-back")
    assert {one["status"] for one in tasks(anna)} == {"requested"}
    assert [one.kind for one in courses(anna)[0].events] == ["started", "declined", "taken-back"]


@pytest.mark.parametrize("along", [False, True])
def test_a_moment_is_moved_and_what_comes_after_where_that_is_chosen(anna, along):
    before = courses(anna)[0]
    fields = {"opens": "11-05-2028", **({"along": "1"} if along else {})}
    assert press(anna, "moments/follow-up/move", **fields).status_code == 303
    course = courses(anna)[0]
    assert course.moment("follow-up").opens == dt.date(2028, 5, 11)
    by = dt.timedelta(days=14 if along else 0)
    assert course.moment("consolidation").opens == before.moment("consolidation").opens + by
    assert "Het was van 27 april 2028" in text_of(anna.get("course/"))


@pytest.mark.parametrize(
    ("opens", "says"),
    [
        ("", "We herkennen deze datum niet."),
        ("2026-11-01", "Kies vandaag of een latere dag"),
        ("2044-01-01", "te ver weg"),
    ],
)
def test_a_day_that_cannot_be_is_sent_back(anna, opens, says):
    answer = press(anna, "moments/follow-up/move", opens=opens)
    assert answer.status_code == 422
    assert says in text_of(answer)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("pause", {}),
        ("stop", {}),
        ("moments/start/decline", {}),
        ("moments/start/move", {"opens": "2026-12-20", "along": "1"}),
    ],
)
def test_a_mistake_is_taken_back_in_one_press_and_all_is_as_before(anna, action, fields):
    before = (courses(anna), sorted((one["id"], one["status"], str(one["restriction"])) for one in tasks(anna)))
    answer = press(anna, action, **fields)
    assert courses(anna) != before[0]
    assert "Het is weer zoals het was." in text_of(anna.get(undo(anna, answer).location))
    after = (courses(anna), sorted((one["id"], one["status"], str(one["restriction"])) for one in tasks(anna)))
    assert after == before


def test_what_was_decided_since_is_not_taken_back(app, anna):
    answer = press(anna, "pause")
    other = launched(app, role="clinician")
    press(other, "stop")
    page = anna.get(undo(anna, answer).location)
    assert "Er is intussen iets anders besloten." in text_of(page)
    assert courses(anna)[0].status == "revoked"


def test_what_somebody_else_decided_meanwhile_is_shown_and_nothing_is_written_over(app, anna):
    course = courses(anna)[0]
    seen = seen_in(anna.get(f"course/{course.identifier}/moments/follow-up"))
    press(launched(app, role="clinician"), "moments/follow-up/move", opens="2028-05-20")
    answer = anna.post(f"course/{course.identifier}/moments/follow-up/move", {"seen": seen, "opens": "2028-06-01"})
    assert "Er is intussen iets anders besloten." in text_of(answer)
    assert courses(anna)[0].moment("follow-up").opens == dt.date(2028, 5, 20)


def test_another_change_of_the_same_resource_at_the_same_moment_loses_nothing(anna):
    flaky = anna.make_flaky()

    def other():
        [stored] = flaky.store.search(Query.of("CarePlan"))
        flaky.store.write(Write("update", {**stored.resource, "note": [{"text": "Van een ander"}]}))

    flaky.first = other
    identifier, seen = courses_of(flaky)[0].identifier, seen_in(anna.get("course/"))
    assert anna.post(f"course/{identifier}/pause", {"seen": seen}).status_code == 303
    [stored] = flaky.store.search(Query.of("CarePlan"))
    assert stored.resource["note"] == [{"text": "Van een ander"}]
    assert course_of(stored.resource).status == "on-hold"


def test_a_professional_pauses_and_stops_and_says_no_for_nobody(app, anna):
    clinician = launched(app, role="clinician")
    assert press(clinician, "moments/start/decline").status_code == 403
    press(clinician, "pause")
    assert courses(anna)[0].events[-1].by["display"] == "SPV J. Jansen"
    assert "SPV J. Jansen" in text_of(anna.get("course/"))


def test_while_it_is_on_its_way_nothing_else_is_decided(anna):
    flaky = anna.make_flaky()
    page = anna.get("course/")
    identifier, seen = courses_of(flaky)[0].identifier, seen_in(page)
    flaky.error = Unreachable("away")
    answer = anna.post(f"course/{identifier}/pause", {"seen": seen})
    assert "gaat erheen zodra dat kan" in text_of(anna.get(answer.location))
    assert "/stop" not in anna.get("course/").text


def courses_of(store):
    return [course_of(one.resource) for one in store.search(Query.of("CarePlan")) if is_course(one.resource)]


def test_there_is_no_page_of_what_is_not_there(anna):
    course = courses(anna)[0]
    assert anna.get("course/nothing/moments/start").status_code == 404
    assert anna.get(f"course/{course.identifier}/moments/nothing").status_code == 404
    assert anna.post("course/nothing/pause", {"seen": ""}).status_code == 404


# --- who reads it ---------------------------------------------------------------------------------------------------


def test_a_reader_from_whom_it_is_hidden_finds_what_there_is_without_one(app, anna):
    with_it = launched(app, role="peer-worker").get("course/")
    assert "Meten op drie momenten" in text_of(with_it)
    share(app, course=ME)
    without = launched(app, patient="kees", role="peer-worker", name="Anna Voorbeeld").get("course/")
    assert text_of(launched(app, role="peer-worker").get("course/")) == text_of(without)
    clinician = launched(app, role="clinician")
    assert begins(clinician, start=TODAY + dt.timedelta(days=3)).status_code == 403
    assert len(courses(anna)) == 1


def test_who_reads_no_answers_reads_that_they_came(app, anna):
    for stored in anna.ehr.search(Query.of("Task")):
        anna.ehr.write(Write("update", {**stored.resource, "status": "completed"}, if_match=stored.etag))
    said = text_of(launched(app, role="peer-worker").get("course/"))
    assert "Ingevuld" in said


def test_a_loved_one_reads_it_where_it_is_shared_and_only_reads(app, anna):
    put_circle(app, Member("mila", "Mila", role="loved-one", reference="RelatedPerson/mila"))
    mila = launched(app, role="loved-one")
    assert "programma van Anna" not in text_of(mila.get("loved-one/"))
    share_with(app, "RelatedPerson/mila", "course")
    assert "Het programma van Anna" in text_of(mila.get("loved-one/"))
    page = mila.get("loved-one/shared/course/")
    assert "Dit is nu. Invullen kan tot en met 27 januari 2027." in text_of(page)
    assert "/questionnaires/" not in page.text
    assert mila.get("course/").status_code == 403


# --- on other pages -------------------------------------------------------------------------------------------------


def test_the_start_page_says_well_ahead_what_will_be_asked_and_what_for(app, clock, anna):
    said = text_of(anna.get(""))
    assert "Nu: Aan het begin. Dit kan tot en met 27 januari 2027." in said
    assert "Later mag ook" not in said  # what is not answered in its days is missed
    clock.day = dt.date(2027, 2, 1)
    assert "vragen we je" not in text_of(launched(app).get(""))
    clock.day = dt.date(2028, 4, 13)
    said = text_of(launched(app).get(""))
    assert "Over 2 weken vragen we je weer 4 vragenlijsten. Samen zien wat er veranderd is" in said


def test_the_start_page_says_quietly_that_it_is_paused(app, anna):
    press(anna, "pause")
    said = text_of(anna.get(""))
    assert "Dit staat op pauze. Er wordt nu niets gevraagd." in said
    assert "Nu: Aan het begin" not in said


def test_the_start_page_asks_to_prepare_a_conversation_that_is_planned(app, clock):
    begins(launched(app, role="clinician"), programme=TALKS)
    clock.day = dt.date(2026, 12, 30)
    anna = launched(app)
    said = text_of(anna.get(""))
    assert "Rond 8 januari 2027 is je gesprek." in said
    assert "Wil je het gesprek voorbereiden?" in said
    start = "2027-01-07T10:00:00+01:00"
    who = [{"actor": {"reference": "Practitioner/jansen", "display": "Joost"}, "status": "accepted"}]
    mine = [*who, {"actor": {"reference": "Patient/anna"}, "status": "accepted"}]
    anna.ehr.write(
        Write("create", {"resourceType": "Appointment", "status": "booked", "start": start, "participant": mine})
    )
    said = text_of(anna.get(""))
    assert "Je hebt een afspraak met Joost." in said
    assert "Rond 8 januari" not in said
    assert said.count("Wil je het gesprek voorbereiden?") == 1


@pytest.mark.parametrize("role", ["clinician", "case-manager", "responsible", "peer-worker"])
def test_the_overview_says_in_one_line_what_is_now(app, anna, role):
    said = text_of(launched(app, role=role).get("overview/"))
    assert "Programma: nu Aan het begin, tot en met 27 januari 2027 : Meten op drie momenten" in said


def test_who_is_outside_the_team_reads_nothing_of_it(app, anna):
    assert "Meten op drie momenten" not in text_of(launched(app, role="outside").get("overview/"))


def test_a_start_page_without_a_programme_says_nothing_of_one(app):
    assert "rogramma" not in text_of(launched(app).get(""))


# --- what did not get through, and messages -------------------------------------------------------------------------


def test_a_programme_that_the_record_refused_is_named_once(app, anna):
    flaky = anna.make_flaky()
    identifier, seen = courses_of(flaky)[0].identifier, seen_in(anna.get("course/"))
    flaky.error = Unreachable("away")
    anna.post(f"course/{identifier}/pause", {"seen": seen})
    flaky.error = Refused("No plans are changed here.", status=422)
    anna.courier_comes()
    flaky.error = None
    page = anna.get("unsent/")
    assert text_of(page).count("Een programma") == 1
    assert "Meten op drie momenten" in text_of(page)


def ready(app):
    """Return when something is ready for Anna, by the days."""
    with app.extensions[KEY].engine.connect() as connection:
        said = connection.execute(sa.select(READY_THINGS.c.said)).scalars()
        zone = zoneinfo.ZoneInfo("Europe/Amsterdam")
        return sorted({dt.datetime.fromtimestamp(one, zone).isoformat()[:16] for one in said})


def waiting(app):
    """Return how many questionnaires a message could tell of."""
    with app.extensions[KEY].engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(READY_THINGS)).scalar_one()


def test_what_a_programme_asked_and_was_answered_is_told_no_more_and_the_rest_is(app, anna):
    """Also where the client did not open the app for it, as on another device: by that alone nobody would know."""
    before, first = waiting(app), ready(app)[0]
    instruments = [asked.instrument for asked in courses(anna)[0].planned[0].questionnaires]
    for number in range(1, 13):
        anna.post(f"questionnaires/hoop/questions/hoop-{number:02}", {"answer": "3", "next": "1"})
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    assert "hoop" in instruments
    # Only now: what is asked in eighteen months comes then.
    assert waiting(app) == before - 1
    assert (ready(app)[0] == first) is (len(instruments) > 1)


def test_messages_follow_the_first_days_of_what_is_asked(app, anna):
    begun = ["2026-11-27T00:00", "2028-04-27T00:00", "2029-04-27T00:00"]
    assert ready(app) == begun
    answer = press(anna, "pause")
    assert ready(app) == []
    undo(anna, answer)
    assert ready(app) == begun
    press(anna, "moments/follow-up/decline")
    assert ready(app) == [begun[0], begun[2]]
    press(anna, "moments/follow-up/take-back")
    press(anna, "moments/follow-up/move", opens="2028-05-11")
    assert ready(app) == [begun[0], "2028-05-11T00:00", begun[2]]
    press(anna, "stop")
    assert ready(app) == []


# --- what comes no more ---------------------------------------------------------------------------------------------


def completed(anna, moment=""):
    """Let the Tasks of a programme, or of one moment of it, be answered."""
    for stored in anna.ehr.search(Query.of("Task")):
        if stored.resource["groupIdentifier"]["value"].endswith(moment):
            anna.ehr.write(Write("update", {**stored.resource, "status": "completed"}, if_match=stored.etag))


def test_a_programme_of_which_nothing_comes_any_more_is_over_while_the_days_of_the_last_moment_last(app, clock, anna):
    clock.day = dt.date(2029, 5, 1)  # the last moment is from 27 April to 27 July
    before = text_of(launched(app).get("course/"))
    assert "Pauze: er wordt niets gevraagd" in before
    completed(anna, "/consolidation")
    for role in ("client", "clinician"):
        page = launched(app, role=role).get("course/")
        assert "Dit programma is voorbij." in text_of(page)
        assert "altijd pauze" not in text_of(page)
        assert "/pause" not in page.text
        assert "/stop" not in page.text
    assert "Meten op drie momenten" not in text_of(launched(app).get(""))
    assert "Meten op drie momenten" not in text_of(launched(app, role="clinician").get("overview/"))


def test_a_pause_of_which_nothing_is_left_is_over_and_one_with_a_moment_left_is_not(app, clock, anna):
    press(anna, "pause")
    clock.day = dt.date(2031, 1, 1)
    anna = launched(app)
    said = text_of(anna.get("course/"))
    assert "Op pauze sinds 27 november 2026." in said
    # In a pause no day goes by: nothing of it was, or is now.
    assert said.index("Wat komt") < said.index("Aan het begin") < said.index("Wat er kan")
    assert "Wat was" not in said
    completed(anna)
    page = anna.get("course/")
    assert "Dit programma is voorbij." in text_of(page)
    assert "/resume" not in page.text


def test_a_no_can_be_taken_back_as_long_as_its_days_last_also_where_it_is_the_last_moment(app, clock, anna):
    clock.day = dt.date(2029, 5, 1)
    press(launched(app), "moments/consolidation/decline")
    assert "/moments/consolidation" in launched(app).get("course/").text
    clock.day = dt.date(2029, 7, 28)
    assert "Dit programma is voorbij." in text_of(launched(app).get("course/"))


# --- around midnight ------------------------------------------------------------------------------------------------


class InUtc(Flaky):
    """An EHR that gives every moment back in UTC, as some do."""

    def write_all(self, writes):
        return super().write_all([self._in_utc(one) for one in writes])

    def write(self, write):
        return super().write(self._in_utc(write))

    def _in_utc(self, write):
        if not (authored := write.resource.get("authored")):
            return write
        moment = dt.datetime.fromisoformat(authored).astimezone(dt.UTC)
        return dataclasses.replace(write, resource={**write.resource, "authored": moment.isoformat()})


def sends_hoop(visitor):
    for number in range(1, 13):
        visitor.post(f"questionnaires/hoop/questions/hoop-{number:02}", {"answer": "3", "next": ""})
    page = visitor.get("questionnaires/hoop/review").text
    fields = dict(re.findall(r'name="(identifier|seen)" value="([^"]+)"', page))
    assert visitor.post("questionnaires/hoop/submit", fields).status_code == 303
    visitor.courier_comes()


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        (dt.date(2028, 4, 27), 1),  # half past midnight of the first day, which is the day before in UTC
        (dt.date(2028, 7, 28), 0),  # of the day after the last, which is the last in UTC
    ],
)
def test_the_first_and_the_last_day_are_those_of_the_place_whatever_zone_the_record_writes(
    app, clock, clinician, day, closed
):
    begins(clinician, start=dt.date(2026, 11, 27))
    issuer = clinician.launch.issuer
    clinician.core.local_ehrs[issuer] = InUtc(clinician.core.local_ehrs[issuer])
    clock.day, clock.time = day - dt.timedelta(days=1), dt.time(22, 30)  # summer time: 00:30 there
    anna = launched(app)
    sends_hoop(anna)
    closed_now = [one for one in anna.records.search(Query.of("Task"))[0] if one.resource["status"] == "completed"]
    assert len(closed_now) == closed
    said = text_of(anna.get("course/"))
    assert ("Ingevuld: Hoop (HOOP)" in said) == bool(closed)


def test_an_assignment_that_another_system_closed_by_answers_that_came_too_late_fills_in_nothing(app, clock, anna):
    clock.day = dt.date(2027, 2, 10)  # the first moment was until 27 January
    values = {f"hoop-{number:02}": "3" for number in range(1, 13)}
    filled_in(anna.ehr, "hoop", values, "2027-02-09T10:00:00+01:00")
    [response] = anna.ehr.search(Query.of("QuestionnaireResponse"))
    for stored in anna.ehr.search(Query.of("Task")):
        if stored.resource["groupIdentifier"]["value"].endswith("/start"):
            output = [{"type": {"text": "Answers"}, "valueReference": {"reference": response.reference}}]
            closed = {**stored.resource, "status": "completed", "output": output}
            anna.ehr.write(Write("update", closed, if_match=stored.etag))
    said = text_of(launched(app).get("course/"))
    assert "Gemist. Dat is niet erg." in said


def test_what_was_filled_in_of_a_moment_stays_so_when_the_rest_of_it_is_moved(app, clock, anna):
    sends_hoop(anna)
    press(anna, "moments/start/move", opens="2027-01-10")
    clock.day = dt.date(2027, 1, 11)
    assert "Ingevuld: Hoop (HOOP)." in text_of(launched(app).get("course/"))


def test_nothing_is_moved_beyond_the_longest_that_a_programme_takes(app, clinician):
    begins(clinician, programme=TALKS)
    anna = launched(app)
    refused = press(anna, "moments/talk-8/move", opens="2028-01-01")
    assert refused.status_code == 422
    assert "Zo lang duurt het programma niet." in text_of(refused)
    assert 'value="2028-01-01"' in refused.text
    assert courses(anna)[0].moment("talk-8").about == dt.date(2027, 10, 29)  # 27 November 2026 and 48 weeks


def test_a_day_that_was_chosen_while_somebody_else_decided_is_still_there(app, anna):
    """Both had the page open; what the other decided is shown, with the day that this one chose."""
    identifier = courses(anna)[0].identifier
    seen = seen_in(anna.get(f"course/{identifier}/moments/start"))
    press(launched(app), "moments/follow-up/decline")
    answer = anna.post(f"course/{identifier}/moments/start/move", {"seen": seen, "opens": "2026-12-24"})
    assert answer.status_code == 422
    assert "Er is intussen iets anders besloten." in text_of(answer)
    assert 'value="2026-12-24"' in answer.text
    again = anna.post(f"course/{identifier}/moments/start/move", {"seen": seen_in(answer), "opens": "2026-12-24"})
    assert again.status_code == 303
    assert courses(anna)[0].moment("start").opens == dt.date(2026, 12, 24)
