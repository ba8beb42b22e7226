"""What the app shows to whoever asks without being anybody: as little as it can."""

from __future__ import annotations

import pytest

from tests.smartapp.helpers import launched, make_app

ADDRESSES = ("/", "/goodbye", "/nothing-here", "/healthz", "/.well-known/jwks.json")


class Clock:
    now = 1_770_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def app():
    return make_app(Clock())


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_other_site_may_read_an_answer(app, address):
    headers = app.test_client().get(address, headers={"Origin": "https://evil.example"}).headers
    assert not [name for name, _ in headers if name.startswith("Access-Control-")]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_says_what_it_is(app, address):
    kind = app.test_client().get(address).headers["Content-Type"]
    assert kind in ("text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json")


@pytest.mark.parametrize("folder", ["/assets", "/assets/", "/.git/config", "/assets/../settings.py"])
def test_no_folder_is_listed_and_nothing_beside_the_assets_is_given(app, folder):
    assert app.test_client().get(folder).status_code == 404


def test_no_request_is_echoed(app):
    anna = launched(app)
    for address in ("/", f"/l/{anna.launch.id}/"):
        assert anna.client.open(address, method="TRACE").status_code == 405


def test_no_variable_of_the_environment_turns_debugging_on(monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert not make_app(Clock()).debug


def test_a_host_name_that_is_not_ours_gets_nothing_and_is_a_line_in_the_log_without_it(app, caplog):
    with caplog.at_level("INFO"):
        answer = app.test_client().get("/", headers={"Host": "somebody.example"})
    assert (answer.status_code, "somebody" in answer.text) == (400, False)
    assert "400 strange-host" in [record.getMessage() for record in caplog.records]
    assert "somebody" not in caplog.text
