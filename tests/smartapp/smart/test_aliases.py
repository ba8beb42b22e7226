"""An EHR that writes itself by another address than it is registered with: read as itself, and never asked there."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from mappers.assignment import task_of
from questionnaires.catalogue import catalogue
from tests.smartapp.smart.ehr import BASE

ALIAS = "https://ehr.inside.example:8443/r4"


@pytest.fixture
def issuers(issuers):
    return (replace(issuers[0], aliases=(ALIAS,)), issuers[1])


def role(browser, core, path=None):
    return core.launches.get(browser.enter(path)).user.role


def team(*members, about="Patient/anna"):
    found = {"resourceType": "CareTeam", "id": "t1", "status": "active", "subject": {"reference": about}}
    return {**found, "participant": [{"member": {"reference": one}} for one in members]}


@pytest.mark.parametrize(
    ("fhir_user", "expected"),
    [
        (f"{ALIAS}/Practitioner/p1", "clinician"),
        (f"{ALIAS}/Patient/anna", "client"),
        (f"{ALIAS}/Patient/bram", "guest"),
        ("https://EHR.Inside.example:8443/r4/Practitioner/p1", "clinician"),
        ("https://ehr.example:443/fhir/Practitioner/p1", "clinician"),
        ("https://ehr.inside.example/r4/Practitioner/p1", "guest"),  # another port may be another server
        (f"{ALIAS}x/Practitioner/p1", "guest"),
        (f"{ALIAS}.evil.example/Practitioner/p1", "guest"),
        (f"https://evil.example/{ALIAS}/Practitioner/p1", "guest"),
        ("https://other.example/fhir/Practitioner/p1", "guest"),  # an issuer of ours, and not this one
    ],
)
def test_attack_18_a_user_below_an_alias_is_one_of_this_ehr_and_no_other_is(browser, ehr, core, fhir_user, expected):
    ehr.claims["fhirUser"] = fhir_user
    assert role(browser, core) == expected
    assert not [call.request.url for call in ehr.mock.calls if not call.request.url.startswith((BASE, ehr.auth))]


def test_a_team_that_names_its_members_by_the_alias_is_read(browser, ehr, core):
    ehr.found["CareTeam"] = [team(f"{ALIAS}/Practitioner/hanna", about=f"{ALIAS}/Patient/anna")]
    assert role(browser, core) == "outside"
    ehr.found["CareTeam"][0]["participant"].append({"member": {"reference": f"{ALIAS}/Practitioner/p1"}})
    assert role(browser, core) == "clinician"


def test_a_launch_that_names_the_alias_signs_in_at_the_base(browser, ehr, core):
    asked = browser.begin(f"/launch?iss={ALIAS}&launch=chart-7")
    assert asked["aud"] == ALIAS  # SMART: the same as the `iss` of the launch
    assert browser.finish(asked).status_code == 303
    assert core.launches.get(browser.enter()).issuer == BASE
    assert not [call for call in ehr.mock.calls if "inside" in call.request.url]


def test_a_launch_that_names_the_alias_with_a_slash_is_refused_with_its_reason(browser, core, caplog):
    caplog.set_level("INFO")
    assert browser.get(f"/launch?iss={ALIAS}/&launch=chart-7").status_code == 400
    assert "400 issuer-differs-by-a-slash" in caplog.messages


@pytest.mark.parametrize(
    ("about", "page"), [(f"{ALIAS}/Patient/anna", "questionnaires/hoop/"), (f"{ALIAS}/Patient/bram", "")]
)
def test_a_task_that_is_about_the_person_by_the_alias_opens_its_page(browser, ehr, about, page):
    ehr.claims["fhirUser"] = "Patient/anna"
    ehr.token["fhirContext"] = [{"reference": f"{ALIAS}/Task/t1"}]
    task = task_of(
        questionnaire=catalogue().instruments["hoop"].canonical,
        title="Hoop",
        patient={"reference": about, "display": "Anna"},
        requester={"reference": "Practitioner/p1", "display": "Els Visser"},
        asked_on="2026-11-20T10:00:00+01:00",
        identifier="asked-t1",
    )
    ehr.records["Task/t1"] = {**task, "id": "t1"}
    response = browser.sign_in()
    assert re.sub(r"^/l/[\w-]+/", "", urlsplit(response.headers["Location"]).path) == page
