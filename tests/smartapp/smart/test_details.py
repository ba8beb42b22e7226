"""One token for several servers: what holds at ours is read, and no other is asked because a response names it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from questionnaires.catalogue import catalogue
from tests.smartapp.smart.ehr import BASE

OTHER = "https://r2.example/fhir"
INSIDE = "https://ehr.inside.example/fhir"


@pytest.fixture
def issuers(issuers):
    return (replace(issuers[0], aliases=(INSIDE,)), issuers[1])


def entry(*locations, **said):
    return {"type": "smart_on_fhir", "locations": list(locations), "fhirVersions": ["4.0.1"], **said}


def opened(browser, core):
    launch = core.launches.get(browser.enter())
    return launch.patient_id, launch.scopes


TOP = ("anna", "openid fhirUser launch patient/*.cruds")
READS = "openid fhirUser launch patient/Patient.rs"


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ([entry(BASE)], TOP),
        ([entry(OTHER, fhirVersions=["1.0.2"], patient="r2-7", scope="patient/*.read")], TOP),
        ([entry(BASE, patient="bram")], ("bram", TOP[1])),
        ([entry(OTHER, patient="r2-7"), entry(f"{BASE}/", patient="bram", scope=READS)], ("bram", READS)),
        ([entry(OTHER, INSIDE, patient="bram")], ("bram", TOP[1])),  # by another of its addresses
        ([entry("https://EHR.example:443/fhir", patient="bram")], ("bram", TOP[1])),
        ([entry(f"{BASE}/tenant", patient="bram")], TOP),  # another server below it
        ([entry(BASE, patient="bram"), entry(BASE, INSIDE, patient="bram")], ("bram", TOP[1])),
        ([{**entry(BASE, patient="bram"), "type": "payment"}], TOP),
        ([entry(BASE, patient="bram", fhirVersions=[])], ("bram", TOP[1])),
        ([entry(BASE, fhirVersions=["3.0.2", "4.0.1"])], TOP),
        ("nonsense", TOP),
        ([None, 7, {"type": "smart_on_fhir"}, {"type": "smart_on_fhir", "locations": BASE}], TOP),
    ],
)
def test_what_holds_at_our_server_is_read(browser, ehr, core, details, expected):
    ehr.token["authorization_details"] = details
    assert opened(browser, core) == expected
    assert not [call for call in ehr.mock.calls if "r2.example" in call.request.url or "inside" in call.request.url]


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ([entry(BASE, patient="anna"), entry(BASE, patient="bram")], "details-ambiguous"),
        ([entry(BASE), entry(INSIDE, patient="bram")], "details-ambiguous"),
        ([entry(BASE, fhirVersions=["1.0.2"])], "details-version"),
    ],
)
def test_what_could_mean_another_person_or_release_opens_nothing(browser, ehr, caplog, *, details, code):
    caplog.set_level("INFO")
    ehr.token["authorization_details"] = details
    assert browser.sign_in().status_code == 502
    assert f"502 {code}" in caplog.messages


def test_a_patient_there_that_is_no_id_is_nobody(browser, ehr, caplog):
    caplog.set_level("INFO")
    ehr.token["authorization_details"] = [entry(BASE, patient="../bram")]
    assert browser.sign_in().status_code == 400
    assert "400 patient-missing" in caplog.messages


def test_a_token_that_is_renewed_is_of_the_same_person_at_our_server(browser, ehr, core, clock):
    ehr.token["authorization_details"] = [entry(BASE, patient="bram")]
    launch = core.launches.get(browser.enter())
    clock.now += 280
    assert core.ehr(launch).read("Patient", "bram").resource["id"] == "bram"
    assert core.tokens.find(launch.id).patient == "bram"


def test_the_task_that_the_app_was_opened_for_is_the_one_at_our_server(browser, ehr):
    ehr.claims["fhirUser"] = "Patient/anna"
    ehr.token["fhirContext"] = [{"canonical": "https://nobody.example/Questionnaire/x", "type": "Questionnaire"}]
    ours = [{"canonical": catalogue().asked["hoop"].url, "type": "Questionnaire"}]
    ehr.token["authorization_details"] = [entry(BASE, fhirContext=ours)]
    assert browser.sign_in().headers["Location"].endswith("/questionnaires/hoop/")
