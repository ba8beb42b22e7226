"""A program of ours that signs in as itself: what it says to the server, and what it tells its operator."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from smartapp.fhir.store import Unreachable
from smartapp.smart.backend import MAX_BYTES, BackendToken, NoTokenError
from smartapp.smart.keys import ASSERTION_TYPE, SigningKeys
from tests.smartapp.smart.ehr import BASE, NOW

ENDPOINT = "https://login.ehr.example/token"
KEY = ECKey.generate_key("P-384", {"kid": "ec-1"})


@pytest.fixture
def token():
    return BackendToken(f"{BASE}/", "robot", SigningKeys(KeySet([KEY])), "system/*.rs", clock=lambda: NOW)


@pytest.fixture
def configuration(mock):
    mock.add("GET", f"{BASE}/.well-known/smart-configuration", json={"token_endpoint": ENDPOINT})


def forms(mock):
    return [parse_qs(call.request.body) for call in mock.calls if call.request.url == ENDPOINT]


@pytest.mark.usefixtures("configuration")
class TestAsking:
    def test_it_proves_itself_to_this_endpoint_with_its_key_and_asks_for_its_own_scope(self, mock, token):
        mock.add("POST", ENDPOINT, json={"access_token": "access-1"})
        assert token(None) == "access-1"
        assert mock.calls[-1].request.headers["Accept"] == "application/json"
        [form] = forms(mock)
        assertion = jwt.decode(form.pop("client_assertion")[0], KEY, algorithms=["ES384"]).claims
        assert (assertion["iss"], assertion["sub"], assertion["aud"]) == ("robot", "robot", ENDPOINT)
        assert assertion["iat"] == NOW < assertion["exp"] <= NOW + 300
        assert form == {
            "grant_type": ["client_credentials"],
            "scope": ["system/*.rs"],
            "client_assertion_type": [ASSERTION_TYPE],
        }

    def test_a_token_is_used_until_the_server_refuses_that_very_one(self, mock, token):
        mock.add("POST", ENDPOINT, json={"access_token": "access-1"})
        mock.add("POST", ENDPOINT, json={"access_token": "access-2"})
        assert [token(None), token(None), token("older"), token("access-1"), token(None)] == [
            "access-1",
            "access-1",
            "access-1",
            "access-2",
            "access-2",
        ]
        assert len(forms(mock)) == 2

    @pytest.mark.parametrize(
        ("status", "answer", "reason"),
        [
            (401, {"error": "invalid_client"}, "(invalid_client)"),
            (400, {"access_token": "a", "error": "x" * 61}, f"({'x' * 60})"),
            (200, {"access_token": ""}, "(no reason given)"),
            (200, ["a"], "(no reason given)"),
        ],
    )
    def test_a_refusal_says_why_and_what_to_look_at(self, mock, token, status, answer, reason):
        mock.add("POST", ENDPOINT, status=status, json=answer)
        with pytest.raises(NoTokenError) as refused:
            token(None)
        assert str(refused.value) == (
            f"The token endpoint refused our key {reason}. Check client id, key and scope there."
        )

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            ({"body": requests.ConnectionError()}, "unreachable"),
            ({"body": "<html>"}, "not-json"),
            ({"body": b" " * (MAX_BYTES + 1)}, "too-large"),
        ],
    )
    def test_an_answer_that_cannot_be_used_is_told_with_its_code(self, mock, token, answer, code):
        mock.add("POST", ENDPOINT, **answer)
        with pytest.raises(Unreachable) as told:
            token(None)
        assert str(told.value) == f"The token endpoint gave no usable answer ({code})."


class TestFindingTheEndpoint:
    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (
                {"json": {}},
                "The server's smart-configuration names no token_endpoint; use a bearer token instead.",
            ),
            (
                {"status": 404, "json": {"token_endpoint": ENDPOINT}},
                "The server's smart-configuration names no token_endpoint; use a bearer token instead.",
            ),
            (
                {"json": {"token_endpoint": "https://10.0.0.5/token"}},
                "The server's token_endpoint is on 10.0.0.5, which is inside this network; not asked.",
            ),
        ],
    )
    def test_a_configuration_that_names_none_that_may_be_asked_says_so(self, mock, token, answer, said):
        mock.add("GET", f"{BASE}/.well-known/smart-configuration", **answer)
        with pytest.raises(NoTokenError) as refused:
            token(None)
        assert str(refused.value) == said
        assert len(mock.calls) == 1

    def test_an_endpoint_that_is_not_https_is_named_and_not_asked(self, mock, token):
        mock.add("GET", f"{BASE}/.well-known/smart-configuration", json={"token_endpoint": "http://login.example/t"})
        with pytest.raises(NoTokenError, match=r"^The server's smart-configuration can't be used: .*token_endpoint"):
            token(None)
        assert len(mock.calls) == 1

    def test_a_server_inside_the_network_may_name_itself(self, mock):
        base = "https://10.0.0.5/fhir"
        mock.add("GET", f"{base}/.well-known/smart-configuration", json={"token_endpoint": "https://10.0.0.5/token"})
        mock.add("POST", "https://10.0.0.5/token", json={"access_token": "access-1"})
        assert BackendToken(base, "robot", SigningKeys(KeySet([KEY])), "system/*.rs")(None) == "access-1"

    def test_a_configuration_that_cannot_be_read_is_told_with_its_code(self, mock, token):
        mock.add("GET", f"{BASE}/.well-known/smart-configuration", body=requests.ConnectionError())
        with pytest.raises(Unreachable) as told:
            token(None)
        assert str(told.value) == "The server's smart-configuration can't be read (unreachable)."
