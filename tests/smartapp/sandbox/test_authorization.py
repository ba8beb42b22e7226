"""The authorization server: what it grants, and each thing it refuses."""

import uuid

import pytest
import requests
from fhirclient.client import FHIRClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from smartapp.sandbox import Client, make_sandbox
from smartapp.sandbox.tickets import Grant
from smartapp.storage.database import open_database
from tests.smartapp.sandbox.conftest import CALLBACK, Visitor, came_back, goal, serve_ehr


def test_smart_configuration_names_every_endpoint_and_s256(ehr):
    found = requests.get(f"{ehr.base}/.well-known/smart-configuration", timeout=20).json()
    assert found["issuer"] == ehr.sandbox.issuer != ehr.base
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert {"launch-ehr", "launch-standalone", "permission-v1", "permission-v2"} <= set(found["capabilities"])
    for name in ("authorization", "token", "introspection", "revocation"):
        assert found[f"{name}_endpoint"].startswith(ehr.sandbox.issuer)


def test_the_openid_issuer_answers_at_its_own_address(ehr):
    found = requests.get(f"{ehr.sandbox.issuer}/.well-known/openid-configuration", timeout=20).json()
    assert (found["issuer"], found["jwks_uri"]) == (ehr.sandbox.issuer, ehr.sandbox.endpoints["jwks_uri"])


def test_the_metadata_carry_the_oauth_addresses(ehr):
    rest = requests.get(f"{ehr.base}/metadata", timeout=20).json()["rest"][0]
    uris = {one["url"]: one["valueUri"] for one in rest["security"]["extension"][0]["extension"]}
    assert uris["authorize"] == ehr.sandbox.endpoints["authorize_endpoint"]
    assert uris["token"] == ehr.sandbox.endpoints["token_endpoint"]


def test_jwks_give_public_members_only(ehr):
    answer = requests.get(ehr.sandbox.endpoints["jwks_uri"], timeout=20)
    (key,) = answer.json()["keys"]
    assert set(key) & {"d", "p", "q", "dp", "dq", "qi"} == set()
    assert "max-age" in answer.headers["Cache-Control"]


def test_a_launch_from_the_chart_gives_the_chart_s_patient_to_the_one_who_launched(visitor):
    launch = visitor.chart("bram")
    scope = "openid fhirUser launch patient/*.rs user/Practitioner.rs"
    answer = visitor.exchange(visitor.code(launch=launch, scope=scope)).json()
    assert (answer["patient"], answer["token_type"], answer["need_patient_banner"]) == ("bram", "Bearer", True)
    keys = KeySet.import_key_set(requests.get(visitor.ehr.sandbox.endpoints["jwks_uri"], timeout=20).json())
    claims = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["fhirUser"] == f"{visitor.ehr.base}/Practitioner/jansen"
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (visitor.ehr.sandbox.issuer, "app", "a-nonce")
    assert claims["exp"] > visitor.ehr.clock()


def test_a_client_in_the_portal_gets_their_own_record(visitor):
    visitor.portal("anna")
    answer = visitor.exchange(visitor.code()).json()
    assert answer["patient"] == "anna"
    assert visitor.api(answer["access_token"]).get("Patient/anna").status_code == 200
    assert visitor.api(answer["access_token"]).get("Patient/bram").status_code == 403


def test_without_a_session_the_person_is_asked_who_they_are(visitor):
    page = visitor.authorize()
    assert page.status_code == 200
    assert "Anna Voorbeeld" in page.text
    back = came_back(visitor.sign_in(page, "Patient/anna"))
    assert back["state"] == "a-state"
    assert visitor.exchange(back["code"]).json()["patient"] == "anna"


def test_a_professional_outside_a_chart_chooses_whose_record(visitor):
    visitor.chart()  # signs in
    page = visitor.authorize()
    assert "Bram Voorbeeld" in page.text
    back = came_back(visitor.authorize(chosen_patient="bram"))
    assert visitor.exchange(back["code"]).json()["patient"] == "bram"


def test_a_loved_one_reads_the_team_and_what_the_client_writes_and_writes_nothing(visitor):
    back = came_back(visitor.sign_in(visitor.authorize(), "RelatedPerson/zus"))
    answer = visitor.exchange(back["code"]).json()
    assert answer["patient"] == "anna"
    assert set(answer["scope"].split()) == {
        "openid", "fhirUser", "launch/patient", "offline_access", "patient/CareTeam.rs",
        "patient/Patient.r", "patient/RelatedPerson.r", "patient/QuestionnaireResponse.rs", "patient/Observation.rs",
        "patient/CarePlan.rs", "patient/Goal.rs", "patient/Task.rs",
    }  # fmt: skip


def test_the_answer_names_the_issuer(visitor):
    visitor.portal()
    assert came_back(visitor.authorize())["iss"] == visitor.ehr.sandbox.issuer


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"redirect_uri": CALLBACK + "/"}, {"redirect_uri": None}])
def test_an_unknown_app_or_address_gets_a_page_and_no_redirect(visitor, changes):
    answer = visitor.authorize(**changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://elsewhere.example.org/fhir"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "system/*.rs user/*.rs"}, "invalid_scope"),
        ({"launch": "made-up"}, "invalid_request"),
    ],
)
def test_a_wrong_request_comes_back_as_an_error_without_a_code(visitor, changes, error):
    visitor.portal()
    back = came_back(visitor.authorize(**changes))
    assert back["error"] == error
    assert "code" not in back


def test_aud_with_a_slash_too_many_is_another_server(visitor):
    visitor.portal()
    assert came_back(visitor.authorize(aud=visitor.ehr.base + "/"))["error"] == "invalid_request"


def test_a_launch_works_once(visitor):
    launch = visitor.chart()
    visitor.code(launch=launch)
    assert came_back(visitor.authorize(launch=launch))["error"] == "invalid_request"


def test_a_launch_of_eleven_minutes_ago_is_refused(visitor):
    launch = visitor.chart()
    visitor.ehr.clock.now += 11 * 60
    assert came_back(visitor.authorize(launch=launch))["error"] == "invalid_request"


def test_a_launch_in_somebody_else_s_browser_asks_for_the_one_who_launched(visitor):
    launch = visitor.chart()
    thief = Visitor(visitor.ehr)
    page = thief.authorize(launch=launch)
    assert "J. Jansen" in page.text
    assert "Anna Voorbeeld" not in page.text
    thief.browser.close()


def test_a_person_cannot_choose_somebody_else_s_record(visitor):
    visitor.portal("anna")
    back = came_back(visitor.authorize(chosen_patient="bram"))
    assert visitor.exchange(back["code"]).json()["patient"] == "anna"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"redirect_uri": CALLBACK + "2"},
        {"code": "made-up"},
    ],
)
def test_an_exchange_that_does_not_fit_is_refused(visitor, changes):
    visitor.portal()
    answer = visitor.exchange(**{"code": visitor.code(), **changes})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "access_token" not in answer.json()


def test_a_code_of_another_app_is_refused(visitor):
    visitor.portal()
    code = visitor.code()
    answer = visitor.exchange(code, client_id="secret-app", client_secret="not for browsers")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "access_token" not in answer.json()


def test_a_code_used_twice_is_refused_and_ends_what_it_gave(visitor):
    visitor.portal()
    code = visitor.code()
    first = visitor.exchange(code).json()
    assert visitor.exchange(code).json()["error"] == "invalid_grant"
    assert visitor.api(first["access_token"]).get("Patient/anna").status_code == 401


def test_a_code_of_two_minutes_ago_is_refused(visitor):
    visitor.portal()
    code = visitor.code()
    visitor.ehr.clock.now += 120
    assert visitor.exchange(code).json()["error"] == "invalid_grant"


def test_an_app_with_a_secret_must_show_it(visitor):
    visitor.client_id = "secret-app"
    visitor.portal()
    for wrong in ({}, {"client_secret": "wrong"}):
        refused = visitor.exchange(visitor.code(), **wrong)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    token = visitor.exchange(visitor.code(), client_secret="not for browsers").json()["access_token"]
    assert visitor.api(token).get("Patient/anna").status_code == 200


def test_an_app_may_show_its_secret_by_basic_authentication(visitor):
    visitor.client_id = "secret-app"
    visitor.portal()
    form = {
        "grant_type": "authorization_code",
        "code": visitor.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": visitor.verifier,
    }
    answer = requests.post(
        visitor.ehr.sandbox.endpoints["token_endpoint"], form, auth=("secret-app", "not for browsers"), timeout=20
    )
    assert visitor.api(answer.json()["access_token"]).get("Patient/anna").status_code == 200


def test_token_answers_are_never_cached(visitor):
    visitor.portal()
    assert visitor.exchange(visitor.code()).headers["Cache-Control"] == "no-store"


def test_no_refresh_token_unless_offline_or_online_access_was_granted(visitor):
    visitor.portal()
    assert "refresh_token" not in visitor.exchange(visitor.code(scope="patient/*.rs launch/patient")).json()


def test_a_refresh_token_changes_at_each_use(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    second = visitor.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["patient"] == "anna"
    assert visitor.api(second["access_token"]).get("Patient/anna").status_code == 200


def test_a_refresh_token_used_twice_ends_the_whole_sign_in(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    second = visitor.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    again = visitor.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert visitor.token(grant_type="refresh_token", refresh_token=second["refresh_token"]).status_code == 400
    assert visitor.api(second["access_token"]).get("Patient/anna").status_code == 401


def test_a_refresh_cannot_ask_for_more_but_can_for_less(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    more = visitor.token(grant_type="refresh_token", refresh_token=first["refresh_token"], scope="patient/*.cruds")
    assert more.json()["error"] == "invalid_scope"
    less = visitor.token(grant_type="refresh_token", refresh_token=first["refresh_token"], scope="patient/Goal.crus")
    assert visitor.api(less.json()["access_token"]).get("Patient/anna").status_code == 403


def test_a_refresh_token_of_another_app_is_refused(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    answer = visitor.token(
        grant_type="refresh_token",
        refresh_token=first["refresh_token"],
        client_id="secret-app",
        client_secret="not for browsers",
    )
    assert answer.json()["error"] == "invalid_grant"


def alone(visitor, **form):
    """Refresh as an app that says nothing of itself: no client_id, no header."""
    form = {"grant_type": "refresh_token", **form}
    return requests.post(f"{visitor.ehr.sandbox.issuer}/token", data=form, timeout=20)


def test_a_public_app_refreshes_by_its_token_alone(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    second = alone(visitor, refresh_token=first["refresh_token"])
    assert second.status_code == 200
    assert visitor.api(second.json()["access_token"]).get("Patient/anna").status_code == 200
    assert alone(visitor, refresh_token=first["refresh_token"]).json()["error"] == "invalid_grant"
    assert alone(visitor, refresh_token=second.json()["refresh_token"]).status_code == 400  # used twice: all is over


@pytest.mark.parametrize("app", [{"secret": "not for browsers"}, {"jwks": {"keys": []}}])
def test_an_app_that_can_prove_itself_does_not_refresh_by_its_token_alone(visitor, app):
    grant = Grant("other", "patient/*.rs offline_access", "Patient/anna", "anna", "family")
    visitor.ehr.sandbox.clients = {"other": Client("other", (CALLBACK,), **app)}
    token = visitor.ehr.sandbox.tickets.token(grant, "refresh", None)
    answer = alone(visitor, refresh_token=token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("token", ["", "made-up"])
def test_a_refresh_token_that_nobody_knows_makes_nobody_known(visitor, token):
    answer = alone(visitor, refresh_token=token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_access_token_is_no_refresh_token(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    assert alone(visitor, refresh_token=first["access_token"]).status_code == 401


def test_a_code_still_asks_who_is_there(visitor):
    visitor.portal()
    form = {"grant_type": "authorization_code", "code": visitor.code(), "redirect_uri": CALLBACK}
    assert alone(visitor, **form).status_code == 401


def test_an_access_token_ends_after_an_hour(visitor):
    visitor.portal()
    token = visitor.exchange(visitor.code()).json()["access_token"]
    visitor.ehr.clock.now += 3599
    assert visitor.api(token).get("Patient/anna").json()["id"] == "anna"
    visitor.ehr.clock.now += 2
    assert visitor.api(token).get("Patient/anna").status_code == 401


def test_revoking_one_token_ends_the_sign_in(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    answer = requests.post(
        visitor.ehr.sandbox.endpoints["revoke_endpoint"],
        {"client_id": "app", "token": first["refresh_token"]},
        timeout=20,
    )
    assert answer.status_code == 200
    assert visitor.api(first["access_token"]).get("Patient/anna").status_code == 401
    again = visitor.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.json()["error"] == "invalid_grant"


def test_another_app_cannot_revoke(visitor):
    visitor.portal()
    first = visitor.exchange(visitor.code()).json()
    form = {"client_id": "secret-app", "client_secret": "not for browsers", "token": first["access_token"]}
    assert requests.post(visitor.ehr.sandbox.endpoints["revoke_endpoint"], form, timeout=20).status_code == 200
    assert visitor.api(first["access_token"]).get("Patient/anna").json()["id"] == "anna"
    assert "access_token" in visitor.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()


def test_introspection_tells_the_app_about_its_own_token_only(visitor):
    visitor.portal()
    token = visitor.exchange(visitor.code()).json()["access_token"]
    address = visitor.ehr.sandbox.endpoints["introspect_endpoint"]
    own = requests.post(address, {"client_id": "app", "token": token}, timeout=20).json()
    assert (own["active"], own["patient"]) == (True, "anna")
    form = {"client_id": "secret-app", "client_secret": "not for browsers", "token": token}
    assert requests.post(address, form, timeout=20).json() == {"active": False}


@pytest.fixture
def kept_visitor(tmp_path):
    """Someone at a sandbox whose database is a file."""
    for ehr in serve_ehr(f"sqlite:///{tmp_path / 'ehr.db'}"):
        visitor = Visitor(ehr)
        yield visitor
        visitor.browser.close()


def test_a_token_of_before_a_restart_is_good_after_it(kept_visitor, tmp_path):
    visitor = kept_visitor
    visitor.portal()
    token = visitor.exchange(visitor.code()).json()["access_token"]
    engine = open_database(f"sqlite:///{tmp_path / 'ehr.db'}")
    again = make_sandbox(engine, "http://127.0.0.1:2", clients=(), clock=visitor.ehr.clock)
    assert again.tickets.known(token, "access").patient == "anna"
    assert again.tickets.keys().as_dict() == visitor.ehr.sandbox.tickets.keys().as_dict()
    assert again.store.read("Patient", "anna").resource["id"] == "anna"
    engine.dispose()


def test_the_database_holds_no_token_that_works(kept_visitor, tmp_path):
    visitor = kept_visitor
    visitor.portal()
    answer = visitor.exchange(visitor.code()).json()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert answer["access_token"].encode() not in content
    assert answer["refresh_token"].encode() not in content


def test_v1_scopes_work(visitor):
    visitor.portal()
    answer = visitor.exchange(visitor.code(scope="launch/patient patient/Goal.write patient/Goal.read")).json()
    api = visitor.api(answer["access_token"])
    assert api.post("Goal", goal()).status_code == 201
    assert api.get("Goal?patient=anna").json()["total"] == 1
    assert api.get("Patient/anna").status_code == 403


# ---- backend services


KEY = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384", "use": "sig"})


@pytest.fixture
def backend():
    jwks = KeySet([KEY]).as_dict(private=False)
    yield from serve_ehr(clients=(Client("robot", jwks=jwks, backend=True),))


def assertion(ehr, **changes):
    now = int(ehr.clock())
    claims = {
        "iss": "robot",
        "sub": "robot",
        "aud": ehr.sandbox.endpoints["token_endpoint"],
        "exp": now + 240,
        "jti": str(uuid.uuid4()),
        **changes,
    }
    return jwt.encode({"alg": "ES384", "kid": "one"}, claims, KEY, algorithms=["ES384"])


def ask(ehr, signed, scope="system/Questionnaire.crus"):
    form = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }
    return requests.post(ehr.sandbox.endpoints["token_endpoint"], form, timeout=20)


def test_a_backend_service_gets_a_short_token_for_a_signed_assertion(backend):
    answer = ask(backend, assertion(backend)).json()
    assert (answer["expires_in"], answer["scope"]) == (300, "system/Questionnaire.crus")


def test_an_assertion_works_once(backend):
    signed = assertion(backend)
    assert "access_token" in ask(backend, signed).json()
    again = ask(backend, signed)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert "access_token" in ask(backend, assertion(backend)).json()  # another one does


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example.org/token"},
        {"exp": 1_795_000_000 + 3600},
        {"exp": 1_795_000_000 - 60},
        {"iss": "other"},
        {"sub": "other"},
        {"jti": None},
    ],
)
def test_an_assertion_that_is_not_good_is_refused(backend, changes):
    assert ask(backend, assertion(backend, **changes)).json()["error"] == "invalid_client"


def test_an_assertion_by_another_key_is_refused(backend):
    other = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384", "use": "sig"})
    signed = jwt.encode({"alg": "ES384", "kid": "one"}, {"iss": "robot", "sub": "robot"}, other, algorithms=["ES384"])
    assert ask(backend, signed).json()["error"] == "invalid_client"


def test_a_backend_service_gets_no_patient_scopes(backend):
    assert ask(backend, assertion(backend), "patient/*.rs openid").json()["error"] == "invalid_scope"


# ---- a client that strangers wrote


def test_fhirclient_launches_by_the_metadata_alone_and_reads_the_patient(visitor):
    settings = {
        "app_id": "app",
        "api_base": visitor.ehr.base,
        "redirect_uri": CALLBACK,
        "patient_id": None,
        "scope": "launch/patient patient/*.rs openid fhirUser",
    }
    client = FHIRClient(settings=settings)
    client.prepare()
    visitor.portal("anna")
    answer = visitor.browser.get(client.authorize_url, allow_redirects=False, timeout=20)
    client.handle_callback(answer.headers["Location"])
    assert client.patient.id == "anna"
    client.server.session.close()


def test_a_fault_at_the_token_endpoint_burns_no_code(visitor):
    visitor.portal()
    code = visitor.code()
    visitor.ehr.sandbox.faults.add("POST", "token", 500)
    assert visitor.exchange(code).status_code == 500
    token = visitor.exchange(code).json()["access_token"]
    assert visitor.api(token).get("Patient/anna").json()["id"] == "anna"
