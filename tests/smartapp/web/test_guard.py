"""What every request must prove and every answer must say (attacks 14 to 17, 29 to 33, 39 and 40)."""

from __future__ import annotations

import pickle
import re

import pytest
import sqlalchemy as sa
from flask import Blueprint, flash, g, get_flashed_messages, request

from smartapp import create_app
from smartapp.access import PageRights
from smartapp.fhir.own.store import OwnStore
from smartapp.fhir.store import Forbidden, Query, Write
from smartapp.records.outbox import OUTBOX
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.storage.database import writing
from smartapp.storage.sessions import HANDOFF_SECONDS
from smartapp.web.guard import MAX_FORM_BYTES
from smartapp.web.language import _
from tests.smartapp.helpers import EHR, Clock, Visitor, launched, make_app, settings, with_rights

HTTPS = "https://app.example"
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:6a3b7a0e-4d0e-4a3e-9d5e-0c7d7f0b9a11"}],
    "description": {"text": "Naar de markt"},
    "subject": {"reference": "Patient/anna"},
}


@pytest.fixture
def clock() -> Clock:
    return Clock(1_770_000_000.0)


def with_pages(app):
    """Add a page that keeps a note per person, for either role, and one for clinicians only."""
    pages = Blueprint("try", __name__, url_prefix="/try")
    notes: dict[str, list[str]] = {}

    @pages.route("/", methods=["GET", "POST"])
    def note() -> str:
        if request.method == "POST":
            notes.setdefault(g.launch.patient_id, []).append(request.form["note"])
        return f"{g.launch.patient_id}: {notes.get(g.launch.patient_id, [])}"

    @pages.post("/approve")
    def approve() -> str:
        return "approved"

    @pages.get("/breaks")
    def breaks() -> str:
        # Not as one literal: a traceback shows lines of code, and this one must not be what the test finds.
        raise RuntimeError("secret" + " words", g.launch.patient.display)

    @pages.get("/flash")
    def flashed() -> str:
        if "say" in request.args:
            flash(request.args["say"])
            return _("Saved")
        return str(get_flashed_messages())

    app.register_blueprint(pages, url_prefix="/l/<launch_id>/try")
    return app


@pytest.fixture(autouse=True)
def rights(monkeypatch):
    """The table says who may open the pages of these tests."""
    both, team = frozenset(("client", "clinician")), frozenset(("clinician",))
    pages = {"try.*": PageRights(both, both), "try.approve": PageRights(post=team), "reading.*": PageRights(both)}
    with_rights(monkeypatch, pages)


@pytest.fixture
def app(clock):
    app = with_pages(make_app(clock))
    yield app
    app.extensions[KEY].engine.dispose()


@pytest.fixture
def anna(app) -> Visitor:
    return launched(app, "anna", "clinician")


def last_refusal(visitor) -> tuple[str, str]:
    """Return what the log says last, and why."""
    entry = visitor.logged()
    return entry.event, entry.reason


class TestLaunchOfTheAddress:
    def test_a_page_is_about_the_person_of_its_launch(self, anna):
        assert anna.get("try/").text == "anna: []"

    def test_attack_15_a_launch_of_another_session_is_not_there(self, app, anna):
        bram = launched(app, "bram", "clinician")
        anna.post("try/", {"note": "van Anna"})
        response = bram.get(f"/l/{anna.launch.id}/try/")
        assert response.status_code == 404
        assert "van Anna" not in response.text
        assert last_refusal(anna) == ("refused", "no-such-launch")

    @pytest.mark.parametrize("guess", ["x", "0" * 43, "..", "%00"])
    def test_attack_15_a_guessed_launch_is_not_there(self, anna, guess):
        response = anna.get(f"/l/{guess}/try/")
        assert response.status_code == 404
        assert "anna:" not in response.text

    @pytest.mark.parametrize("path", ["/l/%00/try/", "questionnaires/responses/a%00b"])
    def test_a_nul_in_the_address_never_reaches_the_database(self, anna, path):
        """PostgreSQL refuses it as text, which would be an error page of ours."""
        sent = []
        engine = anna.core.engine
        sa.event.listen(engine, "before_cursor_execute", lambda _c, _cursor, _sql, given, *_: sent.append(repr(given)))
        assert anna.get(path).status_code == 404
        assert [each for each in sent if "\\x00" in each] == []

    def test_attack_15_a_refused_launch_is_a_line_in_the_log(self, app, anna):
        app.test_client().get(f"/l/{anna.launch.id}/try/")
        entry = list(anna.core.audit.entries())[-1]
        assert (entry.event, entry.reason, entry.objects) == ("refused", "no-such-launch", ("try.note",))

    def test_attack_14_a_patient_in_the_query_changes_nothing(self, anna):
        assert anna.get("try/?patient=bram&launch_id=x").text == "anna: []"

    def test_attack_16_two_charts_in_one_browser_stay_apart(self, app, anna):
        bram = launched(app, "bram", "clinician", browser=anna)
        for note, chart in (("a1", anna), ("b1", bram), ("a2", anna)):
            chart.post("try/", {"note": note})
        assert anna.get("try/").text == "anna: ['a1', 'a2']"
        assert bram.get("try/").text == "bram: ['b1']"

    def test_attack_16_a_form_about_somebody_else_is_a_conflict_and_given_back(self, anna):
        response = anna.post("try/", {"_for": "bram", "note": "over Bram"})
        assert response.status_code == 409
        assert "over Bram" in response.text
        assert anna.get("try/").text == "anna: []"

    def test_attack_16_a_form_of_one_chart_does_not_work_in_another(self, app, anna):
        bram = launched(app, "bram", "clinician", browser=anna)
        assert anna.post("try/", {**bram.hidden(), "note": "x"}).status_code == 403
        assert (anna.get("try/").text, bram.get("try/").text) == ("anna: []", "bram: []")


class TestRoles:
    def test_attack_17_a_client_may_not_do_what_clinicians_do(self, app):
        client = launched(app, "anna", "client")
        assert client.post("try/approve").status_code == 403
        entry = client.core.audit.of_person(EHR, "Patient/anna")[0]
        assert (entry.event, entry.outcome, entry.objects) == ("denied", "4", ("try.approve",))

    def test_a_clinician_may(self, anna):
        assert anna.post("try/approve").text == "approved"

    def test_attack_17_a_client_gets_no_page_of_the_overview_or_assignments(self, app):
        client = launched(app, "anna", "client")
        for path, view in (("overview/", "overview.index"), ("assignments/", "assignments.index")):
            assert client.get(path).status_code == 403
            entry = client.core.audit.of_person(EHR, "Patient/anna")[0]
            assert (entry.event, entry.outcome, entry.objects) == ("denied", "4", (view,))

    def test_attack_18_a_guest_gets_no_page_at_all(self, app):
        guest = launched(app, "anna", "guest")
        response = guest.get("try/")
        assert response.status_code == 403
        assert "anna:" not in response.text
        assert last_refusal(guest) == ("denied", "guest")
        assert guest.post("logout").status_code == 303
        assert guest.get("try/").status_code == 404  # signed out: there is no launch any more


class TestForms:
    """Attack 33."""

    def test_a_form_of_ours_is_accepted(self, anna):
        headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        assert anna.post("try/", {"note": "x"}, headers=headers).text == "anna: ['x']"

    def test_what_browsers_send_from_pages_without_a_referrer_is_accepted(self, anna):
        headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        assert anna.post("try/", {"note": "x"}, headers=headers).text == "anna: ['x']"

    def test_no_two_pages_hold_the_same_token_so_that_its_length_when_compressed_tells_nothing(self, anna):
        one, other = anna.hidden()["_csrf"], anna.hidden()["_csrf"]
        assert one != other
        assert all(anna.post("try/", {"_csrf": token, "note": "x"}).status_code == 200 for token in (one, other))

    @pytest.mark.parametrize("token", ["", "x", "é", "0" * 64, "A" * 88, "A" * 44])
    def test_a_wrong_token_is_refused_and_the_text_given_back(self, anna, token):
        response = anna.post("try/", {"_csrf": token, "note": "mijn lange verhaal"})
        assert response.status_code == 403
        assert "mijn lange verhaal" in response.text
        assert anna.get("try/").text == "anna: []"

    def test_a_token_of_another_session_is_refused(self, app, anna):
        other = launched(app, "anna", "clinician")
        assert anna.post("try/", {**other.hidden(), "note": "x"}).status_code == 403
        assert anna.get("try/").text == other.get("try/").text == "anna: []"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "http://localhost.evil.example"},
            {"Origin": "http://localhost:81"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        ],
    )
    def test_a_request_from_elsewhere_is_refused_even_with_the_right_token(self, anna, headers):
        response = anna.post("try/", {"note": "mijn verhaal"}, headers=headers)
        assert response.status_code == 403
        assert "mijn verhaal" in response.text
        assert anna.get("try/").text == "anna: []"

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_no_method_goes_round_the_check(self, anna, method):
        assert getattr(anna.client, method)(anna.url("try/"), data={"note": "x"}).status_code in (403, 405)
        assert anna.get("try/").text == "anna: []"

    def test_a_form_larger_than_any_of_ours_is_refused(self, anna):
        response = anna.post("try/", {"note": "x" * (MAX_FORM_BYTES + 1)})
        assert response.status_code == 413
        assert len(response.data) < MAX_FORM_BYTES  # it does not come back either
        assert anna.get("try/").text == "anna: []"

    def test_text_that_is_given_back_is_escaped(self, anna):
        response = anna.post("try/", {"_csrf": "", "note": "<script>alert(1)</script>"})
        assert "<script>alert" not in response.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in response.text

    def test_text_is_given_back_even_when_the_error_page_itself_breaks(self, anna, monkeypatch, caplog):
        monkeypatch.setattr("smartapp.web.error_pages.render_template", lambda *_args, **_more: 1 / 0)
        response = anna.post("try/", {"_csrf": "", "note": "mijn <b>verhaal"})
        assert response.status_code == 403
        assert "mijn &lt;b&gt;verhaal" in response.text
        assert "ZeroDivisionError" in caplog.text

    def test_a_session_that_has_ended_gives_back_what_was_typed(self, anna, clock):
        clock.now += 30 * 60
        response = anna.post("try/", {"note": "mijn lange verhaal"})
        assert response.status_code == 404
        assert "mijn lange verhaal" in response.text
        assert "Test EHR" in response.text  # where to open it again

    def test_only_what_was_typed_is_given_back_as_typed(self, anna, clock):
        """A fingerprint among one's own words would only frighten."""
        clock.now += 30 * 60
        ours = {"seen-note": "e3b0c44298fc1c14", "key": "e3b0c44298fc1c15", "was": "e3b0c44298fc1c16", "next": "17171"}
        response = anna.post("try/", {"note": "mijn lange verhaal", **ours})
        assert "mijn lange verhaal" in response.text
        assert [text for text in ours.values() if text in response.text] == []


class TestSessions:
    """Attack 39."""

    @pytest.mark.parametrize(("minutes", "status"), [(29, 200), (30, 404)])
    def test_a_session_ends_when_nothing_happens(self, anna, clock, minutes, status):
        clock.now += minutes * 60
        response = anna.get("try/")
        assert response.status_code == status
        assert (response.text == "anna: []") == (status == 200)
        # The page of an ended session leads back to where the record can be opened.
        assert ("Test EHR" in response.text) == (status == 404)

    def test_a_session_ends_for_good_whatever_happens(self, anna, clock):
        for _twenty_minutes in range(479 // 20):
            clock.now += 20 * 60
            assert anna.get("try/").status_code == 200
        clock.now += 20 * 60
        assert anna.get("try/").status_code == 404
        assert last_refusal(anna) == ("refused", "no-such-launch")

    def test_an_ended_session_leaves_nothing_in_the_database(self, anna, clock):
        clock.now += 30 * 60
        anna.get("try/")
        with anna.core.engine.connect() as connection:
            tables = ("sessions", "session_cookies", "launches", "tokens", "handoffs")
            assert [connection.exec_driver_sql(f"select count(*) from {table}").scalar() for table in tables] == [0] * 5

    def test_sessions_nobody_comes_back_to_are_wiped(self, anna, clock):
        assert anna.core.end_sessions_that_are_over() == 0
        clock.now += 30 * 60
        assert anna.core.end_sessions_that_are_over() == 1
        assert anna.core.end_sessions_that_are_over() == 0

    def test_signing_out_ends_every_chart_and_clears_the_browser(self, app, anna):
        bram = launched(app, "bram", "clinician", browser=anna)
        response = anna.post("logout")
        assert response.status_code == 303
        assert response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
        assert {chart.get("try/").status_code for chart in (anna, bram)} == {404}
        assert anna.client.get("/goodbye").status_code == 200

    def test_the_database_names_nobody(self, anna):
        anna.core.drafts(anna.launch).change("hoop", lambda _: {"item": "geheime tekst"})
        anna.get("try/flash?say=geheime%20tekst")
        with anna.core.engine.connect() as connection:
            for table in ("launches", "tokens", "sessions", "drafts", "audit", "outbox"):
                rows = pickle.dumps([tuple(row) for row in connection.exec_driver_sql(f"select * from {table}")])
                assert not re.search(rb"Anna|anna|Jansen|jansen|geheime", rows), table


class TestHandoff:
    """Attack 40."""

    def hand_off(self, visitor, path="try/"):
        page = visitor.post("handoff", {"path": visitor.url(path)})
        return re.search(r'href="(/handoff\?code=[^"]+)"', page.text)[1]

    def test_a_tab_without_our_cookie_opens_the_page(self, app, anna):
        tab = app.test_client()
        response = tab.get(self.hand_off(anna))
        assert response.headers["Location"] == anna.url("try/")
        assert tab.get(anna.url("try/")).text == "anna: []"

    def test_it_works_once(self, app, anna):
        address = self.hand_off(anna)
        app.test_client().get(address)
        late = app.test_client()
        assert late.get(address).status_code == 403
        assert late.get(anna.url("try/")).status_code == 404

    @pytest.mark.parametrize(("seconds", "status"), [(HANDOFF_SECONDS - 1, 303), (HANDOFF_SECONDS, 403)])
    def test_it_works_for_a_minute(self, app, anna, clock, seconds, status):
        address = self.hand_off(anna)
        clock.now += seconds
        tab = app.test_client()
        assert tab.get(address).status_code == status
        assert tab.get(anna.url("try/")).status_code == {303: 200, 403: 404}[status]

    def test_a_browser_with_another_session_is_refused(self, app, anna):
        other = launched(app, "bram", "clinician")
        assert other.client.get(self.hand_off(anna)).status_code == 403
        assert other.client.get(anna.url("try/")).status_code == 404
        assert other.get("try/").text == "bram: []"  # its own session goes on

    def test_signing_out_in_one_tab_ends_both(self, app, anna):
        tab = app.test_client()
        tab.get(self.hand_off(anna))
        assert tab.get(anna.url("try/")).text == "anna: []"
        anna.post("logout")
        assert tab.get(anna.url("try/")).status_code == 404

    @pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "/l/other/", "/\\evil.example"])
    def test_attack_10_it_leads_nowhere_else(self, app, anna, path):
        page = anna.post("handoff", {"path": path})
        address = re.search(r'href="(/handoff\?code=[^"]+)"', page.text)[1]
        assert app.test_client().get(address).headers["Location"] == anna.url()

    @pytest.mark.parametrize(
        "path", ["\\evil.example", "..\\..\\evil.example", "plan/\\", "x" * 2000, "a\r\nX-Evil: 1", "a\n"]
    )
    def test_attack_10_a_path_that_a_browser_may_read_otherwise_leads_to_the_first_page(self, app, anna, path):
        assert app.test_client().get(self.hand_off(anna, path)).headers["Location"] == anna.url()


class TestAnswers:
    def test_attack_32_nobody_may_frame_us_unless_the_issuer_says_so(self, anna):
        policy = anna.get("try/").headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "X-Frame-Options" not in anna.get("try/").headers

    def test_attack_32_the_ehr_in_the_settings_may(self, clock):
        issuer = Issuer(base=EHR, name="E", client_id="v", frame_ancestors=("https://ehr.example",))
        visitor = launched(with_pages(make_app(clock, issuers=(issuer,))))
        assert "frame-ancestors https://ehr.example" in visitor.get("try/").headers["Content-Security-Policy"]

    def test_nothing_inline_runs(self, anna):
        policy = anna.get("try/").headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "*" not in policy

    @pytest.mark.parametrize("path", ["try/", "nothing-here", "/goodbye", "/"])
    def test_every_page_also_an_error_is_dressed(self, anna, path):
        headers = anna.get(path).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in headers

    def test_https_is_remembered_where_there_is_https(self, clock):
        app = create_app(settings(public_url=HTTPS), clock=clock)
        response = app.test_client().get("/healthz", base_url=HTTPS)
        assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")

    def test_plain_http_is_not_told_to_remember_https(self, anna):
        assert "Strict-Transport-Security" not in anna.get("try/").headers

    def test_another_host_name_is_refused(self, anna):
        response = anna.client.get("/", base_url="http://evil.example")
        assert response.status_code == 400
        assert response.text == "This is not the address of this app."  # no link that would lead to the other host

    def test_what_one_page_tells_the_next_stays_on_the_server(self, anna):
        response = anna.get("try/flash?say=Bewaard")
        assert "Set-Cookie" not in response.headers
        assert anna.get("try/flash").text == "['Bewaard']"
        assert anna.get("try/flash").text == "[]"

    def test_attack_29_an_unforeseen_error_shows_and_logs_no_words_of_anybody(self, anna, caplog):
        anna.app.config["PROPAGATE_EXCEPTIONS"] = False
        with caplog.at_level("DEBUG"):
            response = anna.get("try/breaks")
        assert response.status_code == 500
        assert "RuntimeError" in caplog.text
        assert "secret words" not in response.text + caplog.text
        assert "Voorbeeld" not in caplog.text


class TestLogOfAccess:
    def test_reading_and_writing_is_one_line_each(self, app):
        store: OwnStore = app.extensions[KEY].local_ehrs[EHR]
        visitor = launched(app, "anna", "clinician")

        blueprint = Blueprint("reading", __name__)

        @blueprint.get("/")
        def read() -> str:
            g.records.search(Query.of("Patient", _id="anna"), Query.of("Goal", patient="Patient/anna"))
            g.records.read("Patient", "anna")
            return "read"

        app.register_blueprint(blueprint, url_prefix="/l/<launch_id>/reading")
        assert visitor.get("reading/").text == "read"
        assert store.read("Patient", "anna")
        [entry] = visitor.core.audit.of_person(EHR, "Patient/anna")
        assert (entry.event, entry.objects) == ("read", ("reading.read", "Patient/anna"))
        assert (entry.user, entry.role, entry.address) == ("Practitioner/jansen", "clinician", "127.0.0.1")

    def test_a_page_with_nothing_on_it_is_a_line_and_one_that_only_leads_there_is_not(self, app):
        clinician = launched(app, "anna", "clinician")
        assert clinician.get("").location == clinician.url("overview/")
        assert clinician.get("overview/").status_code == 200
        [entry] = clinician.core.audit.of_person(EHR, "Patient/anna")
        assert (entry.event, entry.objects) == ("read", ("overview.index",))

    def test_clients_wait_for_no_line_about_their_own_pages(self, app):
        client = launched(app, "anna", "client", resources=[{"resourceType": "Goal", "id": "g1"}])
        assert client.get("").status_code == 200
        assert client.core.audit.of_person(EHR, "Patient/anna") == []

    def test_what_the_record_forbids_is_a_line(self, app):
        blueprint = Blueprint("reading", __name__)
        blueprint.get("/")(lambda: g.records.read("Patient", "anna").reference)
        app.register_blueprint(blueprint, url_prefix="/l/<launch_id>/reading")
        client = launched(app, "anna", "client")
        client.make_flaky().silence = Forbidden("Not for you.")
        assert client.get("reading/").status_code == 403
        [entry] = client.core.audit.of_person(EHR, "Patient/anna")
        assert (entry.event, entry.reason) == ("denied", "ehr-forbids")

    def test_a_forged_form_is_a_line(self, app):
        client = launched(app, "anna", "client")
        client.post("living/story/story/", {"_csrf": "x", "story-story": "x"})
        client.post("living/story/story/", {"story-story": "x"}, headers={"Origin": "https://evil.example"})
        entries = client.core.audit.of_person(EHR, "Patient/anna")
        assert [(entry.event, entry.reason) for entry in entries] == [
            ("denied", "foreign-origin"),
            ("denied", "form-token"),
        ]

    def test_a_form_about_somebody_else_is_a_line(self, app):
        client = launched(app, "anna", "client")
        client.post("living/story/story/", {"_for": "bram", "story-story": "x"})
        [entry] = client.core.audit.of_person(EHR, "Patient/anna")
        assert (entry.event, entry.reason) == ("denied", "other-person")

    def test_what_a_crash_left_half_done_is_one_line_when_the_courier_has_sent_it(self, anna, monkeypatch):
        """The process dies when the record has it and the log does not yet."""

        class Died(BaseException):
            pass

        def die(*_arguments: object, **_more: object) -> None:
            raise Died

        with monkeypatch.context() as dying:
            dying.setattr(anna.core.audit, "_write", die)
            with pytest.raises(Died):
                anna.records.save([Write("create", GOAL)])
        [stored] = anna.ehr.search(Query.of("Goal", patient="Patient/anna"))
        assert anna.core.audit.of_person(EHR, "Patient/anna") == []
        with writing(anna.core.engine) as connection:
            connection.execute(OUTBOX.update().values(leased_until=0))
        anna.courier_comes()
        assert [one.resource["id"] for one in anna.ehr.search(Query.of("Goal"))] == [stored.resource["id"]]
        [entry] = anna.core.audit.of_person(EHR, "Patient/anna")
        assert (entry.event, entry.objects) == ("create", (f"Goal/{stored.resource['id']}/_history/1",))
        assert (entry.user, entry.address) == (anna.launch.user.reference, "")

    def test_one_persons_log_holds_no_line_about_another(self, app, anna):
        bram = launched(app, "bram", "clinician")
        anna.core.audit.record(anna.launch, "read", ["Goal/1"])
        anna.core.audit.record(bram.launch, "read", ["Goal/2"])
        assert [entry.objects for entry in anna.core.audit.of_person(EHR, "Patient/anna")] == [("Goal/1",)]
