"""A sign-in about nobody: how a professional opens the list of their own clients, and who does not get there."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from mappers.circle import ROLE_SYSTEM
from smartapp.settings import CASELOAD_SCOPES, Issuer
from smartapp.storage.launches import NOBODY, Launch, Person, User
from smartapp.web.guard import form_token
from tests.smartapp.smart.ehr import BASE, HOSTS, opened

OTHER = "https://other.example/fhir"
WAYS = (f"/caseload?iss={BASE}", f"/caseload?iss={BASE}&launch=list-7")
USER_SCOPES = "openid fhirUser user/*.rs"


@pytest.fixture
def issuers() -> tuple[Issuer, ...]:
    first = Issuer(base=BASE, name="Example EHR", client_id="verstel", hosts=HOSTS, caseload_scopes=CASELOAD_SCOPES)
    return first, Issuer(base=OTHER, name="Other EHR", client_id="verstel", hosts=("login.other.example",))


@pytest.fixture
def ehr(ehr):
    del ehr.token["patient"]
    ehr.token["scope"] = USER_SCOPES
    return ehr


def works_as(code: str) -> dict:
    concept = {"coding": [{"system": ROLE_SYSTEM, "code": code}]}
    return {
        "resourceType": "PractitionerRole",
        "id": "r1",
        "practitioner": {"reference": "Practitioner/p1"},
        "code": [concept],
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_professional_comes_to_the_list_in_a_launch_about_nobody(browser, ehr, core, way):
    ehr.found["PractitionerRole"] = [works_as("peer-worker")]
    response = browser.sign_in(way)
    assert response.status_code == 303
    assert urlsplit(response.headers["Location"]).path.endswith("/caseload/")
    launch = core.launches.get(urlsplit(response.headers["Location"]).path.split("/")[2])
    assert launch.about_nobody
    assert (launch.patient_id, launch.patient) == ("", NOBODY)
    assert (launch.user.reference, launch.user.display, launch.user.role) == (
        "Practitioner/p1",
        "Els Visser",
        "peer-worker",
    )
    assert [one["id"] for one in launch.reader["roles"]] == ["r1"]
    assert launch.reader["user"]["id"] == "p1"
    assert core.tokens.find(launch.id).patient is None


def test_it_asks_for_what_the_place_says_and_for_no_patient(browser):
    alone, from_ehr = (browser.begin(way) for way in WAYS)
    assert set(from_ehr["scope"].split()) == set(CASELOAD_SCOPES.split())
    assert set(alone["scope"].split()) == set(CASELOAD_SCOPES.split()) - {"launch"}
    assert (from_ehr["launch"], alone.get("launch")) == ("list-7", None)


def test_no_resource_of_a_patient_is_asked_for(browser, ehr):
    ehr.found["CareTeam"] = []
    browser.enter(WAYS[0])
    asked = {urlsplit(call.request.url).path for call in ehr.mock.calls}
    assert not any("/Patient" in path or "CareTeam" in path for path in asked)


def test_where_a_place_has_no_list_nothing_is_asked_of_it(browser, ehr, core):
    response = browser.get(f"/caseload?iss={OTHER}")
    assert response.status_code == 400
    assert "Deze plek gebruikt de lijst van je eigen cliënten niet." in response.text
    assert len(ehr.mock.calls) == 0
    assert [(entry.event, entry.reason) for entry in core.audit.entries()] == [("refused", "caseload-off")]


def test_an_unknown_issuer_is_refused_there_as_anywhere(browser, ehr):
    assert browser.get("/caseload?iss=https://evil.example/fhir").status_code == 400
    assert browser.get(f"/caseload?iss={BASE}&launch={'x' * 5000}").status_code == 400
    assert len(ehr.mock.calls) == 0


@pytest.mark.parametrize("patient", [None, "anna"])
@pytest.mark.parametrize("who", ["Patient/anna", "RelatedPerson/mila", "Device/pump", ""])
def test_who_is_no_professional_gets_a_page_that_says_where_to_go(browser, ehr, core, who, patient):
    ehr.claims["fhirUser"] = who
    ehr.token["patient"] = patient
    response = browser.sign_in(WAYS[0])
    assert response.status_code == 400
    assert "Dit adres is voor zorgverleners. Open de app vanuit je eigen portaal." in response.text
    assert opened(core) == 0
    assert [entry.reason for entry in core.audit.entries()] == ["caseload-not-yours"]


def test_a_token_for_one_patient_opens_neither_a_list_nor_a_record(browser, ehr, core):
    """It may reach that one alone, and a list of one would look like all of them."""
    ehr.token["patient"] = "anna"
    response = browser.sign_in(WAYS[1])
    assert response.status_code == 400
    assert "opende één dossier" in response.text
    assert opened(core) == 0
    assert [entry.reason for entry in core.audit.entries()] == ["caseload-with-patient"]


@pytest.mark.parametrize("way", [f"/launch?iss={BASE}&launch=chart-7", f"/start?iss={BASE}"])
def test_an_ordinary_sign_in_without_a_patient_is_refused_as_before(browser, core, way):
    assert browser.sign_in(way).status_code == 400
    assert opened(core) == 0
    assert [entry.reason for entry in core.audit.entries()] == ["patient-missing"]


def test_a_sign_in_that_was_begun_for_a_record_does_not_end_on_a_list(browser, core):
    """What kind it is, is kept here, and nothing in the address of the callback says it."""
    begun = browser.begin()
    assert browser.finish(begun, caseload="1").status_code == 400
    assert opened(core) == 0


def test_who_works_outside_every_team_has_no_list(browser, ehr):
    ehr.found["PractitionerRole"] = [works_as("outside")]
    response = browser.sign_in(WAYS[0])
    page = browser.get(urlsplit(response.headers["Location"]).path)
    assert page.status_code == 403
    assert "Els" not in page.text.partition("<main")[2]


def test_a_token_that_is_renewed_for_a_patient_ends_the_list(browser, ehr, core, clock):
    launch = core.launches.get(browser.enter(WAYS[0]))
    ehr.token["patient"] = "anna"
    clock.now += 400
    assert browser.get(f"/l/{launch.id}/caseload/").status_code in (404, 502)
    assert core.tokens.find(launch.id) is None or core.tokens.find(launch.id).patient is None


def test_two_launches_of_one_browser_do_not_mix(browser, ehr, core):
    """The form of a record is no form of the list, and the other way round, whatever it says whom it is about."""
    of_list = core.launches.get(browser.enter(WAYS[0]))
    ehr.token["patient"] = "anna"
    of_anna = core.launches.get(browser.enter())
    assert of_list.session_id == of_anna.session_id
    form_of = {one.id: form_token(core.settings, one.session_id, one.id) for one in (of_list, of_anna)}
    assert browser.get(f"/l/{of_anna.id}/caseload/").status_code == 403
    assert browser.get(f"/l/{of_list.id}/overview/").status_code == 403
    for launch, other, person in ((of_list, of_anna, ""), (of_list, of_anna, "anna"), (of_anna, of_list, "anna")):
        path = f"/l/{launch.id}/{'caseload/find' if launch.about_nobody else 'overview/together/write'}"
        sent = {"_csrf": form_of[other.id], "_for": person, "find": "x"}
        assert browser.post(path, sent).status_code == 403
    assert (
        browser.post(f"/l/{of_list.id}/caseload/find", {"_csrf": form_of[of_list.id], "_for": "anna"}).status_code
        == 409
    )


def test_nobody_has_no_name_that_is_looked_for_later(browser, ehr, core):
    ehr.records.clear()
    launch = core.launches.get(browser.enter(WAYS[0]))
    calls = len(ehr.mock.calls)
    browser.get(f"/l/{launch.id}/help/")
    assert not any("/Patient/" in call.request.url for call in list(ehr.mock.calls)[calls:])


def test_nobodys_things_are_nobodys(browser, core):
    """A launch about nobody has no records: neither pages nor the courier find any by it."""
    launch = core.launches.get(browser.enter(WAYS[0]))
    with pytest.raises(Exception, match="no record of its own"):
        core.records(launch)
    assert browser.get(f"/l/{launch.id}/help/").status_code == 200


def test_a_launch_of_before_there_were_lists_is_still_read(core):
    session = core.sessions.start()
    user = User("Practitioner/p1", "Els", "clinician", BASE, "u1")
    launch = core.launches.add(Launch("", session.id, BASE, "anna", Person("Patient/anna", "Anna"), user, "openid"))
    assert core.launches.find(launch.id, session.id) == launch
    assert not launch.about_nobody
    assert replace(launch, patient_id="").about_nobody
