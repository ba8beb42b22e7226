"""What the issuers file may say of a domain, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartapp.settings import CASELOAD_SCOPES, ConfigError, Hooks, Issuer, Koppeltaal, read_issuers

DOMAIN = """
[[issuer]]
base = "https://domain.example/fhir/r4"
name = "GGZ Noord"
client_id = "verstel-1"
auth = "private_key_jwt"
"""


def read(tmp_path: Path, more: str) -> Issuer:
    file = tmp_path / "issuers.toml"
    file.write_text(DOMAIN + more, encoding="utf-8")
    return read_issuers(file, {})[0]


def test_the_device_is_named_by_the_client_id_where_nothing_else_is_said(tmp_path):
    assert read(tmp_path, "[issuer.koppeltaal]").koppeltaal == Koppeltaal(device="Device/verstel-1")


def test_without_its_table_it_is_no_domain(tmp_path):
    assert read(tmp_path, "").koppeltaal is None


def test_a_domain_has_its_own_scopes_and_roles_and_a_place_may_say_otherwise(tmp_path):
    roles = '[issuer.roles]\n"http://snomed.info/sct|224608005" = "case-manager"\n[issuer.koppeltaal]'
    issuer = read(tmp_path, roles)
    assert issuer.scopes == "launch openid fhirUser"
    assert issuer.roles["http://snomed.info/sct|405623001"] == "clinician"
    assert issuer.roles["http://snomed.info/sct|224608005"] == "case-manager"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('device = "verstel-1"', "device is 'verstel-1'"),
        ('nonce = "never"', "nonce"),
        ('scope = "x"', "scope"),
        ('publisher_id = "a b"', "publisher_id"),
        ('clients_start = ["hoop"]', "clients_start has 'hoop'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, wrong, said):
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, f"[issuer.koppeltaal]\n{wrong}")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"auth": "public"}, "private_key_jwt"),
        ({"scopes": "openid fhirUser launch"}, "scopes"),
        ({"caseload_scopes": CASELOAD_SCOPES}, "caseload_scopes"),
        ({"companion": "https://fhir.example.org/r4"}, "companion"),
        ({"messages_client_id": "m"}, "messages_client_id"),
        ({"hooks": Hooks(iss="https://x.example", jku="https://x.example/jwks")}, "hooks"),
        ({"dpop": "required"}, "dpop"),
    ],
)
def test_what_no_domain_has_is_refused(more, said):
    values = {"base": "https://domain.example/fhir/r4", "name": "n", "client_id": "c", "auth": "private_key_jwt"}
    with pytest.raises(ConfigError, match=said):
        Issuer(**{**values, **more}, koppeltaal=Koppeltaal(device="Device/c"))
    if "auth" not in more:
        assert Issuer(**{**values, **more}).koppeltaal is None
