"""Tokens that are bound to a key (DPoP, RFC 9449): whole sign-ins before a server that checks each proof by the RFC."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from urllib.parse import parse_qsl

import orjson
import pytest
import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from smartapp import create_app
from smartapp.fhir.store import Query, Unauthorized, Unreachable, Write
from smartapp.services import Services
from smartapp.settings import Issuer
from smartapp.smart.authorization import AUTHORIZATIONS
from smartapp.smart.tokens import TOKENS
from smartapp.storage.database import writing
from smartapp.storage.launches import Launch
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import APP, BASE, HOSTS, Answer, Browser, Ehr, opened


class Judge:
    """A server that binds tokens to one key: it checks each proof by RFC 9449 4.3 and 7.1, with none of our code."""

    def __init__(self, ehr: Ehr, browser: Browser, core: Services) -> None:
        self.ehr, self.browser, self.core, self.clock = ehr, browser, core, ehr.clock
        ehr.configuration["dpop_signing_alg_values_supported"] = ["RS256", "ES256"]
        ehr.token["token_type"] = "DPoP"
        ehr.judged, ehr.judged_token = self.at_fhir, self.at_token
        self.seen: set[str] = set()
        self.keys: set[str] = set()
        self.nonces = {"token": "", "fhir": ""}
        """Which nonce each of the two wants; "" for none."""
        self.good = {f"access-{number}" for number in range(1, 100)}
        """The access tokens that have not ended."""
        self.refusals: list[str] = []

    @property
    def issuer(self) -> Issuer:
        return self.core.settings.issuers[0]

    def launch(self) -> Launch:
        """Sign in and return the launch."""
        launch = self.core.launches.get(self.browser.enter())
        assert launch is not None
        return launch

    def at_token(self, request: requests.PreparedRequest) -> Answer | None:
        wrong = self._wrong(request, "token", token="")
        return wrong and (400, self._heads("token"), json.dumps({"error": wrong}))

    def at_fhir(self, request: requests.PreparedRequest) -> Answer | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        wrong = "invalid_token" if scheme != "DPoP" or token not in self.good else self._wrong(request, "fhir", token)
        return wrong and (401, {"WWW-Authenticate": f'DPoP error="{wrong}"', **self._heads("fhir")}, "{}")

    def _heads(self, where: str) -> dict[str, str]:
        return {"DPoP-Nonce": self.nonces[where]} if self.nonces[where] else {}

    def _wrong(self, request: requests.PreparedRequest, where: str, token: str) -> str | None:
        try:
            wrong = self._error_in(request, where, token)
        except (JoseError, KeyError, ValueError) as error:
            wrong = f"invalid_dpop_proof {error}"
        if wrong:
            self.refusals.append(wrong)
        return wrong

    def _error_in(self, request: requests.PreparedRequest, where: str, token: str) -> str | None:
        proof = request.headers["DPoP"]
        header, shown = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in proof.split(".")[:2])
        assert set(header) == {"typ", "alg", "jwk"}
        assert (header["typ"], header["alg"]) == ("dpop+jwt", "ES256")
        assert set(header["jwk"]) == {"kty", "crv", "x", "y"}
        key = ECKey.import_key(header["jwk"])
        jwt.decode(proof, key, algorithms=["ES256"])
        assert (shown["htm"], shown["htu"]) == (request.method, request.url.partition("?")[0])
        assert abs(shown["iat"] - self.ehr.clock.now) < 5
        digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
        assert shown.get("ath") == (digest if token else None)
        assert shown["jti"] not in self.seen
        self.seen.add(shown["jti"])
        if self.keys and key.thumbprint() not in self.keys:
            return "invalid_grant" if where == "token" else "invalid_token"
        self.keys.add(key.thumbprint())
        wanted = self.nonces[where]
        return "use_dpop_nonce" if wanted and shown.get("nonce") != wanted else None


@pytest.fixture
def judge(ehr, browser, core) -> Judge:
    return Judge(ehr, browser, core)


@pytest.fixture
def set_to(core):
    """Return what changes the settings of the EHR."""

    def change(**changes) -> Issuer:
        core.settings = replace(core.settings, issuers=(replace(core.settings.issuers[0], **changes),))
        return core.settings.issuers[0]

    return change


@pytest.fixture
def line(core, caplog):
    """Return what gives the line of the log about a sign-in that ended."""
    caplog.set_level("INFO")

    def of(page):
        assert opened(core) == 0
        return next(one for one in caplog.messages if one.startswith(f"{page.status_code} "))

    return of


def proofs_in(ehr, ending: str) -> list[str | None]:
    return [request.headers.get("DPoP") for request in ehr.calls(ending)]


def claims_of(proof: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(proof.split(".")[1] + "=="))


class TestWhoBindsNothing:
    """Of an EHR that does not offer it, nobody sees anything of this."""

    @pytest.mark.parametrize("offered", [None, [], ["RS256", "EdDSA"], "ES256", 7])
    def test_gets_no_proof_and_no_thumbprint(self, browser, ehr, offered):
        ehr.configuration["dpop_signing_alg_values_supported"] = offered
        asked = browser.begin()
        assert browser.finish(asked).status_code == 303
        assert "dpop_jkt" not in asked
        assert not [call for call in ehr.mock.calls if "DPoP" in call.request.headers]

    def test_gets_none_where_the_settings_say_off(self, browser, ehr, set_to):
        ehr.configuration["dpop_signing_alg_values_supported"] = ["ES256"]
        set_to(dpop="off")
        asked = browser.begin()
        assert browser.finish(asked).status_code == 303
        assert "dpop_jkt" not in asked
        assert not [call for call in ehr.mock.calls if "DPoP" in call.request.headers]

    def test_a_bound_token_that_nobody_asked_for_is_refused(self, browser, ehr, line):
        ehr.token["token_type"] = "DPoP"
        assert line(browser.sign_in()) == "502 token-not-bearer"


class TestASignIn:
    def test_attack_47_proves_every_request_with_the_key_of_this_sign_in(self, judge):
        asked = judge.browser.begin()
        launch = judge.core.launches.get(judge.browser.finish(asked).headers["Location"].split("/")[2])
        assert judge.core.ehr(launch).read("Patient", "bram").resource["id"] == "bram"
        assert judge.refusals == []
        assert judge.keys == {asked["dpop_jkt"]}
        kept = judge.core.tokens.find(launch.id)
        assert (kept.bound, ECKey.import_key(orjson.loads(kept.key)).thumbprint()) == (True, asked["dpop_jkt"])
        assert launch.patient.display == "Anna Voorbeeld"

    def test_has_a_key_of_its_own(self, judge):
        keys = {judge.browser.begin()["dpop_jkt"] for _ in range(3)}
        assert len(keys) == 3

    def test_attack_47_keeps_its_key_where_nobody_sees_it(self, judge, caplog):
        caplog.set_level("DEBUG")
        asked = judge.browser.begin()
        with judge.core.engine.connect() as connection:
            [waiting] = connection.execute(AUTHORIZATIONS.select()).all()
        page = judge.browser.finish(asked)
        launch_id = page.headers["Location"].split("/")[2]
        secret = json.loads(judge.core.tokens.find(launch_id).key)["d"]
        with judge.core.engine.connect() as connection:
            [row] = connection.execute(TOKENS.select()).all()
        sent = [str(call.request.headers) + str(call.request.body) + call.request.url for call in judge.ehr.mock.calls]
        for place in (waiting.sealed.decode(), row.sealed.decode(), caplog.text, str(page.headers), *sent):
            assert secret not in place
        assert json.loads(judge.core.vault.open(waiting.sealed)["key"])["d"] == secret
        judge.core.end_session(judge.core.launches.get(launch_id).session_id)
        with judge.core.engine.connect() as connection:
            assert connection.execute(TOKENS.select()).all() == []

    @pytest.mark.parametrize(
        "case",
        [
            ("Bearer", "offered", None),
            ("DPoP", "offered", None),
            ("DPoP", "required", None),
            ("dpop", "required", None),
            ("Bearer", "required", "502 token-not-dpop"),
            ("mac", "offered", "502 token-not-bearer"),
        ],
    )
    def test_goes_by_the_type_of_token_that_came(self, judge, set_to, line, case):
        given, setting, told = case
        judge.ehr.token["token_type"] = given
        set_to(dpop=setting)
        if given == "Bearer":
            judge.ehr.judged = lambda one: (
                None if one.headers["Authorization"].startswith("Bearer access-") else (401, {}, "")
            )
        page = judge.browser.sign_in()
        assert judge.keys  # it was asked for each time
        assert (None if page.status_code == 303 else line(page)) == told

    def test_that_must_be_bound_proves_itself_also_where_nothing_is_said_of_it(self, judge, set_to):
        """SMART's own configuration has no such member, so a server that has it may well not say so."""
        del judge.ehr.configuration["dpop_signing_alg_values_supported"]
        set_to(dpop="required")
        assert judge.browser.sign_in().status_code == 303
        assert judge.keys

    def test_that_must_be_bound_ends_before_the_login_where_the_server_takes_no_such_proofs(self, judge, set_to, line):
        judge.ehr.configuration["dpop_signing_alg_values_supported"] = ["RS256"]
        set_to(dpop="required")
        page = judge.browser.get(f"/launch?iss={BASE}&launch=chart-7")
        assert line(page) == "400 dpop-no-es256"

    def test_that_was_under_way_during_the_update_is_finished(self, browser, core):
        asked = browser.begin()
        with core.engine.connect() as connection:
            [row] = connection.execute(AUTHORIZATIONS.select()).all()
        former = core.vault.open(row.sealed)
        del former["key"]
        with writing(core.engine, on=row.state) as connection:
            connection.execute(AUTHORIZATIONS.update().values(sealed=core.vault.seal(former)))
        assert browser.finish(asked).status_code == 303


class TestAFhirServerThatKnowsNoProofs:
    """Keycloak binds as soon as a proof comes, and the FHIR server behind it may know bearer tokens only."""

    @pytest.mark.parametrize("heads", [{}, {"WWW-Authenticate": 'Bearer realm="x"'}, {"WWW-Authenticate": "XDPoP"}])
    def test_ends_the_sign_in_with_its_own_code_and_the_setting_that_helps(self, judge, line, caplog, heads):
        judge.ehr.judged = lambda _request: (401, heads, "{}")
        assert line(judge.browser.sign_in()) == "400 dpop-not-taken"
        [advice] = [one for one in caplog.messages if 'dpop = "off"' in one]
        assert BASE in advice

    def test_gets_its_tokens_back(self, judge, line):
        """They are good at the server that made them, and no session holds them that would end them later."""
        judge.ehr.judged = lambda _request: (401, {}, "{}")
        assert line(judge.browser.sign_in()) == "400 dpop-not-taken"
        back = {dict(parse_qsl(request.body))["token"] for request in judge.ehr.calls("/revoke")}
        assert back == {"access-1", "refresh-1"}

    @pytest.mark.parametrize(
        "answer", [(503, {}, ""), (403, {}, "{}"), (401, {"WWW-Authenticate": 'DPoP error="invalid_token"'}, "{}")]
    )
    def test_is_another_one_than_a_server_that_is_away_or_refuses_by_proofs(self, judge, answer):
        """As with bearer tokens: the sign-in stands, and each page says what it could not read."""
        judge.ehr.judged = lambda _request: answer
        assert judge.browser.sign_in().status_code == 303

    def test_is_another_one_than_a_server_of_which_one_answer_came(self, judge):
        judged = judge.ehr.judged
        judge.ehr.judged = lambda one: (401, {}, "{}") if "Practitioner" in one.url else judged(one)
        assert judge.browser.sign_in().status_code == 303


class TestNonces:
    def test_that_the_token_endpoint_wants_comes_with_the_same_request_sent_anew(self, judge):
        judge.nonces["token"] = "as-1"
        judge.browser.enter()
        first, second = judge.ehr.calls("/token")
        assert first.body == second.body
        assert first.headers["DPoP"] != second.headers["DPoP"]
        assert judge.refusals == ["use_dpop_nonce"]

    def test_that_the_token_endpoint_wants_again_ends_the_sign_in_after_two_requests(self, judge, line):
        numbers = iter(range(100))
        heads = lambda: {"DPoP-Nonce": f"as-{next(numbers)}"}  # noqa: E731
        judge.ehr.judged_token = lambda _request: (400, heads(), '{"error": "use_dpop_nonce"}')
        assert line(judge.browser.sign_in()) == "502 token-use_dpop_nonce"
        assert len(judge.ehr.calls("/token")) == 2

    def test_that_is_wanted_and_not_given_is_not_asked_for_again(self, judge, line):
        judge.ehr.judged_token = lambda _request: (400, {}, '{"error": "use_dpop_nonce"}')
        assert line(judge.browser.sign_in()) == "502 token-use_dpop_nonce"
        assert len(judge.ehr.calls("/token")) == 1

    def test_that_the_fhir_server_wants_comes_with_the_same_request_and_the_same_token(self, judge):
        launch = judge.launch()
        judge.nonces["fhir"] = "rs-1"
        judge.core.ehr(launch).read("Patient", "bram")
        first, second = judge.ehr.calls("/Patient/bram")
        assert first.headers["Authorization"] == second.headers["Authorization"]
        assert [claims_of(one.headers["DPoP"]).get("nonce") for one in (first, second)] == [None, "rs-1"]
        assert len(judge.ehr.calls("/token")) == 1  # nothing was wrong with the token

    def test_that_the_fhir_server_wants_for_ever_ends_in_a_refusal(self, judge):
        launch = judge.launch()
        judge.ehr.judged = lambda _one: (
            401,
            {"WWW-Authenticate": "DPoP error=use_dpop_nonce", "DPoP-Nonce": "n"},
            "{}",
        )
        with pytest.raises(Unauthorized):
            judge.core.ehr(launch).read("Patient", "bram")
        assert len(judge.ehr.calls("/Patient/bram")) == 4  # two with this token, two with a fresh one

    def test_of_the_two_servers_never_mix(self, judge):
        judge.nonces = {"token": "as-1", "fhir": "rs-1"}
        launch = judge.launch()
        judge.clock.now += 300
        judge.core.ehr(launch).read("Patient", "bram")
        used = {
            where: {claims_of(proof).get("nonce") for ending in endings for proof in proofs_in(judge.ehr, ending)}
            for where, endings in (("token", ["/token"]), ("fhir", ["/anna", "/p1", "/bram"]))
        }
        assert used == {"token": {None, "as-1"}, "fhir": {None, "rs-1"}}

    def test_that_come_with_a_good_answer_are_the_next_ones(self, judge):
        judge.ehr.heads = {"DPoP-Nonce": "next-1"}
        launch = judge.launch()
        judge.nonces = {"token": "next-1", "fhir": "next-1"}
        judge.clock.now += 300
        judge.core.ehr(launch).read("Patient", "bram")
        assert judge.refusals == []

    def test_no_write_is_done_twice_by_one_that_is_wanted(self, judge):
        launch = judge.launch()
        judge.nonces["fhir"] = "rs-1"
        done = []

        def create(request: requests.PreparedRequest) -> Answer:
            refused = judge.at_fhir(request)
            if refused:
                return refused
            done.append(request.body)
            return 201, {}, json.dumps({**json.loads(request.body), "id": "g1"})

        judge.ehr.mock.add_callback("POST", f"{BASE}/Goal", create)
        judge.core.ehr(launch).write(Write("create", {"resourceType": "Goal"}))
        assert len(done) == 1


class TestARefresh:
    def test_attack_47_is_proven_with_the_same_key_and_the_new_token_too(self, judge):
        launch = judge.launch()
        judge.clock.now += 300
        judge.core.ehr(launch).read("Patient", "bram")
        assert judge.ehr.form()["grant_type"] == "refresh_token"
        assert len(judge.keys) == 1
        assert judge.refusals == []
        kept = judge.core.tokens.find(launch.id)
        assert (kept.access, kept.refresh, kept.bound) == ("access-2", "refresh-2", True)

    def test_follows_on_a_token_that_the_fhir_server_says_has_ended(self, judge):
        launch = judge.launch()
        judge.good.remove("access-1")
        judge.nonces["fhir"] = "rs-1"
        assert judge.core.ehr(launch).read("Patient", "bram").resource["id"] == "bram"
        assert judge.core.tokens.find(launch.id).access == "access-2"

    def test_by_eight_at_once_is_one_with_one_key(self, judge):
        launch = judge.launch()
        judge.clock.now += 300
        judge.nonces = {"token": "as-1", "fhir": "rs-1"}
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: judge.core.ehr(launch).read("Patient", "bram").resource["id"], range(8)))
        assert found == ["bram"] * 8
        forms = [dict(parse_qsl(request.body)) for request in judge.ehr.calls("/token")]
        # One refresh, which was asked for its nonce.
        assert [form.get("refresh_token") for form in forms] == [None, "refresh-1", "refresh-1"]
        assert len(judge.keys) == 1

    @pytest.mark.parametrize("kinds", [("DPoP", "Bearer"), ("Bearer", "DPoP")])
    def test_attack_47_that_answers_another_kind_of_token_is_none(self, judge, kinds):
        first, then = kinds
        judge.ehr.token["token_type"] = first
        launch_id = judge.browser.enter()
        judge.clock.now += 300
        judge.ehr.token["token_type"] = then
        with pytest.raises(Unreachable):
            judge.core.tokens.access(launch_id, judge.issuer)
        assert judge.core.tokens.find(launch_id).access == "access-1"

    def test_proves_the_key_also_where_the_token_is_a_bearer_one(self, judge):
        """The refresh token of a public client is bound to the key that was proven, whatever the access token is."""
        judge.ehr.token["token_type"] = "Bearer"
        judge.ehr.judged = lambda _request: None
        launch_id = judge.browser.enter()
        judge.clock.now += 300
        assert judge.core.tokens.access(launch_id, judge.issuer) == "access-2"
        assert len(judge.keys) == 1
        assert judge.refusals == []

    @pytest.mark.parametrize("error", ["use_dpop_nonce", "invalid_dpop_proof"])
    def test_of_which_only_the_proof_was_refused_costs_no_session(self, judge, error):
        launch_id = judge.browser.enter()
        judge.clock.now += 300
        judge.ehr.judged_token = lambda _request: (400, {}, json.dumps({"error": error}))
        with pytest.raises(Unreachable):
            judge.core.tokens.access(launch_id, judge.issuer)
        judge.ehr.judged_token = judge.at_token
        assert judge.core.tokens.access(launch_id, judge.issuer) == "access-2"

    def test_with_a_key_that_is_not_the_one_of_the_sign_in_ends_it(self, judge):
        launch_id = judge.browser.enter()
        kept = replace(
            judge.core.tokens.find(launch_id), key=json.dumps(ECKey.generate_key("P-256").as_dict(private=True))
        )
        with writing(judge.core.engine, on=launch_id) as connection:
            connection.execute(TOKENS.update().values(sealed=judge.core.vault.seal(asdict(kept))))
        judge.clock.now += 300
        with pytest.raises(Unauthorized):
            judge.core.tokens.access(launch_id, judge.issuer)
        assert judge.refusals == ["invalid_grant"]

    def test_of_tokens_from_before_needs_no_key(self, browser, core, ehr, clock):
        launch_id, issuer = browser.enter(), core.settings.issuer(BASE)
        former = asdict(core.tokens.find(launch_id))
        del former["key"], former["bound"]
        with writing(core.engine, on=launch_id) as connection:
            connection.execute(TOKENS.update().values(sealed=core.vault.seal(former)))
        clock.now += 300
        assert core.tokens.access(launch_id, issuer) == "access-2"
        assert proofs_in(ehr, "/token") == [None, None]


class TestAClientWithAKey:
    @pytest.fixture
    def issuers(self):
        return (Issuer(base=BASE, name="E", client_id="verstel", hosts=HOSTS, auth="private_key_jwt"),)

    @pytest.fixture
    def app(self, clock, issuers, tmp_path):
        file = tmp_path / "keys.json"
        file.write_bytes(orjson.dumps(KeySet([ECKey.generate_key("P-384", auto_kid=True)]).as_dict(private=True)))
        app = create_app(settings(public_url=APP, issuers=issuers, signing_keys_file=file), clock=clock)
        yield app
        app.extensions["verstel"].engine.dispose()

    def test_signs_another_assertion_where_it_is_asked_for_a_nonce(self, judge):
        """Many servers note the name of an assertion before they look at the proof."""
        judge.nonces["token"] = "as-1"
        judge.browser.enter()
        first, second = (judge.ehr.form(number) for number in (0, 1))
        assert first.pop("client_assertion") != second.pop("client_assertion")
        assert first == second


def test_searches_and_their_next_pages_are_proven_without_their_queries(judge):
    launch = judge.launch()
    following = f"{BASE}/Goal?page=2"
    pages = iter([following, None])

    def page(request: requests.PreparedRequest) -> Answer:
        link = next(pages)
        links = [{"relation": "next", "url": link}] if link else []
        return judge.at_fhir(request) or (200, {}, json.dumps({"resourceType": "Bundle", "link": links}))

    judge.ehr.mock.add_callback("GET", f"{BASE}/Goal", page)
    judge.core.ehr(launch).search(Query.of("Goal", patient="Patient/anna"))
    assert len(judge.ehr.calls("/Goal")) == 2
    assert judge.refusals == []
