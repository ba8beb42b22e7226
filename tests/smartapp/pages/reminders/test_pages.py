"""Messages that something is ready, from the choice to the mail in a real mail server, and the ways to stop them."""

from __future__ import annotations

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest

from smartapp import create_app
from smartapp.courier import Courier
from smartapp.fhir.store import Query, Unreachable, Write
from smartapp.records.outbox import OUTBOX
from smartapp.services import KEY
from tests.smartapp.helpers import Clock, Visitor, launched, make_app, settings, text_of
from tests.smartapp.mail_server import Mailbox, running

NOON = dt.datetime(2026, 11, 27, 12, tzinfo=ZoneInfo("Europe/Amsterdam")).timestamp()
DAY = 86_400
LONG = 60 * 24 * 60
"""Minutes; a test that waits for days has nobody sign in again, which would be noted as opening the app."""
ADDRESS = "mailkanarie@example.org"
CANARIES = ("Kanariegeel", "kanariegeel", "patientkanarie", "HOOP", "hoop", "Hoop", "vraag", "EHR", "GGZ", "Verstel")
"""The name of the person, their ids, what was asked of them, and who asks."""


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(mailbox):
    with running(mailbox) as port:
        yield port


@pytest.fixture
def app(clock, port):
    app = make_app(
        clock,
        smtp_host="localhost",
        smtp_port=port,
        smtp_security="none",
        smtp_from="no-reply@place.example",
        sign_in_url="https://portal.example",
        inactivity_minutes=LONG,
        absolute_minutes=LONG,
    )
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app, "patientkanarie", name="Anna Kanariegeel", language="nl")


@pytest.fixture
def joost(app, anna) -> Visitor:
    return launched(app, "patientkanarie", role="clinician", name="Anna Kanariegeel", language="nl")


def choose(anna: Visitor, often: str = "once", address: str = ADDRESS, **more):
    return anna.post("reminders/", {"choice-often": often, "choice-how": "mail", "address": address, **more})


def courier(visitor: Visitor) -> None:
    Courier(visitor.core).round()


def address_in(mail, what: str) -> str:
    found = re.search(rf"http://localhost(/reminders/{what}/\S+)", mail.get_content())
    assert found, mail.get_content()
    return found[1]


def confirmed(anna: Visitor, mailbox: Mailbox, clock: Clock, often: str = "once") -> None:
    """Choose mail and confirm the address, two days ago."""
    clock.now -= 2 * DAY
    assert choose(anna, often).status_code == 303
    courier(anna)
    address = address_in(mailbox.mails.pop(), "confirm")
    assert anna.app.test_client().post(address).status_code == 200
    clock.now += 2 * DAY


def ask(joost: Visitor, instrument: str = "hoop") -> None:
    form = {"questionnaire": instrument, "message": "Een vraag van Joost", "key": ""}
    assert joost.post("assignments/new", form).status_code == 303


def who_looked(anna: Visitor) -> str:
    return text_of(anna.get("who-looked/"))


# --- the mail


def test_a_mail_tells_that_something_is_ready_and_nothing_else(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    ask(joost)
    courier(anna)
    courier(anna)
    [mail] = mailbox.mails
    assert mailbox.recipients[-1] == mail["To"] == ADDRESS
    assert (mail["Subject"], mail["From"]) == ("Er staat iets klaar", "no-reply@place.example")
    stop = address_in(mail, "stop")
    said = mail.get_content().replace("\r\n", "\n")
    assert said == (
        "Er staat iets klaar.\n\nWat het is, staat niet in deze mail. Log zelf in om het te zien:\n"
        f"https://portal.example\n\nGeen berichten meer? Open dit adres en druk op de knop:\nhttp://localhost{stop}\n\n"
        "Antwoorden op deze mail kan niet.\n"
    )
    whole = mail.as_string()
    for word in (*CANARIES, anna.launch.id, anna.launch.session_id):
        assert word not in whole.replace(stop, "")
    assert mail["List-Unsubscribe"] == f"<http://localhost{stop}>"
    # As it travels, too: a mail program reads no encoded words there.
    assert dict(mail.raw_items())["List-Unsubscribe"].strip() == f"<http://localhost{stop}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Stuurde je een bericht dat er iets klaarstond" in who_looked(anna)
    assert ADDRESS not in str([*anna.core.audit.entries()])


def test_the_first_mail_tells_nothing_either_and_is_in_english_for_who_reads_that(app, mailbox):
    anna = launched(app, "patientkanarie", name="Anna Kanariegeel", language="en")
    choose(anna)
    courier(anna)
    [mail] = mailbox.mails
    assert mail["Subject"] == "Is this e-mail address right?"
    for word in (*CANARIES, anna.launch.id):
        assert word not in mail.as_string()
    assert "portal.example" not in mail.get_content()
    stranger = app.test_client()
    address = address_in(mail, "confirm")
    assert "Is this your e-mail address?" in text_of(stranger.get(address))
    # The form of the page has no language in its address: it is remembered.
    assert "The address is right" in text_of(stranger.post(address.partition("?")[0]))


def test_attack_43_before_the_address_is_confirmed_nothing_else_goes_to_it(anna, joost, mailbox, clock):
    choose(anna)
    courier(anna)
    clock.now += 2 * DAY
    ask(joost)
    courier(anna)
    assert len(mailbox.mails) == 1
    assert "Pas dan komen er berichten" in text_of(anna.get("reminders/"))


def test_attack_43_a_program_that_opens_each_address_in_a_mail_confirms_and_stops_nothing(anna, joost, mailbox, clock):
    choose(anna)
    courier(anna)
    stranger, address = anna.app.test_client(), address_in(mailbox.mails[0], "confirm")
    for method in (stranger.get, stranger.head):
        assert method(address).status_code == 200
    assert anna.core.reminders.chosen(anna.launch.issuer_key, anna.launch.patient.reference).state == "asked"
    stranger.post(address)
    clock.now += 2 * DAY
    ask(joost)
    courier(anna)
    stranger.get(address_in(mailbox.mails[-1], "stop"))
    assert "mailkanarie" in text_of(anna.get("reminders/"))


def test_what_is_taken_back_or_answered_before_it_is_day_is_not_told(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    clock.now += 10 * 3600
    ask(joost, "hoop")
    [task] = anna.ehr.search(Query.of("Task", patient=anna.launch.patient.reference))
    assert joost.post(f"assignments/{task.resource['id']}/cancel").status_code == 303
    clock.now += 12 * 3600
    courier(anna)
    assert mailbox.mails == []


def test_who_opened_the_app_is_told_nothing(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    clock.now += 10 * 3600
    ask(joost)
    clock.now += 60
    anna.get("")
    clock.now += 12 * 3600
    courier(anna)
    assert mailbox.mails == []


def test_what_was_answered_is_not_told(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    clock.now += 10 * 3600
    ask(joost, "hoop")
    for number in range(1, 13):
        assert anna.post(f"questionnaires/hoop/questions/hoop-{number:02}", {"answer": "3", "next": "1"}).location
    assert anna.post("questionnaires/hoop/submit").status_code == 303
    clock.now += 12 * 3600
    courier(anna)
    assert mailbox.mails == []


# --- what goes wrong


def test_a_server_that_is_away_gets_it_later_and_once(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    mailbox.to_rcpt = ["451 later", "drop"]
    ask(joost)
    for _minute in range(60):
        courier(anna)
        clock.now += 60
    assert len(mailbox.mails) == 1


def test_a_mailbox_that_is_unknown_is_told_to_the_client_and_not_tried_again(anna, joost, mailbox, clock, caplog):
    confirmed(anna, mailbox, clock)
    mailbox.to_rcpt = ["550 no such mailbox"]
    ask(joost)
    for _day in range(9):
        courier(anna)
        clock.now += DAY
    assert mailbox.mails == []
    page = text_of(anna.get("reminders/"))
    assert "Het laatste bericht kwam niet aan" in page
    assert ADDRESS in page
    assert "bericht dat er iets klaarstond" not in who_looked(anna)
    assert ADDRESS not in caplog.text


def test_a_connection_that_breaks_after_the_mail_was_given_makes_no_second_one(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    mailbox.to_data = ["drop"]
    ask(joost)
    for _day in range(9):
        courier(anna)
        clock.now += DAY
    assert len(mailbox.mails) == 1
    assert "We weten niet of het laatste bericht aankwam" in text_of(anna.get("reminders/"))


def test_two_couriers_at_once_send_one(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    ask(joost)
    couriers = [Courier(anna.core) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one.round(), couriers))
    assert len(mailbox.mails) == 1


def test_it_goes_on_after_a_restart(clock, port, mailbox, tmp_path):
    known = {
        "database_url": f"sqlite:///{tmp_path / 'verstel.db'}",
        "encryption_keys": settings().encryption_keys,
        "smtp_host": "localhost",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_from": "no-reply@place.example",
    }
    app = make_app(clock, **known)
    anna = launched(app)
    confirmed(anna, mailbox, clock)
    anna.core.reminders.ready(anna.launch.issuer_key, anna.launch.patient.reference, "a", clock.now)
    app.extensions[KEY].engine.dispose()
    again = create_app(settings(**known), clock=clock)
    Courier(again.extensions[KEY]).round()
    Courier(again.extensions[KEY]).round()
    assert len(mailbox.mails) == 1
    again.extensions[KEY].engine.dispose()


def test_a_mail_server_that_hangs_does_not_stop_what_waits_for_the_record(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    ask(joost)
    flaky = anna.make_flaky()
    flaky.error = Unreachable("away")
    subject = {"reference": anna.launch.patient.reference, "display": "x"}
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": subject}
    anna.records.save([Write("create", response)])
    flaky.error = None
    slow = Courier(anna.core)
    with slow._reminding:  # as while another hand waits for the mail server
        with anna.core.engine.begin() as connection:
            connection.execute(OUTBOX.update().values(due=0))
        assert slow.round() == 1
    assert len(anna.ehr.search(Query.of("QuestionnaireResponse", patient=subject["reference"]))) == 1
    assert mailbox.mails == []
    slow.round()
    assert len(mailbox.mails) == 1


# --- stopping


def test_one_press_in_the_mail_program_stops_them(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    ask(joost)
    courier(anna)
    address = address_in(mailbox.mails[0], "stop")
    # As RFC 8058 has it: no cookies, no referrer, from any place.
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
    pressed = anna.app.test_client().post(address, data={"List-Unsubscribe": "One-Click"}, headers=headers)
    assert pressed.status_code == 200
    assert ADDRESS not in text_of(anna.get("reminders/"))
    ask(joost, "mhcs")
    clock.now += 9 * DAY
    courier(anna)
    assert len(mailbox.mails) == 1
    assert "iemand drukte op de knop in een bericht" in who_looked(anna)


def test_attack_43_a_page_that_stops_says_the_same_to_everybody(anna, joost, mailbox, clock):
    confirmed(anna, mailbox, clock)
    ask(joost)
    courier(anna)
    address = address_in(mailbox.mails[0], "stop")
    stranger = anna.app.test_client()
    answers = [stranger.post(one) for one in (address, address, "/reminders/stop/" + "0" * 64)]
    assert {(one.status_code, one.text.replace(address, "").replace("0" * 64, "")) for one in answers} == {
        (200, answers[0].text.replace(address, ""))
    }
    assert "De berichten zijn gestopt" in text_of(answers[0])
    asked = [stranger.get(one).text for one in (address, "/reminders/stop/" + "0" * 64)]
    assert asked[0].replace(address, "") == asked[1].replace("/reminders/stop/" + "0" * 64, "")


def test_one_press_on_their_own_page_stops_them_too(anna, mailbox, clock):
    confirmed(anna, mailbox, clock)
    assert anna.post("reminders/stop").status_code == 303
    page = anna.get("reminders/")
    assert "Je e-mailadres is hier verwijderd" in text_of(page)
    assert ADDRESS not in page.text.replace("Je e-mailadres", "")
    confirmed(anna, mailbox, clock)
    choose(anna, "off")
    assert ADDRESS not in anna.get("reminders/").text


def test_attack_43_an_address_that_is_not_confirmed_any_more_says_so(anna):
    for answer in (
        anna.app.test_client().get("/reminders/confirm/nothing"),
        anna.app.test_client().post("/reminders/confirm/nothing"),
    ):
        assert answer.status_code == 404
        assert "Dit adres werkt niet meer" in text_of(answer)


# --- the page


def test_off_is_the_default(anna):
    page = anna.get("reminders/").text
    assert re.search(r'name="choice-often" value="off" checked', page)
    assert "Zonder jouw keuze sturen we niets" in text_of(anna.get("reminders/"))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"often": ""}, "Kies hoe vaak"),
        ({"address": ""}, "Typ een e-mailadres"),
        ({"address": "anna"}, "Typ een e-mailadres"),
        ({"address": "anna@example.org\r\nBcc: all@example.org"}, "Typ een e-mailadres"),
        ({"address": "anna@example.org, all@example.org"}, "Typ een e-mailadres"),
        ({"address": "=?utf-8?q?all=40example.org=2C?=@example.org"}, "Typ een e-mailadres"),
        ({"address": "=?utf-8?q?a=0D=0ABcc=3Aall=40example.org?=@example.org"}, "Typ een e-mailadres"),
        ({"choice-how": "pigeon"}, "Kies waar"),
    ],
)
def test_what_is_not_right_is_said_and_given_back(anna, mailbox, typed, says):
    answer = choose(anna, **{"often": "once", **typed})
    assert answer.status_code == 422
    assert says in text_of(answer)
    courier(anna)
    assert mailbox.mails == []


def test_in_another_language_nothing_typed_is_lost(anna, mailbox):
    answer = choose(anna, "weekly", look="1")
    assert ADDRESS in answer.text
    assert re.search(r'name="choice-often" value="weekly" checked', answer.text)
    courier(anna)
    assert mailbox.mails == []


def test_attack_43_a_fourth_address_in_a_day_is_refused(anna, mailbox):
    for number in range(3):
        assert choose(anna, address=f"stranger{number}@example.org").status_code == 303
        courier(anna)
    answer = choose(anna, address="stranger4@example.org")
    assert (answer.status_code, len(mailbox.mails)) == (429, 3)


def test_the_start_page_and_help_lead_to_it_where_there_is_a_way(anna):
    for path in ("", "help/"):
        assert "/reminders/" in anna.get(path).text
    without = launched(make_app(), language="nl")
    for path in ("", "help/"):
        assert "/reminders/" not in without.get(path).text
    assert "Hier worden geen berichten gestuurd" in text_of(without.get("reminders/"))
    assert choose(without).status_code == 422


def test_others_than_the_client_do_not_see_it(joost):
    assert joost.get("reminders/").status_code == 403
