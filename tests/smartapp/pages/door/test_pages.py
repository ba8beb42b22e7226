"""A questionnaire on another device: made, opened once, filled in, sent, and nothing left there."""

from __future__ import annotations

import re

import pytest

from mappers.assignment import assignment_of, task_of
from mappers.sharing import ME
from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Query, Refused, Unauthorized, Unreachable, Write
from smartapp.pages.questionnaire.drafting import NOT_SIGNED_IN
from smartapp.storage.doors import FINISH_SECONDS, MOST_DOORS, OPEN_SECONDS, UNTOUCHED_SECONDS
from smartapp.web.guard import cookie_name
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.door.conftest import HOOP, door_of, fill_in, made, responses, send_in
from tests.smartapp.records.test_sight import share

CLIENT_NAME = re.compile(r"Anna|Voorbeeld|Jansen")


def says(visitor) -> str:
    return text_of(visitor.get("door/"))


def test_it_is_made_opened_filled_in_and_sent(app, joost, tablet):
    shown = made(joost)
    assert "Nog niet geopend" in says(joost)
    device = tablet.inside(shown)
    assert "Wordt nu ingevuld" in says(joost)
    first = text_of(device.get("door/begin"))
    assert "Test EHR vraagt of je dit nu op dit toestel wilt invullen." in first
    assert "A. d. V. J. Ben jij dat?" in first
    fill_in(device)
    assert responses(joost) == []
    sent = send_in(device)
    assert sent.headers["Location"] == "/door/over?said=sent"
    assert "Verstuurd. Geef het toestel terug." in text_of(tablet.client.get(sent.headers["Location"]))
    assert "Ingevuld en verstuurd op" in says(joost)
    (response,) = responses(joost)
    assert response["status"] == "completed"
    assert response["source"] == response["subject"]
    assert response["source"]["reference"] == "Patient/anna"
    assert response["author"] == {"display": "iemand op een ander toestel, niet ingelogd"}
    scores = joost.ehr.search(Query.of("Observation", patient="Patient/anna"))
    assert len(scores) > 1


def test_no_page_on_the_device_shows_a_name(joost, tablet):
    device = tablet.inside(made(joost))
    fill_in(device, 2)
    pages = ["door/begin", "door/stop", *(f"questionnaires/hoop/{one}" for one in (f"questions/{HOOP[0]}", "review"))]
    pages.append(f"questionnaires/hoop/parts/{catalogue().asked['hoop'].groups[0].link_id}")
    for path in pages:
        page = device.get(path)
        assert page.status_code == 200, path
        assert not CLIENT_NAME.search(page.text), path
        assert "Jansen" not in page.text
        assert "Stoppen en wissen" in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert "uitloggen" not in page.text.lower()


def test_after_sending_the_device_has_nothing(app, joost, tablet):
    device = tablet.inside(made(joost))
    fill_in(device)
    sent = send_in(device)
    assert sent.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert tablet.client.get_cookie(cookie_name(joost.core.settings)) is None
    assert joost.core.launches.get(device.launch.id) is None
    for path in ("door/begin", f"questionnaires/hoop/questions/{HOOP[0]}", "questionnaires/hoop/review"):
        page = device.get(path)
        assert page.status_code == 404
        assert "Dit is klaar op dit toestel" in text_of(page)
    assert device.core.drafts(device.launch).all() == []


def test_an_assignment_is_completed(app, joost, tablet):
    for role in ("clinician", "peer-worker"):
        giver = launched(app, role=role)
        task = task_of(
            questionnaire=catalogue().asked["hoop"].canonical,
            title="HOOP",
            patient={"reference": "Patient/anna", "display": "Anna"},
            requester={"reference": "Practitioner/jansen", "display": "J"},
            asked_on="2026-11-27T10:00:00+01:00",
            identifier=f"0c9d3b8e-6f0a-4f0e-9a3e-3f8d0c1b2a4{'56'[role == 'clinician']}",
        )
        stored = giver.ehr.write(Write("create", task))
        device = type(tablet)(app, app.test_client()).inside(made(giver))
        fill_in(device)
        assert send_in(device).status_code == 303
        giver.courier_comes()
        found = assignment_of(giver.ehr.read("Task", stored.resource["id"]).resource)
        assert found.status == "completed", role
        assert found.response


def test_the_clients_own_draft_is_not_shown_and_not_touched(app, joost, tablet):
    anna = launched(app)
    anna.post(f"questionnaires/hoop/questions/{HOOP[0]}", {"answer": "1", "next": ""})
    before = anna.core.drafts(anna.launch).get("hoop")
    device = tablet.inside(made(joost))
    assert "checked" not in device.get(f"questionnaires/hoop/questions/{HOOP[0]}").text
    fill_in(device, answer="4")
    assert send_in(device).status_code == 303
    assert anna.core.drafts(anna.launch).get("hoop") == before


class TestLeaving:
    def test_what_was_answered_is_kept_for_the_client_alone(self, app, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device, 3)
        over = device.post("door/stop", {"press": "keep"})
        assert over.headers["Location"] == "/door/over?said=left"
        assert "Clear-Site-Data" in over.headers
        assert "alleen voor de cliënt" in says(joost)
        assert responses(joost) == []
        anna = launched(app)
        assert "Begonnen op een ander toestel" in text_of(anna.get("questionnaires/"))
        page = anna.get("questionnaires/hoop/").text
        assert "3 antwoorden" in page
        (address,) = re.findall(r'action="[^"]*/(door/[^"]+/take-over)"', page)
        assert anna.post(address).status_code == 303
        assert "3 van 12" in text_of(anna.get("questionnaires/hoop/"))
        assert "Begonnen op een ander toestel" not in text_of(anna.get("questionnaires/hoop/"))
        draft = anna.core.drafts(anna.launch).get("hoop")
        assert draft is not None
        assert draft.resource["author"]["reference"] == "Patient/anna"

    def test_own_answers_are_never_replaced(self, app, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device, 3)
        device.post("door/stop", {"press": "keep"})
        anna = launched(app)
        page = anna.get("questionnaires/hoop/").text
        (address,) = re.findall(r'action="[^"]*/(door/[^"]+/take-over)"', page)
        anna.post(f"questionnaires/hoop/questions/{HOOP[0]}", {"answer": "1", "next": ""})
        assert "take-over" not in anna.get("questionnaires/hoop/").text
        before = anna.core.drafts(anna.launch).get("hoop")
        assert "eigen antwoorden" in text_of(anna.post(address, follow_redirects=True))
        assert anna.core.drafts(anna.launch).get("hoop") == before
        assert anna.core.door_drafts(door_of(joost)).get("hoop") is not None
        (away,) = re.findall(r'action="[^"]*/(door/[^"]+/put-away)"', anna.get("questionnaires/hoop/").text)
        assert anna.post(away).status_code == 303
        assert anna.core.door_drafts(door_of(joost)).get("hoop") is None

    @pytest.mark.parametrize(("press", "said"), [("throw-away", "thrown-away"), ("not-me", "refused")])
    def test_what_is_thrown_away_is_nowhere(self, app, joost, tablet, press, said):
        device = tablet.inside(made(joost))
        fill_in(device, 3)
        assert device.post("door/stop", {"press": press}).headers["Location"] == f"/door/over?said={said}"
        assert joost.core.door_drafts(door_of(joost)).all() == []
        assert "ander toestel" not in text_of(launched(app).get("questionnaires/"))
        assert ("dit is niet voor mij" in says(joost)) is (press == "not-me")

    def test_others_can_not_take_it(self, app, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device, 3)
        device.post("door/stop", {"press": "keep"})
        door = door_of(joost)
        assert launched(app, "bram").post(f"door/{door.id}/take-over").status_code == 404
        assert launched(app, "bram").post(f"door/{door.id}/put-away").status_code == 404
        for role in ("clinician", "peer-worker", "loved-one"):
            reader = launched(app, role=role)
            assert reader.post(f"door/{door.id}/take-over").status_code == 403


class TestTime:
    def test_it_is_opened_in_time_or_never(self, joost, tablet, clock):
        shown = made(joost)
        clock.now += OPEN_SECONDS
        assert tablet.opens(link=shown.secret).status_code == 422
        assert "Niemand opende het op tijd" in says(joost)

    def test_untouched_it_ends_by_itself(self, app, joost, tablet, clock):
        device = tablet.inside(made(joost))
        fill_in(device, 3)
        clock.now += UNTOUCHED_SECONDS - 1
        assert device.get("door/begin").status_code == 200
        clock.now += UNTOUCHED_SECONDS - 1
        assert device.get("door/begin").status_code == 200
        clock.now += UNTOUCHED_SECONDS
        page = device.post(f"questionnaires/hoop/questions/{HOOP[5]}", {"answer": "1", "next": ""})
        assert page.status_code == 404
        assert "Dit is klaar op dit toestel" in text_of(page)
        assert joost.core.launches.get(device.launch.id) is None
        assert joost.core.doors.made_by(joost.launch)[0].how == "over"
        assert "3 antwoorden" in text_of(launched(app).get("questionnaires/hoop/"))

    def test_it_is_finished_in_time_or_never(self, joost, tablet, clock):
        device = tablet.inside(made(joost))
        for _ in range(FINISH_SECONDS // 300 - 1):
            clock.now += 300
            assert device.get("door/begin").status_code == 200
        clock.now += 300
        assert device.get("door/begin").status_code == 404

    def test_the_courier_ends_what_nobody_asks_for_any_more(self, joost, tablet, clock):
        device = tablet.inside(made(joost))
        clock.now += UNTOUCHED_SECONDS
        joost.courier_comes()
        assert joost.core.launches.get(device.launch.id) is None
        assert door_of(joost).how == "over"


class TestTheServer:
    def test_what_can_not_be_reached_is_kept_and_not_called_sent(self, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device)
        flaky = joost.make_flaky()
        flaky.error = Unreachable("away")
        assert send_in(device).headers["Location"] == "/door/over?said=on-its-way"
        assert "nog niet in het dossier aangekomen" in says(joost)
        flaky.error = None
        joost.courier_comes()
        assert len(responses_of(flaky)) == 1
        assert "Ingevuld en verstuurd op" in says(joost)

    def test_it_goes_out_at_the_next_sign_in_of_who_gave_the_device(self, app, joost, tablet):
        """The parent signed out meanwhile: nobody has a token that could send it."""
        device = tablet.inside(made(joost))
        fill_in(device)
        joost.core.end_session(joost.launch.session_id)
        flaky = joost.make_flaky()
        flaky.error = Unauthorized("no token")
        assert send_in(device).headers["Location"] == "/door/over?said=on-its-way"
        joost.courier_comes()
        flaky.error = None
        joost.courier_comes()
        assert responses_of(flaky) == []
        again = launched(app, role="clinician")
        assert "nog niet in het dossier aangekomen" in says(again)
        again.courier_comes()
        assert len(responses_of(flaky)) == 1
        assert "Ingevuld en verstuurd op" in says(again)

    def test_a_door_is_over_when_who_made_it_left_before_it_was_opened(self, joost, tablet):
        shown = made(joost)
        joost.core.end_session(joost.launch.session_id)
        assert tablet.opens(link=shown.secret).status_code == 422


def responses_of(flaky):
    return flaky.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))


class TestWhatTheClientShares:
    def test_who_may_not_read_the_answers_does_not_by_giving_a_device(self, app, joost, tablet):
        """The client hid that questionnaire: it is kept with us, and its giver reads nothing of it, before or after."""
        share(app, answers__hoop=ME, scores=ME)
        device = tablet.inside(made(joost))
        fill_in(device)
        assert send_in(device).headers["Location"] == "/door/over?said=sent"
        assert responses(joost) == []  # not in the EHR
        assert "hoop" not in joost.get("answers/").text.lower()
        assert joost.records.search(Query.of("QuestionnaireResponse", patient="Patient/anna")) == [[]]
        assert joost.records.search(Query.of("Observation", patient="Patient/anna")) == [[]]
        anna = launched(app)
        assert len(anna.records.search(Query.of("QuestionnaireResponse", patient="Patient/anna"))[0]) == 1

    def test_nor_does_who_sends_what_they_do_not_read(self, app, tablet):
        """A peer worker reads no answers; those that wait to be sent with their token stay unseen too."""
        peer = launched(app, role="peer-worker")
        device = tablet.inside(made(peer))
        fill_in(device)
        flaky = peer.make_flaky()
        flaky.error = Unreachable("away")
        send_in(device)
        assert peer.records.search(Query.of("QuestionnaireResponse", patient="Patient/anna")) == [[]]
        flaky.error = Refused("no")
        peer.courier_comes()
        for path in ("unsent/", "overview/", "door/"):
            assert "Soms" not in peer.get(path).text, path
            assert NOT_SIGNED_IN.nl not in peer.get(path).text, path

    def test_the_device_reads_nothing_of_the_record(self, app, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device)
        send_in(device)
        again = type(tablet)(app, app.test_client()).inside(made(joost))
        for type_ in ("QuestionnaireResponse", "Observation", "Task", "CarePlan", "Goal", "Consent"):
            assert again.records.search(Query.of(type_, patient="Patient/anna")) == [[]], type_


def test_no_more_at_once_than_there_may_be(joost):
    for _ in range(MOST_DOORS):
        made(joost)
    key = re.search(r'name="key" value="([^"]+)"', joost.get("door/").text)
    page = joost.post("door/", {"key": key[1], "questionnaire": "hoop"}, follow_redirects=True)
    assert f"Er staan er nu {MOST_DOORS} open" in text_of(page)


def test_a_form_sent_twice_makes_one(joost):
    key = re.search(r'name="key" value="([^"]+)"', joost.get("door/").text)
    fields = {"key": key[1], "questionnaire": "hoop"}
    assert joost.post("door/", fields).status_code == 200
    assert "al gemaakt" in text_of(joost.post("door/", fields, follow_redirects=True))
    assert len(joost.core.doors.made_by(joost.launch)) == 1


def test_without_a_choice_nothing_is_made(joost):
    page = joost.post("door/", {"key": "k", "questionnaire": "story"})
    assert page.status_code == 422
    assert "Kies een vragenlijst." in text_of(page)


def test_in_another_language_it_is_shown_again_and_only_to_who_made_it(app, joost):
    shown = made(joost)
    fields = {"link": shown.secret, "passcode": shown.code, "look": "1"}
    page = joost.post("door/?lang=en", fields)
    assert "Scan this with the tablet" in text_of(page)
    assert shown.code in page.text
    assert launched(app, role="peer-worker").post("door/", fields).status_code == 303
