"""A sign-in that ends: one sentence for the person, which says whose doing it is, and one code for the operator."""

from __future__ import annotations

import json

import pytest
import requests

from tests.smartapp.smart.ehr import AUTH, BASE, opened

DISCOVERY = "Het dossier zegt niet duidelijk hoe je moet inloggen."
UNFINISHED = "Het dossier heeft het inloggen niet afgemaakt."
WHO = "We konden niet zeker weten wie je bent."
WHOSE = "Het dossier zei niet van wie het is."
NO = "Je hebt geen toestemming gegeven, of het dossier liet het niet toe."
FAILED = "Inloggen is niet gelukt"


def answers(address: str, **answer):
    """Return what makes the EHR give another answer at an address."""
    return lambda ehr: ehr.mock.replace("POST" if address.endswith("/token") else "GET", address, **answer)


def without(document: str, member: str):
    return lambda ehr: getattr(ehr, document).pop(member)


@pytest.fixture
def told(core, caplog):
    """Return what looks at a page that ends a sign-in: the sentence that it has of these, and the line of the log."""
    caplog.set_level("INFO")

    def of(page):
        assert opened(core) == 0
        sentences = [one for one in (DISCOVERY, UNFINISHED, WHO, WHOSE, NO, FAILED) if one in page.text]
        lines = [one for one in caplog.messages if one.startswith(f"{page.status_code} ")]
        return [*sentences[:1], *lines]

    return of


CONFIGURATION = f"{BASE}/.well-known/smart-configuration"


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (lambda ehr: ehr.configuration.update(issuer=None), "discovery-issuer"),
        (lambda ehr: ehr.configuration.update(code_challenge_methods_supported=["plain"]), "discovery-no-s256"),
        (without("configuration", "authorization_endpoint"), "discovery-authorization_endpoint"),
        (without("configuration", "token_endpoint"), "discovery-token_endpoint"),
        (without("configuration", "jwks_uri"), "discovery-jwks_uri"),
        (lambda ehr: ehr.configuration.update(revocation_endpoint="http://x"), "discovery-revocation_endpoint"),
        (lambda ehr: ehr.configuration.update(jwks_uri="https://x.example/"), "discovery-jwks_uri-host"),
        (lambda ehr: ehr.configuration.update(issuer="https://["), "discovery-issuer"),
        (answers(CONFIGURATION, json=[]), "discovery-not-an-object"),
        (answers(CONFIGURATION, status=404), "discovery-404"),
        (answers(CONFIGURATION, body=requests.ConnectionError()), "discovery-unreachable"),
    ],
)
def test_a_configuration_that_is_not_clear_is_told_before_anything_begins(browser, ehr, told, bend, code):
    bend(ehr)
    assert told(browser.get(f"/launch?iss={BASE}&launch=chart-7")) == [DISCOVERY, f"502 {code}"]


@pytest.mark.parametrize(
    ("bend", "expected"),
    [
        (answers(f"{AUTH}/token", json=[]), (UNFINISHED, "502 token-not-an-object")),
        (answers(f"{AUTH}/token", body=requests.ConnectionError()), (UNFINISHED, "502 token-unreachable")),
        (lambda ehr: ehr.token.update(access_token="a b"), (UNFINISHED, "502 token-no-access-token")),
        (lambda ehr: ehr.token.update(access_token=""), (UNFINISHED, "502 token-no-access-token")),
        (lambda ehr: ehr.token.update(token_type="mac"), (UNFINISHED, "502 token-not-bearer")),
        (lambda ehr: ehr.token.update(patient=None), (WHOSE, "400 patient-missing")),
        (lambda ehr: setattr(ehr, "id_token", lambda _: None), (WHO, "400 id-token-missing")),
        (lambda ehr: ehr.claims.update(aud=["verstel", "other"]), (WHO, "400 id-token-azp")),
        (lambda ehr: ehr.claims.update(sub=""), (WHO, "400 id-token-invalid_claim")),
        (lambda ehr: ehr.claims.update(exp=1), (WHO, "400 id-token-expired_token")),
        (lambda ehr: ehr.header.update(kid="unknown"), (WHO, "400 id-token-unknown-key")),
        (answers(f"{AUTH}/jwks", status=503), (WHO, "400 jwks-503")),
        (answers(f"{AUTH}/jwks", body=requests.ConnectionError()), (WHO, "400 jwks-unreachable")),
        (answers(f"{AUTH}/jwks", json={"keys": []}), (WHO, "400 jwks-malformed")),
        (answers(f"{AUTH}/jwks", json={"keys": [{"kty": "RSA"}]}), (WHO, "400 jwks-malformed")),
    ],
)
def test_an_answer_that_will_not_do_opens_nothing_and_says_whose_doing_it_is(browser, ehr, told, bend, expected):
    bend(ehr)
    assert told(browser.sign_in()) == list(expected)


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        ("access_denied", NO, "access_denied"),
        ("login_required", UNFINISHED, "login_required"),
        ("server_error", UNFINISHED, "server_error"),
        ("temporarily_unavailable", UNFINISHED, "temporarily_unavailable"),
        ("made_up", UNFINISHED, "other"),
    ],
)
def test_a_sign_in_that_the_ehr_ended_says_who_ended_it(browser, told, error, sentence, code):
    page = browser.get(f"/callback?state={browser.begin()['state']}&error={error}")
    assert told(page) == [sentence, f"400 callback-{code}"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((400, {"error": "invalid_grant"}), "invalid_grant"),
        ((401, {"error": "invalid_client"}), "invalid_client"),
        ((403, {"error": "unauthorized_client"}), "unauthorized_client"),
        ((400, {"error": "of their own"}), "other"),
        ((400, []), "other"),
    ],
)
def test_a_code_that_the_ehr_refuses_is_told_by_a_name_of_the_standard_and_no_other(browser, ehr, told, answer, code):
    status, document = answer
    ehr.token_answer = lambda _form: (status, {}, json.dumps(document))
    assert told(browser.sign_in()) == [FAILED, f"400 token-{code}"]


def test_an_issuer_taken_out_of_the_settings_finishes_no_sign_in(browser, ehr, core, told):
    asked = browser.begin()
    object.__setattr__(core.settings, "issuers", ())
    page = browser.finish(asked)
    assert page.status_code == 400
    assert told(page) == ["400 issuer-removed"]
    assert not ehr.calls("/token")


def test_a_browser_that_kept_no_cookie_is_told_what_to_do_in_a_frame(browser, another_browser, told):
    page = another_browser.finish(browser.begin())
    assert "Je browser bewaarde niet wat wij nodig hebben" in page.text
    assert told(page) == [FAILED, "400 state-other-browser"]


def test_an_ehr_that_names_the_language_of_someone_is_believed(browser, ehr, core):
    ehr.claims["locale"] = "en-GB"
    assert core.launches.get(browser.enter()).language == "en-GB"


def test_a_name_that_only_the_token_tells_is_the_name_of_the_user(browser, ehr, core):
    del ehr.records["Practitioner/p1"]
    ehr.claims["name"] = "Els uit het token"
    assert core.launches.get(browser.enter()).user.display == "Els uit het token"
