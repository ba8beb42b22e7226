"""What is said of sign-ins at a stranger's server: each way in which one can go wrong is a complaint."""

from __future__ import annotations

import pytest
import responses

from smartapp.settings import Issuer
from tests.conformance.sign_in import oidc


def test_what_holds_is_counted_and_what_does_not_is_named():
    checks = oidc.Checks()
    checks.holds("one", held=True)
    checks.holds("two", None, "404 at /callback")
    with checks.noted("three"):
        raise ValueError("no answer")
    with checks.noted("four"):
        pass
    assert (checks.of, checks.failed) == (4, ["two: 404 at /callback", "three: ValueError no answer"])


@pytest.mark.parametrize(("status", "failed"), [(401, []), (200, ["stolen: 200"])])
@responses.activate
def test_a_token_that_opens_something_is_named(status, failed):
    responses.add("GET", "https://a.example/", status=status)
    checks = oidc.Checks()
    checks.status("stolen", "https://a.example/", {}, 401)
    assert checks.failed == failed


def test_each_client_is_known_on_both_sides_in_one_way():
    """A client that the settings know in another way than the server would fail for that and for nothing else."""
    ways = {
        ("public", "basic"): "none",
        ("client_secret", "basic"): "client_secret_basic",
        ("client_secret", "post"): "client_secret_post",
        ("private_key_jwt", "basic"): "private_key_jwt",
    }
    for name, known in oidc.CLIENTS.items():
        issuer = Issuer(base="https://a.example", name="A", client_id=name, **oidc.OURS[name])
        assert ways[issuer.auth, issuer.secret_as] == known["token_endpoint_auth_method"]
        assert issuer.client_secret == known.get("client_secret")
