"""A sign-in by a form (SMART's `authorize-post`): what is asked stands in no address."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.smartapp.smart.ehr import APP, AUTH, BASE

LAUNCH = f"/launch?iss={BASE}&launch=chart-7"


class Form(HTMLParser):
    """The one form of a page, as a browser would send it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str | None]] = []
        self.fields: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append(found)
        if tag == "input":
            self.fields[found["name"] or ""] = found["value"] or ""


@pytest.fixture
def by_form(core) -> None:
    core.settings = replace(core.settings, issuers=(replace(core.settings.issuers[0], authorize="post"),))


def policy_of(page) -> dict[str, str]:
    rules = page.headers["Content-Security-Policy"].split("; ")
    return {name: rest for name, _, rest in (rule.partition(" ") for rule in rules)}


def test_the_form_holds_what_the_address_would_have_held(browser, core, ehr):
    in_address = dict(parse_qsl(urlsplit(browser.get(LAUNCH).headers["Location"]).query))
    core.settings = replace(core.settings, issuers=(replace(core.settings.issuers[0], authorize="post"),))
    page = browser.get(LAUNCH)
    form = Form(page.text)
    assert (page.status_code, "Location" in page.headers) == (200, False)
    assert [(one["method"], one["action"]) for one in form.forms] == [("post", f"{AUTH}/authorize")]
    changing = {"state", "nonce", "code_challenge"}
    assert {**form.fields, **dict.fromkeys(changing)} == {**in_address, **dict.fromkeys(changing)}
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("by_form")
def test_a_sign_in_by_a_form_is_finished_as_any_other(browser, ehr):
    asked = Form(browser.get(LAUNCH).text).fields
    assert browser.finish(asked).status_code == 303
    assert ehr.form()["grant_type"] == "authorization_code"


@pytest.mark.usefixtures("by_form", "ehr")
def test_another_browser_cannot_finish_it(browser, another_browser):
    assert another_browser.finish(Form(browser.get(LAUNCH).text).fields).status_code == 400


@pytest.mark.usefixtures("by_form", "ehr")
def test_its_page_alone_lets_a_form_leave_and_nothing_else(browser):
    onward, other = policy_of(browser.get(LAUNCH)), policy_of(browser.get("/goodbye"))
    assert "form-action" not in onward
    assert other["form-action"] == "'self'"
    assert onward["default-src"] == "'none'"
    assert onward["script-src"] == "'self'"
    assert onward["frame-ancestors"] == "https://ehr.example"


@pytest.mark.usefixtures("by_form")
def test_what_comes_from_the_ehr_is_written_as_text(browser, ehr):
    ehr.configuration["authorization_endpoint"] = f'{AUTH}/authorize?a="><script>b</script>'
    page = browser.get(f'/launch?iss={BASE}&launch="><script>alert(1)</script>')
    assert "<script>" not in page.text
    assert Form(page.text).fields["launch"] == '"><script>alert(1)</script>'


@pytest.mark.usefixtures("by_form")
def test_what_is_pushed_needs_no_form(browser, ehr):
    ehr.configuration["pushed_authorization_request_endpoint"] = f"{AUTH}/par"
    ehr.mock.add("POST", f"{AUTH}/par", json={"request_uri": "urn:x"}, status=201)
    response = browser.get(LAUNCH)
    assert response.headers["Location"] == f"{AUTH}/authorize?client_id=verstel&request_uri=urn%3Ax"


@pytest.mark.usefixtures("by_form", "ehr")
@pytest.mark.parametrize(("language", "words"), [("nl", "Ga door naar het inloggen"), ("en", "Go on to signing in")])
def test_a_person_without_javascript_reads_what_to_press(app, language, words):
    page = app.test_client().get(f"{LAUNCH}&lang={language}", base_url=APP)
    assert words in page.text
