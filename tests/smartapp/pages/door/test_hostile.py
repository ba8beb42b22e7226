"""Who should not get in by a door does not, and who got in gets no further than its one questionnaire."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from questionnaires.catalogue import catalogue
from smartapp.fhir.store import Forbidden, NotFound, Write
from smartapp.pages.door.opening import WRONG_OF_ALL, WRONG_OF_ONE
from smartapp.storage.audit import AuditEntry
from smartapp.storage.doors import DOORS, OPEN_SECONDS, UNTOUCHED_SECONDS
from smartapp.web.guard import cookie_name
from smartapp.web.limits import BURST_MINUTES, Buckets
from tests.smartapp.helpers import launched, text_of
from tests.smartapp.pages.door.conftest import HOOP, Device, door_of, fill_in, made, responses, send_in

NOT_OPENED = "Dit ging niet open."


def rows(visitor) -> list[AuditEntry]:
    """Return what the log of this person has, the newest first."""
    return visitor.core.audit.of_person(visitor.launch.issuer_key, visitor.launch.patient.reference)


class TestOpening:
    def test_attack_46_a_link_opens_once_and_the_second_time_is_in_the_log(self, joost, tablet, other):
        shown = made(joost)
        tablet.inside(shown)
        for given in ({"link": shown.secret}, {"passcode": shown.code}):
            again = other.opens(**given)
            assert again.status_code == 422
            assert NOT_OPENED in text_of(again)
            assert other.client.get_cookie(cookie_name(joost.core.settings)) is None
        assert rows(joost)[0].event == "denied"
        assert rows(joost)[0].reason == "door-used"
        assert rows(joost)[0].through == "SPV J. Jansen"

    def test_attack_46_devices_that_open_it_at_once_one_gets_in(self, app, joost):
        shown = made(joost)

        def opens(_number: int) -> int:
            return app.test_client().post("/door/", data={"link": shown.secret}).status_code

        with ThreadPoolExecutor(8) as pool:
            answers = sorted(pool.map(opens, range(8)))
        assert answers == [303] + [422] * 7

    def test_attack_46_it_does_not_open_after_its_time_or_after_it_was_withdrawn(self, joost, tablet, clock):
        shown = made(joost)
        clock.now += OPEN_SECONDS
        assert tablet.opens(link=shown.secret).status_code == 422
        assert rows(joost)[0].reason == "door-over"
        shown = made(joost)
        assert joost.post(f"door/{door_of(joost).id}/withdraw").status_code == 303
        assert tablet.opens(link=shown.secret).status_code == 422
        assert rows(joost)[0].reason == "door-withdrawn"

    def test_attack_46_what_does_not_open_gets_one_answer(self, joost, tablet, clock):
        used, over, withdrawn = made(joost), made(joost), made(joost)
        tablet.inside(used)
        joost.post(f"door/{joost.core.doors.find(withdrawn.secret).id}/withdraw")
        stranger = tablet.app.test_client()

        def page(given: str) -> str:
            return stranger.post("/door/", data={"link": given}).text

        known = {page(one.secret) for one in (used, withdrawn)}
        clock.now += OPEN_SECONDS
        assert known | {page(over.secret), page("no such secret")} == {page("x" * 43)}

    def test_a_code_is_typed_as_people_type(self, joost, tablet):
        shown = made(joost)
        assert re.fullmatch("[A-Z2-9]{4}-[A-Z2-9]{4}", shown.code)
        assert tablet.opens(passcode=f" {shown.code.lower().replace('-', ' ')} ").status_code == 303

    def test_attack_46_who_guesses_codes_is_stopped_and_counted_and_the_link_still_opens(self, joost, tablet, other):
        limits = (Buckets(WRONG_OF_ONE, lambda: 0.0), Buckets(WRONG_OF_ALL, lambda: 0.0))  # time stands still
        joost.app.extensions["verstel-doors"] = limits
        shown, most = made(joost), WRONG_OF_ALL * BURST_MINUTES
        answers = [other.opens(passcode=f"B{number:07}").status_code for number in range(most + 5)]
        assert answers == [422] * most + [429] * 5
        assert other.opens(passcode=shown.code).status_code == 429
        refused = [one for one in joost.core.audit.entries() if one.event == "refused"]
        assert refused[0].objects == ("door",)
        assert len(refused) < len(answers)
        assert tablet.opens(link=shown.secret).status_code == 303

    @pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
    def test_attack_46_another_site_opens_nothing(self, joost, tablet, headers):
        shown = made(joost)
        assert tablet.client.post("/door/", data={"link": shown.secret}, headers=headers).status_code == 403
        assert door_of(joost).opened is None

    def test_looking_opens_nothing(self, joost, tablet):
        made(joost)
        for _ in range(2):
            page = tablet.client.get("/door/")
            assert page.status_code == 200
            assert "Test EHR" not in text_of(page)
        assert door_of(joost).opened is None

    def test_it_is_not_opened_where_somebody_is_signed_in(self, app, joost):
        """Who gets the device must not find a record behind the questionnaire."""
        shown = made(joost)
        for visitor in (joost, launched(app), launched(app, role="peer-worker")):
            page = visitor.client.post("/door/", data={"link": shown.secret})
            assert page.status_code == 409
            assert "is iemand ingelogd" in text_of(page)
        assert door_of(joost).opened is None

    def test_a_second_is_not_opened_over_a_first_until_that_is_over(self, joost, tablet, clock):
        first, second = made(joost), made(joost)
        device = tablet.inside(first)
        fill_in(device, 2)
        page = tablet.opens(link=second.secret)
        assert page.status_code == 409
        assert "Er staat nog een vragenlijst open op dit toestel." in text_of(page)
        assert "is iemand ingelogd" not in text_of(page)
        assert device.get("questionnaires/hoop/review").status_code == 200
        # Left lying: nobody is kept out by it, and nobody has to come along to end it.
        clock.now += UNTOUCHED_SECONDS + 1
        assert "Er staat nog een vragenlijst open" not in text_of(tablet.client.get("/door/"))
        assert tablet.opens(link=made(joost).secret).status_code == 303
        assert {one.state(clock.now) for one in joost.core.doors.made_by(joost.launch)} == {"opened", "over"}

    def test_what_is_kept_opens_nothing_and_names_nobody(self, joost):
        shown = made(joost)
        with joost.core.engine.connect() as connection:
            (row,) = connection.execute(DOORS.select()).all()
        kept = repr(tuple(row))
        for word in (shown.secret, shown.code, shown.code.replace("-", ""), "anna", "Anna", "jansen", "hoop"):
            assert word not in kept, word

    def test_only_who_made_it_takes_it_back(self, app, joost, tablet):
        shown, door = made(joost), door_of(joost)
        for visitor in (launched(app, role="peer-worker"), launched(app, "bram", role="clinician")):
            assert visitor.post(f"door/{door.id}/withdraw").status_code == 404
        for role in ("client", "responsible", "outside", "loved-one"):
            assert launched(app, role=role).post(f"door/{door.id}/withdraw").status_code == 403
            assert launched(app, role=role).get("door/").status_code == 403
        assert tablet.opens(link=shown.secret).status_code == 303


class TestInside:
    def test_attack_46_it_opens_no_other_launch(self, app, joost, tablet, other):
        device = tablet.inside(made(joost))
        anna, second = launched(app), other.inside(made(joost))
        for launch in (joost.launch, anna.launch, second.launch):
            for path in ("", "overview/", "door/begin", "questionnaires/hoop/review"):
                assert tablet.client.get(f"/l/{launch.id}/{path}").status_code == 404
        assert device.get("door/begin").status_code == 200

    def test_attack_46_it_sends_no_form_without_its_token(self, joost, tablet, other):
        device, second = tablet.inside(made(joost)), other.inside(made(joost))
        path = device.url(f"questionnaires/hoop/questions/{HOOP[0]}")
        for fields in ({}, second.hidden(), joost.hidden()):
            assert tablet.client.post(path, data={**fields, "answer": "1", "next": ""}).status_code == 403
        wrong = {**device.hidden(), "_for": "bram", "answer": "1", "next": ""}
        assert tablet.client.post(path, data=wrong).status_code == 409
        assert device.core.drafts(device.launch).all() == []

    def test_attack_46_a_form_that_is_sent_after_the_end_changes_nothing(self, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device, 2)
        cookie = tablet.client.get_cookie(cookie_name(joost.core.settings)).value
        question, hidden = device.url(f"questionnaires/hoop/questions/{HOOP[3]}"), device.hidden()
        device.post("door/stop", {"press": "keep"})
        tablet.client.set_cookie(cookie_name(joost.core.settings), cookie)
        before = joost.core.door_drafts(door_of(joost)).get("hoop")
        for path in (question, device.url("questionnaires/hoop/submit"), device.url("door/stop")):
            assert tablet.client.post(path, data={**hidden, "answer": "1", "next": ""}).status_code == 404
        assert joost.core.door_drafts(door_of(joost)).get("hoop") == before
        assert responses(joost) == []

    def test_attack_46_what_is_withdrawn_is_wiped_on_the_device(self, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device, 2)
        joost.post(f"door/{door_of(joost).id}/withdraw")
        assert device.get("door/begin").status_code == 404
        assert joost.core.launches.get(device.launch.id) is None
        assert send_in_blind(device).status_code == 404
        assert responses(joost) == []

    def test_attack_46_no_site_shows_it_in_a_frame(self, joost, tablet):
        pages = [tablet.client.get("/door/"), tablet.client.get("/door/over?said=sent")]
        device = tablet.inside(made(joost))
        pages += [device.get("door/begin"), device.get(f"questionnaires/hoop/questions/{HOOP[0]}")]
        for page in pages:
            assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
            assert page.headers["Referrer-Policy"] == "no-referrer"

    def test_the_last_page_says_nothing_that_its_address_wants(self, tablet):
        page = text_of(tablet.client.get("/door/over?said=<script>&name=Anna"))
        assert "script" not in page
        assert "Anna" not in page

    def test_who_gave_it_may_leave_meanwhile_and_what_is_typed_after_that_is_kept(self, joost, tablet):
        device = tablet.inside(made(joost))
        joost.core.end_session(joost.launch.session_id)
        fill_in(device, 2)
        assert joost.core.door_drafts(door_of(joost)).get("hoop") is not None

    def test_attack_46_what_sends_its_answers_writes_nothing_else(self, app, joost, tablet):
        """Behind the pages too: what a fault of ours would let through is refused where it is saved."""
        device = tablet.inside(made(joost))
        fill_in(device)
        send_in(device)
        (sent,) = responses(joost)
        again = Device(app, app.test_client()).inside(made(joost))
        other = {**sent, "questionnaire": catalogue().asked["nel"].canonical, "item": []}
        about = {"subject": sent["subject"], "description": {"text": "x"}, "lifecycleStatus": "active"}
        for write in (
            Write("create", {name: value for name, value in other.items() if name not in ("id", "meta", "identifier")}),
            Write("create", {"resourceType": "Goal", **about}),
        ):
            with pytest.raises(Forbidden):
                again.records.save([write])
        with pytest.raises((Forbidden, NotFound)):
            again.records.save([Write("update", {**sent, "status": "entered-in-error"})])
        assert responses(joost) == [sent]


def send_in_blind(device):
    return device.post("questionnaires/hoop/submit", {})


class TestTheLog:
    def test_the_client_reads_who_gave_it_and_what_became_of_it(self, app, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device)
        send_in(device)
        page = text_of(launched(app).get("who-looked/"))
        assert "op een toestel, gegeven door SPV J. Jansen" in page
        assert "Vulde een vragenlijst in en verstuurde die." in page
        assert "Gaf een toestel om zonder inloggen een vragenlijst op in te vullen." in page
        assert "Gezien: je antwoorden" not in page

    def test_what_was_opened_and_not_sent_is_there_too(self, app, joost, tablet, clock):
        tablet.inside(made(joost))
        clock.now += UNTOUCHED_SECONDS
        joost.courier_comes()
        page = text_of(launched(app).get("who-looked/"))
        assert "Opende een vragenlijst, en verstuurde die niet." in page

    def test_each_step_is_a_row(self, joost, tablet):
        device = tablet.inside(made(joost))
        fill_in(device)
        send_in(device)
        told = [(one.event, one.role, one.objects[:1]) for one in reversed(rows(joost)) if "door" in one.objects]
        assert told == [
            ("create", "clinician", ("door",)),
            ("launch", "door", ("door",)),
            ("create", "door", ("door",)),
            ("logout", "door", ("door",)),
        ]
        assert {one.user for one in rows(joost) if one.role == "door"} == {""}
        assert not [one for one in rows(joost) if one.role == "door" and one.event in ("read", "search")]


def test_leaving_and_a_year_later_nothing_is_left(app, joost, tablet, clock):
    made(joost)
    clock.now += OPEN_SECONDS
    joost.courier_comes()
    assert door_of(joost).how == "over"
    clock.now += 366 * 86_400
    joost.core.doors.forget_old()
    with joost.core.engine.connect() as connection:
        assert connection.execute(DOORS.select()).all() == []
