"""Language, dates and numbers follow the reader."""

from __future__ import annotations

import datetime as dt

import pytest

from smartapp.i18n import Messages
from smartapp.services import KEY
from smartapp.web.language import coming, format_date, format_datetime, format_list, format_number, language
from tests.smartapp.helpers import launched, make_app


@pytest.fixture
def page(app):
    """Return a function that pushes a request with a query string and headers."""
    return lambda query="", **headers: app.test_request_context(f"/components{query}", headers=headers)


def test_dutch_is_the_default(page):
    with page():
        assert language() == "nl"


def test_the_address_wins_over_the_cookie(page):
    with page("?lang=en", Cookie="verstel-language=nl"):
        assert language() == "en"


def test_the_cookie_wins_over_the_launch(page):
    with page(Cookie="verstel-language=en"):
        assert language() == "en"


def test_the_launch_may_ask_for_english(app):
    assert 'lang="en"' in launched(app, language="en-GB").get("").text


@pytest.mark.parametrize("wish", ["de", "", "<script>", "nl_BE.UTF-8"])
def test_a_language_we_do_not_speak_becomes_dutch(page, wish):
    with page(f"?lang={wish}"):
        assert language() == "nl"


def test_switching_is_remembered(app):
    client = app.test_client()
    client.get("/components?lang=en")
    assert '<html lang="en">' in client.get("/components").text


def test_over_https_the_cookie_is_of_this_host_and_goes_nowhere_else():
    client = make_app(public_url="https://verstel.example").test_client()
    [line] = [
        one
        for one in client.get("/components?lang=en", base_url="https://verstel.example").headers.getlist("Set-Cookie")
        if "language" in one
    ]
    name, *rules = line.split("; ")
    assert name == "__Host-verstel-language=en"
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"} < set(rules)
    assert not any(rule.startswith("Domain=") for rule in rules)
    client.set_cookie("verstel-language", "nl", domain="verstel.example")  # which another host of the site can set
    assert '<html lang="en">' in client.get("/components", base_url="https://verstel.example").text


def test_the_switch_keeps_the_rest_of_the_address(app):
    page = app.test_client().get("/components?item=hoop-03&lang=nl").text
    assert 'href="?item=hoop-03&amp;lang=en"' in page


def test_a_number_is_written_the_dutch_way(page):
    with page():
        assert (format_number(3.25), format_number(36.0), format_number(1234.5)) == ("3,25", "36", "1.234,5")


def test_a_number_is_written_the_english_way(page):
    with page("?lang=en"):
        assert format_number(3.256) == "3.26"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2026-03-03", "3 maart 2026"),
        ("2026-03", "maart 2026"),
        ("2026", "2026"),
        (dt.date(2026, 3, 3), "3 maart 2026"),
        (None, ""),
        ("", ""),
        # 23:30 in UTC is half past midnight the next day in Amsterdam (winter, +1)
        ("2026-03-02T23:30:00Z", "3 maart 2026"),
    ],
)
def test_dates_are_written_as_people_say_them(page, value, written):
    with page():
        assert format_date(value) == written


def test_an_instant_is_shown_in_the_time_of_the_place(page):
    with page():  # summer time, +2
        assert format_datetime("2026-07-01T10:05:00Z") == "1 juli 2026, 12:05"


def test_a_list_ends_with_and(page):
    with page():
        assert format_list(["a", "b", "c"]) == "a, b en c"


def test_values_in_a_template_are_escaped(app):
    with app.test_request_context("/"):
        text = app.jinja_env.from_string('{{ _("Record of") }} {{ _("Of %(name)s", name=name) }}')
        assert text.render(name="<b>") == "Dossier van Of &lt;b&gt;"


def test_plural_follows_the_number(tmp_path):
    file = tmp_path / "nl.po"
    file.write_text('msgid "%(num)s step"\nmsgid_plural "%(num)s steps"\nmsgstr[0] "stap"\nmsgstr[1] "stappen"\n')
    dutch = Messages.read(file)
    assert [dutch.many("%(num)s step", "%(num)s steps", n) for n in (0, 1, 2)] == ["stappen", "stap", "stappen"]


@pytest.mark.parametrize("form", ["je", "u"])
def test_a_place_says_je_or_u(form):
    app = make_app(form_of_address=form)
    page = launched(app).get("").text
    app.extensions[KEY].engine.dispose()
    assert ("Jij bepaalt" in page) == (form == "je")
    assert ("U bepaalt" in page) == (form == "u")


def test_an_unknown_key_stays_readable():
    assert Messages({}).one("Not yet translated") == "Not yet translated"


@pytest.mark.parametrize(
    ("day", "comes"),
    [
        ("2026-11-26", False),
        ("2026-11-27", True),
        ("2026-11", True),
        ("2026-10", False),
        ("2026", True),
        ("2026-11-27T00:30:00+01:00", True),
        ("2026-11-26T23:30:00+01:00", False),
        ("", False),
        (None, False),
    ],
)
def test_a_day_comes_until_it_is_over(app, monkeypatch, day, comes):
    monkeypatch.setattr("smartapp.web.current.today", lambda: "2026-11-27")
    with app.test_request_context("/"):
        assert coming(day) == (day if comes else "")
