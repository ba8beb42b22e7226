"""The whole sign-in over real HTTP, against the embedded EHR, as a browser does it."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import sqlalchemy as sa

from smartapp.courier import Courier
from smartapp.fhir.store import Query, Write
from smartapp.services import KEY
from smartapp.settings import DEFAULT_SCOPES
from smartapp.storage.passing_on import TO_PASS_ON
from smartapp.web.guard import form_token
from tests.conftest import serve

ANNA = {"resourceType": "Patient", "id": "anna", "name": [{"text": "Anna Voorbeeld"}]}
BRAM = {"resourceType": "Patient", "id": "bram", "name": [{"text": "Bram Voorbeeld"}]}
NURSE = {"resourceType": "Practitioner", "id": "els", "name": [{"given": ["Els"], "family": "Visser"}]}


@pytest.fixture
def server(fresh_server):
    for person in (ANNA, BRAM, NURSE):
        fresh_server.sandbox.store.write(Write("update", person))
    return fresh_server


def open_record(server, browser: requests.Session, role: str, patient: str = "anna") -> requests.Response:
    """Click a link on the sandbox's page and follow every redirect."""
    more = "&user=Practitioner/els" if role == "clinician" else ""
    return browser.get(f"{server.url}/sandbox/launch?role={role}&patient={patient}{more}", timeout=20)


def launch_of(server, response: requests.Response):
    """Return the launch that a browser ended in."""
    core = server.app.extensions[KEY]
    launch_id = urlsplit(response.url).path.split("/")[2]
    asked = sa.text("select session_id from launches where id = :id").bindparams(id=launch_id)
    with core.engine.connect() as connection:
        session_id = connection.execute(asked).scalar()
    return core.launches.find(launch_id, session_id)


@pytest.mark.parametrize(
    ("role", "first_page", "user"),
    [("client", r"/l/[\w-]+/", "Patient/anna"), ("clinician", r"/l/[\w-]+/overview/", "Practitioner/els")],
)
def test_a_real_launch_ends_on_the_first_page_of_the_role(server, role, first_page, user):
    with requests.Session() as browser:
        response = open_record(server, browser, role)
    assert response.status_code == 200, response.text
    assert re.fullmatch(first_page, urlsplit(response.url).path)
    launch = launch_of(server, response)
    assert (launch.patient_id, launch.patient.display, launch.user.reference) == ("anna", "Anna Voorbeeld", user)


def test_attack_16_two_charts_in_one_browser_each_write_to_their_own_person(server):
    core = server.app.extensions[KEY]
    with requests.Session() as browser:
        charts = {who: launch_of(server, open_record(server, browser, "clinician", who)) for who in ("anna", "bram")}
        assert charts["anna"].session_id == charts["bram"].session_id
        for who in ("bram", "anna", "bram"):
            goal = {
                "resourceType": "Goal",
                "lifecycleStatus": "active",
                "description": {"text": f"Doel van {who}"},
                "subject": {"reference": f"Patient/{who}", "display": who},
            }
            core.records(charts[who]).save([Write("create", goal)])
        for who, other, number in (("anna", "bram", 1), ("bram", "anna", 2)):
            [goals] = core.records(charts[who]).search(Query.of("Goal", patient=f"Patient/{who}"))
            assert [one.resource["description"]["text"] for one in goals] == [f"Doel van {who}"] * number
            [none] = core.records(charts[who]).search(Query.of("Goal", patient=f"Patient/{other}"))
            assert none == []


def test_an_access_token_that_has_ended_is_refreshed_on_the_way(server):
    core = server.app.extensions[KEY]
    with requests.Session() as browser:
        launch = launch_of(server, open_record(server, browser, "client"))
    before = core.tokens.find(launch.id)
    server.sandbox.faults.add("GET", "Goal", 401)
    [goals] = core.records(launch).search(Query.of("Goal", patient="Patient/anna"))
    after = core.tokens.find(launch.id)
    assert goals == []
    assert after.access != before.access
    assert after.refresh != before.refresh


@pytest.fixture
def addresses(server) -> list[tuple[str, str, str]]:
    """Method, path and query of each request that the EHR gets, as a proxy before it would log them."""
    seen: list[tuple[str, str, str]] = []
    app = server.app.wsgi_app

    def noting(environ, start_response):
        if environ["PATH_INFO"].startswith("/sandbox/fhir/"):
            seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"]))
        return app(environ, start_response)

    server.app.wsgi_app = noting
    return seen


def searched(server, method: str) -> tuple[str, ...]:
    """Open pages about Anna whose EHR is searched by a method; return what of hers was found, and was shown."""
    core = server.app.extensions[KEY]
    core.settings = replace(core.settings, issuers=tuple(replace(one, search=method) for one in core.settings.issuers))
    with requests.Session() as browser:
        first = open_record(server, browser, "client")
        launch = launch_of(server, first)
        goal = {
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "description": {"text": "Zingen"},
            "subject": {"reference": "Patient/anna"},
        }
        core.records(launch).save([Write("create", goal)])
        for page in ("", "plan/", "scores/"):
            assert browser.get(first.url + page, timeout=20).status_code == 200
    [goals] = core.records(launch).search(Query.of("Goal", patient="Patient/anna"))
    return tuple(one.resource["description"]["text"] for one in goals)


def test_an_ehr_that_is_searched_by_post_has_no_person_in_a_query(server, addresses):
    assert searched(server, "post") == ("Zingen",)
    assert {method for method, path, _query in addresses if path.endswith("/_search")} == {"POST"}
    assert [query for _method, _path, query in addresses if query] == []


def test_an_ehr_that_is_searched_by_get_has_its_own_id_of_a_person_in_a_query_and_no_more(server, addresses):
    assert searched(server, "get") == ("Zingen",)
    queries = [parse_qs(query) for _method, _path, query in addresses if query]
    assert {value for query in queries for value in query.get("patient", [])} <= {"anna", "Patient/anna"}
    assert {name for query in queries for name in query} <= {
        "patient",
        "category",
        "code",
        "_sort",
        "_count",
        "type",
        "status",
        "date",
        "identifier",  # of what is written in living forms: a number that says nothing of who or what
    }
    assert not any("Voorbeeld" in query for _method, _path, query in addresses)


def test_attack_29_nothing_secret_or_personal_is_logged_or_shown_at_debug(server, caplog, capfd):
    core = server.app.extensions[KEY]
    with caplog.at_level("DEBUG"), requests.Session() as browser:
        response = open_record(server, browser, "client")
        launch = launch_of(server, response)
        core.records(launch).search(Query.of("Goal", patient="Patient/anna"))
        broken = browser.get(f"{server.url}/callback?code=the-code-itself&state=the-state-itself", timeout=20)
        tokens = core.tokens.find(launch.id)
        cookie = browser.cookies.get("verstel")
    logged = caplog.text + "".join(capfd.readouterr())
    shown = response.text + broken.text + str(response.headers)
    sent = ("the-code-itself", "the-state-itself", "code_verifier")  # no hexadecimal words: form tokens are random hex
    for secret in (tokens.access, tokens.refresh, cookie, launch.session_id, *sent):
        assert secret not in logged
        assert secret not in shown
    for personal in ("Anna", "Voorbeeld", "Patient/anna"):
        assert personal not in logged
    assert caplog.records  # something was logged, so that this test looks at something


def test_attack_30_the_cookie_holds_an_opaque_id_and_nothing_else(server):
    with requests.Session() as browser:
        open_record(server, browser, "client")
        names = {cookie.name for cookie in browser.cookies if cookie.path == "/"}
        assert names <= {"verstel", "verstel-language"}
        assert re.fullmatch(r"[\w-]{43}", browser.cookies.get("verstel"))  # 256 bits


def test_signing_out_takes_the_token_back_at_the_ehr(server):
    core = server.app.extensions[KEY]
    with requests.Session() as browser:
        response = open_record(server, browser, "client")
        launch = launch_of(server, response)
        token = core.tokens.find(launch.id).access
        read = {"url": f"{server.base}/Patient/anna", "headers": {"Authorization": f"Bearer {token}"}, "timeout": 20}
        assert requests.get(**read).status_code == 200
        form = {"_csrf": form_token(core.settings, launch.session_id, launch.id), "_for": "anna"}
        left = browser.post(f"{server.url}/l/{launch.id}/logout", data=form, timeout=20, allow_redirects=False)
        assert left.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
        assert requests.get(**read).status_code == 401
        assert browser.get(response.url, timeout=20).status_code == 404


@pytest.mark.parametrize(("action", "before"), [("drop", 1), ("drop-before", 0), (503, 0)])
def test_the_ehr_gets_the_log_once_also_where_its_first_answer_was_lost(action, before):
    for server in serve(scopes=f"{DEFAULT_SCOPES} patient/AuditEvent.crs"):
        for person in (ANNA, NURSE):
            server.sandbox.store.write(Write("update", person))
        core = server.app.extensions[KEY]
        with requests.Session() as browser:
            open_record(server, browser, "clinician")
            server.sandbox.faults.add("POST", "AuditEvent", action)
            assert core.pass_on_log()
            assert len(_audit_events(server)) == before
            with core.engine.begin() as connection:
                connection.execute(TO_PASS_ON.update().values(due=0))
            Courier(core).round()
        rows = [entry for entry in core.audit.entries() if entry.patient == "Patient/anna"]
        assert [one["type"]["code"] for one in _audit_events(server)] == ["110114", "rest"]
        assert [row.event for row in rows] == ["launch", "read"]
        assert core.audit.to_pass_on.waiting() == 0


def test_the_row_of_a_sign_out_goes_with_the_next_sign_in_whoever_that_is():
    for server in serve(scopes=f"{DEFAULT_SCOPES} patient/AuditEvent.crs"):
        for person in (ANNA, NURSE):
            server.sandbox.store.write(Write("update", person))
        core = server.app.extensions[KEY]
        with requests.Session() as browser:
            launch = launch_of(server, open_record(server, browser, "clinician"))
            token = form_token(core.settings, launch.session_id, launch.id)
            browser.post(f"{server.url}/l/{launch.id}/logout", {"_csrf": token, "_for": "anna"}, timeout=20)
        Courier(core).round()
        assert _audit_events(server) == []  # the token is revoked: nobody can send for them any more
        with requests.Session() as browser:
            open_record(server, browser, "client")
        Courier(core).round()
        told = [(one["agent"][0]["who"]["reference"], one["action"]) for one in _audit_events(server)]
        assert told == [
            ("Practitioner/els", "E"),
            ("Practitioner/els", "R"),
            ("Practitioner/els", "E"),
            ("Patient/anna", "E"),
        ]


def test_what_was_not_granted_is_not_sent(fresh_server):
    """The issuer of the settings asks for no AuditEvents: nothing waits, and nothing is there."""
    fresh_server.sandbox.store.write(Write("update", ANNA))
    with requests.Session() as browser:
        open_record(fresh_server, browser, "client")
    assert fresh_server.app.extensions[KEY].audit.to_pass_on.waiting() == 0
    assert _audit_events(fresh_server) == []


def _audit_events(server) -> list[dict]:
    """Return what the EHR has, in the order of the rows."""
    found = server.sandbox.store.search(Query.of("AuditEvent", patient="Patient/anna"))
    events = [one.resource for one in found]
    return sorted(events, key=lambda one: one["entity"][-1]["what"]["identifier"]["value"])
