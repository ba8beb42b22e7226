"""Which hosts beside its own a smart-configuration names, for who writes the issuers file."""

from __future__ import annotations

import pytest

from smartapp.smart.discovery import other_hosts

BASE = "https://ehr.example/fhir"


@pytest.mark.parametrize(
    ("document", "hosts"),
    [
        ({"token_endpoint": "https://ehr.example/token", "jwks_uri": "https://ehr.example:8443/keys"}, ()),
        (
            {"token_endpoint": "https://login.example/t", "authorization_endpoint": "https://a.example/a"},
            ("a.example", "login.example"),
        ),
        ({"issuer": "https://login.example", "revocation_endpoint": "https://login.example/r"}, ("login.example",)),
        ({"token_endpoint": "http://[", "jwks_uri": "https://keys.example/k"}, ("keys.example",)),
        ({"token_endpoint": 7, "introspection_endpoint": "https://nobody.example"}, ()),
        ([], ()),
    ],
    ids=["its own", "two, in order", "one, once", "an address that is none", "others are not asked", "no object"],
)
def test_each_host_that_has_to_be_listed_is_named_once(document, hosts):
    assert other_hosts(document, BASE) == hosts
