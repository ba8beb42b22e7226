"""What an authorization server answers when one member has another shape: a refusal with a code, never an accident."""

from __future__ import annotations

import json

import pytest
from joserfc.jwk import ECKey, KeySet

from smartapp.errors import EhrTrouble
from smartapp.fhir.store import RecordError
from smartapp.smart.backend import BackendToken, NoTokenError
from smartapp.smart.discovery import read_configuration
from smartapp.smart.keys import SigningKeys
from smartapp.smart.tokens import read_tokens
from tests.smartapp.bent import bent
from tests.smartapp.smart.ehr import BASE, NOW, opened

TOKENS = {
    "access_token": "a",
    "token_type": "Bearer",
    "expires_in": 300,
    "refresh_token": "r",
    "scope": "openid",
    "patient": "anna",
}
KEYS = SigningKeys(KeySet([ECKey.generate_key("P-384", {"kid": "ec-1"})]))


def test_a_configuration_of_any_shape_is_one_of_texts_or_is_refused(ehr, issuers):
    accepted = 0
    for document in bent(ehr.configuration):
        try:
            read = read_configuration(document, issuers[0])
        except EhrTrouble:
            continue
        accepted += 1
        assert all(isinstance(one, str) for one in (read.issuer, read.token_endpoint, read.jwks_uri))
        assert read.revocation_endpoint is None or isinstance(read.revocation_endpoint, str)
    assert accepted, "what is optional may be missing"


def test_a_token_answer_of_any_shape_is_one_of_texts_or_is_refused():
    for document in bent(TOKENS):
        try:
            read = read_tokens(document, asked_scopes="openid", now=NOW)
        except EhrTrouble:
            continue
        assert isinstance(read.scope, str)
        assert read.refresh is None or (isinstance(read.refresh, str) and read.refresh)
        assert read.patient is None or isinstance(read.patient, str)


@pytest.mark.parametrize("claim", ["name", "locale", "fhirUser", "profile", "sub"])
def test_a_claim_of_any_shape_gives_no_rights_and_breaks_no_sign_in(browser, ehr, core, claim):
    for shape in bent("x"):
        ehr.claims = {**ehr.claims, "sub": "u1", "fhirUser": "Nobody/1", claim: shape}
        response = browser.sign_in()
        if response.status_code == 303:
            launch = core.launches.get(response.headers["Location"].split("/")[2])
            assert launch.user.role == "guest"
            assert isinstance(launch.user.display, str)
        else:
            assert response.status_code in (400, 403), claim


def test_the_older_claim_says_who_someone_is_where_the_newer_is_absent(browser, ehr, core):
    del ehr.claims["fhirUser"]
    ehr.claims["profile"] = "Practitioner/p1"
    assert core.launches.get(browser.enter()).user.reference == "Practitioner/p1"


def test_a_garbled_fhir_user_does_not_fall_back_to_the_older_claim(browser, ehr, core):
    ehr.claims |= {"fhirUser": 7, "profile": "Practitioner/p1"}
    assert core.launches.get(browser.enter()).user.role == "guest"


def test_a_token_context_of_any_shape_opens_the_launch_without_it(browser, ehr, core):
    for shape in bent("x"):
        ehr.token = {**ehr.token, "encounter": shape, "need_patient_banner": shape}
        launch = core.launches.get(browser.enter())
        assert launch.encounter is None or isinstance(launch.encounter, str)
        assert launch.need_patient_banner is True


@pytest.mark.parametrize("sent", [7, ["invalid_grant"], {"error": ["invalid_grant"]}, {"error": {"code": 1}}, None])
def test_a_refusal_of_any_shape_is_a_refusal(browser, ehr, core, sent):
    ehr.token_answer = lambda _form: (400, {}, json.dumps(sent))
    assert browser.sign_in().status_code == 400
    assert opened(core) == 0


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9/token", "https://10.0.0.5/token", "https://localhost/token"])
def test_attack_3_a_backend_proves_itself_to_no_address_inside(mock, endpoint):
    mock.add("GET", f"{BASE}/.well-known/smart-configuration", json={"token_endpoint": endpoint})
    with pytest.raises(NoTokenError, match="inside this network"):
        BackendToken(BASE, "robot", KEYS, "system/*.rs")(None)
    assert len(mock.calls) == 1


def test_a_backend_asks_for_another_token_only_when_the_last_one_is_refused(mock):
    mock.add("GET", f"{BASE}/.well-known/smart-configuration", json={"token_endpoint": "https://login.example/token"})
    asked = [mock.add("POST", "https://login.example/token", json={"access_token": one}) for one in ("a", "b")]
    token = BackendToken(BASE, "robot", KEYS, "system/*.rs")
    assert [token(refused) for refused in (None, None, "of another run", "a", "a", None)] == [
        "a",
        "a",
        "a",
        "b",
        "b",
        "b",
    ]
    assert [one.call_count for one in asked] == [1, 1]


def test_a_backend_reads_configuration_and_tokens_of_any_shape(mock):
    configuration, answer = f"{BASE}/.well-known/smart-configuration", "https://login.example/token"
    documents = [({"token_endpoint": answer}, given) for given in bent({"access_token": "a", "error": "x"})]
    documents += [(given, {"access_token": "a"}) for given in bent({"token_endpoint": answer})]
    for described, given in documents:
        mock.reset()
        mock.add("GET", configuration, json=described)
        mock.add("POST", answer, json=given)
        try:
            token = BackendToken(BASE, "robot", KEYS, "system/*.rs")(None)
        except RecordError:
            continue
        assert isinstance(token, str)
        assert token
