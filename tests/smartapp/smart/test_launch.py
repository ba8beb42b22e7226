"""From an EHR's link to a launch, and every way in which that must not work (numbers: facts on attacks)."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
import responses
from joserfc import jwt
from joserfc.jwk import RSAKey

from questionnaires.canonical import code_system_url
from smartapp import create_app
from smartapp.fhir.store import Write
from smartapp.services import KEY
from smartapp.settings import Issuer
from smartapp.smart.authorization import STATE_SECONDS, login_cookie
from smartapp.storage.strangers import MOST_OF_ONE
from smartapp.web.guard import form_token
from tests.smartapp.helpers import settings
from tests.smartapp.smart.ehr import APP, AUTH, BASE, HOSTS, Browser, Ehr, opened
from tests.smartapp.smart.ehr import KEY as EHR_KEY


def ends_before_it_begins(browser: Browser, caplog, code: str) -> None:
    """See a launch end on a page that blames the record system, with no sign-in begun and `code` in the log."""
    caplog.set_level("INFO")
    response = browser.get(f"/launch?iss={BASE}&launch=x")
    assert response.status_code == 502
    assert "Er gaat iets mis bij het dossier" in response.text
    assert "Set-Cookie" not in response.headers
    assert f"502 {code}" in caplog.messages


def test_a_sign_in_from_the_ehr_opens_the_overview_of_that_person(browser, core):
    response = browser.sign_in()
    launch_id = response.headers["Location"].split("/")[-3]
    session = core.sessions.find(browser.client.get_cookie("__Host-verstel", domain="app.example").value)
    launch = core.launches.find(launch_id, session.id)
    assert response.headers["Location"].endswith(f"/l/{launch.id}/overview/")
    assert (launch.patient.reference, launch.patient.display) == ("Patient/anna", "Anna Voorbeeld")
    assert (launch.user.reference, launch.user.display, launch.user.role) == (
        "Practitioner/p1",
        "Els Visser",
        "clinician",
    )


def test_a_patient_who_signs_in_about_themselves_is_a_client(browser, ehr):
    ehr.claims["fhirUser"] = f"{BASE}/Patient/anna"
    response = browser.sign_in(f"/start?iss={BASE}")
    assert response.headers["Location"].count("/") == 3  # /l/<launch>/


@pytest.mark.parametrize(
    "iss",
    [
        "https://evil.example/fhir",
        "https://ehr.example.evil.example/fhir",  # look-alike host
        "https://user@ehr.example/fhir",
        "https://ehr.example:8443/fhir",
        "http://ehr.example/fhir",
        "https://ehr.example/fhir/",  # a trailing slash is another issuer
        "https://EHR.example/fhir",
        "",
        "http://127.0.0.1:9/",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
    ],
)
def test_attack_1_and_2_an_unknown_issuer_is_refused_without_any_request(browser, ehr, core, iss):
    response = browser.get(f"/launch?iss={iss}&launch=x")
    assert response.status_code == 400
    assert len(ehr.mock.calls) == 0
    [entry] = core.audit.entries()
    assert (entry.event, entry.reason, entry.objects) == ("refused", "unknown-issuer", ("launch",))


def test_a_launch_that_is_nearly_from_a_known_issuer_is_refused_and_the_log_says_how_near(browser, ehr, caplog):
    """`iss` is compared letter for letter; an operator who registers the app must be able to find out what is wrong."""
    caplog.set_level("INFO")
    assert browser.get(f"/launch?iss={BASE}/&launch=x").status_code == 400
    assert "400 issuer-differs-by-a-slash" in caplog.messages
    for stranger in ("&iss=https://nobody.example/", ""):
        caplog.clear()
        assert browser.get(f"/launch?launch=x{stranger}").status_code == 400
        assert "400 unknown-issuer" in caplog.messages


@pytest.mark.parametrize("code", [301, 302, 307])
def test_attack_2_a_redirecting_discovery_is_not_followed(browser, ehr, code):
    ehr.mock.replace(
        "GET", f"{BASE}/.well-known/smart-configuration", status=code, headers={"Location": "https://x.example"}
    )
    assert browser.get(f"/launch?iss={BASE}&launch=x").status_code == 502
    assert len(ehr.mock.calls) == 1


def test_attack_2_a_huge_discovery_is_cut_off(browser, ehr, caplog):
    ehr.configuration["padding"] = "x" * 300_000
    ends_before_it_begins(browser, caplog, "discovery-too-large")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("token_endpoint", None),
        ("token_endpoint", f"{AUTH}/token".replace("https", "http")),
        ("token_endpoint", 7),
        ("token_endpoint", "https://user:secret@login.ehr.example/token"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("jwks_uri", None),
        ("code_challenge_methods_supported", ["plain"]),
        ("issuer", None),
    ],
)
def test_attack_3_a_configuration_that_lacks_something_ends_the_sign_in(browser, ehr, member, value):
    ehr.configuration[member] = value
    response = browser.get(f"/launch?iss={BASE}&launch=x")
    assert response.status_code == 502
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "https://10.0.0.5", "https://attacker.example"])
@pytest.mark.parametrize("member", ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"])
def test_attack_3_an_endpoint_on_a_host_that_is_not_of_this_issuer_is_never_asked(browser, ehr, member, host):
    """Code, verifier and client secret would go to a service inside our network, or to whoever wrote the document."""
    ehr.configuration[member] = f"{host}/x"
    assert browser.get(f"/launch?iss={BASE}&launch=x").status_code == 502
    assert len(ehr.mock.calls) == 1


def test_the_log_names_the_host_that_was_refused_and_the_setting_that_would_allow_it(browser, ehr, caplog):
    ehr.configuration["token_endpoint"] = "https://sso.example/token"
    ends_before_it_begins(browser, caplog, "discovery-token_endpoint-host")
    [said] = [one for one in caplog.messages if "sso.example" in one]
    assert said == (
        f"The smart-configuration of {BASE} names 'sso.example' as its token_endpoint, which is not https on a host of "
        "this issuer. If it belongs there, add the host to `hosts` of this issuer in the issuers file."
    )


@pytest.mark.parametrize("issuer", ["https://attacker.example", "https://[", "http://login.ehr.example", "ehr.example"])
def test_attack_4_an_authorization_server_on_another_host_vouches_for_nobody(browser, ehr, core, issuer):
    ehr.configuration["issuer"] = ehr.claims["iss"] = issuer
    assert browser.get(f"/launch?iss={BASE}&launch=x").status_code == 502
    assert opened(core) == 0


@pytest.mark.parametrize("issuer", [BASE, f"{AUTH}/realms/care"])
def test_an_authorization_server_on_a_host_of_the_issuer_needs_no_other_setting(browser, ehr, core, issuer):
    ehr.configuration["issuer"] = ehr.claims["iss"] = issuer
    assert core.launches.get(browser.enter()).user.reference == "Practitioner/p1"


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_server_that_says_it_cannot_revoke_is_signed_in_to(browser, ehr, core, nothing):
    ehr.configuration["revocation_endpoint"] = nothing
    launch = core.launches.get(browser.enter())
    token = form_token(core.settings, launch.session_id, launch.id)
    assert browser.post(f"/l/{launch.id}/logout", {"_csrf": token, "_for": "anna"}).status_code == 303
    assert opened(core) == 0
    assert ehr.calls("/revoke") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<html>sign in</html>", "discovery-not-json"),
        ("", "discovery-not-json"),
        ("[" * 5000, "discovery-not-json"),
        ("[]", "discovery-not-an-object"),
        ('"text"', "discovery-not-an-object"),
    ],
)
def test_attack_3_a_configuration_that_is_no_object_ends_the_sign_in(browser, ehr, caplog, body, code):
    ehr.mock.replace("GET", f"{BASE}/.well-known/smart-configuration", body=body)
    ends_before_it_begins(browser, caplog, code)


class TestAnIssuerWhoseAuthorizationServerIsConfigured:
    @pytest.fixture
    def issuers(self):
        return (
            Issuer(
                base=BASE,
                name="Example EHR",
                client_id="verstel",
                hosts=HOSTS,
                openid_issuer="https://expected.example",
            ),
        )

    def test_attack_4_another_one_in_the_discovery_is_refused(self, browser, caplog):
        ends_before_it_begins(browser, caplog, "discovery-other-issuer")

    def test_the_expected_one_is_accepted(self, browser, ehr):
        ehr.configuration["issuer"] = "https://expected.example"
        response = browser.get(f"/launch?iss={BASE}&launch=x")
        assert response.status_code == 303
        assert response.headers["Location"].startswith(f"{AUTH}/authorize?")


def test_attack_5_the_authorization_request_has_state_nonce_challenge_and_exact_aud(browser, ehr):
    asked = browser.begin()
    assert asked["aud"] == BASE
    assert asked["redirect_uri"] == f"{APP}/callback"
    assert asked["response_type"] == "code"
    assert asked["launch"] == "chart-7"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 22  # 128 bits
    assert len(asked["nonce"]) >= 22
    browser.finish(asked)
    verifier = ehr.form()["code_verifier"]
    expected = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == expected


def test_a_launch_from_the_ehr_asks_for_its_context_and_a_standalone_one_for_a_patient(browser):
    assert "launch/patient" not in browser.begin()["scope"].split()
    standalone = browser.begin(f"/start?iss={BASE}")["scope"].split()
    assert "launch/patient" in standalone
    assert "launch" not in standalone


@pytest.mark.parametrize(
    ("offered", "asked"),
    [
        (["openid", "patient/*.rs"], True),
        (["patient/Appointment.read"], True),
        (["patient/Appointment.r"], False),
        (["user/*.rs", "system/Appointment.rs", "patient/Goal.rs"], False),
        ("patient/*.rs", False),
        (None, False),
    ],
)
def test_appointments_are_asked_for_only_where_the_server_says_that_it_has_them(browser, ehr, offered, asked):
    """Some servers refuse a whole sign-in for a scope that they do not know."""
    ehr.configuration["scopes_supported"] = offered
    assert ("patient/Appointment.rs" in browser.begin()["scope"].split()) is asked


@pytest.mark.parametrize(("offered", "asked"), [(["patient/*.rs"], True), (["patient/Goal.rs"], False)])
@pytest.mark.parametrize(
    "scope", ["patient/MedicationRequest.rs", "patient/MedicationStatement.rs", "patient/RelatedPerson.rs"]
)
def test_medicines_are_asked_for_only_where_the_server_says_that_it_has_them(browser, ehr, scope, offered, asked):
    ehr.configuration["scopes_supported"] = offered
    assert (scope in browser.begin()["scope"].split()) is asked


def test_two_sign_ins_share_no_state_nonce_or_challenge(browser):
    first, second = browser.begin(), browser.begin()
    assert not {first[name] for name in ("state", "nonce", "code_challenge")} & set(second.values())


@pytest.mark.parametrize("query", ["code=x", "code=x&state=", "code=x&state=guessed"])
def test_attack_6_a_missing_or_wrong_state_is_refused_without_a_token_request(browser, ehr, query):
    browser.begin()
    assert browser.get(f"/callback?{query}").status_code == 400
    assert ehr.calls("/token") == []


def test_attack_6_a_state_works_once(browser, ehr):
    asked = browser.begin()
    assert browser.finish(asked).status_code == 303
    assert browser.finish(asked).status_code == 400
    assert len(ehr.calls("/token")) == 1


@pytest.mark.parametrize(("seconds", "status"), [(STATE_SECONDS - 1, 303), (STATE_SECONDS, 400)])
def test_attack_6_a_state_lives_ten_minutes(browser, ehr, core, seconds, status):
    asked = browser.begin()
    clock = ehr.clock
    clock.now += seconds
    ehr.claims |= {"iat": int(clock.now), "exp": int(clock.now) + 600}
    assert browser.finish(asked).status_code == status
    assert opened(core) == len(ehr.calls("/token")) == (1 if status == 303 else 0)
    assert [entry.reason for entry in core.audit.entries()] == ([""] if status == 303 else ["state-old"])


def test_attack_6_and_7_a_state_of_another_browser_is_refused_and_spent(browser, another_browser, ehr):
    asked = browser.begin()
    another_browser.begin()
    assert another_browser.finish(asked).status_code == 400
    assert browser.finish(asked).status_code == 400
    assert ehr.calls("/token") == []


def test_attack_7_a_callback_in_a_browser_without_any_session_is_refused(browser, another_browser, ehr):
    assert another_browser.finish(browser.begin()).status_code == 400
    assert ehr.calls("/token") == []


def test_attack_8_a_callback_that_names_another_authorization_server_is_refused(browser, ehr):
    assert browser.finish(browser.begin(), iss="https://evil.example").status_code == 400
    assert ehr.calls("/token") == []


def test_attack_8_a_callback_that_names_the_right_one_is_accepted_and_never_asked_for_records(browser, ehr):
    assert browser.finish(browser.begin(), iss=AUTH).status_code == 303
    assert not [call for call in ehr.mock.calls if call.request.url.startswith(f"{AUTH}/Patient")]


def test_attack_8_a_server_that_promises_to_name_itself_must_do_so(browser, ehr, core):
    ehr.configuration["authorization_response_iss_parameter_supported"] = True
    assert browser.finish(browser.begin()).status_code == 400
    assert (opened(core), ehr.calls("/token")) == (0, [])
    assert browser.finish(browser.begin(), iss=AUTH).status_code == 303


def test_attack_7_a_cookie_of_the_right_name_with_another_secret_is_refused(browser, another_browser, ehr, core):
    asked = browser.begin()
    name = login_cookie(asked["state"], core.settings)
    another_browser.client.set_cookie(name, "made up", domain="app.example", secure=True)
    assert another_browser.finish(asked).status_code == 400
    assert ehr.calls("/token") == []
    assert [entry.reason for entry in core.audit.entries()] == ["state-other-browser"]


def test_an_issuer_taken_out_of_the_settings_meanwhile_lets_nobody_in(browser, ehr, core):
    asked = browser.begin()
    object.__setattr__(core.settings, "issuers", ())
    assert browser.finish(asked).status_code == 400
    assert ehr.calls("/token") == []
    assert [entry.reason for entry in core.audit.entries()] == ["issuer-removed"]


def test_a_callback_without_a_code_asks_for_no_token(browser, ehr, core):
    assert browser.get(f"/callback?state={browser.begin()['state']}").status_code == 400
    assert ehr.calls("/token") == []
    assert [entry.reason for entry in core.audit.entries()] == ["code-missing"]


@pytest.mark.parametrize(("launch", "status"), [("", 400), ("x" * 4097, 400), ("x" * 4096, 303)])
def test_a_launch_that_names_no_chart_or_something_huge_asks_the_ehr_nothing(browser, ehr, launch, status):
    assert browser.get(f"/launch?iss={BASE}&launch={launch}").status_code == status
    assert bool(ehr.mock.calls) is (status == 303)


@pytest.mark.parametrize(("query", "reason"), [("code=x", "state-missing"), ("code=x&state=y", "state-unknown")])
def test_a_callback_that_nobody_waits_for_is_a_row_in_the_log(browser, core, query, reason):
    browser.get(f"/callback?{query}")
    [entry] = core.audit.entries()
    assert (entry.event, entry.objects, entry.reason) == ("refused", ("callback",), reason)


def test_a_sign_in_is_a_row_in_the_log_with_who_and_about_whom(browser, core):
    browser.enter()
    [entry] = core.audit.entries()
    assert (entry.event, entry.outcome, entry.user, entry.role) == ("launch", "0", "Practitioner/p1", "clinician")
    assert entry.patient == "Patient/anna"


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (lambda ehr: ehr.claims.update(aud="another-app"), "id-token-invalid_claim"),
        (lambda ehr: ehr.token.update(patient=None), "patient-missing"),
        (lambda ehr: ehr.token.update(token_type="mac"), "token-not-bearer"),
    ],
)
def test_a_sign_in_that_fails_is_a_row_in_the_log_with_its_code_and_no_name(browser, ehr, core, bend, reason):
    bend(ehr)
    assert browser.sign_in().status_code in (400, 502)
    [entry] = core.audit.entries()
    assert (entry.event, entry.reason) == ("refused", reason)
    assert (entry.user, entry.user_name, entry.subject, entry.patient) == ("", "", "", "")


def test_a_refused_code_is_a_row_in_the_log(browser, ehr, core):
    ehr.token_answer = lambda _: (400, {}, json.dumps({"error": "invalid_grant"}))
    browser.sign_in()
    assert [entry.reason for entry in core.audit.entries()] == ["token-invalid_grant"]


def test_a_stranger_who_asks_without_end_leaves_a_few_rows_and_a_count(browser, core, clock):
    for _ in range(60):
        browser.get("/callback?code=x&state=guessed")
    assert len(list(core.audit.entries())) == MOST_OF_ONE
    clock.now += 60
    browser.get("/launch?iss=https://nobody.example&launch=x")
    *_, owed, last = core.audit.entries()
    assert (owed.objects, owed.reason) == (("several",), "50 more in a minute: state-unknown 50")
    assert last.reason == "unknown-issuer"


def test_attack_9_an_error_text_in_the_address_is_not_shown_and_its_code_logged(browser, caplog):
    asked = browser.begin()
    with caplog.at_level("DEBUG"):
        response = browser.get(
            f"/callback?state={asked['state']}&error=access_denied&error_description=<script>alert(1)</script>"
        )
    assert response.status_code == 400
    assert "alert(1)" not in response.text
    assert "callback-access_denied" in caplog.text
    assert "alert(1)" not in caplog.text


def test_attack_9_a_made_up_error_code_is_not_logged_as_it_came(browser, caplog):
    asked = browser.begin()
    with caplog.at_level("DEBUG"):
        browser.get(f"/callback?state={asked['state']}&error=forged%0Aline")
    assert "callback-other" in caplog.text
    assert "forged" not in caplog.text


@pytest.mark.parametrize("name", ["next", "return", "return_to", "redirect", "redirect_uri", "target_link_uri"])
def test_attack_10_no_parameter_sends_the_browser_elsewhere(browser, name):
    asked = browser.begin(f"/launch?iss={BASE}&launch=x&{name}=https://evil.example/")
    assert asked["redirect_uri"] == f"{APP}/callback"
    response = browser.finish(asked, **{name: "https://evil.example/"})
    assert response.headers["Location"].startswith("/l/")


def test_attack_11_the_code_stays_out_of_history_and_referrer(browser):
    response = browser.sign_in()
    assert response.status_code == 303
    assert "code=" not in response.headers["Location"]
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"


GOOD = {"access_token": "access-9", "token_type": "Bearer", "scope": "openid", "patient": "anna"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "{}"),
        (503, "<html>"),
        (200, "<html>"),
        (200, "[]"),
        (200, json.dumps({**GOOD, "token_type": "mac"})),
        (200, json.dumps({**GOOD, "token_type": None})),
        (200, json.dumps({**GOOD, "access_token": None})),
        (200, json.dumps({**GOOD, "access_token": ""})),
        (200, json.dumps({**GOOD, "access_token": ["x"]})),
        (200, json.dumps({**GOOD, "access_token": "x\r\nX-Evil: 1"})),
        (200, json.dumps({**GOOD, "access_token": "access-\u0142"})),  # no header can hold it
        (200, json.dumps({**GOOD, "access_token": "access 9"})),
        (302, ""),
        (400, json.dumps({"error": "invalid_grant", "error_description": "<script>"})),
        (401, "{}"),
    ],
)
def test_attack_12_a_token_answer_that_is_not_one_leaves_nothing_behind(browser, ehr, core, status, body):
    ehr.token_answer = lambda _: (status, {"Location": "https://evil.example/"}, body)
    response = browser.sign_in()
    assert response.status_code in (400, 502)
    assert "__Host-verstel=" not in str(response.headers.getlist("Set-Cookie"))
    assert "<script>" not in response.text.replace('<script type="module"', "")
    with core.engine.connect() as connection:
        assert [connection.exec_driver_sql(f"select count(*) from {t}").scalar() for t in ("launches", "tokens")] == [
            0,
            0,
        ]


@pytest.mark.parametrize("patient", [None, "", 7, ["anna"], "Practitioner/p1", "anna?x=y", "a/../b"])
def test_attack_13_a_token_without_a_patient_opens_nothing_and_offers_to_start_again(browser, ehr, patient):
    ehr.token["patient"] = patient
    response = browser.sign_in()
    assert response.status_code == 400
    assert f"/start?iss={BASE}" in response.text.replace("%3A", ":").replace("%2F", "/")


@pytest.mark.parametrize("where", ["launch", "callback"])
def test_attack_14_a_patient_in_the_address_is_ignored(browser, ehr, core, where):
    asked = browser.begin(f"/launch?iss={BASE}&launch=x" + ("&patient=bram" if where == "launch" else ""))
    response = browser.finish(asked, **({"patient": "bram"} if where == "callback" else {}))
    session = core.sessions.find(browser.client.get_cookie("__Host-verstel", domain="app.example").value)
    launch = core.launches.find(response.headers["Location"].split("/")[2], session.id)
    assert launch.patient_id == "anna"


@pytest.mark.parametrize(
    ("fhir_user", "role"),
    [
        ("Practitioner/p1", "clinician"),
        ("PractitionerRole/r1", "clinician"),
        (f"{BASE}/Practitioner/p1", "clinician"),
        ("Patient/anna", "client"),
        ("Patient/bram", "guest"),  # signed in about someone else
        ("RelatedPerson/r1", "guest"),
        ("Person/x", "guest"),
        ("Device/x", "guest"),
        ("https://evil.example/fhir/Practitioner/p1", "guest"),
        ("https://evil.example/fhir/Patient/anna", "guest"),
        (f"{BASE}.evil.example/Practitioner/p1", "guest"),
        ("Practitioner/../Patient/anna", "guest"),
        ("nonsense", "guest"),
        ("", "guest"),
        (None, "guest"),
        (7, "guest"),
    ],
)
def test_attack_18_only_who_we_are_sure_of_gets_a_role(browser, ehr, core, fhir_user, role):
    ehr.claims["fhirUser"] = fhir_user
    launch_id = browser.enter()
    session = core.sessions.find(browser.client.get_cookie("__Host-verstel", domain="app.example").value)
    assert core.launches.find(launch_id, session.id).user.role == role
    assert not [call for call in ehr.mock.calls if "evil" in call.request.url]


SISTER = {"resourceType": "RelatedPerson", "id": "mila", "patient": {"reference": "Patient/anna"}}
STRANGE_KEY = RSAKey.generate_key(2048)
OWN_CODE = {"system": code_system_url("care-team-role")}


def works_as(code, practitioner="Practitioner/p1"):
    coding = {**OWN_CODE, "code": code}
    who = {"practitioner": {"reference": practitioner}, "code": [{"coding": [coding]}]}
    return {"resourceType": "PractitionerRole", "id": "r1", "active": True, **who}


def team_of(*members):
    about = {"resourceType": "CareTeam", "id": "t1", "status": "active", "subject": {"reference": "Patient/anna"}}
    return {**about, "participant": [{"member": {"reference": one}} for one in members]}


class TestARoleComesFromTheRecord:
    def role(self, browser, core):
        return core.launches.get(browser.enter()).user.role

    def test_of_a_practitioner_by_their_practitioner_role(self, browser, ehr, core):
        ehr.found["PractitionerRole"] = [works_as("peer-worker")]
        assert self.role(browser, core) == "peer-worker"

    def test_and_by_the_team_of_this_person(self, browser, ehr, core):
        ehr.found["CareTeam"] = [team_of("Practitioner/hanna")]
        assert self.role(browser, core) == "outside"
        ehr.found["CareTeam"] = [team_of("Practitioner/hanna", "Practitioner/p1")]
        assert self.role(browser, core) == "clinician"

    def test_and_not_by_a_practitioner_role_of_another_practitioner(self, browser, ehr, core):
        ehr.found["PractitionerRole"] = [works_as("responsible", "Practitioner/hanna")]
        assert self.role(browser, core) == "clinician"

    def test_of_a_practitioner_role_by_itself_and_with_the_name_of_whose_it_is(self, browser, ehr, core):
        mine = works_as("case-manager")
        mine["practitioner"]["display"] = "Els Visser, SPV"
        ehr.claims["fhirUser"], ehr.records["PractitionerRole/r1"] = "PractitionerRole/r1", mine
        user = core.launches.get(browser.enter()).user
        assert (user.role, user.display) == ("case-manager", "Els Visser, SPV")
        mine["active"] = False
        assert self.role(browser, core) == "guest"

    @pytest.mark.parametrize("answer", [None, []])
    def test_an_ehr_that_refuses_to_say_more_or_has_no_more_keeps_nobody_out(self, browser, ehr, core, answer):
        if answer is not None:
            ehr.found |= {"PractitionerRole": answer, "CareTeam": answer}
        assert self.role(browser, core) == "clinician"

    def test_what_was_not_granted_is_not_asked_for(self, browser, ehr, core):
        ehr.token["scope"] = "openid fhirUser launch patient/Patient.r"
        ehr.found["CareTeam"] = [team_of("Practitioner/hanna")]
        assert self.role(browser, core) == "clinician"
        assert not [call for call in ehr.mock.calls if "?" in call.request.url]

    def test_our_own_store_has_the_persons_own_people(self, browser, ehr, core):
        ehr.found["CareTeam"] = [team_of("Practitioner/hanna")]
        core.own_store(BASE).write(Write("create", team_of("Practitioner/p1")))
        assert self.role(browser, core) == "clinician"

    def test_of_a_related_person_of_this_person(self, browser, ehr, core):
        ehr.claims["fhirUser"], ehr.records["RelatedPerson/mila"] = "RelatedPerson/mila", SISTER
        assert self.role(browser, core) == "loved-one"
        coding = {**OWN_CODE, "code": "representative"}
        ehr.records["RelatedPerson/mila"] = {**SISTER, "relationship": [{"coding": [coding]}]}
        assert self.role(browser, core) == "representative"

    def test_and_not_of_one_of_another_person_who_is_a_guest_in_the_log(self, browser, ehr, core):
        other = {**SISTER, "patient": {"reference": "Patient/bram"}}
        ehr.claims["fhirUser"], ehr.records["RelatedPerson/mila"] = "RelatedPerson/mila", other
        launch = core.launches.get(browser.enter())
        assert launch.user.role == "guest"
        rows = core.audit.of_person(launch.issuer_key, "Patient/anna")
        assert [(one.event, one.reason) for one in rows] == [("denied", "related-person-of-another"), ("launch", "")]

    def test_a_related_person_of_two_clients_has_two_launches_that_never_mix(self, browser, ehr, core):
        """One person, one subject, one browser: sister of Anna, and nothing of Bram's but by a record of his own."""
        ehr.records |= {
            "RelatedPerson/mila": SISTER,
            "RelatedPerson/mila2": {**SISTER, "id": "mila2", "patient": {"reference": "Patient/bram"}},
        }
        launches = []
        for patient, user in (("anna", "mila"), ("bram", "mila2"), ("bram", "mila")):
            ehr.token["patient"], ehr.claims["fhirUser"] = patient, f"RelatedPerson/{user}"
            launches.append(core.launches.get(browser.enter()))
        assert [(one.patient_id, one.user.role) for one in launches] == [
            ("anna", "loved-one"),
            ("bram", "loved-one"),
            ("bram", "guest"),
        ]
        for one in launches[:2]:
            page = browser.get(f"/l/{one.id}/help/").text
            other = "Bram Voorbeeld" if one.patient_id == "anna" else "Anna Voorbeeld"
            assert other not in page
        assert browser.get(f"/l/{launches[2].id}/help/").status_code == 403


@pytest.mark.parametrize("changed", ["unsigned", "other-key", "edited"])
def test_attack_18_a_role_raised_by_a_claim_that_the_issuer_did_not_sign_opens_nothing(browser, ehr, core, changed):
    def raised(claims):
        if changed == "other-key":
            return jwt.encode({"alg": "RS256", "kid": EHR_KEY.kid}, {**claims, "fhirUser": "Patient/anna"}, STRANGE_KEY)
        header, _payload, signature = ehr.signed(claims).split(".")
        more, none = (
            base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
            for one in ({**claims, "fhirUser": "Patient/anna"}, {"alg": "none"})
        )
        return f"{none}.{more}." if changed == "unsigned" else f"{header}.{more}.{signature}"

    ehr.id_token = raised
    assert browser.sign_in().status_code == 400
    assert opened(core) == 0


def test_of_a_user_whom_the_ehr_does_not_name_no_record_is_asked_for(browser, ehr):
    del ehr.claims["fhirUser"]
    browser.enter()
    asked = {call.request.path_url for call in ehr.mock.calls if call.request.url.startswith(BASE)}
    assert asked == {"/fhir/.well-known/smart-configuration", "/fhir/metadata", "/fhir/Patient/anna"}


def test_attack_18_a_guest_has_no_page_and_can_sign_out(browser, ehr, core):
    ehr.claims["fhirUser"] = "RelatedPerson/r1"
    launch_id = browser.enter()
    response = browser.get(f"/l/{launch_id}/plan/")
    assert response.status_code == 403
    assert "Anna" not in response.text.partition("<main")[2]
    launch = core.launches.get(launch_id)
    token = form_token(core.settings, launch.session_id, launch.id)
    assert browser.post(f"/l/{launch.id}/logout", {"_csrf": token, "_for": "anna"}).status_code == 303
    assert opened(core) == 0


def test_attack_20_one_subject_at_two_issuers_is_two_users(core, app, mock, clock, browser):
    other = Browser(app.test_client(), Ehr(mock, clock, "https://other.example/fhir", "https://login.other.example"))
    keys = set()
    for each in (browser, other):
        launch_id = each.enter()
        session = core.sessions.find(each.client.get_cookie("__Host-verstel", domain="app.example").value)
        keys.add(core.launches.find(launch_id, session.id).user.key)
    assert len(keys) == 2


def test_a_patient_that_is_sent_as_a_reference_is_that_patient(browser, ehr, core):
    ehr.token["patient"] = "Patient/anna"
    launch = core.launches.get(browser.enter())
    assert (launch.patient_id, launch.patient.reference) == ("anna", "Patient/anna")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (None, ""),
        ([{"given": None, "family": "Voorbeeld"}], "Voorbeeld"),
        ([{"prefix": None, "given": ["Anna", None], "family": "Voorbeeld"}], "Anna Voorbeeld"),
        ([{"given": "Anna", "family": "Voorbeeld"}], "Anna Voorbeeld"),
        ({"family": "Voorbeeld"}, ""),
    ],
)
def test_a_name_of_another_shape_keeps_nobody_out(browser, ehr, core, name, shown):
    ehr.records["Patient/anna"]["name"] = name
    assert core.launches.get(browser.enter()).patient.display == shown


def test_an_ehr_that_does_not_tell_names_still_lets_people_in(browser, ehr, core):
    ehr.records.clear()
    launch = core.launches.get(browser.enter())
    assert (launch.patient_id, launch.patient.display, launch.user.role) == ("anna", "", "clinician")


def test_a_timeout_of_the_discovery_is_a_page(browser, ehr, caplog):
    ehr.mock.replace("GET", f"{BASE}/.well-known/smart-configuration", body=responses.ConnectionError("slow"))
    ends_before_it_begins(browser, caplog, "discovery-unreachable")


def test_a_configuration_is_asked_once_an_hour(browser, ehr, clock):
    browser.begin()
    browser.begin()
    assert len(ehr.calls("smart-configuration")) == 1
    clock.now += 3600
    browser.begin()
    assert len(ehr.calls("smart-configuration")) == 2


class TestBelowAPath:
    """Behind a proxy that serves the app at https://app.example/verstel."""

    @pytest.fixture
    def app(self, clock, issuers):
        app = create_app(settings(public_url=f"{APP}/verstel", issuers=issuers), clock=clock)
        yield app
        app.extensions[KEY].engine.dispose()

    @pytest.mark.parametrize("taken_off", [False, True], ids=["path kept by the proxy", "path taken off"])
    def test_every_address_lies_below_it(self, browser, taken_off):
        mount = "" if taken_off else "/verstel"
        asked = browser.begin(f"{mount}/launch?iss={BASE}&launch=x")
        assert asked["redirect_uri"] == f"{APP}/verstel/callback"
        browser.ehr.nonces["c"] = asked["nonce"]
        arrived = browser.get(f"{mount}/callback?state={asked['state']}&code=c").headers["Location"]
        assert arrived.startswith("/verstel/l/")
        page = browser.get(f"{mount}{arrived.removeprefix('/verstel')}").text
        start = browser.get(f"{mount}/").text
        addresses = re.findall(r' (?:href|src|action)="([^"]*)"', page + start)
        assert any("/assets/" in each for each in addresses)
        assert [each for each in addresses if not each.startswith(("/verstel/", "#", "?"))] == []

    def test_a_name_that_only_begins_alike_is_not_the_app(self, browser):
        assert browser.get("/verstel/healthz").json == {"status": "ok"}
        response = browser.get("/verstelde/healthz")
        assert (response.status_code, response.is_json) == (404, False)
