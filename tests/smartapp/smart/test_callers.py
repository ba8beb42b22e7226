"""Who asks our CDS Hooks services: each rule about their token, kept and broken."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass

import pytest
import responses
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from smartapp.settings import ConfigError, Hooks, Issuer
from smartapp.smart.callers import LONGEST_SECONDS, Callers, NotTrusted
from smartapp.storage.database import open_database
from smartapp.storage.hook_calls import HOOK_CALLS, HookCalls
from tests.cds_hooks import CdsClient
from tests.smartapp.helpers import settings

ISS, JKU = "https://ehr.example/cds", "https://ehr.example/cds/jwks"
HERE = "https://app.example/cds-services/verstel-patient-view"


@pytest.fixture
def client() -> CdsClient:
    return CdsClient(ISS, "https://ehr.example/fhir", "https://app.example/cds-services", print, print)


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'calls.db'}")
    yield engine
    engine.dispose()


def callers(engine, hooks: Hooks) -> Callers:
    issuer = Issuer(base="https://ehr.example/fhir", name="EHR", client_id="verstel", hooks=hooks)
    other = Issuer(base="https://other.example/fhir", name="Other", client_id="verstel")
    return Callers(settings(issuers=(issuer, other)), HookCalls(engine, time.time), time.time)


@pytest.fixture
def known(engine, client) -> Callers:
    """Callers who know the client by its keys, as they were handed over."""
    return callers(engine, Hooks(iss=ISS, keys=client.jwks))


@dataclass(frozen=True)
class In:
    """So many seconds from when the test runs, which may be long after it was collected."""

    seconds: int


def why(callers_: Callers, token: str, at: str = HERE) -> str:
    """Return why a token is refused, "" where it is not."""
    try:
        assert callers_.verify(f"Bearer {token}", at).iss == ISS
    except NotTrusted as error:
        return error.code
    return ""


def test_a_client_that_proves_itself_is_known_with_its_issuers(known, client):
    caller = known.verify(f"Bearer {client.token(HERE)}", HERE)
    assert caller.issuer("https://ehr.example/fhir").name == "EHR"
    assert caller.issuer("https://other.example/fhir") is None
    assert why(known, client.token([HERE])) == ""


def test_rs384_is_as_good(engine):
    key = RSAKey.generate_key(2048, {"kid": "r"})
    rsa = callers(engine, Hooks(iss=ISS, keys={"keys": [{**key.as_dict(private=False), "kid": "r"}]}))
    now = int(time.time())
    claims = {"iss": ISS, "aud": HERE, "iat": now, "exp": now + 60, "jti": "1"}
    assert why(rsa, jwt.encode({"alg": "RS384", "typ": "JWT", "kid": "r"}, claims, key, algorithms=["RS384"])) == ""
    again = {**claims, "jti": "2"}
    assert (
        why(rsa, jwt.encode({"alg": "RS256", "typ": "JWT", "kid": "r"}, again, key, algorithms=["RS256"]))
        == "token-alg"
    )


@pytest.mark.parametrize(
    ("header", "claims", "code"),
    [
        ({"alg": "none"}, {}, "token-alg"),
        ({"alg": "HS256"}, {}, "token-alg"),
        ({"alg": "ES256"}, {}, "token-alg"),
        ({"typ": None}, {}, "token-typ"),
        ({"typ": "at+jwt"}, {}, "token-typ"),
        ({"kid": None}, {}, "token-kid"),
        ({"kid": "another"}, {}, "key-unknown"),
        ({"jku": JKU}, {}, "token-jku"),
        ({"jku": None}, {"iss": "https://other.example"}, "iss-unknown"),
        ({}, {"iss": None}, "iss-unknown"),
        ({}, {"iss": [ISS]}, "iss-unknown"),
        ({}, {"aud": None}, "token-missing_claim"),
        ({}, {"aud": "https://app.example/cds-services"}, "token-invalid_claim"),
        ({}, {"aud": HERE + "/"}, "token-invalid_claim"),
        ({}, {"aud": [HERE, "https://other.example/cds-services/x"]}, "token-aud"),
        ({}, {"exp": In(-120)}, "token-expired_token"),
        ({}, {"exp": None}, "token-missing_claim"),
        ({}, {"exp": "soon"}, "token-invalid_claim"),
        ({}, {"exp": In(LONGEST_SECONDS + 600)}, "token-too-long"),
        ({}, {"iat": None}, "token-missing_claim"),
        ({}, {"iat": In(600)}, "token-invalid_claim"),
        ({}, {"nbf": In(600)}, "token-invalid_claim"),
        ({}, {"jti": None}, "token-missing_claim"),
        ({}, {"jti": 7}, "token-invalid_claim"),
        ({}, {"jti": ""}, "token-invalid_claim"),
        ({}, {"exp": float("nan")}, "token-invalid_claim"),
        ({}, {"exp": True}, "token-invalid_claim"),
        ({}, {"jti": "x" * 501}, "token-jti"),
    ],
)
def test_attack_42_a_token_that_breaks_one_rule_proves_nothing(known, client, header, claims, code):
    said = {
        name: int(time.time()) + value.seconds if isinstance(value, In) else value for name, value in claims.items()
    }
    assert why(known, client.token(HERE, header=header, **said)) == code
    assert why(known, client.token(HERE)) == ""


def test_attack_42_a_token_without_a_signature_or_with_a_secret_made_of_the_public_key_proves_nothing(known, client):
    head, body, _signature = client.token(HERE).split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT", "kid": "key-1"}).encode()).decode()
    assert why(known, f"{none.rstrip('=')}.{body}.") == "token-alg"
    assert why(known, f"{head}.{body}.") != ""
    secret = OctKey.import_key(json.dumps(client.jwks))
    claims = {"iss": ISS, "aud": HERE, "iat": int(time.time()), "exp": int(time.time()) + 60, "jti": "1"}
    forged = jwt.encode({"alg": "HS384", "typ": "JWT", "kid": "key-1"}, claims, secret, algorithms=["HS384"])
    assert why(known, forged) == "token-alg"


def test_attack_42_a_token_of_another_key_under_a_known_name_proves_nothing(known, client):
    other = CdsClient(ISS, client.fhir_server, client.services, print, print)
    assert why(known, other.token(HERE)) == "token-bad_signature"
    head, _body, signature = client.token(HERE).split(".")
    _head, body, _signature = client.token(HERE, jti="mine").split(".")
    assert why(known, f"{head}.{body}.{signature}") == "token-bad_signature"


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer x", "Bearer a.b.c", "Bearer " + "a" * 9000]
)
def test_what_is_no_token_proves_nothing(known, said):
    with pytest.raises(NotTrusted):
        known.verify(said, HERE)


def test_attack_42_a_token_works_once_in_whichever_process_it_comes(tmp_path, client):
    """Two installations on one database stand for two processes; eight of their threads try at once."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    engines = [open_database(url), open_database(url)]
    both = [callers(engine, Hooks(iss=ISS, keys=client.jwks)) for engine in engines]
    token, said, gate = client.token(HERE), [], threading.Barrier(8)

    def try_it(number: int) -> None:
        gate.wait()
        said.append(why(both[number % 2], token))

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["", *["token-again"] * 7]
    for engine in engines:
        engine.dispose()


def test_the_same_id_of_two_clients_is_two_tokens_and_what_has_ended_is_forgotten(engine):
    now = [1000.0]
    calls = HookCalls(engine, lambda: now[0])
    assert calls.first_use("a", "1", 1060)
    assert calls.first_use("b", "1", 1060)
    assert not calls.first_use("a", "1", 1060)
    # The parts of a name can't be moved from one to the other.
    assert calls.first_use("a|1", "1", 1060)
    assert calls.first_use("a", "1|1", 1060)
    now[0] = 1061.0
    assert calls.first_use("c", "1", 2000)
    with engine.connect() as connection:
        assert connection.execute(HOOK_CALLS.select()).one().until == 2000


# --- keys at an address -----------------------------------------------------------------------------------------------


@pytest.fixture
def at_jku(engine) -> Callers:
    return callers(engine, Hooks(iss=ISS, jku=JKU))


def test_keys_at_the_configured_address_are_fetched_and_kept(at_jku, client):
    with responses.RequestsMock() as mock:
        mock.get(JKU, json=client.jwks)
        assert why(at_jku, client.token(HERE, header={"jku": JKU})) == ""
        assert why(at_jku, client.token(HERE)) == ""
        assert len(mock.calls) == 1


def test_attack_42_another_address_of_keys_is_refused_and_never_asked(at_jku, client):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for url in ("https://evil.example/jwks", "http://169.254.169.254/", JKU + "/", JKU + "?x", ""):
            mock.get(url or "https://none.example", json=client.jwks)
            assert why(at_jku, client.token(HERE, header={"jku": url})) == "token-jku"
        assert len(mock.calls) == 0


def test_a_key_that_is_new_is_looked_for_once_more(at_jku, client):
    new = CdsClient(ISS, client.fhir_server, client.services, print, print, kid="key-2")
    with responses.RequestsMock() as mock:
        mock.get(JKU, json=client.jwks)
        mock.get(JKU, json={"keys": [*client.jwks["keys"], *new.jwks["keys"]]})
        assert why(at_jku, client.token(HERE)) == ""
        assert why(at_jku, new.token(HERE)) == ""
        assert len(mock.calls) == 2


@pytest.mark.parametrize(
    "said", [{"status": 500}, {"json": {"keys": []}}, {"json": []}, {"body": "no"}, {"status": 302}]
)
def test_an_address_that_gives_no_keys_proves_nothing(at_jku, client, said):
    with responses.RequestsMock() as mock:
        mock.get(JKU, **said)
        assert why(at_jku, client.token(HERE)).startswith("jwks-")


@pytest.mark.filterwarnings("ignore:Key size")
def test_keys_that_are_none_prove_nothing(engine, client):
    small = RSAKey.generate_key(1024, {"kid": "key-1"}).as_dict(private=False)
    p256 = ECKey.generate_key("P-256", {"kid": "key-1"}).as_dict(private=False)
    for keys in ({"keys": [small]}, {"keys": [p256]}, {}, {"keys": 7}):
        assert why(callers(engine, Hooks(iss=ISS, keys=keys)), client.token(HERE)) != ""


# --- the settings -----------------------------------------------------------------------------------------------------


def test_the_settings_say_where_keys_are_in_one_way_and_the_same_everywhere(client):
    for wrong in ({}, {"jku": JKU, "keys": client.jwks}, {"jku": "http://ehr.example/jwks"}):
        with pytest.raises(ConfigError, match="hooks"):
            Hooks(iss=ISS, **wrong)
    with pytest.raises(ConfigError, match="origin"):
        Hooks(iss=ISS, jku=JKU, origins=("https://ehr.example/page",))
    at = [Hooks(iss=ISS, jku=JKU), Hooks(iss=ISS, jku=JKU + "/other")]
    pair = [Issuer(base=f"https://ehr{n}.example", name="EHR", client_id="v", hooks=one) for n, one in enumerate(at)]
    with pytest.raises(ConfigError, match="other keys"):
        settings(issuers=tuple(pair))
