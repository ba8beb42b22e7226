"""Other apps at the sandbox: how they are registered, what they are granted, and how a chart opens them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from smartapp.sandbox import Client
from smartapp.sandbox.registrations import RegistrationError
from smartapp.sandbox.registrations import registered as apps
from smartapp.sandbox.scopes import registered
from tests.smartapp.sandbox.conftest import CALLBACK, Visitor, serve_ehr

LAUNCH = "http://127.0.0.1:1/launch"


def test_an_app_is_registered_in_a_line():
    line = f"id=my-app,redirect_uri={CALLBACK},redirect_uri={CALLBACK}2,launch_uri={LAUNCH},scope=openid patient/*.rs"
    assert apps([line]) == (
        Client("my-app", (CALLBACK, f"{CALLBACK}2"), scope="openid patient/*.rs", launch_uri=LAUNCH),
    )


def test_apps_are_registered_in_a_file(tmp_path):
    file = tmp_path / "apps.toml"
    file.write_text(
        f'[[client]]\nid = "one"\nredirect_uris = ["{CALLBACK}"]\nsecret = "s"\n'
        '[[client]]\nid = "two"\nbackend = true\njwks = { keys = [] }\n',
        encoding="utf-8",
    )
    one, two = apps([str(file)])
    assert (one.id, one.secret, one.redirect_uris) == ("one", "s", (CALLBACK,))
    assert (two.id, two.backend, two.jwks) == ("two", True, {"keys": []})


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"redirect_uri={CALLBACK}", "An app has no id"),
        ("id=my-app", "has no redirect_uri"),
        ("id=my-app,redirect_uri=/callback", "'/callback' is not an absolute http"),
        ("id=my-app,redirect_uri=http://x/#y", "without '#'"),
        (f"id=my-app,redirect_uri={CALLBACK},launch_uri=launch", "'launch' is not an absolute http"),
        (f"id=my-app,redirect_uri={CALLBACK},color=red", "has 'color'"),
        (f"id=my-app,redirect_uri={CALLBACK},secret=", "has 'secret'"),
        (f"id=my-app,redirect_uri={CALLBACK},scope=everything", "'everything' cannot be registered as a scope"),
        (f"id=verstel,redirect_uri={CALLBACK}", "'verstel' is taken"),
        ("apps.toml", "apps.toml cannot be read"),
    ],
)
def test_an_app_that_cannot_be_registered_is_refused_with_what_to_do(line, why):
    with pytest.raises(RegistrationError, match=why):
        apps([line], taken=["verstel"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "has no"),
        ('[[client]]\nid = "x"\ncolor = "red"', "color"),
        ('[[client]]\nid = "x"\nbackend = true', "jwks"),
    ],
)
def test_a_file_that_is_not_right_is_refused(tmp_path, content, why):
    file = tmp_path / "apps.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(RegistrationError, match=why):
        apps([str(file)])


@pytest.mark.parametrize(
    ("asked", "most", "kept"),
    [
        ("openid patient/Goal.cruds", None, "openid patient/Goal.cruds"),
        ("openid fhirUser patient/Goal.cruds", "openid patient/*.rs", "openid patient/Goal.rs"),
        ("patient/Goal.rs user/Goal.rs", "patient/Goal.rs", "patient/Goal.rs"),
        ("patient/*.rs", "patient/Goal.rs", ""),
        ("patient/Goal.read", "patient/Goal.crus", "patient/Goal.read"),
        ("patient/Observation.rs?category=survey", "patient/*.rs", "patient/Observation.rs?category=survey"),
    ],
)
def test_an_app_is_granted_no_more_than_it_was_registered_for(asked, most, kept):
    assert registered(asked, most) == kept


@pytest.fixture
def ehr():
    others = apps([f"id=my-app,redirect_uri={CALLBACK},launch_uri={LAUNCH},scope=openid fhirUser launch patient/*.rs"])
    yield from serve_ehr(clients=(Client("app", (CALLBACK,)), *others))


@pytest.mark.parametrize(("role", "user"), [("clinician", "Practitioner/jansen"), ("client", "Patient/anna")])
def test_another_app_is_launched_from_the_chart_and_reads_what_it_may(ehr, role, user):
    browser = requests.Session()
    to_app = browser.get(
        f"{ehr.sandbox.public_url}/sandbox/launch",
        params={"role": role, "patient": "anna", "app": "my-app"},
        allow_redirects=False,
        timeout=20,
    ).headers["Location"]
    assert to_app.startswith(f"{LAUNCH}?")
    given = dict(parse_qsl(urlsplit(to_app).query))
    assert given["iss"] == ehr.base
    visitor = Visitor(ehr, browser, client_id="my-app")
    code = visitor.code(launch=given["launch"], scope="openid fhirUser launch patient/*.cruds")
    granted = visitor.token(
        grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=visitor.verifier
    ).json()
    assert granted["patient"] == "anna"
    assert granted["scope"] == "openid fhirUser launch patient/*.rs"
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    assert requests.get(f"{ehr.base}/Patient/anna", headers=headers, timeout=20).json()["id"] == "anna"
    refused = requests.post(f"{ehr.base}/Goal", json={"resourceType": "Goal"}, headers=headers, timeout=20)
    assert refused.status_code == 403
    browser.close()


def test_an_app_that_is_not_registered_is_not_launched(ehr):
    for app in ("app", "nobody"):
        page = requests.get(
            f"{ehr.sandbox.public_url}/sandbox/launch",
            params={"role": "client", "patient": "anna", "app": app},
            timeout=20,
        )
        assert page.status_code == 404
        assert "launch_uri" in page.text
