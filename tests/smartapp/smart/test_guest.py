"""A guest is never silent: the log says why, the page says why, and neither says who it is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.smartapp.smart.ehr import BASE

MILA = {"resourceType": "RelatedPerson", "id": "mila", "patient": {"reference": "Patient/anna"}}
ROLE = {
    "resourceType": "PractitionerRole",
    "id": "r1",
    "active": False,
    "practitioner": {"reference": "Practitioner/p1"},
}
SAYS_NOTHING = "rol die hier geen pagina"


@pytest.mark.parametrize(
    ("fhir_user", "code", "says"),
    [
        (None, "fhir-user-missing", "Het dossier zei niet wie je bent."),
        ("", "fhir-user-missing", "Het dossier zei niet wie je bent."),
        (7, "fhir-user-unreadable", "We konden niet lezen wie je bent"),
        ("nonsense", "fhir-user-unreadable", "We konden niet lezen wie je bent"),
        (f"{BASE}/nonsense", "fhir-user-unreadable", "We konden niet lezen wie je bent"),
        (f"{BASE}/deeper/Practitioner/p1", "fhir-user-unreadable", "We konden niet lezen wie je bent"),
        ("https://a@evil.example/Practitioner/p1", "fhir-user-unreadable", "We konden niet lezen wie je bent"),
        ("https://gateway.example/r4/Practitioner/p1", "fhir-user-elsewhere", "een adres dat wij niet kennen"),
        ("https://ehr.example:8443/fhir/Practitioner/p1", "fhir-user-elsewhere", "een adres dat wij niet kennen"),
        ("Person/x", "fhir-user-type", "een soort account dat hier geen"),
        ("Patient/bram", "another-patient", "dit dossier is van iemand anders"),
        ("RelatedPerson/nobody", "related-person-unread", "hoe je de persoon kent over wie het gaat"),
        ("RelatedPerson/of-bram", "related-person-of-another", "als naaste van iemand anders"),
        ("RelatedPerson/over", "related-person-over", "ben je hier geen naaste meer"),
        ("PractitionerRole/r1", "practitioner-role-over", "is je rol als zorgverlener voorbij"),
    ],
)
def test_the_log_and_the_page_say_why(browser, ehr, core, caplog, *, fhir_user, code, says):
    ehr.claims["fhirUser"] = fhir_user
    ehr.records |= {
        "RelatedPerson/of-bram": {**MILA, "id": "of-bram", "patient": {"reference": "Patient/bram"}},
        "RelatedPerson/over": {**MILA, "id": "over", "active": False},
        "PractitionerRole/r1": ROLE,
    }
    launch = core.launches.get(browser.enter())
    assert (launch.user.role, launch.why) == ("guest", code)
    [warning] = [one for one in caplog.messages if "as guest" in one]
    assert warning.startswith(f"A user of {BASE} signed in as guest: guest-{code}.")
    assert not re.search(r"p1|bram|anna|mila|of-bram|Visser|Voorbeeld|u1", warning)
    page = browser.get(f"/l/{launch.id}/")
    main = page.text.partition("<main")[2]
    assert page.status_code == 403
    assert says in main
    assert f"<code>guest-{code}</code>" in main
    assert not re.search(r"Bram|Anna|Visser|gateway", main)
    rows = core.audit.of_person(launch.issuer_key, "Patient/anna")
    assert [(one.event, one.reason) for one in rows] == [("denied", f"guest-{code}"), ("denied", code), ("launch", "")]


@pytest.mark.parametrize(
    ("host", "fhir_user"),
    [
        ("gateway.example", "https://gateway.example/r4/tenants/Jansen/Practitioner/p1"),
        ("gateway.example:8443", "https://gateway.example:8443/Practitioner/p1"),
    ],
)
def test_of_a_user_at_another_address_the_log_names_the_host_and_the_setting(browser, ehr, caplog, host, fhir_user):
    ehr.claims["fhirUser"] = fhir_user
    browser.enter()
    [warning] = [one for one in caplog.messages if "as guest" in one]
    assert f"lies on '{host}'" in warning
    assert "`aliases`" in warning
    assert "Jansen" not in warning


def test_of_whoever_has_a_role_nothing_is_said(browser, ehr, core, caplog):
    assert core.launches.get(browser.enter()).why == ""
    assert not [one for one in caplog.messages if "guest" in one]


def test_a_guest_of_an_older_version_reads_that_there_is_no_page_for_them(browser, ehr, core):
    ehr.claims["fhirUser"] = "Person/x"
    launch = core.launches.get(browser.enter())
    old = core.launches.add(replace(launch, why=""))
    page = browser.get(f"/l/{old.id}/").text
    assert SAYS_NOTHING in page
    assert "<code>guest</code>" in page


class TestTheListOfOwnClients:
    @pytest.fixture
    def issuers(self, issuers):
        return (replace(issuers[0], caseload_scopes="openid fhirUser launch user/Patient.rs"), issuers[1])

    def test_a_professional_at_another_address_is_refused_and_the_log_says_why(self, browser, ehr, caplog):
        ehr.claims["fhirUser"] = "https://gateway.example/r4/Practitioner/p1"
        ehr.token["patient"] = None
        assert browser.sign_in(f"/caseload?iss={BASE}&launch=x").status_code == 400
        assert [one for one in caplog.messages if "guest-fhir-user-elsewhere" in one and "gateway.example" in one]

    def test_a_professional_whose_role_is_over_reads_so(self, browser, ehr):
        ehr.claims["fhirUser"], ehr.records["PractitionerRole/r1"] = "PractitionerRole/r1", ROLE
        ehr.token["patient"] = None
        launch_id = browser.enter(f"/caseload?iss={BASE}&launch=x")
        page = browser.get(f"/l/{launch_id}/caseload/")
        assert page.status_code == 403
        assert "<code>guest-practitioner-role-over</code>" in page.text
