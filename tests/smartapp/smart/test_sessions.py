"""The session cookie: how it is set, and that signing in changes it (attacks 20, 30, 31, 39)."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
import requests

from smartapp import create_app
from smartapp.services import KEY, Services
from smartapp.storage.launches import Launch, Person, User
from smartapp.storage.sessions import Sessions
from smartapp.web.guard import form_token
from smartapp.web.kept import PROOF, proof_of
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import APP, BASE, Browser, opened

COOKIE = "__Host-verstel"


def cookie(browser: Browser) -> str:
    return browser.client.get_cookie(COOKIE, domain="app.example").value


def test_attack_30_the_cookie_goes_to_us_only_also_in_a_frame_and_no_script_sees_it(browser):
    response = browser.sign_in()
    [line] = [one for one in response.headers.getlist("Set-Cookie") if one.startswith(f"{COOKIE}=")]
    value, *attributes = line.split("; ")
    assert set(attributes) == {"HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/"}
    assert len(value.removeprefix(f"{COOKIE}=")) == 43  # 256 bits in base64


def test_every_cookie_says_in_its_name_that_it_is_of_this_host_and_of_https(browser):
    answers = [browser.get(f"/launch?iss={BASE}&launch=chart-7"), browser.sign_in(), browser.get("/?lang=en")]
    lines = [line for answer in answers for line in answer.headers.getlist("Set-Cookie")]
    assert {line.partition("=")[0].rpartition("-login")[0] or line.partition("=")[0] for line in lines} == {
        "__Host-verstel",
        "__Host-verstel-language",
    }
    assert all({"Secure", "Path=/"} <= set(line.split("; ")) and "Domain=" not in line for line in lines)


def test_the_cookie_of_a_sign_in_under_way_ends_with_it(browser):
    response = browser.sign_in()
    [line] = [one for one in response.headers.getlist("Set-Cookie") if "verstel-login" in one]
    assert "Max-Age=0" in line


def test_attack_31_a_session_id_planted_before_sign_in_is_worth_nothing_after_it(browser, core):
    planted = core.sessions.start()
    browser.client.set_cookie(COOKIE, planted.secret, domain="app.example", secure=True)
    launch_id = browser.enter()
    assert cookie(browser) != planted.secret
    assert core.sessions.find(planted.secret) is None
    session = core.sessions.find(cookie(browser))
    assert core.launches.find(launch_id, session.id) is not None


def test_a_session_that_is_wiped_while_its_person_signs_in_is_begun_anew(core):
    present = core.sessions.start()
    core.sessions.end(present.id)
    begun = core.sessions.renew(present)
    assert begun.id != present.id
    assert core.sessions.find(begun.secret).id == begun.id


def revoked(ehr) -> set[str]:
    """Return the tokens that were given back."""
    return {dict(parse_qsl(request.body))["token"] for request in ehr.calls("/revoke")}


def test_a_second_chart_of_the_same_user_joins_the_session(browser, core):
    first = browser.enter()
    before = cookie(browser)
    second = browser.enter()
    assert cookie(browser) != before
    session = core.sessions.find(cookie(browser))
    assert {one.id for one in core.launches.of_session(session.id)} == {first, second}


def test_attack_39_another_user_in_the_same_browser_ends_what_the_first_had_open(browser, core, ehr):
    first = browser.enter()
    ehr.claims |= {"sub": "u2"}
    second = browser.enter()
    assert core.launches.get(first) is None
    assert core.tokens.find(first) is None
    assert core.launches.get(second).user.subject == "u2"
    assert revoked(ehr) == {"access-1", "refresh-1"}


def test_two_sign_ins_that_overlap_both_arrive(browser, core):
    """An EHR may open two charts at once; neither takes the other's state away."""
    first, second = browser.begin(), browser.begin()
    assert browser.finish(second).status_code == 303
    assert browser.finish(first).status_code == 303
    assert opened(core) == 2


def test_signing_out_revokes_every_token_of_the_session(browser, core, ehr):
    launches = [core.launches.get(browser.enter()) for _ in range(2)]
    token = form_token(core.settings, launches[0].session_id, launches[0].id)
    response = browser.post(f"/l/{launches[0].id}/logout", {"_csrf": token, "_for": "anna"})
    assert response.status_code == 303
    assert revoked(ehr) == {"access-1", "refresh-1", "access-2", "refresh-2"}


def test_attack_39_each_token_is_given_back_as_what_it_is_whatever_the_server_says_to_the_other(browser, core, ehr):
    """A server need not end the access token with the refresh token: left alone it would work on for an hour."""
    ehr.mock.replace("POST", "https://login.ehr.example/revoke", status=503)
    core.end_session(core.launches.get(browser.enter()).session_id)
    assert {request.body for request in ehr.calls("/revoke")} == {
        "token=refresh-1&token_type_hint=refresh_token&client_id=verstel",
        "token=access-1&token_type_hint=access_token&client_id=verstel",
    }


def test_an_ehr_that_cannot_be_told_keeps_nobody_from_signing_out(browser, core, ehr):
    launch = core.launches.get(browser.enter())
    ehr.mock.replace("POST", "https://login.ehr.example/revoke", status=500)
    core.end_session(launch.session_id)
    assert core.launches.get(launch.id) is None


def test_signing_out_asks_nobody_where_tokens_are_given_back(browser, core, ehr, clock):
    """The EHR may be silent by then, and its configuration more than an hour old."""
    launch = core.launches.get(browser.enter())
    clock.now += 3600
    core.end_session(launch.session_id)
    assert len(ehr.calls("smart-configuration")) == 1
    assert revoked(ehr) == {"refresh-1"}


@pytest.mark.parametrize("fault", [requests.ConnectionError(), requests.ReadTimeout()])
def test_an_ehr_that_is_silent_keeps_nobody_from_signing_out(browser, core, ehr, fault):
    launch = core.launches.get(browser.enter())
    ehr.mock.replace("POST", "https://login.ehr.example/revoke", body=fault)
    core.end_session(launch.session_id)
    assert core.launches.get(launch.id) is None
    assert core.tokens.find(launch.id) is None


def test_where_tokens_are_given_back_is_looked_up_after_a_restart_and_nobody_waits_when_it_cannot_be(
    browser, core, ehr
):
    launches = [core.launches.get(browser.enter()) for _ in range(2)]
    restarted = create_app(core.settings, clock=ehr.clock).extensions[KEY]
    issuer, tokens = core.settings.issuer(BASE), core.tokens.find(launches[0].id)
    assert restarted.token_endpoint.revoke(issuer, tokens)
    assert revoked(ehr) == {"access-1", "refresh-1"}
    ehr.mock.replace("GET", f"{BASE}/.well-known/smart-configuration", status=503)
    restarted.engine.dispose()
    restarted = create_app(core.settings, clock=ehr.clock).extensions[KEY]
    assert not restarted.token_endpoint.revoke(issuer, core.tokens.find(launches[1].id))
    assert revoked(ehr) == {"access-1", "refresh-1"}
    restarted.engine.dispose()


def test_a_tab_that_takes_over_does_not_outlive_the_session(core, clock):
    session = core.sessions.start()
    clock.now += 480 * 60 - 30
    code, late = (core.sessions.hand_off(session, "/l/x/") for _ in range(2))
    clock.now += 29
    taken, path = core.sessions.take_over(code, None)
    assert (taken.id, taken.started, path) == (session.id, session.started, "/l/x/")
    assert taken.secret != session.secret
    clock.now += 1
    assert core.sessions.take_over(late, None) is None


def test_a_tab_that_has_the_cookie_of_this_session_already_keeps_it(core):
    session, other = core.sessions.start(), core.sessions.start()
    assert core.sessions.take_over(core.sessions.hand_off(session, "/l/x/"), session) == (session, "/l/x/")
    assert core.sessions.take_over(core.sessions.hand_off(session, "/l/x/"), other) is None


def test_a_handoff_of_a_session_that_ended_opens_nothing(core):
    session = core.sessions.start()
    code = core.sessions.hand_off(session, "/l/x/")
    core.sessions.end(session.id)
    assert core.sessions.take_over(code, None) is None


def test_the_launches_about_a_person_are_found_at_one_issuer_and_of_nobody_else(core):
    session = core.sessions.start()

    def opened_about(patient: str, issuer: str = BASE) -> Launch:
        user = User("Practitioner/p1", "Els Visser", "clinician", issuer, "u1")
        person = Person(f"Patient/{patient}", patient)
        return core.launches.add(Launch("", session.id, issuer, patient, person, user, ""))

    about = [opened_about("anna"), opened_about("anna")]
    opened_about("bram")
    opened_about("anna", "https://other.example/fhir")
    found = core.launches.about(about[0].issuer_key, "Patient/anna")
    assert sorted(one.id for one in found) == sorted(one.id for one in about)


def test_a_launch_lives_no_longer_than_a_session_even_when_others_follow(browser, core, clock, ehr):
    first = browser.enter()
    clock.now += 479 * 60
    ehr.claims |= {"iat": int(clock.now), "exp": int(clock.now) + 600}
    second = browser.enter()
    clock.now += 60
    assert core.launches.get(first) is None
    assert core.launches.get(second) is not None


def test_an_issuer_taken_out_of_the_settings_can_do_nothing_more(browser, core):
    launch = core.launches.get(browser.enter())
    object.__setattr__(core.settings, "issuers", ())
    assert browser.get(f"/l/{launch.id}/overview/").status_code == 404
    assert core.settings.issuer(BASE) is None


def test_attack_39_a_session_that_ran_out_gives_its_token_back_too(browser, core, ehr, clock):
    browser.enter()
    clock.now += 30 * 60
    assert core.end_sessions_that_are_over() == 1
    assert revoked(ehr) == {"refresh-1"}  # the access token was good for five minutes


def test_words_of_an_ended_session_come_first_after_signing_in_again(browser, ehr, core, clock):
    launch = core.launches.get(browser.enter())
    with browser.client.application.app_context():
        fields = {"message": "Zullen we dit samen bekijken?", PROOF: proof_of(launch)}
    clock.now += 30 * 60
    ehr.claims |= {"iat": clock.now, "exp": clock.now + 600}
    assert browser.post(f"/l/{launch.id}/assignments/new", fields).status_code == 404
    again = browser.sign_in().headers["Location"]
    assert again.endswith("/kept/")
    assert "Zullen we dit samen bekijken?" in browser.get(again).text


class TestTime:
    """A limit is a promise to the second: what is over is over, and what is not yet over works."""

    def test_a_session_in_use_ends_when_its_whole_time_is_over(self, core, clock):
        core.sessions = Sessions(core.engine, clock, inactivity=100, absolute=250)
        secret = core.sessions.start().secret
        for _ in range(4):
            clock.now += 50
            assert core.sessions.find(secret).seen == clock.now
        clock.now += 49
        assert core.sessions.over() == []
        assert core.sessions.find(secret) is not None
        clock.now += 1
        assert core.sessions.find(secret) is None
        assert len(core.sessions.over()) == 1

    def test_a_session_that_is_not_used_ends_sooner(self, core, clock):
        core.sessions._inactivity, core.sessions._absolute = 100, 250
        session = core.sessions.start()
        clock.now += 99
        assert core.sessions.over() == []
        clock.now += 1
        assert core.sessions.find(session.secret) is None
        assert core.sessions.over() == [session.id]

    def test_a_request_within_twenty_seconds_of_another_is_not_written_down(self, core, clock):
        core.sessions._inactivity = 100
        session = core.sessions.start()
        clock.now += 19
        assert core.sessions.find(session.secret) is not None
        clock.now += 81
        assert core.sessions.find(session.secret) is None

    def test_who_signs_in_again_has_the_whole_time_again(self, core, clock):
        core.sessions._inactivity = core.sessions._absolute = 100
        session = core.sessions.start()
        clock.now += 99
        renewed = core.sessions.renew(session)
        clock.now += 99
        assert core.sessions.find(session.secret) is None
        found = core.sessions.find(renewed.secret)
        assert (found.id, found.started) == (session.id, clock.now - 99)

    def test_a_tab_that_was_handed_a_session_has_it_no_longer_than_the_first(self, core, clock):
        core.sessions._absolute = 100
        session = core.sessions.start()
        code = core.sessions.hand_off(session, "/l/x/")
        clock.now += 59
        taken, path = core.sessions.take_over(code, None)
        late = core.sessions.hand_off(session, "/l/x/")
        assert (taken.id, taken.started, path) == (session.id, session.started, "/l/x/")
        assert taken.secret != session.secret
        clock.now += 41
        assert core.sessions.find(taken.secret) is None
        assert core.sessions.take_over(late, None) is None

    def test_a_launch_ends_to_the_second_whatever_its_session_does(self, core, browser, clock):
        core.launches._absolute = 100
        launch_id = browser.enter()
        clock.now += 99
        assert core.launches.get(launch_id) is not None
        clock.now += 1
        assert core.launches.get(launch_id) is None


@pytest.mark.parametrize("several", [False, True])
def test_who_signs_in_where_a_device_was_handed_on_gets_a_session_of_their_own(issuers, ehr, clock, several):
    """That of the device is wiped when its questionnaire is over: nothing of theirs goes with it."""
    app = create_app(settings(public_url=APP, issuers=issuers, several_users_per_browser=several), clock=clock)
    core: Services = app.extensions[KEY]
    giver, device = Browser(app.test_client(), ehr), Browser(app.test_client(), ehr)
    launch = core.launches.get(giver.enter())
    assert launch is not None
    new = core.doors.make(launch, "hoop", asked="once")
    assert new is not None
    assert device.post("/door/", {"link": new.secret}).status_code == 303
    [door] = core.doors.made_by(launch)
    mine = device.enter()
    theirs = core.launches.get(mine)
    assert theirs is not None
    assert theirs.session_id != door.session
    assert core.launches.of_session(door.session) == []
    core.end_door(door, "withdrawn")
    assert core.launches.get(mine) is not None
    core.engine.dispose()
