"""Proofs of possession, one by one: what is in them, and the numbers that RFC 9449 prints."""

from __future__ import annotations

import base64
import json

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from smartapp.fhir.http import Reply
from smartapp.smart import proofs
from smartapp.smart.proofs import Nonces, ProofKey
from tests.smartapp.smart.ehr import NOW

TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
"""Of RFC 9449, figure 12."""
EXAMPLE = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}
"""The public key of its examples, figure 2."""


def parts(proof: str) -> tuple[dict, dict]:
    """Return header and claims as they are written, without any library that may add or drop something."""
    header, claims, _ = proof.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))


def test_a_proof_holds_what_the_rfc_asks_for_and_nothing_else():
    key = ProofKey.new()
    header, claims = parts(key.proof("POST", "https://as.example/token", NOW + 0.7))
    public = json.loads(key.text)
    assert header == {"typ": "dpop+jwt", "alg": "ES256", "jwk": {name: public[name] for name in EXAMPLE}}
    assert {**claims, "jti": ""} == {"jti": "", "htm": "POST", "htu": "https://as.example/token", "iat": NOW}


def test_a_proof_is_signed_by_the_key_that_it_shows():
    key = ProofKey.new()
    proof = key.proof("GET", "https://a.example/", NOW)
    shown = ECKey.import_key(parts(proof)[0]["jwk"])
    assert jwt.decode(proof, shown, algorithms=["ES256"]).claims["htm"] == "GET"
    with pytest.raises(BadSignatureError):
        jwt.decode(proof, ECKey.generate_key("P-256"), algorithms=["ES256"])


@pytest.mark.parametrize(
    "url", ["https://a.example/r4/Goal?patient=1", "https://a.example/r4/Goal#x", "https://a.example/r4/Goal?a#b?c"]
)
def test_the_address_in_a_proof_has_no_query_and_no_fragment(url):
    assert parts(ProofKey.new().proof("GET", url, NOW))[1]["htu"] == "https://a.example/r4/Goal"


def test_a_proof_for_a_token_has_the_digest_that_the_rfc_prints():
    _, claims = parts(ProofKey.new().proof("GET", "https://a.example/", NOW, token=TOKEN, nonce="n-1"))
    assert claims["ath"] == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    assert claims["nonce"] == "n-1"


def test_the_thumbprint_is_the_one_that_the_rfc_prints():
    assert ProofKey(ECKey.import_key(EXAMPLE)).thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_a_key_that_was_kept_is_the_same_key():
    key = ProofKey.new()
    assert ProofKey.read(key.text).thumbprint == key.thumbprint
    assert "d" in json.loads(key.text)
    assert ProofKey.new().thumbprint != key.thumbprint


def test_a_thousand_proofs_have_a_thousand_names():
    key = ProofKey.new()
    assert len({parts(key.proof("GET", "https://a.example/", NOW))[1]["jti"] for _ in range(1000)}) == 1000


def said(nonce: str) -> Reply:
    return Reply(200, {"DPoP-Nonce": nonce}, b"")


class TestNonces:
    def test_the_newest_of_each_server_is_kept(self):
        nonces = Nonces()
        assert nonces.of("a") == ""
        assert nonces.hear("a", said("one"))
        assert nonces.hear("b", said("two"))
        assert nonces.hear("a", said("three"))
        assert (nonces.of("a"), nonces.of("b")) == ("three", "two")

    @pytest.mark.parametrize("nonce", ["", "one, two", 'quo"te', "back\\slash", "é", "x" * 1025])
    def test_what_no_nonce_can_be_is_none(self, nonce):
        nonces = Nonces()
        nonces.hear("a", said("one"))
        assert not nonces.hear("a", said(nonce))
        assert nonces.of("a") == "one"

    def test_no_more_are_kept_than_there_can_be_servers(self, monkeypatch):
        monkeypatch.setattr(proofs, "_MOST_NONCES", 2)
        nonces = Nonces()
        for server in ("a", "b", "b", "c"):
            nonces.hear(server, said(f"of-{server}"))
        assert [nonces.of(server) for server in ("a", "b", "c")] == ["", "", "of-c"]
