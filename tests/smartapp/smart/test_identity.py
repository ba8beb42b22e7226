"""Attack 19: an id_token that is wrong in any way opens nothing."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
import requests
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from smartapp.settings import Issuer
from tests.smartapp.smart.ehr import AUTH, BASE, HOSTS, KEY, NOW, opened


def b64(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims: dict) -> str:
    return f"{b64({'alg': 'none'})}.{b64(claims)}."


def signed_with_the_public_key(claims: dict) -> str:
    """Sign with HS256 and the issuer's public key as the secret, which everybody knows."""
    signed = f"{b64({'alg': 'HS256', 'kid': KEY.kid})}.{b64(claims)}"
    signature = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def signed_with_another_key(claims: dict) -> str:
    other = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "kid": KEY.kid}, claims, other, algorithms=["RS256"])


def tampered(claims: dict) -> str:
    header, _, signature = jwt.encode({"alg": "RS256", "kid": KEY.kid}, claims, KEY, algorithms=["RS256"]).split(".")
    return f"{header}.{b64({**claims, 'fhirUser': 'Practitioner/boss'})}.{signature}"


FORGERIES = [
    unsigned,
    signed_with_the_public_key,
    signed_with_another_key,
    tampered,
    lambda _: None,
    lambda _: "",
    lambda _: "x.y",
    lambda _: "....",
    lambda _: "e30.e30.e30",
    lambda _: "é" * 100,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_attack_19_a_forged_or_missing_id_token_opens_nothing(browser, ehr, core, forge):
    ehr.id_token = forge
    response = browser.sign_in()
    assert response.status_code == 400
    assert browser.client.get_cookie("__Host-verstel", domain="app.example") is None
    assert opened(core) == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": f"{AUTH}/"},
        {"iss": None},
        {"aud": "another-app"},
        {"aud": ["another-app"]},
        {"aud": ["verstel", "another-app"]},  # for two, and not authorised for us by name
        {"aud": None},
        {"exp": NOW - 61},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"nonce": "of another sign-in"},
        {"nonce": None},
    ],
)
def test_attack_19_a_claim_that_does_not_fit_opens_nothing(browser, ehr, core, caplog, claims):
    caplog.set_level("INFO")
    sign = ehr.id_token
    ehr.id_token = lambda given: sign({k: v for k, v in {**given, **claims}.items() if v is not None})
    assert browser.sign_in().status_code == 400
    assert opened(core) == 0
    assert browser.client.get_cookie("__Host-verstel", domain="app.example") is None
    [said] = [one for one in caplog.messages if one.startswith("400 ")]
    assert said.startswith("400 id-token-")


@pytest.mark.parametrize(
    "claims", [{"aud": ["verstel"]}, {"aud": ["verstel", "other"], "azp": "verstel"}, {"exp": NOW - 59}]
)
def test_what_openid_allows_is_accepted(browser, ehr, core, claims):
    ehr.claims |= claims
    assert core.launches.get(browser.enter()).user.reference == "Practitioner/p1"


def test_attack_19_an_unknown_key_is_looked_up_once_more_and_then_refused(browser, ehr):
    browser.enter()
    ehr.header["kid"] = "unknown"
    assert browser.sign_in().status_code == 400
    assert len(ehr.calls("/jwks")) == 2


def test_a_key_that_the_issuer_added_is_found(browser, ehr, core):
    browser.enter()
    new = ECKey.generate_key("P-384", auto_kid=True)
    ehr.jwks["keys"].append(new.as_dict(private=False))
    ehr.id_token = lambda claims: jwt.encode({"alg": "ES384", "kid": new.kid}, claims, new, algorithms=["ES384"])
    browser.enter()
    assert opened(core) == 2
    assert len(ehr.calls("/jwks")) == 2


def test_an_issuer_whose_keys_cannot_be_fetched_lets_nobody_in_and_the_log_says_why(browser, ehr, core, caplog):
    caplog.set_level("INFO")
    ehr.mock.replace("GET", f"{AUTH}/jwks", body=requests.ConnectionError())
    assert browser.sign_in().status_code == 400
    assert opened(core) == 0
    assert "400 jwks-unreachable" in caplog.messages


class TestAnIssuerWhereASecondFactorIsAskedFor:
    @pytest.fixture
    def issuers(self):
        return (Issuer(base=BASE, name="E", client_id="verstel", hosts=HOSTS, acr=("loa3", "loa4"), max_age=3600),)

    @pytest.mark.parametrize("claims", [{"acr": "loa3", "auth_time": NOW}, {"acr": "loa4", "auth_time": NOW - 3660}])
    def test_it_is_asked_for_and_who_has_it_comes_in(self, browser, ehr, claims):
        ehr.claims |= claims
        asked = browser.begin()
        assert (asked["acr_values"], asked["max_age"]) == ("loa3 loa4", "3600")
        assert browser.finish(asked).status_code == 303

    @pytest.mark.parametrize(
        ("claims", "code"),
        [
            ({"acr": "loa2"}, "id-token-acr"),
            ({"acr": "loa3 loa4"}, "id-token-acr"),
            ({"acr": ["loa3"]}, "id-token-acr"),
            ({"acr": None}, "id-token-acr"),
            ({"auth_time": NOW - 3661}, "id-token-auth_time"),
            ({"auth_time": None}, "id-token-auth_time"),
            ({"auth_time": str(NOW)}, "id-token-auth_time"),
        ],
    )
    def test_who_has_less_does_not_whatever_we_asked_for(self, browser, core, claims, code):
        browser.ehr.claims |= {"acr": "loa3", "auth_time": NOW, **claims}
        assert browser.sign_in().status_code == 400
        assert opened(core) == 0
        assert [entry.reason for entry in core.audit.entries()] == [code]


def test_an_issuer_without_these_settings_is_asked_for_neither(browser):
    assert not {"acr_values", "max_age"} & set(browser.begin())


@pytest.mark.parametrize(
    "other", [{"kty": "EC", "crv": "not-ours", "x": "AA", "y": "AA"}, {"kty": "RSA"}, {"kty": "new"}, 7, None]
)
def test_a_key_that_we_cannot_read_does_not_hide_the_others(browser, ehr, core, other):
    """RFC 7517 5: keys of a kind that is not understood are to be ignored."""
    ehr.jwks["keys"].insert(0, other)
    assert core.launches.get(browser.enter()).user.reference == "Practitioner/p1"


@pytest.mark.parametrize("others", [[], [KEY.as_dict(private=False)]], ids=["alone", "beside a strong one"])
def test_attack_19_a_key_that_can_be_broken_vouches_for_nobody(browser, ehr, core, others):
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, auto_kid=True)
    ehr.jwks = {"keys": [weak.as_dict(private=False), *others]}
    ehr.id_token = lambda claims: jwt.encode({"alg": "RS256", "kid": weak.kid}, claims, weak, algorithms=["RS256"])
    assert browser.sign_in().status_code == 400
    assert opened(core) == 0


@pytest.mark.parametrize("jwks", [{}, {"keys": []}, {"keys": "none"}, {"keys": [{"kty": "nonsense"}]}, []])
def test_a_key_set_that_is_none_is_refused(browser, ehr, core, jwks):
    ehr.jwks = jwks
    assert browser.sign_in().status_code == 400
    assert opened(core) == 0
