"""Pushed authorization requests (RFC 9126): what is asked goes to the server itself, and the browser carries a name."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from smartapp import create_app
from smartapp.settings import Issuer
from smartapp.smart.authorization import AUTHORIZATIONS
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import APP, AUTH, BASE, HOSTS, Answer, opened

PAR = f"{AUTH}/par"
NAME = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"
KEY = ECKey.generate_key("P-384", auto_kid=True)


@pytest.fixture
def issuers():
    return (Issuer(base=BASE, name="E", client_id="verstel", hosts=HOSTS),)


@pytest.fixture
def pushed(ehr) -> list[requests.PreparedRequest]:
    """Have the EHR take pushed requests; return those that came."""
    came: list[requests.PreparedRequest] = []

    def take(request: requests.PreparedRequest) -> Answer:
        came.append(request)
        return 201, {}, json.dumps({"request_uri": NAME, "expires_in": 60})

    ehr.configuration["pushed_authorization_request_endpoint"] = PAR
    ehr.mock.add_callback("POST", PAR, take, content_type="application/json")
    return came


@pytest.fixture
def set_to(core):
    """Return what changes the settings of the EHR."""

    def change(**changes) -> None:
        core.settings = replace(core.settings, issuers=(replace(core.settings.issuers[0], **changes),))

    return change


@pytest.fixture
def line(core, caplog, browser):
    """Return what begins a sign-in and gives the line of the log about its end."""
    caplog.set_level("INFO")

    def of() -> str:
        page = browser.get(f"/launch?iss={BASE}&launch=chart-7")
        assert opened(core) == 0
        with core.engine.connect() as connection:
            assert connection.execute(AUTHORIZATIONS.select()).all() == []
        return next(one for one in caplog.messages if one.startswith(f"{page.status_code} "))

    return of


def form_of(request: requests.PreparedRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body))


def test_what_is_pushed_is_what_the_browser_would_have_carried(browser, pushed, set_to, clock):
    asked = browser.begin()
    form = form_of(pushed[0])
    set_to(par="off")
    clock.now += 3600  # for so long the configuration is kept
    carried = browser.begin()
    assert len(pushed) == 1
    changing = {"state", "nonce", "code_challenge"}
    assert set(form) == set(carried)
    assert {**form, **dict.fromkeys(changing)} == {**carried, **dict.fromkeys(changing)}
    assert not [name for name in changing if form[name] == carried[name]]
    assert asked == {"client_id": "verstel", "request_uri": NAME}


def test_a_sign_in_that_was_pushed_is_finished_as_any_other(browser, pushed, ehr):
    browser.begin()
    form = form_of(pushed[0])
    response = browser.finish(form)
    assert response.status_code == 303, response.text
    assert ehr.form()["grant_type"] == "authorization_code"


def test_a_key_that_the_tokens_are_bound_to_is_named_in_what_is_pushed(browser, pushed, ehr):
    ehr.configuration["dpop_signing_alg_values_supported"] = ["ES256"]
    asked = browser.begin()
    assert len(form_of(pushed[0])["dpop_jkt"]) == 43
    assert "dpop_jkt" not in asked
    assert "DPoP" not in pushed[0].headers


@pytest.mark.usefixtures("ehr")
class TestWhenItIsPushed:
    @pytest.mark.parametrize(
        ("offers", "setting", "pushes"),
        [(True, "offered", True), (True, "required", True), (True, "off", False), (False, "offered", False)],
    )
    def test_the_settings_and_the_server_say(self, request, set_to, offers, setting, pushes):
        browser = request.getfixturevalue("browser")
        came = request.getfixturevalue("pushed") if offers else []
        set_to(par=setting)
        asked = browser.begin()
        assert (len(came), "request_uri" in asked, "scope" in asked) == (int(pushes), pushes, not pushes)

    def test_a_server_that_has_none_of_it_and_must_ends_the_sign_in(self, set_to, line):
        set_to(par="required")
        assert line() == "400 par-not-offered"

    def test_a_server_that_takes_nothing_else_ends_it_where_the_settings_say_off(self, ehr, pushed, set_to, line):
        ehr.configuration["require_pushed_authorization_requests"] = True
        set_to(par="off")
        assert line() == "400 par-required"
        assert pushed == []


class TestARefusal:
    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            ((400, {}, '{"error": "invalid_request"}'), "400 par-invalid_request"),
            ((401, {}, '{"error": "invalid_client"}'), "400 par-invalid_client"),
            ((400, {}, '{"error": "made_up"}'), "400 par-other"),
            ((404, {}, ""), "502 par-404"),
            ((204, {}, ""), "502 par-204"),
            ((202, {}, json.dumps({"request_uri": NAME})), "502 par-202"),
            ((302, {"Location": "https://elsewhere.example/"}, ""), "502 par-redirect"),
            ((429, {}, "{}"), "502 par-429"),
            ((201, {}, "<html>"), "502 par-not-json"),
            ((201, {}, "{}"), "502 par-no-request-uri"),
            ((201, {}, "[]"), "502 par-no-request-uri"),
            ((201, {}, '{"request_uri": ["urn:x"]}'), "502 par-no-request-uri"),
            ((201, {}, '{"request_uri": "urn: x"}'), "502 par-no-request-uri"),
            ((201, {}, json.dumps({"request_uri": "u" * 2001})), "502 par-no-request-uri"),
        ],
    )
    def test_ends_the_sign_in_and_nothing_goes_by_the_browser_instead(self, ehr, line, answer, told):
        ehr.configuration["pushed_authorization_request_endpoint"] = PAR
        ehr.mock.add_callback("POST", PAR, lambda _request: answer)
        assert line() == told

    def test_some_servers_answer_200(self, browser, ehr):
        ehr.configuration["pushed_authorization_request_endpoint"] = PAR
        ehr.mock.add("POST", PAR, json={"request_uri": NAME})
        assert browser.begin()["request_uri"] == NAME

    @pytest.mark.parametrize("endpoint", ["https://elsewhere.example/par", "http://login.ehr.example/par"])
    def test_an_endpoint_that_is_not_of_this_issuer_is_never_asked(self, ehr, line, endpoint):
        """It would get our secret, and what is asked."""
        ehr.configuration["pushed_authorization_request_endpoint"] = endpoint
        assert line().startswith("502 discovery-pushed_authorization_request_endpoint")
        assert ehr.calls("/par") == []

    def test_it_stands_in_nobodys_way_where_the_settings_say_off(self, browser, ehr, set_to):
        ehr.configuration["pushed_authorization_request_endpoint"] = "https://elsewhere.example/par"
        set_to(par="off")
        assert "scope" in browser.begin()


class TestWhoWeAre:
    """The same as at the token endpoint, for each kind of client."""

    @pytest.fixture
    def app(self, clock, issuers, tmp_path):
        file = tmp_path / "keys.json"
        file.write_bytes(orjson.dumps(KeySet([KEY]).as_dict(private=True)))
        app = create_app(settings(public_url=APP, issuers=issuers, signing_keys_file=file), clock=clock)
        yield app
        app.extensions["verstel"].engine.dispose()

    def test_a_public_client_says_its_name(self, browser, pushed):
        browser.begin()
        assert "Authorization" not in pushed[0].headers
        assert not {"client_secret", "client_assertion"} & set(form_of(pushed[0]))

    @pytest.mark.parametrize("secret_as", ["basic", "basic-raw"])
    def test_a_secret_in_the_header(self, browser, pushed, set_to, secret_as):
        set_to(auth="client_secret", client_secret="s+", secret_as=secret_as)
        browser.begin()
        pair = "verstel:s%2B" if secret_as == "basic" else "verstel:s+"
        assert pushed[0].headers["Authorization"] == f"Basic {base64.b64encode(pair.encode()).decode()}"
        assert (form_of(pushed[0])["client_id"], "client_secret" in form_of(pushed[0])) == ("verstel", False)

    def test_a_secret_in_the_form(self, browser, pushed, set_to):
        set_to(auth="client_secret", client_secret="s+", secret_as="post")
        browser.begin()
        assert form_of(pushed[0])["client_secret"] == "s+"
        assert "client_secret" not in browser.begin()

    def test_a_key(self, browser, pushed, set_to):
        set_to(auth="private_key_jwt")
        browser.begin()
        browser.begin()
        claims = [jwt.decode(form_of(one)["client_assertion"], KEY, algorithms=["ES384"]).claims for one in pushed]
        assert {one["aud"] for one in claims} == {f"{AUTH}/token"}
        assert len({one["jti"] for one in claims}) == 2
        assert form_of(pushed[0])["client_id"] == "verstel"


def test_a_server_with_a_query_in_its_address_keeps_it(browser, pushed, ehr):
    ehr.configuration["authorization_endpoint"] = f"{AUTH}/authorize?tenant=a"
    response = browser.get(f"/launch?iss={BASE}&launch=chart-7")
    query = parse_qsl(urlsplit(response.headers["Location"]).query)
    assert query == [("tenant", "a"), ("client_id", "verstel"), ("request_uri", NAME)]
