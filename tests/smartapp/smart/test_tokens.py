"""Tokens: refreshed once, never for more, proven with a key, and never seen by anybody."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from urllib.parse import parse_qsl

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from smartapp import create_app
from smartapp.errors import EhrTrouble
from smartapp.fhir.store import Query, Unauthorized, Unreachable
from smartapp.settings import ConfigError, Issuer
from smartapp.smart import tokens
from smartapp.smart.keys import LIFETIME_SECONDS, SigningKeys
from smartapp.smart.tokens import LEEWAY_SECONDS, TOKENS, Tokens, read_tokens
from smartapp.storage.database import writing
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import APP, AUTH, BASE, HOSTS, NOW

RSA = RSAKey.generate_key(3072, {"kid": "rsa-1"})
EC = ECKey.generate_key("P-384", {"kid": "ec-1"})


@pytest.fixture
def launch(browser, core):
    launch_id = browser.enter()
    return core.launches.get(launch_id)


@pytest.fixture
def issuer(core) -> Issuer:
    return core.settings.issuer(BASE)


def refreshes(ehr) -> list[dict[str, str]]:
    forms = [dict(parse_qsl(request.body)) for request in ehr.calls("/token")]
    return [form for form in forms if form["grant_type"] == "refresh_token"]


def test_a_token_that_is_good_is_used_as_it_is(core, launch, issuer, ehr):
    assert core.tokens.access(launch.id, issuer) == "access-1"
    assert refreshes(ehr) == []


@pytest.mark.parametrize(
    ("seconds_left", "token"), [(LEEWAY_SECONDS + 1, "access-1"), (LEEWAY_SECONDS, "access-2"), (1, "access-2")]
)
def test_a_token_about_to_end_is_refreshed_before_it_is_used(core, launch, clock, seconds_left, token):
    """It would end on the way: a write that the EHR answers with 401 has been typed for nothing."""
    clock.now += 300 - seconds_left
    assert core.tokens.access(launch.id, core.settings.issuer(BASE)) == token


def test_attack_22_eight_requests_with_an_ended_token_refresh_it_once(core, launch, issuer, ehr, clock):
    clock.now += 300
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: core.tokens.access(launch.id, issuer), range(8)))
    assert tokens == ["access-2"] * 8
    assert [form["refresh_token"] for form in refreshes(ehr)] == ["refresh-1"]
    assert core.tokens.find(launch.id).refresh == "refresh-2"


def test_attack_22_a_token_the_server_refused_is_refreshed_once_by_all_who_got_that_refusal(core, launch, issuer, ehr):
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: core.tokens.access(launch.id, issuer, refused="access-1"), range(8)))
    assert tokens == ["access-2"] * 8
    assert len(refreshes(ehr)) == 1


def test_another_process_that_holds_the_lease_is_waited_for(core, launch, issuer, ehr, clock):
    """The lease of a process that died ends by itself; until then nobody else refreshes."""
    clock.now += 300
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock.now += 10

    core.tokens._wait = wait
    assert core.tokens._lease(launch.id, 1)
    assert core.tokens.access(launch.id, issuer) == "access-2"
    assert len(waits) == 7  # 70 seconds of lease, 10 per wait


def test_who_waits_in_vain_for_another_process_is_told_to_try_again_and_the_token_stays(
    core, launch, issuer, ehr, clock
):
    clock.now += 300
    waits = []
    core.tokens._wait = waits.append
    assert core.tokens._lease(launch.id, 1)
    with pytest.raises(Unreachable, match="renewed by another request"):
        core.tokens.access(launch.id, issuer)
    assert sum(waits) == pytest.approx(5)  # seconds of someone who waits for a page
    assert refreshes(ehr) == []
    assert core.tokens.find(launch.id).access == "access-1"


def test_a_process_that_runs_for_months_keeps_no_lock_of_every_launch(core, monkeypatch):
    monkeypatch.setattr(tokens, "_MOST_LOCKS", 2)
    first, second = core.tokens._lock("first"), core.tokens._lock("second")
    with second:
        core.tokens._lock("third")
        assert core.tokens._lock("second") is second  # someone refreshes under it
        assert core.tokens._lock("first") is not first


def test_a_session_that_ends_while_its_token_is_renewed_elsewhere_asks_to_sign_in_again(core, launch, issuer, clock):
    clock.now += 300
    core.tokens._wait = lambda _seconds: core.end_session(launch.session_id)
    assert core.tokens._lease(launch.id, 1)
    with pytest.raises(Unauthorized) as told:
        core.tokens.access(launch.id, issuer)
    assert str(told.value) == "This launch has no token any more. Open the app again from the record system."


def test_a_launch_that_is_not_there_has_no_token_and_asks_to_open_the_app_again(core, issuer):
    with pytest.raises(Unauthorized) as told:
        core.tokens.access("nowhere", issuer)
    assert str(told.value) == "This launch has no token any more. Open the app again from the record system."


def test_what_a_refresh_does_not_say_stays_as_it_was(core, launch, issuer, ehr, clock):
    before = core.tokens.find(launch.id)
    clock.now += 300
    ehr.token = {"token_type": "Bearer", "expires_in": 600}
    core.tokens.access(launch.id, issuer)
    after = Tokens("access-2", "refresh-2", int(clock.now) + 600, before.scope, before.patient, "u1")
    assert core.tokens.find(launch.id) == after


def test_who_refreshes_the_token_of_one_launch_leaves_that_of_another_alone(core, browser, issuer, ehr, clock):
    first, second = browser.enter(), browser.enter()
    clock.now += 300
    assert core.tokens.access(first, issuer) == "access-3"
    assert core.tokens.find(second).access == "access-2"
    assert core.tokens.access(second, issuer) == "access-4"
    assert core.tokens.find(first).access == "access-3"
    assert [form["refresh_token"] for form in refreshes(ehr)] == ["refresh-1", "refresh-2"]


@pytest.mark.parametrize(
    "answer",
    [
        (400, Unauthorized("The record system ended this session. Open the app again.")),
        (503, Unreachable("The record system did not renew the session. Try again in a moment.")),
    ],
)
def test_a_refresh_that_fails_says_what_helps(core, launch, ehr, clock, answer):
    status, told = answer
    clock.now += 300
    ehr.token_answer = lambda _: (status, {}, '{"error": "invalid_grant"}')
    with pytest.raises(type(told)) as caught:
        core.tokens.access(launch.id, core.settings.issuer(BASE))
    assert str(caught.value) == str(told)


def id_token_of(subject: object, **claims: object) -> str:
    """Return an id_token that nobody signed, as anybody can write one."""
    parts = ({"alg": "none"}, {"sub": subject, **claims})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


class TestARefreshThatTellsOfAnotherUser:
    """A role raised by a changed claim: what the sign-in verified stays, whatever comes later."""

    def test_ends_the_launch_where_the_subject_is_another_one(self, core, launch, issuer, ehr, clock):
        clock.now += 300
        ehr.token["id_token"] = id_token_of("u2")
        with pytest.raises(Unauthorized):
            core.tokens.access(launch.id, issuer)
        assert core.tokens.find(launch.id) is None

    @pytest.mark.parametrize(
        "claims",
        [
            {"id_token": id_token_of("u1", fhirUser="Patient/anna")},
            {"id_token": id_token_of("u1", fhirUser=f"{BASE}/Practitioner/hanna")},
            {"fhirUser": "Patient/anna"},
            {"fhirUser": "Patient/anna", "sub": "u1", "role": "client"},
        ],
    )
    def test_changes_no_role_where_it_is_the_same_subject(self, core, launch, ehr, clock, claims):
        issuer, clock.now = core.settings.issuer(BASE), clock.now + 300
        ehr.token |= claims
        assert core.tokens.access(launch.id, issuer) == "access-2"
        assert core.launches.get(launch.id) == launch
        assert launch.user.role == "clinician"

    @pytest.mark.parametrize("nonsense", ["", "x", "a.b.c", "a.b.c.d.e", id_token_of(7), id_token_of(None), 7, None])
    def test_is_none_where_no_subject_can_be_read_in_it(self, core, launch, ehr, clock, nonsense):
        issuer, clock.now = core.settings.issuer(BASE), clock.now + 300
        ehr.token["id_token"] = nonsense
        assert core.tokens.access(launch.id, issuer) == "access-2"
        assert core.launches.get(launch.id) == launch

    def test_tokens_that_were_kept_without_a_subject_are_refreshed_as_before(self, core, launch, issuer, ehr, clock):
        sealed = asdict(core.tokens.find(launch.id))
        del sealed["subject"]
        with writing(core.engine, on=launch.id) as connection:
            connection.execute(TOKENS.update().values(sealed=core.vault.seal(sealed)))
        clock.now += 300
        ehr.token["id_token"] = id_token_of("u2")
        assert core.tokens.access(launch.id, issuer) == "access-2"


def test_a_refresh_token_that_is_not_replaced_stays_good(core, launch, issuer, ehr, clock):
    clock.now += 300
    ehr.token["refresh_token"] = None
    core.tokens.access(launch.id, issuer)
    assert core.tokens.find(launch.id).refresh == "refresh-1"


def test_attack_23_invalid_grant_ends_the_session_and_keeps_the_draft(core, launch, ehr, clock):
    drafts = core.drafts(launch)
    drafts.change("hoop", lambda _: {"resourceType": "QuestionnaireResponse"})
    clock.now += 300
    ehr.token_answer = lambda _: (400, {}, json.dumps({"error": "invalid_grant"}))
    with pytest.raises(Unauthorized):
        core.records(launch).read("Patient", "anna")
    assert core.tokens.find(launch.id) is None
    assert drafts.get("hoop") is not None


def test_attack_23_the_page_says_to_open_the_app_again(core, launch, ehr, clock, browser):
    clock.now += 300
    ehr.token_answer = lambda _: (400, {}, json.dumps({"error": "invalid_grant"}))
    response = browser.get(f"/l/{launch.id}/overview/?lang=en")
    assert response.status_code == 404
    assert "You have been signed out" in response.text
    assert "Example EHR" in response.text


@pytest.mark.parametrize("answer", [(401, {}, "<html>no</html>"), (400, {}, ""), (403, {}, '{"error": ["x"]}')])
def test_a_refusal_in_whatever_form_asks_to_sign_in_again(core, launch, ehr, clock, answer):
    """A gateway refuses in HTML; "try again in a moment" would never come true."""
    clock.now += 300
    ehr.token_answer = lambda _: answer
    with pytest.raises(Unauthorized):
        core.tokens.access(launch.id, core.settings.issuers[0])


def test_a_token_endpoint_that_is_away_costs_no_session(core, launch, issuer, ehr, clock):
    clock.now += 300
    ehr.token_answer = lambda _: (503, {}, "{}")
    with pytest.raises(Unreachable):
        core.tokens.access(launch.id, issuer)
    ehr.token_answer = None
    assert core.tokens.access(launch.id, issuer) == "access-2"


def test_a_token_without_a_refresh_token_that_has_ended_needs_a_new_sign_in(core, launch, issuer, ehr, clock):
    with core.engine.begin() as connection:
        connection.exec_driver_sql("delete from tokens")
    core.tokens.keep(launch.id, Tokens("a", None, int(clock.now) + 100, "", "anna"))
    clock.now += 100
    with pytest.raises(Unauthorized):
        core.tokens.access(launch.id, issuer)


def test_attack_24_a_refresh_never_asks_for_a_scope(core, launch, issuer, ehr, clock):
    clock.now += 300
    core.tokens.access(launch.id, issuer)
    assert [set(form) for form in refreshes(ehr)] == [{"grant_type", "refresh_token", "client_id"}]


@pytest.mark.parametrize("patient", ["bram", "Patient/bram", f"{BASE}/Patient/bram", "Patient/bram/_history/1", ["x"]])
def test_a_refresh_that_answers_another_patient_is_refused(core, launch, ehr, clock, patient):
    clock.now += 300
    ehr.token["patient"] = patient
    with pytest.raises(Unreachable):
        core.tokens.access(launch.id, core.settings.issuers[0])


@pytest.mark.parametrize("sent", ["300", 300, 300.5, None, "soon", True, "²", -1, 10**30, "9" * 5000])
def test_a_lifetime_in_any_form_never_makes_a_token_that_lives_longer(sent):
    tokens = read_tokens({"access_token": "a", "token_type": "bearer", "expires_in": sent}, asked_scopes="", now=NOW)
    assert tokens.expires in (None, NOW + 300)


def test_a_scope_that_is_left_out_was_granted_as_asked():
    tokens = read_tokens({"access_token": "a", "token_type": "Bearer"}, asked_scopes="openid", now=NOW)
    assert tokens.scope == "openid"


def test_a_scope_in_a_list_is_what_was_granted_and_no_more():
    sent = {"access_token": "a", "token_type": "Bearer", "scope": ["openid", "patient/Goal.rs", 7]}
    assert read_tokens(sent, asked_scopes="openid patient/*.cruds", now=NOW).scope == "openid patient/Goal.rs"


def test_a_token_that_would_break_a_header_is_refused():
    with pytest.raises(EhrTrouble):
        read_tokens({"access_token": "a\nX: y", "token_type": "Bearer"}, asked_scopes="", now=NOW)


class TestWhatWasGranted:
    def test_attack_21_a_smaller_scope_switches_off_before_any_call(self, browser, ehr, core):
        ehr.token["scope"] = "openid patient/Observation.rs"
        ehr.mock.add("GET", f"{BASE}/metadata", json={"resourceType": "CapabilityStatement", "rest": []})
        launch = core.launches.get(browser.enter())
        calls = len(ehr.mock.calls)
        records = core.records(launch)
        assert records.place_for("Goal") == "own"
        assert records.search(Query.of("Goal", patient="Patient/anna")) == [[]]
        assert len(ehr.mock.calls) == calls


class TestClientSecret:
    @pytest.fixture
    def issuers(self):
        return (
            Issuer(base=BASE, name="E", client_id="a b", hosts=HOSTS, auth="client_secret", client_secret="p:w/d%"),
        )

    def test_the_secret_travels_in_the_header_form_encoded(self, browser, ehr):
        ehr.claims["aud"] = "a b"
        browser.enter()
        [request] = ehr.calls("/token")
        assert request.headers["Authorization"] == "Basic YSUyMGI6cCUzQXclMkZkJTI1"  # a%20b:p%3Aw%2Fd%25
        assert not {"client_id", "client_secret"} & set(dict(parse_qsl(request.body)))

    @pytest.mark.parametrize(
        "case", [("basic", "invalid_client"), ("basic-raw", "invalid_client"), ("basic-raw", "invalid_request")]
    )
    def test_a_secret_that_servers_read_in_two_ways_and_that_is_refused_is_named_with_its_setting(
        self, browser, ehr, core, caplog, case
    ):
        secret_as, error = case
        core.settings = replace(core.settings, issuers=(replace(core.settings.issuers[0], secret_as=secret_as),))
        ehr.token_answer = lambda _: (401, {}, json.dumps({"error": error}))
        assert browser.sign_in().status_code == 400
        [said] = [record.getMessage() for record in caplog.records if "secret_as" in record.getMessage()]
        assert BASE in said
        assert "p:w/d%" not in said

    @pytest.mark.parametrize(
        "case",
        [
            ({"client_secret": "plain-1.~_"}, "invalid_client"),
            ({"secret_as": "post"}, "invalid_client"),
            ({}, "invalid_grant"),
        ],
    )
    def test_a_refusal_that_no_other_form_would_mend_says_nothing_of_it(self, browser, ehr, core, caplog, case):
        changes, error = case
        issuer = replace(core.settings.issuers[0], client_id="verstel", **changes)
        core.settings = replace(core.settings, issuers=(issuer,))
        ehr.token_answer = lambda _: (401, {}, json.dumps({"error": error}))
        assert browser.sign_in().status_code == 400
        assert not [record for record in caplog.records if "secret_as" in record.getMessage()]


class TestASecretInAnotherForm:
    """For servers that do not read the header as RFC 6749 writes it; chosen by the operator, and never guessed."""

    @pytest.fixture
    def secret_as(self) -> str:
        return "basic-raw"

    @pytest.fixture
    def issuers(self, secret_as):
        secret = "s3+cr/et==%:"
        return (
            Issuer(
                base=BASE,
                name="E",
                client_id="verstel",
                hosts=HOSTS,
                auth="client_secret",
                client_secret=secret,
                secret_as=secret_as,
            ),
        )

    def test_in_the_header_as_it_is(self, browser, ehr):
        browser.enter()
        [request] = ehr.calls("/token")
        assert request.headers["Authorization"] == f"Basic {base64.b64encode(b'verstel:s3+cr/et==%:').decode()}"
        assert not {"client_id", "client_secret"} & set(ehr.form())

    @pytest.mark.parametrize("secret_as", ["post"])
    def test_in_the_form_and_not_in_the_header(self, browser, ehr, core, issuer, clock):
        launch_id = browser.enter()
        clock.now += 300
        core.tokens.access(launch_id, issuer)
        for request in ehr.calls("/token"):
            form = dict(parse_qsl(request.body))
            assert (form["client_id"], form["client_secret"]) == ("verstel", "s3+cr/et==%:")
            assert "Authorization" not in request.headers
        core.token_endpoint.revoke(issuer, core.tokens.find(launch_id))
        assert {dict(parse_qsl(request.body))["client_secret"] for request in ehr.calls("/revoke")} == {"s3+cr/et==%:"}


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
class TestPrivateKey:
    @pytest.fixture
    def issuers(self):
        return (Issuer(base=BASE, name="E", client_id="verstel", hosts=HOSTS, auth="private_key_jwt"),)

    @pytest.fixture
    def app(self, clock, issuers, key, tmp_path):
        file = tmp_path / "keys.json"
        file.write_bytes(orjson.dumps(KeySet([key, RSA]).as_dict(private=True)))
        app = create_app(settings(public_url=APP, issuers=issuers, signing_keys_file=file), clock=clock)
        yield app
        app.extensions["verstel"].engine.dispose()

    def test_attack_27_the_assertion_is_short_lived_for_this_endpoint_and_used_once(self, browser, ehr, key):
        browser.enter()
        browser.enter()
        forms = [ehr.form(0), ehr.form(1)]
        public = KeySet.import_key_set(browser.get("/.well-known/jwks.json").get_json())
        tokens = [jwt.decode(form["client_assertion"], public, algorithms=["RS384", "ES384"]) for form in forms]
        for token in tokens:
            assert token.header["kid"] == key.kid
            assert token.header["typ"] == "JWT"
            claims = token.claims
            assert (claims["iss"], claims["sub"], claims["aud"]) == ("verstel", "verstel", f"{AUTH}/token")
            assert 0 < claims["exp"] - NOW <= 300
        assert tokens[0].claims["jti"] != tokens[1].claims["jti"]
        assert not {"client_id", "client_secret"} & set(forms[0])

    def test_the_assertion_that_ends_a_sign_in_is_for_the_token_endpoint_too(self, browser, ehr, core, key):
        launch = core.launches.get(browser.enter())
        assert core.token_endpoint.revoke(core.settings.issuer(BASE), core.tokens.find(launch.id))
        forms = [dict(parse_qsl(request.body)) for request in ehr.calls("/revoke")]
        said = [jwt.decode(form["client_assertion"], key, algorithms=["RS384", "ES384"]).claims for form in forms]
        assert [one["aud"] for one in said] == [f"{AUTH}/token"] * 2
        assert said[0]["jti"] != said[1]["jti"]

    def test_attack_28_the_published_key_set_has_no_private_member(self, browser, key):
        response = browser.get("/.well-known/jwks.json")
        keys = response.get_json()["keys"]
        assert [one["kid"] for one in keys] == [key.kid, "rsa-1"]
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & {name for one in keys for name in one}
        assert set(keys[-1]) == {"kty", "n", "e", "use", "alg", "kid"}
        assert (keys[-1]["use"], keys[-1]["alg"]) == ("sig", "RS384")
        assert "max-age" in response.headers["Cache-Control"]


def test_attack_27_a_thousand_assertions_have_a_thousand_names():
    keys = SigningKeys(KeySet([EC]))
    claims = [
        jwt.decode(keys.assertion("verstel", f"{AUTH}/token", lambda: NOW), EC, algorithms=["ES384"]).claims
        for _ in range(1000)
    ]
    assert len({one["jti"] for one in claims}) == 1000
    assert {one["exp"] - NOW for one in claims} == {LIFETIME_SECONDS}


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"keys": [OctKey.generate_key(256, {"kid": "o"}).as_dict(private=True)]}, "not a private RSA or EC key"),
        ({"keys": [RSA.as_dict(private=False)]}, "not a private RSA or EC key"),
        ({"keys": [ECKey.generate_key("P-256", {"kid": "e"}).as_dict(private=True)]}, "P-384"),
        ({"keys": [RSAKey.generate_key(2048, {"kid": "r"}).as_dict(private=True)]}, "key 1 has fewer than 3072 bits"),
        ([], "not a JSON Web Key Set"),
        ("text", "not a JSON Web Key Set"),
    ],
)
def test_a_signing_key_that_cannot_be_used_is_named_and_never_quoted(tmp_path, keys, complaint):
    file = tmp_path / "keys.json"
    file.write_bytes(orjson.dumps(keys))
    with pytest.raises(ConfigError, match=re.escape(complaint)) as caught:
        SigningKeys.read(file)
    assert EC.as_dict(private=True)["d"] not in str(caught.value)


def test_a_file_of_signing_keys_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / 'keys.json'}: cannot be read")):
        SigningKeys.read(tmp_path / "keys.json")
